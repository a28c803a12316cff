"""Scheduled runs whose contract has futures are reserved for (R27)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing import wallet
from billing.ids import uuid7
from market.models import Bidding, Reservation
from runtime import futures
from runtime.models import Execution
from tests.runtime.test_schedules import scheduled

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
TERMS = (
    "\nresourceContract: {computeUnits: 600, futuresEnabled: true, futuresBudget: 7, futuresHorizon: 1h}\n"
)


def contracted(person: Any, row: Any) -> None:
    path = f"/api/bundles/{row.flow.bundle_id}/files/bundle.yaml"
    found = person.api.get(path)
    body = found.content.decode() + TERMS
    put = person.api.put(path, body, content_type="text/yaml", headers={"if-match": found["ETag"]})
    assert put.status_code < 300, put.content
    assert person.api.post(f"/api/bundles/{row.flow.bundle_id}/run").status_code < 300


def test_runs_of_a_schedule_within_the_horizon_are_reserved_for(alice: Any) -> None:
    Bidding.objects.create(tenant=alice.tenant, auto_bid=True)
    row = scheduled(alice, "every: 20m")
    contracted(alice, row)
    row.refresh_from_db()
    now = timezone.now()
    assert futures.reserve(now) == 3
    assert futures.reserve(now + timedelta(seconds=10)) == 0
    made = Reservation.objects.order_by("start")
    assert made[0].start == row.next_at.replace(microsecond=0)
    assert {one.credits for one in made} == {2}


def test_a_flow_without_futures_reserves_nothing(alice: Any) -> None:
    Bidding.objects.create(tenant=alice.tenant, auto_bid=True)
    scheduled(alice, "every: 20m")
    assert futures.reserve(timezone.now()) == 0


def test_a_window_lasts_as_long_as_half_of_the_last_runs_took(alice: Any) -> None:
    """R27: nothing is written of how long a flow takes, so what it took is what is expected."""
    Bidding.objects.create(tenant=alice.tenant, auto_bid=True)
    row = scheduled(alice, "every: 20m")
    contracted(alice, row)
    row.refresh_from_db()
    bundle = row.flow.bundle
    for seconds, waited, status in (
        (10, 0, "success"),
        (250, 50, "success"),
        (900, 0, "success"),
        (3000, 0, "error"),
    ):
        Execution.objects.create(
            tenant=alice.tenant,
            bundle=bundle,
            id=uuid7(),
            revision=1,
            created=timezone.now(),
            service="flow",
            name=row.flow.name,
            status=status,
            duration_us=seconds * 1_000_000 - 1,
            waited_us=waited * 1_000_000,
        )
    assert futures.expected_s(row) == 200
    assert futures.reserve(timezone.now()) == 3
    assert {one.end - one.start for one in Reservation.objects.all()} == {timedelta(seconds=200)}
    assert wallet.check() == []
