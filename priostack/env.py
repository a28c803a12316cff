"""Typed readers of environment variables that fail loudly, with the variable's name in the message."""

import os


class BadSetting(Exception):
    """An environment variable holds a value that cannot be used."""


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
