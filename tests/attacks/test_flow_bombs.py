"""Runs that cost much: steps that are long, values that are read again and again, checkpoints without end (A150)."""

import asyncio
import time
from typing import Any

from runtime import flows
from tests.runtime import flowstage

LONG = """listeners:
- name: a
  handler: "builtin:map"
  with: {expr: "lists.range(1000).all(x, lists.range(20).all(y, y < 30)) ? payload : 0"}
  peers: [a]
"""
AGAIN = """listeners:
- {name: a, handler: "builtin:map", with: {expr: payload}, peers: [b]}
- {name: b, handler: "builtin:map", with: {expr: "lists.range(2000).all(x, size(steps.a.output) > 0)"}}
"""


async def test_a_flow_that_never_ends_lets_others_have_their_turn() -> None:
    live = flowstage.bundle(f=LONG)
    began = time.thread_time()
    assert (
        flowstage.run(flowstage.bundle(f=LONG.replace("1000", "1")), 1).pump.hops > 10_000
    )  # it is a run without end
    assert flows.attempt(flowstage.job(live, 1), 100_000_000) is None
    assert time.thread_time() - began < 0.5
    task = asyncio.ensure_future(flows.execute(flowstage.job(live, 1), 100_000_000))
    worst = 0.0
    for _ in range(10):
        before = time.thread_time()
        await asyncio.sleep(0)
        worst = max(worst, time.thread_time() - before)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert worst < 0.5


def test_a_loop_over_an_earlier_step_reads_it_once() -> None:
    live = flowstage.bundle(f=AGAIN)
    payload: Any = [{"n": n, "text": "x" * 20} for n in range(10_000)]
    began = time.thread_time()
    made = flowstage.run(live, payload)
    assert flowstage.value(made) is True
    assert time.thread_time() - began < 1


def test_large_messages_that_wait_side_by_side_do_not_multiply_in_the_kept_state() -> None:
    names = [f"p{number}" for number in range(60)]
    lines = [f"- {{name: {name}, handler: 'builtin:delay', with: {{for: 1h}}}}" for name in names]
    head = f"- {{name: a, handler: 'builtin:map', with: {{expr: payload}}, peers: [{', '.join(names)}]}}"
    live = flowstage.bundle(f="\n".join(["listeners:", head, *lines]))
    assert flowstage.run(live, "small").pump.failure is None
    failure = flowstage.run(live, "x" * 1_000_000).pump.failure
    assert failure is not None
    assert failure.code == "budget"
