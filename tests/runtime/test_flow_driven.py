"""Flows that wait: for stores, other servers, time, people; parked, resumed, tried again, taken up from their state."""

import asyncio
import re
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from billing.redis import redis
from runtime import flowkeep, importer
from runtime.models import Execution
from runtime.worker import Worker
from tests.runtime import flowstage, stage

pytestmark = pytest.mark.django_db(transaction=True)


class Outside(BaseHTTPRequestHandler):
    seen: list[tuple[str, str]] = []
    answers: list[int] = []
    pause = 0.0
    meeting: threading.Barrier | None = None  # so many requests wait for each other
    going = most = 0  # requests at once

    counting = threading.Lock()

    def do_POST(self) -> None:
        with Outside.counting:
            Outside.going += 1
            Outside.most = max(Outside.most, Outside.going)
        time.sleep(Outside.pause)
        try:
            if (meeting := Outside.meeting) is not None:
                meeting.wait(20)
        finally:
            with Outside.counting:
                Outside.going -= 1
        size = int(self.headers.get("content-length") or 0)
        Outside.seen.append((self.rfile.read(size).decode(), self.headers.get("idempotency-key", "")))
        self.send_response(Outside.answers.pop(0) if Outside.answers else 200)
        body = b'{"ok": true}'
        self.send_header("content-length", str(len(body)))
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def outside(settings):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Outside)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.EGRESS_ALLOW = [f"127.0.0.1:{server.server_port}"]
    Outside.seen, Outside.answers = [], []
    yield f"http://127.0.0.1:{server.server_port}/x"
    server.shutdown()


@pytest.fixture
async def call(alice, clean_redis):
    caller = stage.Caller(alice.token)
    yield caller
    await caller.close()


start = sync_to_async(flowstage.start)


def http(url: str, more: str = "") -> str:
    return f"""
listeners:
  - name: ask
    handler: builtin:http
    with: {{method: POST, url: "{url}", body: "${{payload}}"}}
    backoff: 10ms
    {more}
    peers: [end]
  - {{name: end, handler: "builtin:map", with: {{expr: "payload.body.ok"}}}}
  - {{name: sorry, handler: "builtin:output", with: {{status: 422, body: "${{payload}}"}}}}
"""


def work_until(done, seconds: float = 10) -> None:
    runner = Worker()
    runner.start()
    limit = timezone.now() + timedelta(seconds=seconds)
    try:
        while timezone.now() < limit:
            importer.drain()
            if done():
                return
            threading.Event().wait(0.05)
        raise AssertionError("the worker did not come to it")
    finally:
        runner.stop()


def keys(pattern: str = "tenant:*:flow:*") -> list[bytes]:
    return list(redis().scan_iter(match=pattern))


async def test_a_call_to_the_outside_goes_on_with_its_answer(call, alice, outside):
    await start(alice, f=http(outside))
    answer = await call("POST", "/alice/api/w/f", {"a": 1})
    assert (answer.status, answer.json()) == (200, True)
    ((body, key),) = Outside.seen
    assert body == '{"a":1}'
    assert key == f"{answer.execution}:1"
    run = await flowstage.history(answer)
    assert (run.status, flowstage.nodes(run)) == ("success", ["ask", "end"])
    assert await sync_to_async(keys)() == []


async def test_a_failure_is_tried_again_with_the_same_key(call, alice, outside):
    Outside.answers = [503, 503]
    await start(alice, f=http(outside, "retries: 2"))
    answer = await call("POST", "/alice/api/w/f", {"a": 1})
    assert answer.json() is True
    assert len(Outside.seen) == 3
    assert len({key for _, key in Outside.seen}) == 1
    run = await flowstage.history(answer)
    assert [step["attempt"] for step in run.steps] == [0, 1, 2, 0]


async def test_when_tries_are_used_up_the_error_edge_is_taken(call, alice, outside):
    Outside.answers = [503, 503]
    await start(alice, f=http(outside, "retries: 1\n    on_error: sorry"))
    answer = await call("POST", "/alice/api/w/f", {"a": 1})
    assert answer.status == 422
    told = answer.json()
    assert (told["payload"], told["error"]["node"], told["error"]["attempt"]) == ({"a": 1}, "ask", 2)


async def test_memory_lasts_from_run_to_run_and_is_limited(call, alice):
    flow = """
memory: 1KiB
listeners:
  - {name: before, handler: "builtin:memory", with: {get: count}, peers: [add]}
  - {name: add, handler: "builtin:map", with: {expr: "payload == null ? 1 : payload + 1"}, peers: [keep]}
  - {name: keep, handler: "builtin:memory", with: {set: count, value: "${payload}"}}
"""
    big = flow.replace('"${payload}"', '"${trigger.body.x}"')
    await start(alice, f=flow, g=big)
    answers = [await call("POST", "/alice/api/w/f", {}) for _ in range(3)]
    assert [answer.json() for answer in answers] == [1, 2, 3]
    full = await call("POST", "/alice/api/w/g", {"x": "x" * 2000})
    assert full.status == 502
    assert "limited to 1024 bytes" in full.json()["detail"]


async def test_memory_has_to_be_asked_for(call, alice):
    await start(alice, f='listeners:\n  - {name: m, handler: "builtin:memory", with: {get: a}}\n')
    answer = await call("POST", "/alice/api/w/f", {})
    assert (answer.status, "memory" in answer.json()["detail"]) == (501, False)


async def test_a_short_delay_passes_and_its_run_is_whole(call, alice):
    flow = 'listeners:\n  - {name: d, handler: "builtin:delay", with: {for: 50ms}}\n'
    await start(alice, f=flow)
    answer = await call("POST", "/alice/api/w/f", {"a": 1})
    assert answer.json() == {"a": 1}
    assert (await flowstage.history(answer)).steps[0]["duration_us"] >= 50_000


WAIT = """
listeners:
  - {name: before, handler: "builtin:map", with: {expr: "payload"}, peers: [ask]}
  - {name: ask, handler: "builtin:wait", with: {timeout: 48h}, peers: [after], on_error: late}
  - {name: after, handler: "builtin:output", with: {body: {said: "${payload.yes}", first: "${trigger.body.a}"}}}
  - {name: late, handler: "builtin:output", with: {body: late}}
"""


def row(answer) -> Execution:
    return Execution.objects.get(pk=answer.execution)


async def test_a_wait_parks_the_run_until_somebody_answers_once(call, alice):
    await start(alice, f=WAIT)
    answer = await call("POST", "/alice/api/w/f", {"a": 7})
    assert answer.status == 202
    run = await flowstage.history(answer)
    assert (run.status, run.leased_until, run.completed) == ("waiting", None, None)
    assert timedelta(hours=47) < run.due - timezone.now() < timedelta(hours=49)
    assert flowstage.nodes(run) == ["before"]
    flow_id = (await sync_to_async(keys)("*waits"))[0].decode().split(":")[3]
    place = str(run.tenant_id), flow_id, str(run.pk)
    ((token, node),) = flowkeep.waits(*place).items()
    assert node == "ask"
    assert not flowkeep.give(*place, "x" * 32, {"yes": False})
    assert flowkeep.give(*place, token, {"yes": True})
    assert not flowkeep.give(*place, token, {"yes": False})
    await sync_to_async(Execution.objects.filter(pk=run.pk).update)(due=timezone.now())
    await sync_to_async(work_until)(lambda: row(answer).status == "success")
    run = await sync_to_async(row)(answer)
    assert run.output == '{"said":true,"first":7}'
    assert flowstage.nodes(run) == ["before", "ask", "after"]
    assert await sync_to_async(keys)() == []


async def test_a_wait_that_nobody_ends_takes_the_error_edge(call, alice):
    await start(alice, f=WAIT.replace("48h", "40s"))
    answer = await call("POST", "/alice/api/w/f", {"a": 7})
    await flowstage.history(answer)
    state = (await sync_to_async(keys)("*registry:????????-????-????-????-????????????"))[0]
    text = await sync_to_async(redis().get)(state)
    past = re.sub(rb'"due":[0-9.]+', b'"due":1', text)
    await sync_to_async(redis().set)(state, past)
    await sync_to_async(Execution.objects.filter(pk=answer.execution).update)(due=timezone.now())
    await sync_to_async(work_until)(lambda: row(answer).status == "success")
    assert (await sync_to_async(row)(answer)).output == '"late"'


async def test_a_failed_run_goes_on_from_the_step_that_failed(call, alice, outside):
    flow = f"""
listeners:
  - {{name: count, handler: "wasm:counter:run", peers: [each]}}
  - {{name: each, handler: "builtin:loop", with: {{over: "[1, 2, 3]", body: ask, done: end}}}}
  - {{name: ask, handler: "builtin:http", with: {{method: POST, url: "{outside}", body: "${{item}}"}}}}
  - {{name: end, handler: "builtin:map", with: {{expr: "size(payload)"}}}}
"""
    await start(alice, f=flow)
    Outside.answers = [200, 500]
    answer = await call("POST", "/alice/api/w/f", {})
    assert answer.status == 502
    run = await flowstage.history(answer)
    assert "node “ask”" in run.error
    fresh = await sync_to_async(resume)(alice, run)
    assert (await sync_to_async(again_from)(alice, run, "somewhere")).status_code == 422
    await sync_to_async(work_until)(lambda: Execution.objects.filter(pk=fresh, status="success").exists())
    again = await Execution.objects.aget(pk=fresh)
    assert (again.output, again.trigger, str(again.parent)) == ("3", "retry", answer.execution)
    assert [body for body, _ in Outside.seen] == ["1", "2", "2", "3"]
    assert flowstage.nodes(again).count("count") == 1
    assert all(step["at_us"] >= 0 for step in again.steps)


def again_from(person, run: Execution, place: str):
    return person.api.post(f"/api/executions/{run.pk}/retry?from={place}")


def resume(person, run: Execution) -> str:
    answer = again_from(person, run, "failed")
    assert answer.status_code == 202, answer.content
    return answer.json()["execution"]


async def test_a_flow_that_has_changed_too_much_is_not_gone_on_with(call, alice, outside):
    Outside.answers = [500]
    flow = http(outside)
    await start(alice, f=flow)
    run = await flowstage.history(await call("POST", "/alice/api/w/f", {"a": 1}))
    await start(alice, f=flow.replace("ask", "other"))
    fresh = await sync_to_async(resume)(alice, run)
    await sync_to_async(work_until)(lambda: Execution.objects.filter(pk=fresh, status="error").exists())
    again = await Execution.objects.aget(pk=fresh)
    assert "does not fit the flow any more" in again.error
    assert len(Outside.seen) == 1


async def test_a_run_that_ended_well_has_nothing_to_go_on_from(call, alice):
    await start(alice, f='listeners:\n  - {name: d, handler: "builtin:map", with: {expr: "1"}}\n')
    run = await flowstage.history(await call("POST", "/alice/api/w/f", {}))
    assert (await sync_to_async(again_from)(alice, run, "failed")).status_code == 409
    assert await Execution.objects.acount() == 1


async def test_a_run_that_is_cancelled_ends_at_once(call, alice):
    flow = """
listeners:
  - {name: before, handler: "builtin:map", with: {expr: "1"}, peers: [d]}
  - {name: d, handler: "builtin:delay", with: {for: 20s}}
"""
    await start(alice, f=flow)
    from runtime import running

    going = asyncio.create_task(call("POST", "/alice/api/w/f", {}))
    while not running._tasks:
        await asyncio.sleep(0.01)
    next(iter(running._tasks.values())).cancel()
    answer = await asyncio.wait_for(going, 2)
    assert answer.status == 499
    run = await flowstage.history(answer)
    assert (run.status, flowstage.nodes(run)) == ("cancelled", ["before"])


async def test_a_run_that_pauses_is_in_the_history_while_it_does_and_can_be_cancelled(call, alice):
    await start(alice, f='listeners:\n  - {name: d, handler: "builtin:delay", with: {for: 20s}}\n')
    from runtime import running

    going = asyncio.create_task(call("POST", "/alice/api/w/f", {}))
    while await Execution.objects.acount() == 0:
        await asyncio.sleep(0.02)
        await stage.drain()
    run = await Execution.objects.aget()
    assert run.status == "running"
    assert running.cancel(str(run.pk))
    answer = await asyncio.wait_for(going, 5)
    assert (answer.status, answer.execution) == (499, str(run.pk))
    assert (await flowstage.history(answer)).status == "cancelled"
    assert await sync_to_async(keys)() == []


async def test_the_output_answers_at_once_and_the_rest_goes_on(call, alice):
    flow = """
listeners:
  - {name: split, handler: "builtin:map", with: {expr: payload}, peers: [now, later]}
  - {name: now, handler: "builtin:output", with: {status: 201, body: taken}}
  - {name: later, handler: "builtin:delay", with: {for: 2s}, peers: [count]}
  - {name: count, handler: "wasm:counter:run"}
"""
    await start(alice, f=flow)
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await call("POST", "/alice/api/w/f", {})
    assert (answer.status, answer.json()) == (201, "taken")
    assert loop.time() - began < 1.9
    await stage.drain()
    assert (await Execution.objects.aget(pk=answer.execution)).status == "running"
    run = await flowstage.history(answer)
    assert (run.status, run.http_status) == ("success", 201)
    assert flowstage.nodes(run)[-1] == "count"


LATE = """
listeners:
  - {name: each, handler: "HANDLER", timeout: 100ms, with: OPTIONS, peers: [end], on_error: sorry}
  - {name: slow, handler: "builtin:delay", with: {for: "${payload}"}}
  - {name: end, handler: "builtin:map", with: {expr: '"in time"'}}
  - {name: sorry, handler: "builtin:map", with: {expr: "payload.error.code"}}
"""


async def test_a_loop_has_a_time_limit_of_its_own(call, alice):
    flow = LATE.replace("HANDLER", "builtin:loop").replace(
        "OPTIONS", "{over: payload, body: slow, parallel: 5}"
    )
    await start(alice, f=flow)
    for payload, said in ([["10ms", "20ms"], "in time"], [["10ms", "3s", "4s"], "timeout"], [[], "in time"]):
        answer = await call("POST", "/alice/api/w/f", payload)
        assert answer.json() == said
    assert (await flowstage.history(answer)).duration_us < 100_000


async def test_a_called_flow_has_a_time_limit_of_its_own(call, alice):
    inner = 'listeners:\n  - {name: slow, handler: "builtin:delay", with: {for: "${payload}"}}\n'
    await start(alice, f=LATE.replace("HANDLER", "flow:g").replace("OPTIONS", "{}"), g=inner)
    assert (await call("POST", "/alice/api/w/f", "10ms")).json() == "in time"
    assert (await call("POST", "/alice/api/w/f", "3s")).json() == "timeout"


async def test_a_join_has_a_time_limit_of_its_own(call, alice):
    flow = """
listeners:
  - {name: top, handler: "builtin:map", with: {expr: payload}, peers: [quick, slow]}
  - {name: quick, handler: "builtin:map", with: {expr: payload}, peers: [both]}
  - {name: slow, handler: "builtin:delay", with: {for: 2s}, peers: [both]}
  - {name: both, handler: "builtin:join", timeout: 100ms, with: {wait: all}, peers: [end], on_error: sorry}
  - {name: end, handler: "builtin:map", with: {expr: '"in time"'}}
  - {name: sorry, handler: "builtin:output", with: {body: "${payload.error.code}"}}
"""
    await start(alice, f=flow)
    assert (await call("POST", "/alice/api/w/f", 1)).json() == "timeout"


async def test_a_step_that_takes_too_long_is_a_failure(call, alice, outside):
    Outside.pause = 1.0
    try:
        await start(alice, f=http(outside, "timeout: 100ms\n    on_error: sorry"))
        answer = await call("POST", "/alice/api/w/f", {"a": 1})
    finally:
        Outside.pause = 0.0
    assert answer.json()["error"]["code"] == "timeout"


async def test_so_many_runs_of_a_flow_at_once_as_it_says(call, alice, outside):
    one = "max_concurrent_pipelines: 1\n" + http(outside)
    await start(alice, f=one, g=one.replace(": 1\n", ": 9\n", 1))
    Outside.going = Outside.most = 0
    three = await asyncio.gather(*[call("POST", "/alice/api/w/f", n) for n in range(3)])
    assert ([answer.status for answer in three], Outside.most) == ([200] * 3, 1)
    Outside.meeting = threading.Barrier(3)
    try:
        three = await asyncio.gather(*[call("POST", "/alice/api/w/g", n) for n in range(3)])
    finally:
        Outside.meeting = None
    assert ([answer.status for answer in three], Outside.most) == ([200] * 3, 3)


async def test_a_slow_call_to_the_outside_is_known_while_it_lasts(call, alice, outside):
    Outside.pause = 0.6
    try:
        await start(alice, f=http(outside))
        going = asyncio.create_task(call("POST", "/alice/api/w/f", {"a": 1}))
        await asyncio.sleep(0.5)
        await stage.drain()
        run = await Execution.objects.aget()
        assert run.status == "running"
        answer = await going
    finally:
        Outside.pause = 0.0
    assert answer.json() is True
    assert (await flowstage.history(answer)).status == "success"
    assert await sync_to_async(keys)() == []
