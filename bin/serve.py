"""Run the demo's web server, worker and clock as one: they start together and end together.

    serve.py check    does nothing run on this data already, and is the port free?
    serve.py run      run until Ctrl-C

It reads PORT, DATA_DIR and WELCOME, which is shown when the site answers.

Every process gets a session of its own, so that one Ctrl-C reaches this supervisor alone and whatever a process
has started can be ended with it. All of them hold the lock file open: as long as one lives, the data is in use.
"""

import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TextIO

READY_SECONDS = 60
GRACE_SECONDS = 10
Processes = dict[str, subprocess.Popen]


def main(verb: str) -> int:
    lock = take_lock(Path(os.environ["DATA_DIR"]) / "running")
    check_port(port := os.environ["PORT"])
    return run(commands(port), lock, f"http://127.0.0.1:{port}") if verb == "run" else 0


def commands(port: str) -> dict[str, list[str]]:
    as_root = "ignore:You're running the worker with superuser"  # as whoever demonstrates may well be
    celery = [sys.executable, "-W", as_root, "-m", "celery", "--quiet", "-A", "portal"]
    worker = ["worker", "--concurrency", "2", "--hostname", f"demo-{port}@%h", "--without-gossip", "--without-mingle"]
    return {
        "web": [
            sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread",
            "--workers", "2", "--threads", "4", "--graceful-timeout", "5", "--log-level", "warning",
            "--no-control-socket",
        ],
        "worker": [*celery, *worker, "--loglevel", "warning"],
        "clock": [*celery, "beat", "--pidfile", "", "--loglevel", "warning"],
    }  # fmt: skip


def check_port(port: str) -> None:
    """Refuse a port that is no number, is not ours to take, or on which something answers."""
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise SystemExit(f"Error: PORT={port} is not a port. Use a number from 1024 to 65535: PORT=8001 make demo")
    with socket.socket() as probe, socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does
        try:
            server.bind(("127.0.0.1", int(port)))
        except PermissionError:
            raise SystemExit(f"Error: port {port} is for root alone. Choose another: PORT=8001 make demo") from None
        except OSError:
            taken = True
        else:
            # macOS lets us bind beside a server that listens on all addresses.
            taken = sys.platform == "darwin" and probe.connect_ex(("127.0.0.1", int(port))) == 0
    if taken:
        free = int(port) + 1 if int(port) < 65535 else 8001
        raise SystemExit(f"Error: port {port} is taken. Choose another: PORT={free} make demo")


def take_lock(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        raise SystemExit(f"Error: the demo of this folder is running already, {lock.read().strip()}.") from None
    return lock


def run(programs: dict[str, list[str]], lock: TextIO, address: str) -> int:
    """Start the programs, say when the site answers, and end all of them when one ends or a signal comes."""
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, frame: signals.append(received))
    processes: Processes = {}
    try:
        for name, command in programs.items():
            processes[name] = subprocess.Popen(command, start_new_session=True, pass_fds=[lock.fileno()])  # noqa: S603
        note_who_runs(lock, address, processes)
        announced, deadline = False, time.monotonic() + READY_SECONDS
        while not signals and all(process.poll() is None for process in processes.values()):
            if not announced and (announced := answers(address)):
                announce(address)
            elif not announced and time.monotonic() > deadline:
                raise SystemExit(f"Error: no answer from {address} within {READY_SECONDS} seconds.")
            time.sleep(0.2)
    finally:
        ended = {name: process.returncode for name, process in processes.items() if process.returncode is not None}
        end(processes, signals)
    if not signals:
        for name, code in ended.items():
            print(f"Error: the {name} ended by itself (exit code {code}); so all has been ended.", file=sys.stderr)
        return 1
    print("Ended. The data is kept: make demo goes on with it.", flush=True)
    return 0


def note_who_runs(lock: TextIO, address: str, processes: Processes) -> None:
    """Leave in the lock file what a second start will tell its user."""
    lock.truncate(0)
    numbers = " ".join(str(process.pid) for process in processes.values())
    lock.write(f"on {address}: end it with Ctrl-C there, or type: kill {os.getpid()} {numbers}")
    lock.flush()


def answers(address: str) -> bool:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def announce(address: str) -> None:
    print(
        "",
        os.environ.get("WELCOME", "").strip(),
        "",
        f"Onchannel is ready: {address}   Ctrl-C ends it.",
        sep="\n",
        flush=True,
    )


def end(processes: Processes, signals: list[int]) -> None:
    """Ask all of them to end; whoever has not after a while, or at a second Ctrl-C, is killed, and what it left too."""
    asked = len(signals)
    for process in processes.values():
        process.terminate()  # itself alone: it ends its own children in order
    deadline = time.monotonic() + GRACE_SECONDS
    while any(process.poll() is None for process in processes.values()):
        if time.monotonic() > deadline or len(signals) > asked:
            break
        time.sleep(0.1)
    for process in processes.values():
        with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group that is only a zombie
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
