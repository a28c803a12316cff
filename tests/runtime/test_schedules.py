"""Schedules: their next times, exactly one run however many clocks there are, and what becomes of missed ones."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from runtime import executions, schedules
from runtime.models import Execution, Trigger

TEXT = """organism: {{name: report}}
triggers:
  - {{name: nightly, type: schedule, {when}, to: answer}}
listeners:
  - {{name: answer, handler: "builtin:output", with: {{status: 200}}}}
"""
J = "application/json"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def plan(**values: Any) -> dict[str, Any]:
    return {"to": "a", "cron": "", "timezone": "UTC", "every_ms": None, "misfire": "skip"} | values


def scheduled(person: Any, when: str = 'cron: "0 2 * * *", timezone: Europe/Berlin') -> Trigger:
    body = {"name": "report", "organism_yaml": TEXT.format(when=when)}
    flow = person.api.post("/api/flows", body, content_type=J).json()
    started = person.api.post(f"/api/flows/{flow['id']}/start")
    assert started.json()["status"] == "running", started.content
    return Trigger.objects.get(flow=flow["id"])


def due(row: Trigger, at: datetime) -> None:
    Trigger.objects.filter(pk=row.pk).update(next_at=at)


def test_a_cron_line_means_the_clock_of_its_zone() -> None:
    berlin = plan(cron="0 2 * * *", timezone="Europe/Berlin")
    assert schedules.following(berlin, NOW) == datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    assert schedules.following(berlin, summer) == datetime(2026, 7, 2, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 * * * *", "*/15 * * * *"])
def test_no_time_comes_twice_or_goes_backwards_around_the_change_of_the_clock(zone: str, cron: str) -> None:
    for start in (
        datetime(2026, 3, 7, tzinfo=UTC),
        datetime(2026, 3, 28, tzinfo=UTC),
        datetime(2026, 10, 24, tzinfo=UTC),
    ):
        times = schedules.upcoming(plan(cron=cron, timezone=zone), start, 250)
        assert all(one < two for one, two in pairwise(times))


def test_once_a_day_is_once_a_day_also_when_the_clock_changes() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    times = schedules.upcoming(
        plan(cron="30 2 * * *", timezone="Europe/Berlin"), datetime(2026, 10, 20, tzinfo=UTC), 10
    )
    assert len({moment.astimezone(berlin).date() for moment in times}) == 10


def test_an_interval_keeps_its_beat() -> None:
    every = plan(every_ms=60_000)
    assert schedules.following(every, NOW) == NOW + timedelta(minutes=1)
    late = NOW + timedelta(seconds=150)
    assert schedules.following(every, late, last=NOW) == NOW + timedelta(minutes=3)


@pytest.mark.django_db
def test_a_started_flow_has_its_next_time_and_a_stopped_one_none(alice: Any, clean_redis: None) -> None:
    row = scheduled(alice)
    assert row.next_at is not None
    assert row.next_at.astimezone(ZoneInfo("Europe/Berlin")).hour == 2
    alice.api.post(f"/api/flows/{row.flow_id}/stop")
    row.refresh_from_db()
    assert row.next_at is None


@pytest.mark.django_db
def test_a_due_schedule_queues_one_run_and_has_the_next_time(alice: Any, clean_redis: None) -> None:
    row, now = scheduled(alice), timezone.now()
    due(row, now - timedelta(seconds=3))
    assert [schedules.tick(now), schedules.tick(now)] == [1, 0]
    run = Execution.objects.get()
    assert (run.trigger, run.status, run.target, run.name) == (
        "schedule",
        "queued",
        "flow:report:answer",
        "report",
    )
    row.refresh_from_db()
    assert row.next_at is not None
    assert row.next_at > now
    assert row.last_at == now


@pytest.mark.django_db(transaction=True)
def test_of_many_clocks_exactly_one_fires(alice: Any, clean_redis: None) -> None:
    row, now = scheduled(alice, "every: 1s"), timezone.now()
    due(row, now - timedelta(seconds=1))
    seen = Trigger.objects.select_related("flow__bundle__tenant").get(pk=row.pk)
    barrier, fired = threading.Barrier(4), []

    def clock() -> None:
        barrier.wait()
        fired.append(schedules.fire(seen, now))
        connection.close()

    clocks = [threading.Thread(target=clock) for _ in range(4)]
    for one in clocks:
        one.start()
    for one in clocks:
        one.join()
    assert sorted(fired) == [False, False, False, True]
    assert Execution.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("misfire", "runs"), [("skip", 0), ("once", 1)])
def test_a_missed_time_is_skipped_or_made_up_for_once(
    alice: Any, clean_redis: None, misfire: str, runs: int
) -> None:
    row, now = scheduled(alice, f"every: 10m, misfire: {misfire}"), timezone.now()
    due(row, now - timedelta(hours=5))
    assert schedules.tick(now) == runs
    row.refresh_from_db()
    assert row.next_at is not None
    assert now < row.next_at <= now + timedelta(minutes=10)


def copies(row: Trigger, count: int) -> None:
    """So many schedules more of the same flow, all of them due at the same time."""
    values = {"flow_id": row.flow_id, "type": "schedule", "schedule": row.schedule, "next_at": row.next_at}
    Trigger.objects.bulk_create(Trigger(name=f"copy-{place}", **values) for place in range(count))


@pytest.mark.django_db
def test_a_thousand_schedules_of_one_tenant_do_not_stand_before_that_of_another(
    alice: Any, charlie: Any, clean_redis: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "AT_ONCE", 10)
    mine, late, now = scheduled(alice), scheduled(charlie), timezone.now()
    due(mine, now - timedelta(seconds=9))
    mine.refresh_from_db()
    copies(mine, 1000)
    due(late, now - timedelta(seconds=1))
    assert schedules.tick(now) == 10
    assert Execution.objects.filter(tenant=charlie.tenant).count() == 1
    assert schedules.tick(now) == 10
    assert Execution.objects.filter(tenant=alice.tenant).count() == 19


@pytest.mark.django_db
def test_of_what_is_queued_a_tenant_gets_half_of_the_places(
    alice: Any, charlie: Any, clean_redis: None
) -> None:
    mine, late, now = scheduled(alice), scheduled(charlie), timezone.now()
    for row, at in ((mine, now - timedelta(seconds=9)), (late, now)):
        due(row, at)
    mine.refresh_from_db()
    copies(mine, 100)
    assert schedules.tick(now) == 102
    first = executions.claim("w", 32, {})
    assert Counter(run.tenant_id for run in first) == {alice.tenant.pk: 16, charlie.tenant.pk: 1}
    busy = Counter(run.tenant_id for run in first)
    assert len(executions.claim("w", 15, busy)) == 0
    assert len(executions.claim("w", 15, {})) == 8
    assert len(executions.claim("w", 15)) == 15


@pytest.mark.django_db
def test_a_schedule_that_cannot_be_understood_stops_no_other(
    alice: Any, charlie: Any, clean_redis: None
) -> None:
    broken, good, now = scheduled(alice), scheduled(charlie), timezone.now()
    due(broken, now - timedelta(seconds=9))
    due(good, now)
    text = broken.schedule.replace("Europe/Berlin", "Europe/Nowhere")
    Trigger.objects.filter(pk=broken.pk).update(schedule=text)
    copies(Trigger(flow_id=broken.flow_id, schedule="", next_at=now), 1)
    assert schedules.tick(now) == 1
    assert Execution.objects.get().tenant_id == charlie.tenant.pk
    assert Trigger.objects.filter(flow_id=broken.flow_id, next_at__isnull=False).count() == 0


@pytest.mark.django_db
def test_a_paused_schedule_does_not_run_and_a_resumed_one_looks_ahead(alice: Any, clean_redis: None) -> None:
    row, now = scheduled(alice), timezone.now()
    due(row, now)
    answer = alice.api.put("/api/triggers", {"enabled": False, "type": "schedule"}, content_type=J)
    assert answer.json() == {"changed": 1}
    assert schedules.tick(now) == 0
    alice.api.put(f"/api/triggers/{row.flow_id}/nightly", {"enabled": True}, content_type=J)
    row.refresh_from_db()
    assert row.next_at is not None
    assert row.next_at > now


@pytest.mark.django_db
def test_nothing_is_due_of_a_stopped_bundle_or_a_deleted_flow(alice: Any, clean_redis: None) -> None:
    row, now = scheduled(alice), timezone.now()
    due(row, now)
    alice.api.post(f"/api/bundles/{row.flow.bundle_id}/stop")
    assert schedules.tick(now) == 0
    alice.api.delete(f"/api/flows/{row.flow_id}")
    assert schedules.tick(now) == 0
    assert not Trigger.objects.exists()


@pytest.mark.django_db
def test_an_interval_keeps_its_time_when_the_flow_is_started_again(alice: Any, clean_redis: None) -> None:
    row = scheduled(alice, "every: 1h")
    alice.api.post(f"/api/flows/{row.flow_id}/start")
    again = Trigger.objects.get(pk=row.pk)
    assert again.next_at == row.next_at
