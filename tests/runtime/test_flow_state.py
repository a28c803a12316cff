"""A run that is put away after any step and taken up elsewhere ends as if nothing had been; watchers see its steps."""

import time
from typing import Any

import orjson
import pytest

from runtime import flowlive, flowstate
from runtime.flowrun import Run
from runtime.logs import Publisher
from tests.runtime.flowstage import bundle, job, path, run, value

FLOWS = {
    "loops": """
listeners:
  - {name: rows, handler: "builtin:loop", with: {over: payload, body: cells, done: sum, parallel: 2}}
  - {name: cells, handler: "builtin:loop", with: {over: item, body: odd, parallel: 2}}
  - {name: odd, handler: "builtin:filter", with: {if: "item % 2 == 1"}, peers: [cell]}
  - {name: cell, handler: "builtin:map", with: {expr: "item * 10 + index"}}
  - {name: sum, handler: "builtin:map", with: {expr: '{"all": payload}'}}
""",
    "joins": """
listeners:
  - {name: top, handler: "builtin:map", with: {expr: "payload"}, peers: [a, b, each]}
  - {name: a, handler: "builtin:map", with: {expr: '"a"'}, peers: [a2]}
  - {name: a2, handler: "builtin:map", with: {expr: '"a2"'}, peers: [both, some]}
  - {name: b, handler: "builtin:map", with: {expr: '"b"'}, peers: [both, some]}
  - {name: each, handler: "builtin:loop", with: {over: payload, body: size, done: both}}
  - {name: size, handler: "builtin:map", with: {expr: "size(item)"}}
  - {name: both, handler: "builtin:join", with: {wait: all}, peers: [last]}
  - {name: some, handler: "builtin:join", with: {wait: 2}, peers: [last]}
  - {name: last, handler: "builtin:join", with: {wait: all}, peers: [out]}
  - {name: out, handler: "builtin:output", with: {status: 203, headers: {x-a: b}, body: "${payload}"}}
""",
    "whiles": """
thread_scheduling: depth-first
listeners:
  - {name: grow, handler: "builtin:loop", with: {while: "size(payload) < 6", body: f}}
  - {name: f, handler: "flow:inner", peers: [more]}
  - {name: more, handler: "builtin:map", with: {expr: "payload + [index]"}}
""",
}
INNER = 'listeners:\n  - {name: same, handler: "builtin:map", with: {expr: "payload"}}\n'
PAYLOAD = [[1, 2, 3], [], [5, 6], [7]]


def stepped(live: Any, steps: int) -> Run:
    made = Run(job(live, PAYLOAD), 100_000_000)
    made.pump.begin()
    made.advance(steps)
    return made


@pytest.mark.parametrize("kind", FLOWS)
def test_a_run_may_be_taken_up_after_any_step(kind: str) -> None:
    live = bundle(f=FLOWS[kind], inner=INNER)
    whole = run(live, PAYLOAD)
    hops = whole.pump.hops
    assert hops > 6
    for steps in range(hops):
        first = stepped(live, steps)
        second = Run(job(live, PAYLOAD), 100_000_000)
        flowstate.load(second.pump, flowstate.save(first.pump))
        while not second.advance(1 << 62):
            """It was its turn for long enough."""
        assert value(second) == value(whole), steps
        assert (second.reply().status, second.reply().headers) == (
            whole.reply().status,
            whole.reply().headers,
        )
        assert sorted(path(second)) == sorted(path(whole)), steps
        assert second.pump.hops == hops


def test_a_state_of_a_flow_that_has_changed_is_refused() -> None:
    state = flowstate.save(stepped(bundle(f=FLOWS["joins"], inner=INNER), 3).pump)
    other = Run(job(bundle(f=INNER, inner=INNER), PAYLOAD), 100_000_000)
    with pytest.raises(flowstate.Unusable):
        flowstate.load(other.pump, state)


def test_whoever_watches_sees_each_step_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = Publisher()
    monkeypatch.setattr(flowlive, "_publisher", [publisher])
    live = bundle(f=INNER)
    live.masks.append(b"very secret")
    run(live, {"a": "very secret"})
    publisher.learn([f"logs.{live.id.replace('-', '')}"], time.time())
    run(live, {"a": "very secret"})
    ((_, level, service, name, _, text),) = publisher.watched[live.id].lines
    assert (level, service, name) == ("step", "flow", "f")
    told = orjson.loads(text)
    assert (told["node"], told["kind"]) == ("same", "map")
    assert "very secret" not in text
