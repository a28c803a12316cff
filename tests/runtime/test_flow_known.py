"""`steps`, `item` and pinned outputs are those of one's own round and one's own flow."""

from runtime import flowstate
from runtime.flowrun import Run
from tests.runtime.flowstage import bundle, job, run, value

SUB = """
listeners:
  - {name: a, handler: "builtin:map", with: {expr: '"inner"'}, peers: [b]}
  - {name: b, handler: "builtin:map", with: {expr: "[steps.a.output, has(steps.z)]"}}
"""
MAIN = """
listeners:
  - {name: a, handler: "builtin:map", with: {expr: '"outer"'}, peers: [z]}
  - {name: z, handler: "builtin:map", with: {expr: "payload"}, peers: [call]}
  - {name: call, handler: "flow:sub", peers: [after]}
  - {name: after, handler: "builtin:map", with: {expr: "[steps.a.output, payload]"}}
"""
ROUNDS = """
listeners:
  - {name: each, handler: "builtin:loop", with: {over: payload, body: first, done: after, parallel: 3}}
  - {name: first, handler: "builtin:map", with: {expr: "item * 10"}, peers: [second]}
  - {name: second, handler: "builtin:map", with: {expr: '"x"'}, peers: [third]}
  - {name: third, handler: "builtin:map", with: {expr: "steps.first.output"}}
  - {name: after, handler: "builtin:map", with: {expr: "[payload, steps.first.output]"}}
"""


def test_a_called_flow_sees_its_own_steps_and_the_caller_its_own() -> None:
    assert value(run(bundle(f=MAIN, sub=SUB))) == ["outer", ["inner", False]]


def test_a_round_sees_its_own_steps_though_others_go_on_beside_it() -> None:
    assert value(run(bundle(f=ROUNDS), [1, 2, 3])) == [[10, 20, 30], 30]


def test_steps_are_the_same_after_the_run_was_put_away_at_any_moment() -> None:
    for name, body, payload in (("f", ROUNDS, [1, 2, 3]), ("f", MAIN, None)):
        live = bundle(**{name: body}, sub=SUB)
        whole = run(live, payload)
        for steps in range(whole.pump.hops):
            first = Run(job(live, payload), 100_000_000)
            first.pump.begin()
            first.advance(steps)
            second = Run(job(live, payload), 100_000_000)
            flowstate.load(second.pump, flowstate.save(first.pump))
            while not second.advance(1 << 62):
                """It was its turn for long enough."""
            assert value(second) == value(whole), steps


def test_the_item_of_the_callers_loop_is_not_known_in_the_called_flow() -> None:
    each = """
listeners:
  - {name: l, handler: "builtin:loop", with: {over: payload, body: call}}
  - {name: call, handler: "flow:sub"}
"""
    inner = 'listeners:\n  - {name: a, handler: "builtin:map", with: {expr: "default(item, 7)"}}\n'
    assert "item is only known inside a loop" in value(run(bundle(f=each, sub=inner), [1]))["detail"]


def test_a_pinned_output_is_of_a_node_of_the_flow_that_was_started() -> None:
    assert value(run(bundle(f=MAIN, sub=SUB), pinned={"a": "pin"})) == ["pin", ["inner", False]]


def test_steps_of_a_called_flow_say_of_which_they_are() -> None:
    steps = run(bundle(f=MAIN, sub=SUB)).pump.steps.kept
    assert [(step["node"], step.get("flow")) for step in steps] == [
        ("a", None),
        ("z", None),
        ("a", "sub"),
        ("b", "sub"),
        ("call", None),
        ("after", None),
    ]
