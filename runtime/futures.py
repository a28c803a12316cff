"""Runs that schedules will start within the horizons of their contracts, for which the market reserves (R27)."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from bundles.contract import Contract
from bundles.definitions import definition
from bundles.models import Revision, Status
from market import estimate
from market.admission import MAX_ACTION_CU
from market.futures_run import Upcoming, book
from runtime import schedules
from runtime.estimates import seeded
from runtime.flowqueue import SERVICE
from runtime.models import Execution, Trigger

MOST_RUNS = 120  # of one schedule, at a time
LOOKED_AT = 2_000  # runs of the bundle, the newest first
FARTHEST = timedelta(days=7)


def reserve(now: datetime) -> int:
    """How many reservations were made."""
    return book(upcoming(now), now)


def upcoming(now: datetime) -> Iterator[Upcoming]:
    rows = (
        Trigger.objects.filter(flow__stopped=False, flow__bundle__live_revision__isnull=False, enabled=True)
        .exclude(flow__bundle__status=Status.STOPPED)
        .filter(next_at__gt=now, next_at__lte=now + FARTHEST)
        .select_related("flow__bundle")
    )
    for row in rows.iterator(500):
        bundle = row.flow.bundle
        contract = contract_of(bundle.pk, bundle.live_revision or 0)
        if contract is not None and contract.futures_enabled and contract.futures_budget > 0:
            yield from runs(row, contract, now)


@lru_cache(maxsize=10_000)
def contract_of(bundle_id: UUID, number: int) -> Contract | None:
    """What holds for the flows of a bundle; revisions never change."""
    revision = Revision.objects.filter(bundle_id=bundle_id, number=number).first()
    return definition(revision).contract if revision else None


def runs(row: Trigger, contract: Contract, now: datetime) -> Iterator[Upcoming]:
    horizon = min(timedelta(milliseconds=contract.futures_horizon_ms), FARTHEST)
    plan, at = json.loads(row.schedule or "{}"), row.next_at
    need = expected = 0
    for _ in range(MOST_RUNS):
        if not plan or at is None or at > now + horizon:
            return
        if not need:
            need, expected = needed(row, contract), expected_s(row)
        yield Upcoming(
            tenant_id=row.flow.bundle.tenant_id,
            bundle_id=row.flow.bundle_id,
            at=at,
            need=need,
            expected_s=expected,
            horizon_s=int(horizon.total_seconds()),
            budget=contract.futures_budget,
        )
        at = schedules.following(plan, at, last=at)


def needed(row: Trigger, contract: Contract) -> int:
    """R4."""
    if contract.compute_units_written:
        return contract.compute_units
    measured = seeded(row.flow.bundle_id).raw(SERVICE, row.flow.name)
    return min(estimate.need(None, measured), MAX_ACTION_CU)


def expected_s(row: Trigger) -> int:
    """Half of the flow's last runs took no longer, their waiting for compute not counted; 0 before the first."""
    newest = Execution.objects.filter(bundle_id=row.flow.bundle_id).order_by("-id").values("pk")[:LOOKED_AT]
    runs = Execution.objects.filter(pk__in=newest, service=SERVICE, name=row.flow.name, status="success")
    took = sorted(
        max(0, whole - waited) for whole, waited in runs.values_list("duration_us", "waited_us").iterator()
    )
    return -(-took[(len(took) - 1) // 2] // 1_000_000) if took else 0
