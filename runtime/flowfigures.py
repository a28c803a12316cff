"""How the flows of a tenant did: runs of a day and of thirty, failures, the 95th percentile, compute units."""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import CharField, Count, Max, Q, QuerySet, Sum
from django.db.models.functions import Cast

from runtime.models import Execution
from runtime.patience import Patient
from runtime.signals import DOWN

SERVICE = "flow"  # what stands for a service in runs that a trigger started
CALLS = "flow:"  # how the target of a run begins, whoever called: a trigger, an endpoint, an intent
DAY = 86_400
MONTH = 30 * DAY
SAMPLE = 5000  # the newest runs that the percentile is taken of
Key = tuple[UUID, str]  # bundle and name of a flow


@dataclass(slots=True)
class Figures:
    """What one flow did."""

    day: int = 0
    month: int = 0
    failed: int = 0
    units: int = 0
    p95_ms: float | None = None
    last: UUID | None = None  # the newest run


def since(seconds: float) -> UUID:
    """The smallest id that a run of the last ``seconds`` can have: ids begin with the time of the run."""
    return UUID(int=max(0, int((time.time() - seconds) * 1000)) << 80)


def runs_of(tenant_id: UUID, seconds: float) -> "QuerySet[Execution]":
    mine = Execution.objects.filter(tenant_id=tenant_id, pk__gte=since(seconds))
    return mine.filter(target__startswith=CALLS).order_by()


def key(bundle: UUID, target: str) -> Key:
    """A target is flow:NAME or flow:NAME:LISTENER."""
    return bundle, target.split(":")[1]


def counted(tenant_id: UUID) -> dict[Key, Figures]:
    found: defaultdict[Key, Figures] = defaultdict(Figures)
    for row in grouped(runs_of(tenant_id, MONTH)):
        one = found[key(row["bundle_id"], row["target"])]
        one.month += row["runs"]
        one.units += row["units"] or 0
        one.last = max(filter(None, (one.last, UUID(row["last"]))))
    for row in grouped(runs_of(tenant_id, DAY)):
        one = found[key(row["bundle_id"], row["target"])]
        one.day += row["runs"]
        one.failed += row["failed"]
    for which, durations in sampled(tenant_id).items():
        found[which].p95_ms = percentile(durations, 0.95) / 1000
    return dict(found)


figures = Patient(counted)


def grouped(rows: "QuerySet[Execution]") -> Iterable[Any]:
    failed = Count("pk", filter=Q(status__in=DOWN))
    last = Max(Cast("pk", CharField()))  # PostgreSQL has no maximum of ids
    sums = {"runs": Count("pk"), "failed": failed, "units": Sum("units_used"), "last": last}
    return rows.values("bundle_id", "target").annotate(**sums)


def sampled(tenant_id: UUID) -> dict[Key, list[int]]:
    rows = runs_of(tenant_id, DAY).filter(completed__isnull=False).order_by("-pk")
    found: defaultdict[Key, list[int]] = defaultdict(list)
    for bundle, target, duration in rows.values_list("bundle_id", "target", "duration_us")[:SAMPLE]:
        found[key(bundle, target)].append(duration)
    return found


def percentile(values: list[int], share: float) -> int:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
