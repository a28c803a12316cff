"""DATABASE_URL to Django's DATABASES entry: PostgreSQL with its pool, or SQLite in WAL mode."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from priostack.env import BadSetting

SQLITE_START = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;"


def database(url: str, data_dir: Path) -> dict[str, Any]:
    """The entry for ``url``; an empty one means SQLite in the data directory."""
    if not url:
        return sqlite(data_dir / "db.sqlite3")
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return sqlite(Path(parts.path))
    if parts.scheme in {"postgres", "postgresql"}:
        return postgres(url)
    raise BadSetting(f"DATABASE_URL: postgresql:// or sqlite:// expected, not {parts.scheme}://")


def sqlite(path: Path) -> dict[str, Any]:
    # IMMEDIATE: a transaction that will write takes its lock first and waits, instead of failing half-way.
    options = {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": SQLITE_START}
    # Tests use a file too: their other threads and processes could not see a database in memory.
    test = {"NAME": str(path.with_name("test.sqlite3"))}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": options, "TEST": test}


def postgres(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = options.pop("host", parts.hostname or "")
    options["pool"] = {"min_size": 1, "max_size": int(options.pop("pool", 12)), "timeout": 10}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }
