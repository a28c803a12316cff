"""Sensors start intents: persisted before they are told, counted exactly, held back by cooldown, tried again."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from runtime import executions, importer
from runtime.journal import FileJournal
from runtime.models import Execution
from runtime.worker import Worker, gone
from tests.runtime import stage

pytestmark = pytest.mark.django_db(transaction=True)

INTENTS = """
  - {name: count, whenSensor: tick, toFunc: 'wasm:counter:run', primitiveIntent: stateMutation}
  - {name: rarely, whenSensor: rare, toFunc: 'wasm:counter:run', cooldown: 60s}
  - {name: fails, whenSensor: bad, toFunc: 'wasm:trapper:unreachable', retries: 1}
  - {name: peek, whenSensor: look, toFunc: 'wasm:counter:run', primitiveIntent: validation}
  - {name: late, whenSensor: soon, toFunc: 'wasm:counter:run', expiresIn: 1s}
  - {name: relay, whenSensor: outer, toFunc: 'wasm:firer:run'}
"""


@pytest.fixture
def bundle(alice, clean_redis):
    files = stage.bundle_files(
        "s", ["counter", "trapper", "firer"], INTENTS, GET_n="wasm:counter:run", POST_f="wasm:firer:run"
    )
    return stage.run_bundle(alice, files)


def fire(person, bundle, sensor, payload=None):
    return person.api.post(
        f"/api/bundles/{bundle.pk}/sensors/{sensor}", payload, content_type="application/json"
    )


@pytest.fixture
def work():
    """Run the worker's loop until nothing is queued, as a Celery worker would."""

    def until_done(seconds: float = 10) -> None:
        runner = Worker()
        runner.start()
        try:
            limit = timezone.now() + timedelta(seconds=seconds)
            while timezone.now() < limit:
                importer.drain()
                if not Execution.objects.filter(status__in=("queued", "running")).exists():
                    break
                threading.Event().wait(0.05)
        finally:
            runner.stop()
        importer.drain()

    return until_done


def test_a_fired_sensor_is_in_the_history_before_it_is_acknowledged(alice, bundle):
    answer = fire(alice, bundle, "tick", {"a": 1})
    run = answer.json()["executions"][0]
    assert answer.status_code == 202
    shown = alice.api.get(f"/api/executions/{run}").json()
    assert (shown["status"], shown["trigger"], shown["input"]["body"], shown["input"]["sensor"]) == (
        "queued",
        "sensor",
        {"a": 1},
        "tick",
    )


@pytest.mark.parametrize("payload", [b'"' + b"x" * 1_000_000 + b'"', b"[" + b"1e9," * 90_000 + b"1]"])
def test_a_payload_that_no_run_could_get_whole_is_refused(alice, bundle, payload):
    answer = alice.api.post(
        f"/api/bundles/{bundle.pk}/sensors/tick", payload, content_type="application/json"
    )
    assert (answer.status_code, "1,000,000 bytes" in answer.json()["detail"]) == (413, True)
    importer.drain()
    assert not Execution.objects.exists()


def test_a_large_payload_is_kept_whole_until_it_runs(alice, bundle):
    run = fire(alice, bundle, "tick", {"long": "z" * 900_000}).json()["executions"][0]
    importer.drain()
    assert Execution.objects.get(pk=run).input.count("z") == 900_000


def test_every_fire_runs_exactly_once(alice, bundle, work):
    runs = [fire(alice, bundle, "tick").json()["executions"][0] for _ in range(20)]
    work()
    done = Execution.objects.filter(pk__in=runs)
    assert [run.status for run in done] == ["success"] * 20
    assert sorted(int(run.output) for run in done) == list(range(1, 21))


def test_a_cooldown_lets_exactly_one_of_many_racing_fires_pass(alice, bundle):
    answers = [fire(alice, bundle, "rare").json() for _ in range(5)]
    assert sum(len(answer["executions"]) for answer in answers) == 1
    assert answers[-1]["skipped"] == [{"intent": "s.rarely", "reason": "cooldown of 60000 ms"}]


def test_a_failing_intent_is_tried_again_and_then_ends_in_error(alice, bundle, work):
    run = fire(alice, bundle, "bad").json()["executions"][0]
    work()
    ended = Execution.objects.get(pk=run)
    assert (ended.status, ended.attempts) == ("error", 1)
    assert "unreachable" in ended.error
    lines = alice.api.get(f"/api/executions/{run}/logs").json()["items"]
    assert "try 1 failed: an unreachable" in lines[0]["text"]
    assert lines[0]["text"].endswith("the next in 1 s")
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)


@pytest.mark.parametrize("left", [True, False])
def test_a_run_can_be_read_while_its_try_waits_for_the_import(alice, bundle, left):
    run = fire(alice, bundle, "bad").json()["executions"][0]
    importer.drain()
    (claimed,) = executions.claim("somebody", 1)
    end = gone(claimed)
    again = {key: end[key] for key in ("id", "bundle", "service", "name")} | {"logs": [], "error": "fell"}
    again |= {
        "op": "again",
        "status": "queued",
        "attempts": 1,
        "due": 0,
        "started": 0,
        "input": "",
        "output": "",
    }
    FileJournal().write(again if left else end)
    shown = alice.api.get(f"/api/executions/{run}")
    assert (shown.status_code, shown.json()["status"]) == (200, "running" if left else "error")
    assert shown.json()["input"]["sensor"] == "bad"
    importer.drain()
    assert Execution.objects.get(pk=run).status == ("queued" if left else "error")


def test_a_validation_may_not_write(alice, bundle, work):
    run = fire(alice, bundle, "look").json()["executions"][0]
    work()
    assert "validation" in Execution.objects.get(pk=run).error
    counted = fire(alice, bundle, "tick").json()["executions"][0]
    work()
    assert Execution.objects.get(pk=counted).output == "1"


def test_an_expired_one_does_not_start(alice, bundle):
    run = fire(alice, bundle, "soon").json()["executions"][0]
    importer.drain()
    assert executions.expired(timezone.now()) == 0
    assert executions.expired(timezone.now() + timedelta(seconds=2)) == 1
    assert executions.claim("w", 10) == []
    assert Execution.objects.get(pk=run).status == "timeout"


def test_an_unknown_sensor_is_404_with_the_known_ones(alice, bundle):
    answer = fire(alice, bundle, "nonsense")
    assert answer.status_code == 404
    assert "tick" in answer.json()["detail"]


def test_charlie_and_strangers_fire_nothing(alice, bundle, charlie, client):
    assert fire(charlie, bundle, "tick").status_code == 404
    assert client.post(f"/api/bundles/{bundle.pk}/sensors/tick").status_code == 401
    importer.drain()
    assert not Execution.objects.filter(trigger="sensor").exists()


async def test_a_call_that_fires_leaves_both_in_one_record(alice, bundle):
    call = stage.Caller(alice.token)
    answer = await call("POST", "/alice/api/s/f", {"sensor": "tick", "payload": {"x": 1}})
    await call.close()
    assert answer.status == 200, answer.body
    await stage.drain()
    fired = await Execution.objects.aget(parent=answer.execution)
    assert (fired.status, fired.trigger, fired.depth) == ("queued", "sensor", 1)


def test_a_lost_workers_run_starts_again_and_not_for_ever(alice, bundle):
    run = fire(alice, bundle, "tick").json()["executions"][0]
    importer.drain()
    for _ in range(executions.MAX_RESTARTS + 1):
        assert len(executions.claim("dead", 10)) == 1
        executions.reap(timezone.now() + timedelta(minutes=1))
        Execution.objects.filter(pk=run, status="queued").update(due=timezone.now())
    assert Execution.objects.get(pk=run).status == "error"
    assert executions.claim("w", 10) == []


def test_two_workers_never_claim_the_same_run(alice, bundle):
    for _ in range(5):
        fire(alice, bundle, "tick")
    importer.drain()
    first = {run.pk for run in executions.claim("a", 3)}
    second = {run.pk for run in executions.claim("b", 10)}
    assert (len(first), len(second), first & second) == (3, 2, set())


def test_a_retry_runs_the_same_request_again(alice, bundle, work):
    run = fire(alice, bundle, "bad", {"k": 1}).json()["executions"][0]
    work()
    fresh = alice.api.post(f"/api/executions/{run}/retry").json()["execution"]
    work()
    again = Execution.objects.get(pk=fresh)
    assert (again.trigger, str(again.parent), again.status) == ("retry", run, "error")


def test_a_queued_run_can_be_cancelled_once(alice, bundle):
    run = fire(alice, bundle, "tick").json()["executions"][0]
    assert alice.api.post(f"/api/executions/{run}/cancel").status_code == 202
    assert alice.api.post(f"/api/executions/{run}/cancel").status_code == 409
    assert executions.claim("w", 10) == []
