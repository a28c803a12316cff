"""Metering: what finished runs add to the rows of the day, once, whoever adds; and the estimates made of it."""

import time
import timeit
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.ids import uuid7
from bundles.models import Bundle
from runtime import executions, metering
from runtime.estimates import Estimates, seeded
from runtime.models import Execution, Usage
from tests.runtime.watching import a_bundle

pytestmark = pytest.mark.django_db
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


def ran(bundle: Bundle, units: int = 10, *, ago: timedelta = timedelta(0), **more: Any) -> dict[str, Any]:
    at = int((NOON - ago).timestamp() * 1e6)
    record: dict[str, Any] = {"op": "add", "id": str(uuid7()), "bundle": str(bundle.pk)}
    record["tenant"] = str(bundle.tenant_id)
    record |= {"revision": 1, "service": "cart", "name": "add", "target": "wasm:cart:add", "trigger": "api"}
    record |= {"status": "success", "created": at, "completed": at, "units_estimated": 100}
    return record | {"units_used": units} | more


def test_a_batch_becomes_one_row_and_the_next_one_adds_to_it(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    executions.absorb([ran(bundle, units) for units in range(1, 101)])
    executions.absorb([ran(bundle, 300)])
    row = Usage.objects.get()
    assert (row.calls, row.count, row.used, row.estimated, row.max) == (101, 101, 5350, 10_100, 300)
    assert row.p50 == pytest.approx(51, rel=0.05)
    assert row.p95 == pytest.approx(96, rel=0.05)
    assert row.recent == [*range(38, 101), 300]


def test_a_record_that_comes_twice_counts_once(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    record = ran(bundle)
    executions.absorb([record])
    executions.absorb([record, record])
    assert Usage.objects.get().calls == 1


def test_a_background_run_counts_when_it_ends(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    begun = ran(bundle, 0, status="running", completed=None)
    executions.absorb([begun])
    assert Usage.objects.count() == 0
    executions.absorb([{**begun, "op": "finish", "status": "success", "units_used": 70, "completed": begun["created"],
                        "waited_us": 2_000_000, "spent": 3, "degraded": True}])  # fmt: skip
    row, run = Usage.objects.get(), Execution.objects.get()
    assert (row.calls, row.used, row.spent, row.degraded) == (1, 70, 3, 1)
    assert (run.waited_us, run.spent, run.degraded) == (2_000_000, 3, True)


def test_what_was_refused_is_counted_by_reason_and_measures_nothing(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    lost = [
        ran(bundle, 0, status="refused", error=error, waited_us=5_000_000) for error in ("no_capacity",) * 3
    ]
    late = [ran(bundle, 0, status="refused", error="queue_timeout", waited_us=30_000_000)]
    executions.absorb(
        [*lost, *late, ran(bundle, 0, status="cancelled"), ran(bundle, 20, spent=7, attempts=2)]
    )
    row = Usage.objects.get()
    assert row.refused == {"no_capacity": 3, "queue_timeout": 1}
    assert (row.calls, row.count, row.recent) == (6, 1, [20])
    assert (row.retried, row.spent, row.dearest) == (1, 7, 7)
    assert sum(row.waits.values()) == 4


def test_who_left_the_queue_for_some_rounds_tried_again(alice: Any) -> None:
    """R30."""
    bundle = a_bundle(alice.tenant)
    executions.absorb([ran(bundle, backoffs=3), ran(bundle, backoffs=0), ran(bundle, backoffs=1, attempts=1)])
    assert Usage.objects.get().retried == 2


def test_what_a_run_paid_is_its_price_where_nothing_else_is_said(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    executions.absorb([ran(bundle, price=4), ran(bundle, price=9, spent=0)])
    assert Usage.objects.get().spent == 4


def test_a_guest_cannot_fill_a_row_with_reasons(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    executions.absorb([ran(bundle, status="refused", error=f"because {n}") for n in range(500)])
    row = Usage.objects.get()
    assert len(row.refused) == metering.MAX_REASONS + 1
    assert sum(row.refused.values()) == 500


def test_functions_are_metered_as_steps_of_flows_too(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    steps = [{"node": "a", "target": "wasm:m:f", "units": 4}, {"node": "b", "units": 1}, {"dropped": 3}]
    executions.absorb([ran(bundle, 5, service="flow", name="orders", target="flow:orders", steps=steps)])
    assert Usage.objects.get(target="wasm:m:f").used == 4
    assert Usage.objects.get(target="flow:orders", name="orders").used == 5
    assert Usage.objects.count() == 2


def test_each_day_has_a_row_and_old_days_are_forgotten(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    executions.absorb([ran(bundle, ago=timedelta(days=days)) for days in (0, 1, 100)])
    assert len(metering.rows(bundle, NOON, 1)) == 1
    assert len(metering.rows(bundle, NOON, 2)) == 2
    assert metering.expire(NOON) == 1
    assert Usage.objects.count() == 2


def test_runs_of_a_deleted_bundle_are_not_metered(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    record = ran(bundle)
    bundle.delete()
    metering.absorb([record])
    assert not Usage.objects.exists()


def test_an_estimate_is_the_95th_percentile_of_the_last_calls() -> None:
    estimates = Estimates()
    assert estimates.raw("cart", "add") is None
    assert not estimates.rings  # to ask keeps nothing
    estimates.note("cart", "add", 204)
    assert estimates.raw("cart", "add") == 204
    for units in (*range(1, 101), *([7] * 64)):
        estimates.note("cart", "add", units)
        estimates.raw("cart", "add")
    estimates.note("cart", "add", 7)
    for _ in range(20):
        estimates.note("cart", "add", 7)
    assert estimates.raw("cart", "add") == 7  # what is long ago does not count


def test_three_dear_calls_in_a_hundred_do_not_make_all_dear() -> None:
    estimates = Estimates()
    for units in [10] * 61 + [5000] * 3:
        estimates.note("s", "n", units)
    assert estimates.raw("s", "n") == 10
    estimates.note("s", "n", 5000)
    for _ in range(20):
        estimates.note("s", "n", 5000)
    assert estimates.raw("s", "n") == 5000


def test_a_bundle_that_is_loaded_knows_what_was_measured_of_its_present_targets(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    Usage.objects.all().delete()
    executions.absorb([ran(bundle, 9000, target="wasm:old:add", ago=timedelta(days=1))])
    executions.absorb([ran(bundle, 30, ago=timedelta(days=1)), ran(bundle, 20)])
    executions.absorb([ran(bundle, 0, name="never", status="refused", error="no_capacity")])
    estimates = seeded(bundle.pk)
    assert estimates.raw("cart", "add") == 30
    assert list(estimates.rings["cart", "add"]) == [30, 20]
    assert estimates.raw("cart", "never") is None


def test_taking_note_costs_next_to_nothing(alice: Any) -> None:
    estimates = Estimates()
    note = lambda: estimates.note("catalogService", "listProducts", 12)  # noqa: E731
    best = min(timeit.repeat(note, timer=time.process_time, number=20_000, repeat=5)) / 20_000
    assert best < 1.5e-6  # a tenth of it is usual; machines of tests are busy
    bundle = a_bundle(alice.tenant)
    executions.absorb([ran(bundle, name=f"endpoint{n}") for n in range(50)] * 2)
    seeded(bundle.pk)
    started = time.process_time()
    assert len(seeded(bundle.pk).rings) == 50
    assert time.process_time() - started < 0.02
