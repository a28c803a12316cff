"""Typed readers of environment variables that fail loudly, with the variable's name in the message."""

import ipaddress
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

HOST = re.compile(r"[a-z0-9_][a-z0-9._-]*|[0-9a-f:.]+")


class BadSetting(SystemExit):
    """An environment variable holds a value that cannot be used: every command ends with this one line."""


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def flag(name: str, default: bool = False) -> bool:
    raw = text(name).lower()
    if raw in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return default if raw == "" else raw in {"1", "true", "yes", "on"}
    raise BadSetting(f"{name}: expected true or false, not {raw!r}")


def number(name: str, default: int) -> int:
    raw = text(name)
    if raw == "":
        return default
    try:
        return int(raw)
    except ValueError:
        raise BadSetting(f"{name}: expected a whole number, not {raw!r}") from None


def seconds(name: str, default: float, *, least: float, most: float) -> float:
    raw = text(name)
    if raw == "":
        return default
    try:
        value = float(raw)
    except ValueError:
        raise BadSetting(f"{name}: expected seconds, not {raw!r}") from None
    if not least <= value <= most:  # also what is no number at all
        raise BadSetting(f"{name}: expected between {least:g} and {most:g} seconds, not {raw!r}")
    return value


def whole(name: str, default: int, *, least: int = 0, most: int = 10**9) -> int:
    """A number within limits."""
    value = number(name, default)
    if not least <= value <= most:
        raise BadSetting(f"{name}: expected between {least} and {most}, not {value}")
    return value


def words(name: str, default: str = "") -> list[str]:
    """A comma separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def choice(name: str, default: str, among: tuple[str, ...]) -> str:
    raw = text(name) or default
    if raw not in among:
        raise BadSetting(f"{name}: expected one of {', '.join(among)}, not {raw!r}")
    return raw


def address(name: str, default: str) -> str:
    """Where a browser finds us: scheme, host, perhaps a port, and nothing behind."""
    raw = text(name, default).rstrip("/")
    parts = urlsplit(raw)
    if parts.scheme not in ("http", "https") or not fits(raw) or parts.path or parts.query or parts.fragment:
        raise BadSetting(f"{name}: expected an address such as https://prio.example.org, not {raw!r}")
    return raw


def fits(url: str) -> bool:
    """Whether it names a host that can be one, and a port that can be one."""
    try:
        parts = urlsplit(url)
        return bool(HOST.fullmatch(parts.hostname or "")) and parts.port != 0
    except ValueError:
        return False


def store(name: str) -> str:
    """The address of a Redis, or nothing."""
    raw = text(name)
    parts = urlsplit(raw)
    local = parts.scheme == "unix" and parts.path not in ("", "/")
    remote = parts.scheme in ("redis", "rediss") and fits(raw) and re.fullmatch(r"(/\d*)?", parts.path)
    if raw and not (local or remote):
        raise BadSetting(f"{name}: expected an address such as redis://host:6379/0, not {masked(raw)!r}")
    return raw


def masked(url: str) -> str:
    """Without its password: it may stand in a log."""
    return re.sub(r":[^:@/]*@", ":…@", url)


def mailbox(name: str, default: str) -> str:
    raw = text(name, default)
    if not re.fullmatch(r"[^@<>\r\n]*<[^@<>\s]+@[^@<>\s]+>|[^@<>\s]+@[^@<>\s]+", raw):
        raise BadSetting(f"{name}: expected an address such as PrioStack <no-reply@example.org>, not {raw!r}")
    return raw


def proxies(name: str) -> list[str]:
    found = words(name)
    for one in found:
        try:
            ipaddress.ip_address(one)
        except ValueError:
            raise BadSetting(f"{name}: expected addresses such as 10.0.0.10, not {one!r}") from None
    return found


def hosts(name: str) -> list[str]:
    found = words(name)
    for one in found:
        if re.search(r"[/@\s]", one):
            raise BadSetting(f"{name}: expected names such as prio.example.org, not {one!r}")
    return found


def openings(name: str) -> list[str]:
    """Each “host:port”, or “*:port”."""
    found = words(name)
    for one in found:
        host, _, port = one.rpartition(":")
        if not host or not re.fullmatch(r"\d{1,5}", port) or not 0 < int(port) <= 65535 or "/" in host:
            raise BadSetting(f"{name}: expected host:port or *:port, not {one!r}")
    return found


def folder(name: str, default: str) -> Path:
    """A private directory that can be written to; made when it is absent."""
    path = Path(text(name) or default)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise BadSetting(f"{name}: {path} cannot be used: {problem.strerror}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise BadSetting(f"{name}: {path} cannot be written to")
    return path.resolve()
