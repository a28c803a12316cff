"""Settings, all from the environment with working defaults; every name is described in templates/docs/settings.md."""

import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from market.rules import Settings as MarketRules
from priostack import compiler, datadir, env
from priostack.database import database

BASE_DIR = Path(__file__).resolve().parent.parent
TESTING = "pytest" in sys.modules
# Each test process has a directory of its own, so that parallel ones share neither files nor a Valkey.
HOME = f"{tempfile.gettempdir()}/priostack-test-{os.getpid()}" if TESTING else str(BASE_DIR / "var")
DATA_DIR = env.folder("PRIOSTACK_DATA_DIR", HOME)

PRODUCTION = env.flag("PRIOSTACK_PRODUCTION")
DEBUG = env.flag("DEBUG")
PORT = env.whole("PRIOSTACK_PORT", 8000, least=1, most=65_535)
BASE_URL = env.address("PRIOSTACK_BASE_URL", f"http://127.0.0.1:{PORT}")

SECRET_KEY = env.text("SECRET_KEY") or datadir.secret_key(DATA_DIR)
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
if PRODUCTION and DEBUG:
    raise env.BadSetting("DEBUG must be off when PRIOSTACK_PRODUCTION is on")
if PRODUCTION and (len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10 or "insecure" in SECRET_KEY):
    raise env.BadSetting("SECRET_KEY is too weak for production: at least 50 random characters")
if PRODUCTION and not BASE_URL.startswith("https://"):
    raise env.BadSetting("PRIOSTACK_BASE_URL must be https:// when PRIOSTACK_PRODUCTION is on")

ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS") or [
    "127.0.0.1",
    "localhost",
    "[::1]",
    urlsplit(BASE_URL).netloc.removesuffix(f":{urlsplit(BASE_URL).port}"),
]
CSRF_TRUSTED_ORIGINS = [BASE_URL]
FORWARDED_ALLOW = env.proxies("PRIOSTACK_PROXIES")  # addresses whose X-Forwarded-For is believed

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
    "allauth.mfa",
    "channels",
    "django_htmx",
    "django_vite",
    "billing",
    "bundles",
    "market",
    "runtime",
    "priostack",
]

MIDDLEWARE = [
    "priostack.middleware.Correlation",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "priostack.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "billing.middleware.CurrentTenant",
    "priostack.middleware.ApiMethods",
    "priostack.middleware.StoreAway",
]

ROOT_URLCONF = "priostack.urls"
ASGI_APPLICATION = "priostack.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "priostack.context.shell",
            ],
        },
    },
]

DATABASES = {"default": database(env.text("DATABASE_URL"), DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")

REDIS_SOCKET = datadir.socket_path(DATA_DIR)
REDIS_URL = env.store("REDIS_URL") or f"unix://{REDIS_SOCKET}"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "capacity": 200},
    },
}

CELERY_BROKER_URL = f"redis+socket://{REDIS_SOCKET}" if REDIS_URL.startswith("unix:") else REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Whoever sends a task gives up after half a second: the row is the truth, and a request must not wait for Redis.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "max_retries": 2,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.2,
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE: dict[str, Any] = {
    "reap": {"task": "runtime.reap", "schedule": 5.0},
    # A tick that comes late is of no use to anybody: the next one does its work.
    "schedules": {"task": "runtime.schedules", "schedule": 1.0, "options": {"expires": 10.0}},
    "futures": {"task": "runtime.futures", "schedule": 10.0, "options": {"expires": 10.0}},
    "goals": {"task": "runtime.goals", "schedule": 10.0},
    "low_balance": {"task": "billing.low_balance", "schedule": 60.0},
    "expire": {"task": "runtime.expire", "schedule": 3600.0},
    "sweep": {"task": "bundles.sweep", "schedule": 6 * 3600.0},
}

AUTH_USER_MODEL = "billing.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
if TESTING:  # a slow hash is for the attacker; each test makes people
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "landing"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "billing.forms.SignupForm"
ACCOUNT_EMAIL_VERIFICATION = env.choice(
    "PRIOSTACK_EMAIL_VERIFICATION",
    "mandatory" if PRODUCTION else "none",
    ("none", "optional", "mandatory"),
)
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # this session stays; the others end, their hash is the old one's
ACCOUNT_ADAPTER = "billing.adapter.Adapter"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[PrioStack] "
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key,50/d/key",
    "signup": "10/m/ip,50/d/ip",
    "reset_password": "10/m/ip,3/10m/key",
    "change_password": "5/m/user",
    "manage_email": "10/h/user",
}
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if BASE_URL.startswith("https") else "http"
MFA_ADAPTER = "billing.mfa.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "PrioStack"
# Where no address is ever confirmed, nobody could have a second factor otherwise.
MFA_ALLOW_UNVERIFIED_EMAIL = ACCOUNT_EMAIL_VERIFICATION == "none"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if FORWARDED_ALLOW else None
X_FRAME_OPTIONS = "DENY"

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if env.text("EMAIL_HOST")
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.whole("EMAIL_PORT", 587, least=1, most=65_535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.mailbox("DEFAULT_FROM_EMAIL", "PrioStack <no-reply@localhost>")

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
# Files are read in pieces by a thread of their own; Django would say so on the terminal.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 0 if DEBUG else 3600
WHITENOISE_ADD_HEADERS_FUNCTION = compiler.headers
DJANGO_VITE = {
    "default": {"manifest_path": BASE_DIR / "static/dist/manifest.json", "static_url_prefix": "dist"}
}
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": str(DATA_DIR / "files"),
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 60 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "bundles.uploads.Quota",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

# --- ours ---------------------------------------------------------------------------------------
DEFAULT_PLAN = env.choice(
    "PRIOSTACK_DEFAULT_PLAN",
    "free" if env.text("STRIPE_SECRET_KEY") else "pro",
    ("free", "paid", "pro", "enterprise"),
)
EGRESS_ALLOW = env.openings("PRIOSTACK_EGRESS_ALLOW")
JOURNAL = env.choice("PRIOSTACK_JOURNAL", "file" if SQLITE else "postgres", ("file", "postgres"))
if SQLITE and JOURNAL == "postgres":
    raise env.BadSetting("PRIOSTACK_JOURNAL: postgres needs a DATABASE_URL of PostgreSQL")
METRICS_TOKEN = env.text("PRIOSTACK_METRICS_TOKEN")
RETENTION_DAYS = env.whole("PRIOSTACK_RETENTION_DAYS", 30, least=1, most=36_500)
CALL_MAX_BODY = env.whole("PRIOSTACK_MAX_BODY", 1024 * 1024, least=1024, most=64 * 1024 * 1024)
# Of interceptors and the sandbox's slot pool, under the names that Prompd gave them.
SANDBOX_SLOTS = env.whole("PROMPD_POOL_SIZE", 1_100, least=100, most=10_000)
INTERCEPTOR_METRICS = env.flag("PROMPD_ENABLE_METRICS", True)
INTERCEPTOR_RATE_MAX = env.whole("PROMPD_RATE_LIMIT_MAX", 1_000, least=1)
INTERCEPTOR_TIMEOUT_MS = env.whole("PROMPD_TIMEOUT_MS", 30_000, least=10, most=600_000)
DEMO_API_KEY = env.text("PROMPD_API_KEY")
if DEMO_API_KEY and len(DEMO_API_KEY) < 20:
    raise env.BadSetting("PROMPD_API_KEY: at least 20 characters")
ROUND_SECONDS = env.seconds("PRIOSTACK_ROUND_SECONDS", 1.0, least=0.05, most=60.0)
ROUND_MIN_MS = 5
MARKET = MarketRules(
    threshold=env.whole("PRIOSTACK_MARKET_THRESHOLD", 1_000),
    slots=env.whole("PRIOSTACK_MARKET_SLOTS", 200, least=1),
    cu_per_credit=env.whole("PRIOSTACK_MARKET_CU_PER_CREDIT", 500, least=1),
    free_cu=env.whole("PRIOSTACK_MARKET_FREE_CU", 100, least=1),
    free_lane=env.whole("PRIOSTACK_MARKET_FREE_LANE", 50),
    aging_rounds=env.whole("PRIOSTACK_MARKET_AGING_ROUNDS", 10, least=1),
    tenant_pressure_cap=env.whole("PRIOSTACK_MARKET_TENANT_PRESSURE_CAP", 0),
    max_reservations=env.whole("PRIOSTACK_MARKET_MAX_RESERVATIONS", 200),
    backoff_max=env.whole("PRIOSTACK_MARKET_BACKOFF_MAX", 32, least=1),
)
LOGGING_CONFIG = None
