"""A local time that a person wrote, as an instant; hours that clocks skip or repeat are told, not guessed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST = 64


class Skipped(ValueError):
    """Clocks jump over this time."""


class Twice(ValueError):
    """Clocks show this time twice; `offsets` are those from UTC, the earlier instant's first."""

    def __init__(self, offsets: tuple[str, str]) -> None:
        super().__init__(f"UTC{offsets[0]} or UTC{offsets[1]}")
        self.offsets = offsets


class Beyond(ValueError):
    """In UTC it would lie before the year 1 or after 9999."""


def zone(name: str) -> ZoneInfo | None:
    """None when there is none of this name; a name is never a path."""
    if not 0 < len(name) <= LONGEST or not name.isascii():
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Beyond("there is no such time in UTC") from None


def instant(written: datetime, where: ZoneInfo, *, later: bool | None = None) -> datetime:
    """In UTC. `later` chooses among the two of a repeated hour; without it such a time is refused."""
    early, late = written.replace(tzinfo=where, fold=0), written.replace(tzinfo=where, fold=1)
    before, after = early.utcoffset() or timedelta(), late.utcoffset() or timedelta()
    if before < after:
        raise Skipped
    if before > after and later is None:
        raise Twice((offset(before), offset(after)))
    return utc(late if later else early)


def offset(east: timedelta) -> str:
    """+02:00"""
    minutes = round(east.total_seconds() / 60)
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
