"""Flows that make their payload larger and larger: each way ends in a failure, soon, whatever else runs beside it."""

import pytest

from runtime import flowsize
from runtime.flowrun import Run
from tests.runtime.flowstage import bundle, job

DOUBLE = '{"_to": "a", "p": [payload, payload]}'
HOLES = ", ".join(['"${trigger.body}"'] * 60)
WAYS = {
    "a list that holds the payload twice": f"""
listeners:
  - {{name: a, handler: "builtin:map", with: {{expr: '{DOUBLE}'}}, peers: [a]}}
""",
    "a join of two wires": """
listeners:
  - {name: a, handler: "builtin:map", with: {expr: payload}, peers: [b, c]}
  - {name: b, handler: "builtin:map", with: {expr: payload}, peers: [j]}
  - {name: c, handler: "builtin:map", with: {expr: payload}, peers: [j]}
  - {name: j, handler: "builtin:join", peers: [a]}
""",
    "a join of the first two": """
listeners:
  - {name: a, handler: "builtin:map", with: {expr: payload}, peers: [b, c]}
  - {name: b, handler: "builtin:map", with: {expr: payload}, peers: [j]}
  - {name: c, handler: "builtin:map", with: {expr: payload}, peers: [j]}
  - {name: j, handler: "builtin:join", with: {wait: 2}, peers: [a]}
""",
    "the answers of a loop": """
listeners:
  - {name: a, handler: "builtin:map", with: {expr: payload}, peers: [l]}
  - {name: l, handler: "builtin:loop", with: {over: "lists.range(40)", body: b, done: a}}
  - {name: b, handler: "builtin:map", with: {expr: trigger.body}}
""",
    "a template": f"""
listeners:
  - {{name: a, handler: "builtin:output", with: {{body: [{HOLES}]}}}}
""",
    "many large ones on their way": """
listeners:
  - {name: o, handler: "builtin:loop", with: {over: "lists.range(100)", body: l, parallel: 100}}
  - {name: l, handler: "builtin:loop", with: {over: "lists.range(100)", body: b, parallel: 100}}
  - {name: b, handler: "builtin:map", with: {expr: "[trigger.body, trigger.body]"}, peers: [c]}
  - {name: c, handler: "builtin:map", with: {expr: "1"}}
""",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_payload_that_grows_without_end_fails_the_run(way: str) -> None:
    payload = "x" * 500_000
    made = Run(job(bundle(f=WAYS[way]), payload), 10**12)  # so much that what it costs does not end it
    made.pump.begin()
    largest = 0
    while not made.advance(1):
        largest = max([largest, *(len(one.payload) for one in made.pump.ready)])
    failure = made.pump.failure
    assert failure is not None
    assert failure.code in ("budget", "validation")
    assert "MiB" in failure.message or "larger than" in failure.message
    assert largest <= flowsize.MAX_BYTES
