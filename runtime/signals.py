"""Counts of finished runs and of the signals they sent, in buckets of five seconds; and what tenants used.

Imported as a module (`from runtime import signals`): these are the tenants' signals, nothing of Django's.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet, Sum

from bundles.models import Bundle
from runtime import quantile
from runtime.models import Bucket
from runtime.record import Record

WIDTH = 5  # seconds
KEPT = 86_400
MAX_SIGNALS = 100  # different names that one service may send within one bucket and batch
DOWN = frozenset({"error", "timeout", "refused"})
NEUTRAL = frozenset({"cancelled"})


class Key(NamedTuple):
    bundle: str
    service: str
    name: str
    signal: str
    second: int


@dataclass(slots=True)
class Added:
    """What one batch adds to one bucket."""

    count: int = 0
    errors: int = 0
    down: int = 0
    total: float = 0.0
    histogram: dict[str, int] = field(default_factory=dict)

    def call(self, record: Record) -> None:
        duration = record.get("duration_us", 0)
        self.count += 1
        self.total += duration / 1000
        down = record["status"] in DOWN
        self.down += down
        self.errors += down or (record.get("http_status") or record.get("http") or 0) >= 500
        step = quantile.step(duration)
        self.histogram[step] = self.histogram.get(step, 0) + 1

    def sample(self, value: float) -> None:
        self.count += 1
        self.total += value


Sums = dict[Key, Added]
ADDED = ["count", "errors", "down", "total", "histogram"]


def absorb(records: list[Record], living: Collection[str] | None = None) -> None:
    """Add a batch of finished runs, within the caller's transaction: both are written, or neither.

    ``living`` are the bundles that are there, when the caller has looked already.
    """
    sums = summed(record for record in records if record["status"] not in NEUTRAL)
    if sums:
        with transaction.atomic():
            write(sums, alive(sums) if living is None else living)


def summed(records: Iterable[Record]) -> Sums:
    sums: Sums = {}
    names: dict[tuple[str, str, int], set[str]] = {}
    for record in records:
        bundle, service = str(record["bundle"]), record.get("service", "")[:100]
        second = (record.get("completed") or record["created"]) // 1_000_000 // WIDTH * WIDTH
        sums.setdefault(Key(bundle, service, record.get("name", "")[:100], "", second), Added()).call(record)
        known = names.setdefault((bundle, service, second), set())
        for name, value in record.get("signals") or ():
            if name and (name in known or len(known) < MAX_SIGNALS):
                known.add(name)
                sums.setdefault(Key(bundle, service, "", name[:100], second), Added()).sample(value)
    return sums


def alive(sums: Iterable[Any]) -> set[str]:
    """The bundles of these keys that still exist."""
    known = Bundle.objects.filter(pk__in={key.bundle for key in sums}).values_list("pk", flat=True)
    return {str(pk) for pk in known}


def write(sums: Sums, living: Collection[str]) -> None:
    """Lock all in one order, those that were missing too, and add: parallel importers lose nothing, none waits twice."""
    wanted = sorted(key for key in sums if key.bundle in living)
    rows = list(locked(wanted))
    if len(rows) < len(wanted):
        Bucket.objects.bulk_create([blank(key) for key in wanted], ignore_conflicts=True, batch_size=500)
        rows = list(locked(wanted))
    for row in rows:
        add(row, sums[key_of(row)])
        row.pk = None  # found again by its key: an insert that conflicts takes a third of an update of many
    Bucket.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=Key._fields, update_fields=ADDED, batch_size=80
    )


def locked(wanted: list[Key]) -> Iterable[Bucket]:
    rows = Bucket.objects.select_for_update().filter(
        bundle_id__in={key.bundle for key in wanted}, second__in={key.second for key in wanted}
    )
    asked = set(wanted)
    return (row for row in rows.order_by("pk") if key_of(row) in asked)


def blank(key: Key) -> Bucket:
    return Bucket(
        bundle_id=key.bundle, service=key.service, name=key.name, signal=key.signal, second=key.second
    )


def key_of(row: Bucket) -> Key:
    return Key(str(row.bundle_id), row.service, row.name, row.signal, row.second)


def add(row: Bucket, more: Added) -> None:
    row.count += more.count
    row.errors += more.errors
    row.down += more.down
    row.total += more.total
    for step, count in more.histogram.items():
        row.histogram[step] = row.histogram.get(step, 0) + count


def expire(now: datetime) -> int:
    """Forget buckets that are older than a day."""
    count, _ = Bucket.objects.filter(second__lt=int(now.timestamp()) - KEPT).delete()
    return count


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tenant's bundles did; ``series`` has [Unix minute, calls, errors], oldest first, gaps filled."""

    calls: int
    errors: int
    p95_ms: float | None  # of the last hour
    series: list[tuple[int, int, int]]


def usage(tenant_id: UUID, hours: int, now: datetime | None = None) -> Usage:
    end = int((now or datetime.now(UTC)).timestamp())
    start = (end - min(hours, KEPT // 3600) * 3600) // 60 * 60
    rows = Bucket.objects.filter(bundle__tenant_id=tenant_id, signal="", second__gte=start)
    minutes = {minute: [0, 0] for minute in range(start, end + 1, 60)}
    counted = rows.values_list("second").annotate(Sum("count"), Sum("errors"))
    for second, calls, errors in counted.order_by("second"):
        found = minutes.setdefault(second // 60 * 60, [0, 0])
        found[0] += calls
        found[1] += errors
    series = [(minute, calls, errors) for minute, (calls, errors) in sorted(minutes.items())]
    total = (sum(entry[1] for entry in series), sum(entry[2] for entry in series))
    return Usage(*total, latency(rows.filter(second__gte=end - 3600), 0.95), series)


def latency(rows: "QuerySet[Bucket]", share: float) -> float | None:
    merged = quantile.merge(rows.values_list("histogram", flat=True).iterator())
    return quantile.quantile(merged, share)


def failures(bundle: Bundle, seconds: int, now: datetime) -> list[dict[str, Any]]:
    """Calls and errors per service and endpoint, the worst first."""
    rows = Bucket.objects.filter(bundle=bundle, signal="", second__gte=int(now.timestamp()) - seconds)
    counted = rows.values_list("service", "name").annotate(Sum("errors"), Sum("count"))
    worst = sorted(counted, key=lambda row: (-row[2], -row[3], row[0], row[1]))
    return [dict(zip(("service", "name", "errors", "calls"), row, strict=True)) for row in worst]
