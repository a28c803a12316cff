"""Functions for times and durations."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bundles.celerror import CelError
from bundles.celfunction import Function, expect, text_of
from bundles.celvalues import kind, moment, whole, word

WRITTEN = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
AMOUNT = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,9}))?(ms|us|µs|ns|[smhd])")
OFFSET = re.compile(r"([+-]?)([0-9]{2}):([0-9]{2})")
ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]{0,40}(?:/[A-Za-z0-9_+\-]{1,40}){0,2}")
MICROS = {
    **{"us": 1, "µs": 1, "ms": 10**3, "s": 10**6},
    **{"m": 60 * 10**6, "h": 3600 * 10**6, "d": 86_400 * 10**6},
}
MAX_DURATION = timedelta(seconds=315_576_000_000)
TOO_LONG = "the duration is longer than 10,000 years"
MAX_TEXT = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch(value: datetime) -> float:
    return (value - EPOCH) / timedelta(seconds=1)


def timestamp(value: Any) -> datetime:
    """Of a text as in RFC 3339, or of seconds since 1970."""
    try:
        if kind(value) == "timestamp":
            return moment(value)
        if kind(value) in ("int", "double"):
            return EPOCH + timedelta(seconds=value)
        if kind(value) == "string":
            return _parsed(value)
    except (ValueError, OverflowError):
        raise CelError("the time is not one between the years 1 and 9999, as 2026-01-31T10:00:00Z") from None
    raise CelError(f"{word(value)} cannot become a time")


def _parsed(text: str) -> datetime:
    found = WRITTEN.fullmatch(text)
    if not found:
        raise ValueError
    day, clock, fraction, zone = found.groups()
    micros = (fraction or "").ljust(6, "0")[:6]
    return datetime.fromisoformat(f"{day}T{clock}.{micros}{zone.upper().replace('Z', '+00:00')}").astimezone(
        UTC
    )


def duration(value: Any) -> timedelta:
    """Of a text as `1h30m`, or of seconds."""
    try:
        return near(_timed(value))
    except OverflowError:
        raise CelError(TOO_LONG) from None


def _timed(value: Any) -> timedelta:
    if kind(value) == "duration":
        known: timedelta = value
        return known
    if kind(value) in ("int", "double"):
        return timedelta(seconds=value)
    text = text_of(value)
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    return timedelta(microseconds=sign * _micros(rest))


def _micros(text: str) -> int:
    total, at = 0, 0
    if len(text) > MAX_TEXT:
        raise CelError("the text is not a duration, as 90s, 1h30m or 500ms")
    while found := AMOUNT.match(text, at):
        amount, fraction, unit = found.groups()
        nanos = int(amount) * 10**9 + int((fraction or "").ljust(9, "0"))
        total += nanos // 10**12 if unit == "ns" else nanos * MICROS[unit] // 10**9
        at = found.end()
    if (at == 0 and text != "0") or (at and at < len(text)):
        raise CelError("the text is not a duration, as 90s, 1h30m or 500ms")
    return total


def near(value: timedelta) -> timedelta:
    if abs(value) > MAX_DURATION:
        raise CelError(TOO_LONG)
    return value


def zone(text: Any) -> tzinfo:
    """Of a name as `Europe/Berlin`, or of an offset as `+02:00`."""
    text = text_of(text, 1)
    if found := OFFSET.fullmatch(text):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        if offset < timedelta(hours=24):
            return timezone(-offset if found[1] == "-" else offset)
    elif text == "UTC":
        return UTC
    elif ZONE.fullmatch(text):
        return _named(text)
    raise CelError("this time zone is not known, write it as Europe/Berlin or +02:00")


def _named(text: str) -> tzinfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CelError("this time zone is not known, write it as Europe/Berlin or +02:00") from None


def part(of_time: Callable[[datetime], int], of_duration: Callable[[timedelta], int] | None = None) -> Any:
    """A method that reads one part of a time, or of a duration."""

    def run(value: Any, where: Any = "UTC") -> int:
        if of_duration and kind(value) == "duration":
            return of_duration(value)
        expect(value, "timestamp")
        return whole(of_time(moment(value).astimezone(zone(where))))

    return run


def _total(unit: timedelta) -> Callable[[timedelta], int]:
    """Towards zero."""
    return lambda value: abs(value) // unit * (-1 if value < timedelta(0) else 1)


def _day_of_year(value: datetime) -> int:
    return value.timetuple().tm_yday - 1


def _week_day(value: datetime) -> int:
    return value.isoweekday() % 7


def _milliseconds(value: timedelta) -> int:
    micros = _total(timedelta(microseconds=1))(value)
    return abs(micros) % 10**6 // 1000 * (-1 if micros < 0 else 1)


def _function(signature: str, doc: str, call: Any, args: tuple[int, int] = (1, 2)) -> Function:
    head = signature.split("(")[0]
    style: Any = "method" if head.startswith("time.") else "function"
    return Function(head.removeprefix("time."), signature, doc, "Times", call, args, style)


HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
FUNCTIONS = (
    _function(
        "timestamp(value)", "A time of a text as 2026-01-31T10:00:00Z, or of seconds.", timestamp, (1, 1)
    ),
    _function("duration(value)", "A duration of a text as 1h30m or 90s, or of seconds.", duration, (1, 1)),
    _function("time.getFullYear(zone?)", "The year.", part(lambda t: t.year)),
    _function("time.getMonth(zone?)", "The month, January is 0.", part(lambda t: t.month - 1)),
    _function("time.getDate(zone?)", "The day of the month, from 1.", part(lambda t: t.day)),
    _function("time.getDayOfMonth(zone?)", "The day of the month, from 0.", part(lambda t: t.day - 1)),
    _function("time.getDayOfWeek(zone?)", "The day of the week, Sunday is 0.", part(_week_day)),
    _function("time.getDayOfYear(zone?)", "The day of the year, from 0.", part(_day_of_year)),
    _function(
        "time.getHours(zone?)", "The hour; of a duration all hours.", part(lambda t: t.hour, _total(HOUR))
    ),
    _function(
        "time.getMinutes(zone?)", "The minute; of a duration all.", part(lambda t: t.minute, _total(MINUTE))
    ),
    _function(
        "time.getSeconds(zone?)", "The second; of a duration all.", part(lambda t: t.second, _total(SECOND))
    ),
    _function(
        "time.getMilliseconds(zone?)", "Of this second.", part(lambda t: t.microsecond // 1000, _milliseconds)
    ),
)
