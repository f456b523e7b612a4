"""Settings of the site. Values that differ between installations come from the environment (see .env.example)."""

import sys
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import dj_database_url
from celery.schedules import crontab
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from portal import engines, env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR") or BASE_DIR / "var")
DATA_DIR.mkdir(parents=True, exist_ok=True)

# --- where it runs -----------------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG", default=False)
# HTTPS=0 is for a demonstration on one machine; it is refused below for any host that is not this machine.
HTTPS = env.flag("HTTPS", default=True)
LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]", "testserver"}
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS", "localhost,127.0.0.1")
SECRET_KEY = env.required(
    "SECRET_KEY", "Put at least 50 random characters into it, or name a file that holds them in SECRET_KEY_FILE."
)
if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5 or "example" in SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is a sample or too short: use at least 50 random characters.")
if "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS=* would answer for anybody's host name: list the names of this site.")
if (DEBUG or not HTTPS) and not set(ALLOWED_HOSTS) <= LOCAL_HOSTS:
    raise ImproperlyConfigured("DEBUG=1 and HTTPS=0 are for this machine alone: ALLOWED_HOSTS names another host.")
SITE_URL = env.text("SITE_URL", f"{'https' if HTTPS else 'http'}://{ALLOWED_HOSTS[0]}").rstrip("/")
CSRF_TRUSTED_ORIGINS = env.listing("CSRF_TRUSTED_ORIGINS")
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.usersessions",
    "crispy_forms",
    "django_htmx",
    "csp",
    # Our rooms come after auth, which must have made the permissions before roles are put in order.
    "portal.people",
    "portal.ledger",
    "portal.jobs",
    "portal.hr",
    "portal.scim",
    "portal.signon",
    "quizzes",
    "training",
    "archive",
    "portal.standing",
    "portal.reminders",
    "portal.evidence",
    "portal.operations",
    "portal.demo",
]

MIDDLEWARE = [
    "portal.tracing.RequestIdMiddleware",
    "portal.operations.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "portal.people.middleware.OwnLanguageMiddleware",
    "portal.people.middleware.NoStoreMiddleware",
    "portal.people.middleware.BodySizeMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.people.middleware.HtmxLoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.people.middleware.SessionAgeMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.people.context.frame",
            ],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = ["onchannel"]
CRISPY_TEMPLATE_PACK = "onchannel"

# --- data --------------------------------------------------------------------------------------------------------
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
    "PRAGMA recursive_triggers=ON; PRAGMA secure_delete=ON;"
)
DATABASES = {
    "default": dj_database_url.parse(
        env.text("DATABASE_URL") or f"sqlite:///{DATA_DIR / 'onchannel.sqlite3'}",
        conn_max_age=600,
        conn_health_checks=True,  # a database that was started anew costs nobody a page
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: a transaction that will write takes the lock at its start, so it never fails half-way for it.
    # FULL: one fsync a commit; NORMAL may forget acknowledged work when the power goes.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": SQLITE_PRAGMAS,
        "cached_statements": 32,  # each keeps the values it was last given: 128 of an import's are 60 MB
    }
    # A file for tests too: in memory, threads would share one cache and lock whole tables.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
REDIS_URL = env.text("REDIS_URL")
CACHES = engines.caches(REDIS_URL)
PRIVATE_DIR = DATA_DIR / "private"  # certificates, exports, uploaded feeds: never served but through a view
MEDIA_ROOT = PRIVATE_DIR
FILES_BUCKET = env.text("FILES_BUCKET")
STORAGES = {
    "default": engines.files_in_bucket(
        bucket=FILES_BUCKET,
        endpoint=env.text("FILES_BUCKET_ENDPOINT"),
        region=env.text("FILES_BUCKET_REGION", "us-east-1"),
        key_id=env.text("FILES_BUCKET_KEY_ID"),
        secret=env.required("FILES_BUCKET_SECRET", "It goes with FILES_BUCKET; FILES_BUCKET_SECRET_FILE names a file."),
    )
    if FILES_BUCKET
    else engines.files_on_disk(PRIVATE_DIR),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # whitenoise warns of a folder that is not there
STATICFILES_DIRS = [BASE_DIR / "static"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
FILE_UPLOAD_TEMP_DIR = PRIVATE_DIR / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
UPLOAD_MAX_BYTES = env.number("UPLOAD_MAX_MB", 512, least=1, most=8192) * 2**20
MEASURING_PATHS = ("/api/archive/", "/scim/")  # whose view looks at the size of a body before it reads it
QUESTIONS_MAX_BYTES = 5 * 2**20  # a form with a question file
# Path of a page that takes a file: who may send one, and the setting that says how large.
LARGE_BODIES = {
    "/imports/": ("archive.run_imports", "UPLOAD_MAX_BYTES"),
    "/questions/import/": ("quizzes.change_question", "QUESTIONS_MAX_BYTES"),
}

# --- language and time -------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["portal.formats"]
USE_TZ = True
# The firm's zone: days, due dates and months are decided in it; moments are stored in UTC.
TIME_ZONE = env.text("FIRM_TZ", "Asia/Shanghai")
if TIME_ZONE not in available_timezones():
    raise ImproperlyConfigured(f"FIRM_TZ={TIME_ZONE!r} is not a time zone. Use a name such as Asia/Shanghai.")
FIRM_NAME = env.text("FIRM_NAME", "Onchannel")

# --- signing in --------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "people.Employee"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # an address is unique without regard to case: by a constraint on Lower()
AUTHENTICATION_BACKENDS = [
    "portal.signon.backends.PasswordsOfFew",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "standing:today"
ACCOUNT_ADAPTER = "portal.people.adapter.ClosedAccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # addresses come from HR, not from the person
ACCOUNT_FORMS = {
    "login": "portal.people.forms.SignInForm",
    "change_password": "portal.people.forms.NewPasswordForm",
    "reset_password": "portal.people.forms.ForgottenPasswordForm",
    "reset_password_from_key": "portal.people.forms.ChosenPasswordForm",
    "reauthenticate": "portal.people.forms.SignInAgainForm",
    "set_password": "portal.people.forms.FirstPasswordForm",
}
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_PREVENT_ENUMERATION = True
SOCIALACCOUNT_ADAPTER = "portal.signon.adapter.SignonAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # a form may not be sent on to another host: see form-action below
# By which identity providers people sign in: {short name: what SIGNON_OIDC_<SHORT NAME>_… say} (docs/sign-on.md).
SIGNON_OIDC = env.groups("SIGNON_OIDC")
# 1: passwords are for emergency accounts alone, those of the addresses in SIGNON_BREAK_GLASS.
SIGNON_ONLY = env.flag("SIGNON_ONLY", default=False)
SIGNON_BREAK_GLASS = env.listing("SIGNON_BREAK_GLASS")
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXIES", 0, most=9)

# --- the browser -------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}
MESSAGE_TAGS = {10: "none", 20: "none", 25: "good", 30: "warn", 40: "bad"}  # levels by their look
CSRF_FAILURE_VIEW = "portal.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz(/live|/ready)?$", r"^metrics$"]  # asked from inside, behind the proxy
SECURE_HSTS_SECONDS = 2 * 365 * 86400 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
LANGUAGE_COOKIE_NAME = "__Host-language" if HTTPS else "language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600  # from when it was begun: portal.people.sessions
SESSION_IDLE_MINUTES = env.number("SESSION_IDLE_MINUTES", 30, most=720)  # 0: as long as it lasts
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
if env.flag("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- mail --------------------------------------------------------------------------------------------------------
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if env.text("EMAIL_HOST")
    else "django.core.mail.backends.filebased.EmailBackend"
)
EMAIL_FILE_PATH = DATA_DIR / "mail"
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 25, most=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Onchannel <no-reply@localhost>")

# --- reminders ---------------------------------------------------------------------------------------------------
# What is asked what people owe: functions by name, (piece) -> (person, Owed)…, as portal.reminders.owed has them.
REMINDER_SOURCES = [
    "portal.reminders.owed.training_due",
    "portal.reminders.owed.lessons_called_for",
    "portal.reminders.owed.policies_to_sign",
    "portal.reminders.owed.statement_to_sign",
    "portal.reminders.owed.exemptions_ending",
]
# By what: mail; wecom (mail for whom no WeCom userid is known); both.
REMINDERS_BY = env.one_of("REMINDERS_BY", ("mail", "wecom", "both"), "mail")
# Whose message in WeCom: the application's, or a group robot's.
REMINDERS_WECOM = env.one_of("REMINDERS_WECOM", ("wecom", "robot"), "wecom")
REMINDERS_WECOM_URL = env.text("REMINDERS_WECOM_URL", "https://qyapi.weixin.qq.com").rstrip("/")
REMINDERS_WECOM_CORP = env.text("REMINDERS_WECOM_CORP")
REMINDERS_WECOM_AGENT = env.number("REMINDERS_WECOM_AGENT", 0)
REMINDERS_WECOM_SECRET = REMINDERS_WECOM_ROBOT_KEY = ""
if REMINDERS_BY != "mail" and REMINDERS_WECOM == "robot":
    REMINDERS_WECOM_ROBOT_KEY = env.required(
        "REMINDERS_WECOM_ROBOT_KEY", "It is the key in the robot's webhook address."
    )
elif REMINDERS_BY != "mail":
    REMINDERS_WECOM_SECRET = env.required("REMINDERS_WECOM_SECRET", "It is the secret of the application in WeCom.")
    if not (REMINDERS_WECOM_CORP and REMINDERS_WECOM_AGENT):
        raise ImproperlyConfigured("REMINDERS_BY needs REMINDERS_WECOM_CORP and REMINDERS_WECOM_AGENT as well.")
# Where mail that cannot be delivered comes back to, and the Maildir in which it then lies.
REMINDERS_BOUNCE_ADDRESS = env.text("REMINDERS_BOUNCE_ADDRESS")
REMINDERS_BOUNCES_MAILDIR = env.text("REMINDERS_BOUNCES_MAILDIR")

# --- long work ---------------------------------------------------------------------------------------------------
CELERY_BROKER_URL, CELERY_BROKER_TRANSPORT_OPTIONS = engines.broker(REDIS_URL, DATA_DIR / "broker")
if REDIS_URL:
    CELERY_RESULT_BACKEND = REDIS_URL  # for tasks that ask for it; what ours find stands in their Job
CELERY_TASK_DEFAULT_QUEUE = engines.QUICK
CELERY_TASK_QUEUES = engines.queues()
CELERY_TASK_ROUTES = engines.routes()
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_PUBLISH_RETRY = False  # a request does not wait for a broker that is away: the sweeper rings again
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_TASK_TIME_LIMIT = 3600
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "ring again for waiting jobs": {"task": "portal.jobs.tasks.sweep", "schedule": 60},
    "bring standings up to date": {"task": "portal.standing.tasks.catch_up", "schedule": 60},
    "count how the firm stands": {"task": "portal.standing.tasks.take_stock", "schedule": 3600},
    "send reminders that wait": {"task": "portal.standing.tasks.send_nudges", "schedule": 300},
    "begin reminders where it is time": {"task": "portal.reminders.tasks.start_due", "schedule": 300},
    "send digests that wait": {"task": "portal.reminders.tasks.send", "schedule": 60},
    "read mail that came back": {"task": "portal.reminders.tasks.read_bounces", "schedule": 600},
    "suspend who has left": {"task": "portal.people.tasks.retire_leavers", "schedule": 3600},
    "throw away HR's old lists": {"task": "portal.hr.tasks.forget_old", "schedule": 24 * 3600},
    "grade quizzes whose time is up": {"task": "training.tasks.close_late_quizzes", "schedule": 300},
    "tell of recalled questions": {"task": "training.tasks.tell_recalled", "schedule": 300},
    "write about this week's questions": {"task": "training.tasks.mail_fresh", "schedule": 300},
    "look for integrity signals": {"task": "quizzes.tasks.look_for_signals", "schedule": 6 * 3600},
    "see what answers show": {"task": "quizzes.tasks.ask_for_analysis", "schedule": 24 * 3600},
    "sign status lists anew": {"task": "training.tasks.renew_status_lists", "schedule": 3600},
    "assign what is owed": {"task": "training.tasks.apply_rules", "schedule": 3600},
    "delete packs that were fetched long ago": {"task": "portal.evidence.tasks.forget_old_packs", "schedule": 3600},
    "delete exports of certificates that were made long ago": {
        "task": "training.tasks.forget_old_exports",
        "schedule": 3600,
    },
    "show that clock and workers are at work": {"task": "portal.operations.tasks.tick", "schedule": 60},
    "seal the evidence log": {"task": "portal.ledger.tasks.seal", "schedule": 600},
    "send seals off the machine": {"task": "portal.ledger.tasks.deliver", "schedule": 300},
    "see that seals are made and stay outside": {"task": "portal.ledger.tasks.watch", "schedule": 3600},
    "verify the evidence log": {"task": "portal.ledger.tasks.start_verification", "schedule": 600},
    "open and close findings of the day": {"task": "archive.tasks.refresh_findings", "schedule": 3600},
    "look whether the archive is what was stored": {
        "task": "archive.tasks.verify_tonight",
        "schedule": crontab(hour="18", minute="30"),  # UTC
    },
}
# What a finished import or completion rings, by name, so that no import points upward.
STANDING_CATCH_UP_TASK = "portal.standing.tasks.catch_up"
# What a change of HR's facts rings, with the ids of the people.
PEOPLE_CHANGED_TASK = "training.tasks.apply_to_people"

# Whether people are written to once a week when questions wait that keep a course fresh.
FRESH_MAILS = env.flag("FRESH_MAILS", default=True)

# --- the evidence log --------------------------------------------------------------------------------------------
# Named in every seal, for good: what the first seal says stays, whatever this says later.
LEDGER_ORIGIN = env.text("LEDGER_ORIGIN") or f"{urlsplit(SITE_URL).netloc}/ledger"
# The private key of the seals. Only the default makes itself; a file that is named here is the firm's to make.
LEDGER_KEY_FILE = env.text("LEDGER_KEY_FILE") or str(DATA_DIR / "ledger-key.pem")
LEDGER_KEY_MAY_BE_MADE = not env.text("LEDGER_KEY_FILE")
# Where seals are sent, so that somebody else holds them: any of these four.
SEALS_OUT_DIR = env.text("SEALS_OUT_DIR")
SEALS_MAIL_TO = env.listing("SEALS_MAIL_TO")
SEALS_BUCKET = env.text("SEALS_BUCKET")
SEALS_BUCKET_ENDPOINT = env.text("SEALS_BUCKET_ENDPOINT")
SEALS_BUCKET_REGION = env.text("SEALS_BUCKET_REGION", "us-east-1")
SEALS_BUCKET_KEY_ID = env.text("SEALS_BUCKET_KEY_ID")
SEALS_BUCKET_SECRET_FILE = env.text("SEALS_BUCKET_SECRET_FILE")
SEALS_BUCKET_YEARS = env.number("SEALS_BUCKET_YEARS", 7, least=1, most=100)
if SEALS_BUCKET and not (SEALS_BUCKET_KEY_ID and SEALS_BUCKET_SECRET_FILE):
    raise ImproperlyConfigured("SEALS_BUCKET needs SEALS_BUCKET_KEY_ID and SEALS_BUCKET_SECRET_FILE as well.")
SEALS_TIMESTAMP_URL = env.text("SEALS_TIMESTAMP_URL")
SEALS_TIMESTAMP_ROOTS = env.text("SEALS_TIMESTAMP_ROOTS")
if SEALS_TIMESTAMP_URL and not (SEALS_TIMESTAMP_URL.startswith(("http://", "https://")) and SEALS_TIMESTAMP_ROOTS):
    raise ImproperlyConfigured("SEALS_TIMESTAMP_URL is an http address, and needs SEALS_TIMESTAMP_ROOTS as well.")
# Asked by every verification whether the rows of a room agree with the entries, and before every disposal whether
# something must be kept: functions by name, so that no import points upward.
LEDGER_CHECKS = [
    "portal.ledger.checks.keys_agree",
    "portal.ledger.checks.disposals_agree",
]
# Tables whose rows a verification compares with what the entries say they must be.
LEDGER_TABLES = [
    "quizzes.checks.ATTEMPTS",
    "training.checks.MODULES",
    "training.checks.COMPLETIONS",
    "training.checks.CERTIFICATES",
    "training.checks.EXEMPTIONS",
    "training.checks.SIGNATURES",
]
LEDGER_HOLDS = ["archive.services.holding.entries_held"]
LEDGER_JOBS = "portal.jobs.services"  # how long work is started and carried on

# --- certificates ------------------------------------------------------------------------------------------------
# The key that signs them: two files in PEM, or a device that speaks PKCS#11. Neither: the site makes its own.
CERTIFICATE_KEY_FILE = env.text("CERTIFICATE_KEY_FILE")
CERTIFICATE_CERT_FILE = env.text("CERTIFICATE_CERT_FILE")
CERTIFICATE_DEVICE_MODULE = env.text("CERTIFICATE_DEVICE_MODULE")
CERTIFICATE_DEVICE_TOKEN = env.text("CERTIFICATE_DEVICE_TOKEN")
CERTIFICATE_DEVICE_KEY = env.text("CERTIFICATE_DEVICE_KEY")
CERTIFICATE_DEVICE_PIN_FILE = env.text("CERTIFICATE_DEVICE_PIN_FILE")
if CERTIFICATE_KEY_FILE and not CERTIFICATE_CERT_FILE:
    raise ImproperlyConfigured("CERTIFICATE_KEY_FILE needs CERTIFICATE_CERT_FILE as well.")
if CERTIFICATE_DEVICE_MODULE and not (
    CERTIFICATE_DEVICE_TOKEN and CERTIFICATE_DEVICE_KEY and CERTIFICATE_DEVICE_PIN_FILE
):
    raise ImproperlyConfigured(
        "CERTIFICATE_DEVICE_MODULE needs CERTIFICATE_DEVICE_TOKEN, _DEVICE_KEY and _DEVICE_PIN_FILE as well."
    )
# Certificates in bulk come in ZIPs of at most this size.
EXPORT_PART_BYTES = env.number("EXPORT_PART_MB", 2000, least=1) * 10**6

# --- what the archive keeps --------------------------------------------------------------------------------------
ARCHIVE_TEXT = env.one_of("ARCHIVE_TEXT", ("flagged", "all", "none"), "flagged")
# What encrypts kept words, newest first. On one machine the site makes its own; several machines must share theirs.
ARCHIVE_TEXT_KEYS = env.keys("ARCHIVE_TEXT_KEYS", DATA_DIR / "keys" / "archive-text", make=Fernet.generate_key)
# The firm's own thresholds, over those that ship (archive/policy.yaml).
ARCHIVE_POLICY_FILE = Path(env.text("ARCHIVE_POLICY_FILE")) if env.text("ARCHIVE_POLICY_FILE") else None
# …and who may message (portal/standing/policy.yaml).
STANDING_POLICY_FILE = Path(env.text("STANDING_POLICY_FILE")) if env.text("STANDING_POLICY_FILE") else None
# Percent of the staff that one HR file may take away; more looks like half a list, and is refused.
HR_MOST_LEAVERS = env.number("HR_MOST_LEAVERS", 5, most=100)
# The firm's own retention schedules instead of those that ship; archive.checks looks whether they can be used.
ARCHIVE_RETENTION_FILE = Path(env.text("ARCHIVE_RETENTION_FILE")) if env.text("ARCHIVE_RETENTION_FILE") else None
COURSES_DIR = Path(env.text("COURSES_DIR") or BASE_DIR / "training" / "courses")

# --- logs --------------------------------------------------------------------------------------------------------
# --- watching ----------------------------------------------------------------------------------------------------
# Whoever shows it may read /metrics. Without it there is no such page.
MONITOR_TOKEN = env.secret("MONITOR_TOKEN")
# A folder in memory, emptied when the site starts, in which all web processes of a machine count their requests.
METRICS_DIR = env.text("METRICS_DIR")
if METRICS_DIR:
    Path(METRICS_DIR).mkdir(parents=True, exist_ok=True, mode=0o700)
    env.share("PROMETHEUS_MULTIPROC_DIR", METRICS_DIR)  # which its library reads when it is loaded

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "portal.logs.QuietFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json", "stream": sys.stderr}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "WARNING")},
}
