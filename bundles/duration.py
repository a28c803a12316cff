"""Durations as written in bundles: an integer and a unit, `500ms`, `5s`, `2m`, `24h`, `7d`."""

import re

GRAMMAR = "an integer and a unit: ms, s, m, h or d, for example 500ms, 5s, 2m, 24h or 7d"
UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
MAX_DAYS = 3650
WRITTEN = re.compile(r"([0-9]{1,15})(ms|s|m|h|d)")


class DurationError(ValueError):
    """Not a duration; the message says why."""


def parse(text: str) -> int:
    """Milliseconds."""
    found = WRITTEN.fullmatch(text)
    if not found:
        raise DurationError(f"not a duration; write {GRAMMAR}")
    value = int(found[1]) * UNITS[found[2]]
    if value > MAX_DAYS * UNITS["d"]:
        raise DurationError(f"longer than {MAX_DAYS}d, the longest duration")
    return value


def written(milliseconds: int) -> str:
    """The shortest way to write it; `parse` gives the same number back."""
    for unit in ("d", "h", "m", "s"):
        if milliseconds and milliseconds % UNITS[unit] == 0:
            return f"{milliseconds // UNITS[unit]}{unit}"
    return f"{milliseconds}ms"
