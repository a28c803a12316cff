"""DATABASE_URL to Django's DATABASES entry: PostgreSQL with its pool, or SQLite in WAL mode."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from priostack.env import BadSetting, fits, masked

SQLITE_START = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;"


def database(url: str, data_dir: Path) -> dict[str, Any]:
    """The entry for ``url``; an empty one means SQLite in the data directory."""
    if not url:
        return sqlite(data_dir / "db.sqlite3")
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and Path(parts.path).name and Path(parts.path).parent.is_dir():
        return sqlite(Path(parts.path))
    if parts.scheme in {"postgres", "postgresql"} and complete(url):
        return postgres(url)
    usual = "postgresql://user:password@host:5432/name, or sqlite:///path in a folder that exists"
    raise BadSetting(f"DATABASE_URL: expected {usual}, not {masked(url)!r}")


def complete(url: str) -> bool:
    """Whether it has a database's name, a host (before the path, or a socket's folder) and a size of the pool."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    pool = options.get("pool", "12")
    socket = not parts.netloc.rpartition("@")[2]
    sized = pool.isdecimal() and 1 <= int(pool) <= 1_000
    return parts.path.strip("/") != "" and (fits(url) or (socket and "host" in options)) and sized


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
    size = int(options.pop("pool", 12))
    # Tries to come back follow each other at ever longer distances: they begin anew after some seconds, or a server that
    # was away for minutes would be missed for minutes more. Nobody waits longer for a connection than is of use to him.
    options["pool"] = {"min_size": 1, "max_size": size, "timeout": 5, "reconnect_timeout": 4}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }
