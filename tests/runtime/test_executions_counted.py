"""Every door that queues a run asks the plan first, and what it refuses leaves no run behind (R39)."""

from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async

from billing import allowance
from billing.models import ExecutionQuota, Plan
from billing.quota import quota
from runtime import executions, importer, schedules
from runtime.models import Execution, Trigger
from tests.runtime import stage
from tests.runtime.flowstage import start as started

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


@pytest.fixture(autouse=True)
def forgotten():
    """What a process knows of a plan's limit is of this test."""
    quota.clear()
    yield
    quota.clear()


def limit(person, count):
    Plan.objects.filter(slug="enterprise").update(executions=count)
    quota.forget(str(person.tenant.pk))


def taken():
    quota.stop()
    return sum(ExecutionQuota.objects.filter(period__regex="^.{7}$").values_list("taken", flat=True))


FLOW = """triggers:
  - {name: hourly, type: schedule, cron: "0 * * * *"}
  - {name: by-hand, type: manual}
listeners:
  - {name: out, type: output}
"""


@pytest.fixture
def flow(alice):
    return started(alice, greet=FLOW).flows.get()


def inject(person, flow, **more):
    return person.client.post(f"/api/triggers/{flow.pk}/inject", more, content_type="application/json")


def test_a_manual_run_takes_one_and_is_refused_when_none_is_left(alice, flow):
    limit(alice, 2)
    assert [inject(alice, flow).status_code for _ in range(3)] == [202, 202, 429]
    refused = inject(alice, flow)
    assert int(refused["Retry-After"]) > 0
    assert "executions of this month are used up" in refused.json()["detail"]
    assert taken() == 2


def test_runs_of_the_editor_have_a_limit_of_their_own(alice, flow, monkeypatch):
    limit(alice, 1)
    monkeypatch.setattr(allowance, "TEST_RUNS", 2)
    assert [inject(alice, flow, draft=True).status_code for _ in range(3)] == [202, 202, 429]
    assert taken() == 0


def test_a_schedule_that_may_not_run_says_so_in_the_history(alice, flow):
    limit(alice, 0)
    row = Trigger.objects.get(name="hourly")
    Trigger.objects.update(next_at=datetime.now(UTC) - timedelta(seconds=1))
    assert schedules.tick(datetime.now(UTC)) == 0
    run = Execution.objects.get()
    assert run.status == "refused"
    assert "used up" in run.error
    row.refresh_from_db()
    assert row.next_at > datetime.now(UTC)
    limit(alice, 1)
    Trigger.objects.update(next_at=datetime.now(UTC) - timedelta(seconds=1))
    assert schedules.tick(datetime.now(UTC)) == 1
    assert taken() == 1


def test_a_person_s_retry_is_a_run_of_its_own(alice, flow):
    limit(alice, 10)
    run = inject(alice, flow).json()["execution"]
    importer.drain()
    assert Execution.objects.update(status="error", completed=datetime.now(UTC)) == 1
    assert alice.client.post(f"/api/executions/{run}/retry").status_code == 202
    assert taken() == 2


def test_a_queued_run_that_is_cancelled_or_expires_is_given_back(alice, flow):
    limit(alice, 10)
    runs = [inject(alice, flow).json()["execution"] for _ in range(2)]
    importer.drain()
    assert alice.client.post(f"/api/executions/{runs[0]}/cancel").status_code in {200, 202}
    now = datetime.now(UTC)
    Execution.objects.filter(pk=runs[1]).update(expires=now)
    assert executions.expired(now) == 1
    assert executions.expired(now) == 0
    assert set(Execution.objects.values_list("status", flat=True)) == {"cancelled", "timeout"}
    assert taken() == 0


@pytest.fixture
def shop(alice):
    return stage.run_bundle(alice, stage.bundle_files("w", ["echo"], POST_echo="wasm:echo:run"))


async def test_a_call_takes_one_whichever_way_it_runs(alice, shop):
    await sync_to_async(limit)(alice, 3)
    call = stage.Caller(alice.token)
    answers = [await call("POST", "/alice/api/w/echo", {"a": 1}) for _ in range(5)]
    later = await call("POST", "/alice/api/w/echo", {"a": 1}, prefer="respond-async")
    await call.close()
    assert [one.status for one in answers] == [200, 200, 200, 429, 429]
    assert int(answers[3].headers["retry-after"]) > 0
    assert later.status == 429
    assert await sync_to_async(taken)() == 3
