"""Estimated against used compute, waits and refusals of finished runs: one row a day for whatever can be called."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.timezone import now

from bundles.models import Bundle
from runtime import quantile, signals
from runtime.models import Usage
from runtime.record import Record

DAY = 86_400
KEPT = 62 * DAY  # a month, and the one before it
RECENT = 64  # as many measured calls make an estimate
MAX_REASONS = 20  # different ones of a row
UNMEASURED = frozenset({"refused", "cancelled"})
SUMS = ("calls", "count", "used", "estimated", "degraded", "retried", "spent")
COUNTS = ("histogram", "waits", "refused")
KEPT_COLUMNS = [*SUMS, *COUNTS, "recent", "max", "dearest", "p50", "p95", "updated"]


class Key(NamedTuple):
    bundle: str
    service: str
    name: str
    target: str
    window: int


@dataclass(slots=True)
class Added:
    """What one batch adds to one row."""

    calls: int = 0
    count: int = 0
    used: int = 0
    estimated: int = 0
    degraded: int = 0
    retried: int = 0
    spent: int = 0
    max: int = 0
    dearest: int = 0
    histogram: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    recent: list[int] = field(default_factory=list)

    def call(self, record: Record) -> None:
        spent = (
            record.get("spent", record.get("price")) or 0
        )  # of a record without it, what it paid is its price
        self.calls += 1
        self.degraded += bool(record.get("degraded"))
        self.retried += bool(record.get("attempts") or record.get("backoffs"))
        self.spent += spent
        self.dearest = max(self.dearest, spent)
        if waited := record.get("waited_us"):
            self.waits[quantile.step(waited)] += 1
        if record["status"] == "refused":
            self.refused[record.get("error", "")[:60]] += 1
        if record["status"] not in UNMEASURED:
            self.measured(record.get("units_used") or 0, record.get("units_estimated") or 0)

    def steps(self, units: list[int]) -> None:
        """Of several calls of a function within one run."""
        self.count += len(units)
        self.used += sum(units)
        self.max = max(self.max, *units)
        for cost, times in Counter(units).items():
            self.histogram[quantile.step(cost)] += times
        self.recent += units

    def measured(self, units: int, estimated: int = 0) -> None:
        self.count += 1
        self.used += units
        self.estimated += estimated
        self.max = max(self.max, units)
        self.histogram[quantile.step(units)] += 1
        self.recent.append(units)


Sums = dict[Key, Added]


def absorb(records: Iterable[Record], living: Collection[str] | None = None) -> None:
    """Add a batch of finished runs, within the caller's transaction: both are written, or neither.

    ``living`` are the bundles that are there, when the caller has looked already.
    """
    sums = summed(records)
    if sums:
        with transaction.atomic():
            write(sums, signals.alive(sums) if living is None else living)


def summed(records: Iterable[Record]) -> Sums:
    sums: Sums = {}
    for record in records:
        bundle = str(record["bundle"])
        window = day((record.get("completed") or record["created"]) // 1_000_000)
        target = record.get("target", "")[:300]
        own = Key(bundle, record.get("service", "")[:100], record.get("name", "")[:100], target, window)
        added(sums, own).call(record)
        for called, units in of_functions(record.get("steps") or ()).items():
            added(sums, Key(bundle, "", "", called[:300], window)).steps(units)
    return sums


def added(sums: Sums, key: Key) -> Added:
    found = sums.get(key)
    if found is None:
        found = sums[key] = Added()
    return found


def of_functions(steps: Iterable[dict[str, Any]]) -> dict[str, list[int]]:
    """The units of each step that called a function."""
    found: dict[str, list[int]] = {}
    for step in steps:
        if (called := step.get("target")) and (units := step.get("units")):
            found.setdefault(called, []).append(units)
    return found


def day(second: float) -> int:
    return int(second) // DAY * DAY


def write(sums: Sums, living: Collection[str]) -> None:
    """Lock all in one order, those that were missing too, and add: as runtime/signals.py, whose locks come first."""
    wanted = sorted(key for key in sums if key.bundle in living)
    rows = list(locked(wanted))
    if len(rows) < len(wanted):
        Usage.objects.bulk_create([blank(key) for key in wanted], ignore_conflicts=True, batch_size=200)
        rows = list(locked(wanted))
    for row in rows:
        add(row, sums[key_of(row)])
        row.pk = (
            None  # found again by what it is of: one insert of plain values, which conflicts, is the fastest
        )
    Usage.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=Key._fields, update_fields=KEPT_COLUMNS, batch_size=40
    )


def locked(wanted: list[Key]) -> Iterable[Usage]:
    rows = Usage.objects.select_for_update().filter(
        bundle_id__in={key.bundle for key in wanted},
        window__in={key.window for key in wanted},
        name__in={key.name for key in wanted},
    )
    asked = set(wanted)
    return (row for row in rows.order_by("pk") if key_of(row) in asked)


def blank(key: Key) -> Usage:
    return Usage(
        bundle_id=key.bundle, service=key.service, name=key.name, target=key.target, window=key.window
    )


def key_of(row: Usage) -> Key:
    return Key(str(row.bundle_id), row.service, row.name, row.target, row.window)


def add(row: Usage, more: Added) -> None:
    for column in SUMS:
        setattr(row, column, getattr(row, column) + getattr(more, column))
    for column in COUNTS:
        setattr(row, column, together(getattr(row, column), getattr(more, column)))
    row.recent = (row.recent + more.recent)[-RECENT:]
    row.max, row.dearest = max(row.max, more.max), max(row.dearest, more.dearest)
    row.p50, row.p95 = (share_of(row.histogram, share) for share in (0.5, 0.95))
    row.updated = now()


def together(known: dict[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Both counts; a reason beyond the limit is counted with the others."""
    for key, count in more.items():
        where = key if key in known or len(known) < MAX_REASONS or key.isdecimal() else "other"
        known[where] = known.get(where, 0) + count
    return known


def share_of(histogram: Mapping[str, int], share: float) -> int:
    """CU that ``share`` of the calls did not exceed, as exact as the histogram is."""
    return whole(quantile.quantile(quantile.merge([histogram]), share))


def whole(milli: float | None) -> int:
    """runtime/quantile.py divides by a thousand, for milliseconds; steps of whole numbers begin at one."""
    return round((milli or 0) * 1000)


def rows(bundle: Bundle, at: datetime, days: int) -> list[dict[str, Any]]:
    """All rows of a bundle of so many days, today included."""
    first = day(at.timestamp()) - (days - 1) * DAY
    return [
        dict(row)
        for row in Usage.objects.filter(bundle=bundle, window__gte=first).order_by("window", "pk").values()
    ]


def expire(at: datetime) -> int:
    count, _ = Usage.objects.filter(window__lt=at.timestamp() - KEPT).delete()
    return count
