# Sourced by the scripts beside it: what a machine must have, and how the site is told where it runs.
# Kept to what the bash 3.2 of macOS understands.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ROOT=$PWD
SYSTEM=$(uname -s)
if [ "$SYSTEM" = Darwin ]; then
  # Where Homebrew keeps Pango; and leave for Celery to fork after Apple's own libraries have been loaded.
  export DYLD_FALLBACK_LIBRARY_PATH="${HOMEBREW_PREFIX:-/opt/homebrew}/lib:/usr/local/lib:/usr/lib"
  export OBJC_DISABLE_INITIALIZE_FORK_SAFETY=YES
fi

step() { printf '\n== %s\n' "$*"; }
fail() { printf 'Error: %s\n' "$*" >&2; exit 1; }
manage() { .venv/bin/python manage.py "$@"; }

# --- what the machine must have --------------------------------------------------------------------------------

# Sets PYTHON to the first Python that is new enough; PYTHON=… in the environment comes before all others.
find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3.14 python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      PYTHON=$candidate
      return 0
    fi
  done
  return 1
}

# The packages of this machine that are missing for the purposes named: site, papers, browser, postgres, redis. Debian's names.
missing_packages() {
  local purpose
  for purpose in "$@"; do
    case $purpose in
      python) find_python || echo python3 ;;
      site)
        "${PYTHON:-none}" -c 'import ensurepip, venv' 2>/dev/null || echo "$(python_version)-venv"
        has_pango || echo libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0
        has_chinese_font || echo fontconfig fonts-noto-cjk
        command -v msgfmt >/dev/null && command -v xgettext >/dev/null || echo gettext
        ;;
      papers)
        command -v pdfsig >/dev/null || echo poppler-utils
        command -v softhsm2-util >/dev/null || echo softhsm2
        ;;
      browser) find_chromium >/dev/null || echo chromium ;;
      postgres) find_postgres >/dev/null || echo postgresql ;;
      redis) command -v redis-server >/dev/null || echo redis-server ;;
    esac
  done
}

python_version() {
  "${PYTHON:-none}" -c 'import sys; print("python%d.%d" % sys.version_info[:2])' 2>/dev/null || echo python3
}

# What WeasyPrint loads; looked for as it does.
has_pango() {
  "${PYTHON:-none}" - 2>/dev/null <<'PYTHON'
import ctypes, sys
for name in ("pango-1.0", "pangoft2-1.0", "harfbuzz", "harfbuzz-subset"):
    for file in (f"lib{name}.so.0", f"lib{name}.dylib", f"lib{name}.0.dylib"):
        try:
            ctypes.CDLL(file)
            break
        except OSError:
            pass
    else:
        sys.exit(1)
PYTHON
}

has_chinese_font() {
  [ "$SYSTEM" = Darwin ] || { command -v fc-list >/dev/null && [ -n "$(fc-list :lang=zh-cn family)" ]; }
}

find_chromium() {
  local candidate
  for candidate in "${CHROMIUM:-}" chromium google-chrome chromium-browser \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
    [ -n "$candidate" ] && command -v "$candidate" && return 0
  done
  return 1
}

# The folder of initdb and pg_ctl, which Debian keeps out of the PATH.
find_postgres() {
  local folder
  for folder in "$(pg_config --bindir 2>/dev/null)" $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV); do
    [ -x "$folder/initdb" ] && echo "$folder" && return 0
  done
  return 1
}

# Makes sure that the packages for the purposes named are there: by apt where there is apt, else by saying what to type.
need() {
  local missing
  missing=$(missing_packages "$@" | xargs)
  [ -n "$missing" ] || return 0
  if [ "$SYSTEM" = Darwin ]; then
    fail "something is missing. Type: brew install $(names_in_brew $missing) — and start again."
  fi
  command -v apt-get >/dev/null || fail "something is missing. Install what Debian calls $missing — and start again."
  apt_install $missing
  missing=$(missing_packages "$@" | xargs)
  [ -z "$missing" ] || fail "still missing after apt-get: $missing"
}

apt_install() {
  local root=""
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "something is missing. Type: su -c 'apt-get install $*' — and start again."
    root=sudo
  fi
  step "Installing with apt-get: $*"
  # A foreign source that does not answer must not stop us: what we need comes from the distribution itself.
  $root apt-get update -qq || true
  mkdir -p var
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >var/apt.log 2>&1 || { cat var/apt.log >&2; fail "apt-get failed."; }
}

names_in_brew() {
  local package
  for package in "$@"; do
    case $package in
      python3*) echo python@3.13 ;;
      libpango-1.0-0) echo pango ;;
      libpangoft2-1.0-0 | libharfbuzz-subset0) ;; # Homebrew's pango brings them
      poppler-utils) echo poppler ;;
      softhsm2) echo softhsm ;;
      chromium) echo google-chrome ;;
      postgresql) echo postgresql@17 ;;
      redis-server) echo redis ;;
      *) echo "$package" ;;
    esac
  done | xargs
}

need_python() {
  find_python || need python site # all at once, for whoever has to type it
  find_python || fail "Python 3.11 or newer is needed; found $(python3 --version 2>&1). PYTHON=/path/to/python3 names another."
}

# Virtual environment with what the file named asks for. A copy of the file beside it says that this has been done.
install_requirements() {
  local stamp=".venv/installed-$1"
  if ! { [ -x .venv/bin/pip ] && .venv/bin/python -c ''; } 2>/dev/null; then
    rm -rf .venv
    "$PYTHON" -m venv .venv
  fi
  if [ "$(cat requirements.txt "$1")" != "$(cat "$stamp" 2>/dev/null)" ]; then
    step "Installing $1 into .venv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$1"
    cat requirements.txt "$1" >"$stamp"
  fi
}

# --- where the site runs ---------------------------------------------------------------------------------------

# A site in the folder named, for this machine alone; nothing of the caller's own settings leaks in.
site_in() {
  local name
  for name in $(sed -n 's/^\([A-Z_]*\)=.*/\1/p' .env.example); do unset "$name"; done
  export DATA_DIR="$ROOT/$1" SECRET_KEY_FILE="$ROOT/$1/secret-key" HTTPS=0 PYTHONUNBUFFERED=1
  mkdir -p "$DATA_DIR"
  if [ ! -s "$SECRET_KEY_FILE" ]; then
    rm -f "$SECRET_KEY_FILE"
    (umask 277 && head -c 48 /dev/urandom | base64 | tr -d '\n' >"$SECRET_KEY_FILE")
  fi
}

# Is anything in the folders and files named newer than the mark, or is there no mark?
changed_since() {
  local mark=$1
  shift
  [ ! -e "$mark" ] || [ -n "$(find "$@" -type f -not -name '*.pyc' -newer "$mark")" ]
}

# The catalogues that are newer than what was compiled from them.
compile_messages() {
  local catalogue
  for catalogue in locale/*/LC_MESSAGES/*.po; do
    [ -e "$catalogue" ] || continue
    [ "${catalogue%.po}.mo" -nt "$catalogue" ] || msgfmt --check-format -o "${catalogue%.po}.mo" "$catalogue"
  done
}

# How the texts are collected. Files without line numbers: moving a line is no change of a translation.
MAKEMESSAGES=(--locale zh_Hans --no-obsolete --add-location file --ignore .venv --ignore var --ignore tests)

# --- a PostgreSQL and a Redis of one's own -----------------------------------------------------------------------------------

# Starts one on a free port, sets DATABASE_URL to it, and throws it away when the script ends. Arguments go to the server.
start_postgres() {
  local tools password port
  tools=$(find_postgres)
  # PostgreSQL refuses to run as root, and its own user may not enter the checkout: so its folder lies elsewhere.
  POSTGRES_HOME=$(mktemp -d "${TMPDIR:-/tmp}/onchannel-postgres.XXXXXX")
  POSTGRES_TOOLS=$tools
  export POSTGRES_HOME POSTGRES_TOOLS # the tests of faults stop it and start it again
  stop_services_at_the_end
  password=$(head -c 18 /dev/urandom | base64 | tr -d '+/=\n')
  port=$(free_port)
  echo "$password" >"$POSTGRES_HOME/password"
  [ "$(id -u)" != 0 ] || chown -R postgres:postgres "$POSTGRES_HOME"

  step "Starting a PostgreSQL on port $port"
  as_postgres "$tools/initdb" --pgdata "$POSTGRES_HOME/data" --username onchannel --auth scram-sha-256 \
    --pwfile "$POSTGRES_HOME/password" --encoding UTF8 \
    --locale "$([ "$SYSTEM" = Darwin ] && echo en_US.UTF-8 || echo C.UTF-8)" >/dev/null
  as_postgres "$tools/pg_ctl" start --pgdata "$POSTGRES_HOME/data" --log "$POSTGRES_HOME/log" --wait --silent --options \
    "-c listen_addresses=127.0.0.1 -p $port -c unix_socket_directories= $*" \
    || { cat "$POSTGRES_HOME/log" >&2; fail "PostgreSQL did not start."; }
  export DATABASE_URL="postgres://onchannel:$password@127.0.0.1:$port/postgres"
}

as_postgres() {
  if [ "$(id -u)" = 0 ]; then
    (cd "$POSTGRES_HOME" && setpriv --reuid postgres --regid postgres --init-groups --reset-env "$@")
  else
    "$@"
  fi
}

free_port() {
  "$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Starts a Redis on a free port and sets REDIS_URL to it. It keeps nothing, and ends when the script does.
start_redis() {
  local password port answer=""
  REDIS_HOME=$(mktemp -d "${TMPDIR:-/tmp}/onchannel-redis.XXXXXX")
  stop_services_at_the_end
  password=$(head -c 18 /dev/urandom | base64 | tr -d '+/=\n')
  port=$(free_port)
  step "Starting a Redis on port $port"
  # The configuration comes by its standard input, so that no list of processes shows the password.
  printf '%s\n' "bind 127.0.0.1" "port $port" "dir $REDIS_HOME" "requirepass $password" 'save ""' "appendonly no" \
    "databases 64" "logfile $REDIS_HOME/log" "daemonize no" | redis-server - &
  REDIS_PID=$!
  export REDIS_PID
  for _ in $(seq 100); do
    answer=$(REDISCLI_AUTH=$password redis-cli -p "$port" ping 2>/dev/null) || true
    [ "$answer" != PONG ] || break
    sleep 0.1
  done
  [ "$answer" = PONG ] || { cat "$REDIS_HOME/log" >&2; fail "Redis did not start."; }
  export REDIS_URL="redis://:$password@127.0.0.1:$port/0"
}

stop_services_at_the_end() {
  trap stop_services EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

stop_services() {
  [ -z "${REDIS_PID:-}" ] || { kill "$REDIS_PID" && wait "$REDIS_PID"; } 2>/dev/null || true
  [ -z "${REDIS_HOME:-}" ] || rm -rf "$REDIS_HOME"
  [ -z "${POSTGRES_HOME:-}" ] || stop_postgres
}

stop_postgres() {
  as_postgres "$POSTGRES_TOOLS/pg_ctl" stop --pgdata "$POSTGRES_HOME/data" --mode immediate >/dev/null 2>&1 || true
  rm -rf "$POSTGRES_HOME"
}
