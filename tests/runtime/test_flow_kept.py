"""What is kept of a run has a limit: more fails the run by its name, with its history, and leaves nothing in Redis."""

from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async

from billing.redis import redis
from runtime import flowkeep, flowstate
from runtime.flowrun import Run
from tests.runtime import flowstage, stage
from tests.runtime.flowstage import bundle, job

WIDE = """
listeners:
  - {name: top, handler: "builtin:map", with: {expr: payload}, peers: [each, both]}
  - {name: each, handler: "builtin:loop", with: {over: "range(64)", body: one, parallel: 64}, peers: [both]}
  - {name: one, handler: "flow:inner"}
  - {name: both, handler: "builtin:join", with: {wait: all}, peers: [end]}
  - {name: end, handler: "builtin:output", with: {body: done}}
"""
PARKS = """
memory: 64KiB
listeners:
  - {name: top, handler: "builtin:map", with: {expr: payload.x}, peers: [a, b, c, count, pause]}
  - {name: a, handler: "builtin:map", with: {expr: payload}, peers: [both]}
  - {name: b, handler: "builtin:map", with: {expr: payload}, peers: [both]}
  - {name: c, handler: "builtin:map", with: {expr: payload}, peers: [both]}
  - {name: count, handler: "builtin:memory", with: {add: n}, peers: [both]}
  - {name: pause, handler: "builtin:delay", with: {for: 1h}, peers: [both]}
  - {name: both, handler: "builtin:join", with: {wait: all}}
"""
INNER = 'listeners:\n  - {name: same, handler: "builtin:map", with: {expr: payload}}\n'


def broken_off(payload: Any, steps: int) -> Run:
    made = Run(job(bundle(f=WIDE.replace("range(64)", "payload.n"), inner=INNER), payload), 100_000_000)
    made.pump.begin()
    made.advance(steps)
    return made


def test_a_payload_that_many_messages_share_counts_for_each_of_them() -> None:
    pump = broken_off({"x": "x" * 1000, "n": [{"y": "y" * 1000}] * 50}, 40).pump
    whole = len(flowstate.save(pump))
    assert whole > 100_000
    assert len(flowstate.save(pump, whole)) == whole
    with pytest.raises(flowstate.TooLarge):
        flowstate.save(pump, whole - 1)


@pytest.fixture
async def call(alice: Any, clean_redis: None) -> Any:
    caller = stage.Caller(alice.token)
    yield caller
    await caller.close()


@pytest.mark.django_db(transaction=True)
async def test_a_run_whose_messages_are_too_much_fails_with_its_history(
    call: Any, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("MAX_STATE", "MAX_FAILED"):
        monkeypatch.setattr(flowkeep, limit, 1024 * 1024)
    await sync_to_async(flowstage.start)(alice, f=PARKS)
    answer = await call("POST", "/alice/api/w/f", {"x": "x" * 400_000})
    run = await flowstage.history(answer)
    assert (run.status, answer.status) == ("error", 502)
    assert "more than 1 MiB" in run.error
    assert orjson.loads(answer.body)["code"] == "budget"
    assert {"top", "a", "b", "c"} <= set(flowstage.nodes(run))
    assert not list(redis().scan_iter(match="tenant:*:registry:*"))
    small = await call("POST", "/alice/api/w/f", {"x": "x"})
    assert (await flowstage.history(small)).status == "waiting"
