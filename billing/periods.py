"""Calendar months and days in UTC, as counters are kept."""

from datetime import UTC, datetime, timedelta


def month(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m")


def day(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d")


def month_start(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(at: datetime) -> datetime:
    return month_start(month_start(at) + timedelta(days=32))


def next_day(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
