"""Checks a cron line and a time zone as they are written: five fields, names of months and weekdays, steps."""

import re
import zoneinfo
from dataclasses import dataclass
from functools import lru_cache

from bundles import names

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class Field:
    """One of the five; `words` stand for the numbers from the lowest on."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("weekday", 0, 7, WEEKDAYS),
)
DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
SHORT = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
PART = re.compile(r"(\*|[0-9a-z]{1,4})(?:-([0-9a-z]{1,4}))?(?:/([0-9]{1,3}))?")
MAX_LINE = 500


class CronError(ValueError):
    """Not a cron line; the message says why."""


def tidy(line: str) -> str:
    """The line with single spaces and in small letters; CronError when it is not one."""
    text = " ".join(line.lower().split())
    if text in SHORT:
        return SHORT[text]
    parts = text.split(" ")
    if len(line) > MAX_LINE or len(parts) != len(FIELDS):
        raise CronError("a cron line has five fields: minute hour day month weekday")
    chosen = [_field(part, field) for part, field in zip(parts, FIELDS, strict=True)]
    if parts[4] == "*" and not any(min(chosen[2]) <= DAYS[month - 1] for month in chosen[3]):
        raise CronError("there is no such day in these months")
    return text


def _field(text: str, field: Field) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = PART.fullmatch(part)
        if not match:
            raise CronError(f"the {field.name} is not a number, a range, a list or a step")
        first, last, step = match.groups()
        if first == "*" and last is not None:
            raise CronError(f"the {field.name} has a range that begins with *")
        start = field.low if first == "*" else _number(first, field)
        end = _number(last, field) if last else field.high if first == "*" or step else start
        if end < start:
            raise CronError(f"the {field.name} has a range that runs backwards")
        if step and not int(step):
            raise CronError(f"the {field.name} has a step of 0")
        found.update(range(start, end + 1, int(step or 1)))
    return found


def _number(text: str, field: Field) -> int:
    words = field.words
    value = words.index(text) + field.low if text in words else int(text) if text.isdecimal() else -1
    if not field.low <= value <= field.high:
        raise CronError(f"the {field.name} must be from {field.low} to {field.high}")
    return value


def zone_fault(name: str) -> str:
    """Why this is not a time zone; empty when it is one."""
    if name == "UTC" or name in zones():
        return ""
    return f"there is no time zone of that name{names.did_you_mean(name, _near(name))}"


def _near(name: str) -> list[str]:
    """Zones that are worth comparing: of the same place, or in the same region under the same letter."""
    region, _, place = name.lower().rpartition("/")
    same = [zone for zone in zones() if zone.lower().rpartition("/")[2] == place]
    return sorted(same) or sorted(
        z for z in zones() if z.lower().startswith(f"{region}/{place[:1]}".strip("/"))
    )


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
