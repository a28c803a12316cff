"""Goals: what is measured over which window, what the states mean, and what is kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.ids import uuid7
from bundles import files
from bundles.goals import Metric
from bundles.models import Bundle, Revision
from runtime import goals, measure, signals
from runtime.models import Bucket, GoalState

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 1, 12, 0, 3, tzinfo=UTC)
SHOP = """
name: shop
services:
  - name: cart
    goals:
      - name: fast
        metric: latency
        target: "< 200ms"
      - name: good
        metrics:
          - {signal: cartSync, type: consistency, goal: dataIntegrity, threshold: 1.0, delay: 0, window: 30}
          - {signal: health, type: availability, goal: uptime, threshold: 0.9, delay: 0, window: 60}
      - {name: sure, metric: successRate, target: "> 90%"}
"""


def metric(kind: str, op: str, value: float, unit: str = "", **more: Any) -> Metric:
    fields = {"signal": kind, "window_s": 60.0, "delay_s": 0.0, "label": kind}
    return Metric(kind=kind, op=op, value=value, unit=unit, **{**fields, **more})


def a_shop(tenant: Any, text: str = SHOP) -> Bundle:
    bundle = Bundle.objects.create(tenant=tenant, name="shop", status="running", revision=1, live_revision=1)
    data = text.encode()
    listing = {"bundle.yaml": [files.put(data), len(data)]}
    Revision.objects.create(bundle=bundle, number=1, files=listing, author="alice", message="import")
    return bundle


def ran(bundle: Bundle, ago_s: float = 1, **fields: Any) -> dict[str, Any]:
    at = int((NOW - timedelta(seconds=ago_s)).timestamp() * 1e6)
    record = {"id": str(uuid7()), "bundle": str(bundle.pk), "service": "cart", "name": "add", "created": at}
    return {**record, "status": "success", "http_status": 200, "duration_us": 50_000, "signals": [], **fields}


def states(bundle: Bundle) -> dict[str, str]:
    return {row.metric: row.state for row in GoalState.objects.filter(bundle=bundle)}


def test_goals_follow_what_the_bundle_does(alice: Any) -> None:
    bundle = a_shop(alice.tenant)
    goals.evaluate(NOW)
    assert set(states(bundle).values()) == {"unknown"}
    signals.absorb([ran(bundle, signals=[["cartSync", 1.0]]) for _ in range(20)])
    goals.evaluate(NOW)
    assert set(states(bundle).values()) == {"met"}
    slow = [ran(bundle, duration_us=900_000, status="error", signals=[["cartSync", 0.0]]) for _ in range(20)]
    signals.absorb(slow)
    goals.evaluate(NOW)
    assert states(bundle) == dict.fromkeys(("latency", "cartSync", "health", "successRate"), "breached")


def test_overruns_are_counted_and_failures_are_not_taken_for_them(alice: Any) -> None:
    text = SHOP + "      - {name: quick, metrics: [{signal: overrun, type: errors, threshold: 0}]}\n"
    bundle = a_shop(alice.tenant, text)
    signals.absorb([ran(bundle, status="error", http_status=502) for _ in range(3)])
    goals.evaluate(NOW)
    assert states(bundle)["overrun"] == "met"
    signals.absorb([ran(bundle, signals=[["overrun", 1.0]])])
    goals.evaluate(NOW)
    row = GoalState.objects.get(bundle=bundle, metric="overrun")
    assert (row.state, row.value) == ("breached", 1.0)


def test_without_calls_the_last_value_stays_but_the_state_is_unknown(alice: Any) -> None:
    bundle = a_shop(alice.tenant)
    signals.absorb([ran(bundle)])
    goals.evaluate(NOW)
    value = GoalState.objects.get(metric="latency").value
    assert value == pytest.approx(50, rel=0.05)
    goals.evaluate(NOW + timedelta(minutes=5))
    row = GoalState.objects.get(metric="latency")
    assert (row.state, row.value, len(row.history)) == ("unknown", value, 1)


def test_what_lies_outside_the_window_does_not_count(alice: Any) -> None:
    bundle = a_shop(alice.tenant)
    signals.absorb([ran(bundle, ago_s=70, status="error"), ran(bundle)])
    goals.evaluate(NOW)
    assert GoalState.objects.get(metric="successRate").value == 1


def test_nothing_is_judged_before_the_delay_is_over(alice: Any) -> None:
    text = SHOP.replace('target: "< 200ms"', 'target: "< 200ms"\n        delay: 30')
    bundle = a_shop(alice.tenant, text)
    signals.absorb([ran(bundle)])
    goals.evaluate(NOW)
    assert states(bundle)["latency"] == "unknown"
    signals.absorb([ran(bundle, ago_s=-35)])
    goals.evaluate(NOW + timedelta(seconds=36))
    assert states(bundle)["latency"] == "met"


def test_a_signal_of_its_own_wins_over_what_we_measure(alice: Any) -> None:
    bundle = a_shop(alice.tenant)
    signals.absorb([ran(bundle, status="error", signals=[["health", 0.95]])])
    goals.evaluate(NOW)
    assert GoalState.objects.get(metric="health").value == 0.95


def test_an_answer_of_the_service_itself_is_available_even_when_it_is_an_error(alice: Any) -> None:
    bundle = a_shop(alice.tenant)
    signals.absorb([ran(bundle, http_status=500), ran(bundle, ago_s=30, status="refused", http_status=503)])
    goals.evaluate(NOW)
    assert GoalState.objects.get(metric="health").value == 0.5
    assert GoalState.objects.get(metric="successRate").value == 0


def test_goals_that_are_gone_are_dropped_and_history_is_short(alice: Any) -> None:
    bundle = a_shop(alice.tenant)
    GoalState.objects.create(bundle=bundle, service="cart", goal="old", metric="latency")
    old = [[second, 1.0] for second in range(200)]
    GoalState.objects.create(bundle=bundle, service="cart", goal="fast", metric="latency", history=old)
    signals.absorb([ran(bundle)])
    assert goals.evaluate(NOW) == 4
    assert not GoalState.objects.filter(goal="old").exists()
    history = GoalState.objects.get(goal="fast").history
    assert len(history) == goals.HISTORY
    assert history[-1][0] == int(NOW.timestamp())


def test_a_stopped_bundle_is_left_alone(alice: Any) -> None:
    bundle = a_shop(alice.tenant)
    goals.evaluate(NOW)
    Bundle.objects.update(status="stopped")
    assert goals.evaluate(NOW) == 0
    assert not GoalState.objects.exclude(since=None).exists()
    assert len(states(bundle)) == 4


@pytest.mark.parametrize(
    ("wanted", "value", "state"),
    [
        (metric("latency", "<", 200, "ms"), 200, "breached"),
        (metric("latency", "<=", 200, "ms"), 200, "at risk"),
        (metric("latency", "<", 200, "ms"), 181, "at risk"),
        (metric("latency", "<", 200, "ms"), 180, "met"),
        (metric("successRate", ">", 0.9, "fraction"), 0.92, "met"),
        (metric("successRate", ">", 0.9, "fraction"), 0.905, "at risk"),
        (metric("successRate", ">", 0.9, "fraction"), 0.9, "breached"),
        (metric("uptime", ">=", 1.0, "fraction"), 1.0, "met"),
        (metric("uptime", ">=", 1.0, "fraction"), 0.99999, "breached"),
        (metric("errors", "<=", 0, "count"), 0, "met"),
        (metric("errors", "<=", 0, "count"), 1, "breached"),
        (metric("custom", ">=", 50), 54, "at risk"),
        (metric("custom", ">=", 50), 55, "met"),
        (metric("custom", "=", 5), 5, "met"),
        (metric("custom", "=", 5), 6, "breached"),
    ],
)
def test_states(wanted: Metric, value: float, state: str) -> None:
    assert measure.state(wanted, value) == state


def test_targets_and_values_are_shown_as_people_write_them() -> None:
    assert measure.target(metric("successRate", ">", 0.999, "fraction")) == "> 99.9 %"
    assert measure.target(metric("latency", "<=", 5000, "ms")) == "≤ 5000 ms"
    assert measure.target(metric("errors", "<=", 3, "count")) == "≤ 3"


def test_counts_add_up_over_batches(alice: Any) -> None:
    bundle = a_shop(alice.tenant)
    for _ in range(3):
        signals.absorb([ran(bundle), ran(bundle, status="error"), ran(bundle, status="cancelled")])
    row = Bucket.objects.get()
    assert (row.count, row.errors, row.down, sum(row.histogram.values())) == (6, 3, 3, 6)
    assert row.total == pytest.approx(300)


def test_runs_of_deleted_bundles_are_passed_over(alice: Any) -> None:
    bundle = a_shop(alice.tenant)
    record = ran(bundle)
    lost = {**record, "bundle": str(uuid7())}
    signals.absorb([record, lost])
    assert Bucket.objects.count() == 1


def test_a_flood_of_signal_names_is_cut(alice: Any) -> None:
    bundle = a_shop(alice.tenant)
    signals.absorb([ran(bundle, signals=[[f"s{n}", 1.0] for n in range(5000)])])
    assert Bucket.objects.exclude(signal="").count() == signals.MAX_SIGNALS


def test_usage_counts_only_the_tenants_own_calls(alice: Any, charlie: Any) -> None:
    mine, theirs = a_shop(alice.tenant), a_shop(charlie.tenant)
    signals.absorb([ran(mine), ran(mine, ago_s=120, status="error"), ran(theirs)])
    used = signals.usage(alice.tenant.pk, 1, NOW)
    assert (used.calls, used.errors) == (2, 1)
    assert used.p95_ms == pytest.approx(50, rel=0.05)
    assert len(used.series) == 61
    assert [entry[1:] for entry in used.series if entry[1]] == [(1, 1), (1, 0)]


def test_errors_are_counted_per_endpoint(alice: Any) -> None:
    bundle = a_shop(alice.tenant)
    signals.absorb([ran(bundle), ran(bundle, name="pay", status="timeout")])
    assert [(row["name"], row["errors"]) for row in signals.failures(bundle, 60, NOW)] == [
        ("pay", 1),
        ("add", 0),
    ]


def test_old_buckets_are_forgotten(alice: Any) -> None:
    bundle = a_shop(alice.tenant)
    signals.absorb([ran(bundle, ago_s=90_000), ran(bundle)])
    assert signals.expire(NOW) == 1
    assert Bucket.objects.count() == 1


def test_goals_of_what_has_just_been_started_are_there_before_the_clock_has_looked(
    alice: Any, charlie: Any
) -> None:
    a_shop(alice.tenant)
    assert charlie.api.get("/api/goals").json()["items"] == []
    assert GoalState.objects.count() == 0
    found = alice.api.get("/api/goals").json()["items"]
    assert [(one["goal"], one["metric"], one["state"]) for one in found] == [
        ("fast", "latency", "unknown"),
        ("good", "cartSync", "unknown"),
        ("good", "health", "unknown"),
        ("sure", "successRate", "unknown"),
    ]
    assert [one["goal"] for one in alice.api.get("/api/goals").json()["items"]] == [
        one["goal"] for one in found
    ]
