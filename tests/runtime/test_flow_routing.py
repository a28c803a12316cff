"""Where messages go: the faults of xml-pipeline 0.4.0 turned right (FORMATS §1.6), peers, answers, broadcasts."""

import pytest

from runtime.flowplan import PlanError, plan
from tests.runtime.flowstage import bundle, path, run, value

COUNT = """
listeners:
  - name: again
    handler: builtin:map
    with: {expr: 'payload.n > 0 ? {"_to": "Again", "n": payload.n - 1} : {"n": payload.n}'}
    peers: [PEERS]
  - {name: end, handler: "builtin:map", with: {expr: "payload"}}
"""
STEER = """
listeners:
  - {name: steer, handler: "wasm:echo:run", peers: [left, right]}
  - {name: left, handler: "builtin:map", with: {expr: '"left"'}}
  - {name: right, handler: "builtin:map", with: {expr: '"right"'}}
  - {name: other, handler: "builtin:map", with: {expr: '"other"'}}
"""


def test_a_node_with_peers_may_always_send_to_itself() -> None:
    made = run(bundle(f=COUNT.replace("PEERS", "end")), {"n": 3})
    assert value(made) == {"n": 0}
    assert path(made) == ["again"] * 4 + ["end"]


def test_the_state_of_a_run_does_not_grow_with_its_hops() -> None:
    live = bundle(f="max_hops: 200000\n" + COUNT.replace("PEERS", ""))
    made = run(live, {"n": 100_000})
    assert value(made) == {"n": 0}
    pump = made.pump
    assert pump.hops == 100_001
    assert len(pump.steps.kept) == 1_000
    assert pump.steps.whole()[-1] == {"dropped": 99_001}
    assert (pump.root.live, pump.frames, len(pump.waiting)) == (0, 0, 0)


def test_an_answer_narrows_its_peers_in_any_case_of_letters() -> None:
    live = bundle("echo", f=STEER)
    assert value(run(live, {"_to": "LEFT"})) == "left"
    assert value(run(live, {"_to": ["right"]})) == "right"
    both = run(live, {})
    assert path(both) == ["steer", "left", "right"]


def test_an_answer_to_null_goes_to_whoever_waits() -> None:
    made = run(bundle("echo", f=STEER), {"_to": None, "a": 1})
    assert value(made) == {"a": 1}
    assert path(made) == ["steer"]


def test_whoever_sends_to_a_stranger_is_told_and_may_try_again() -> None:
    """0.4.0 let the thread die without a word."""
    flow = STEER.replace("wasm:echo:run", "builtin:map").replace(
        "peers: [l", "with: {expr: 'EXPR'}, peers: [l"
    )
    expr = 'has(payload.error) ? {"_to": "left", "why": payload.error.code} : payload'
    made = run(bundle(f=flow.replace("EXPR", expr)), {"_to": "other", "a": 1})
    first, second, *rest = made.pump.steps.kept
    assert first["error"] == "routing: “other” is not among the peers of “steer”"
    assert first["to"] == ["steer"]
    assert (second["node"], second["from"], second["to"]) == ("steer", "system", ["left"])
    assert '"payload":{"a":1}' in second["input"]
    assert [step["node"] for step in rest] == ["left"]
    assert value(made) == "left"


def test_an_unknown_name_is_told_like_a_stranger() -> None:
    unknown = run(bundle("echo", f=STEER), {"_to": "nobody"}).pump.steps.kept[0]
    assert unknown["error"] == "routing: “nobody” is not among the peers of “steer”"


def test_a_node_that_never_learns_ends_the_run_by_name() -> None:
    flow = """
listeners:
  - {name: stubborn, handler: "builtin:map", with: {expr: '{"_to": "other"}'}}
  - {name: other, handler: "builtin:map", with: {expr: "1"}}
"""
    made = run(bundle(f=flow), {})
    assert path(made) == ["stubborn"] * 4
    assert made.reply().error.startswith("node “stubborn”: “other” is not among the peers")


def test_a_node_without_peers_sends_to_nobody_else() -> None:
    """0.4.0 delivered to anyone."""
    flow = STEER.replace("peers: [left, right]", "on_error: other")
    assert value(run(bundle("echo", f=flow), {"_to": "left"})) == "other"


def test_the_answer_of_a_dotted_listener_reaches_its_caller() -> None:
    """0.4.0 split the chain at the dot and lost the answer."""
    flow = """
listeners:
  - {name: each, handler: "builtin:loop", with: {over: payload, body: calc.add}}
  - {name: calc.add, handler: "builtin:map", with: {expr: "payload + 1"}}
"""
    assert value(run(bundle(f=flow), [1, 2, 3])) == [2, 3, 4]


def test_only_listeners_that_say_so_hear_a_broadcast() -> None:
    flow = """
listeners:
  - {name: ask, handler: "builtin:map", with: {expr: "payload"}, peers: [search]}
  - {name: search.google, handler: "builtin:map", with: {expr: "1"}, broadcast: true}
  - {name: search.bing, handler: "builtin:map", with: {expr: "2"}, broadcast: true}
  - {name: search.quiet, handler: "builtin:map", with: {expr: "3"}}
"""
    assert path(run(bundle(f=flow), {})) == ["ask", "search.google", "search.bing"]


def test_an_open_node_may_send_to_all() -> None:
    live = bundle("echo", f=STEER.replace("[left, right]", '["*"]'))
    assert value(run(live, {"_to": "other"})) == "other"


def test_one_name_for_two_listeners_is_refused() -> None:
    from bundles.flow import load

    text = (
        b"organism: {name: f}\nlisteners:\n  - {name: a, handler: tool:x}\n  - {name: A, handler: tool:y}\n"
    )
    found = load("f", "flows/f.yaml", {"flows/f.yaml": text})
    assert any(problem.severity == "error" and "A" in problem.message for problem in found.problems)


def test_a_flow_without_listeners_cannot_be_planned() -> None:
    from bundles.flowmodel import Flow

    with pytest.raises(PlanError):
        plan(Flow("f", "f", "", "flows/f.yaml", "organism"))


def test_breadth_and_depth_are_orders_of_work() -> None:
    flow = """
listeners:
  - {name: top, handler: "builtin:map", with: {expr: "1"}, peers: [a, b]}
  - {name: a, handler: "builtin:map", with: {expr: "1"}, peers: [a1, a2]}
  - {name: b, handler: "builtin:map", with: {expr: "1"}, peers: [b1]}
  - {name: a1, handler: "builtin:map", with: {expr: "1"}}
  - {name: a2, handler: "builtin:map", with: {expr: "1"}}
  - {name: b1, handler: "builtin:map", with: {expr: "1"}}
"""
    assert path(run(bundle(f=flow), 0)) == ["top", "a", "b", "a1", "a2", "b1"]
    assert path(run(bundle(f="thread_scheduling: depth-first\n" + flow), 0)) == [
        "top",
        "a",
        "a1",
        "a2",
        "b",
        "b1",
    ]


def test_too_many_hops_end_the_run() -> None:
    flow = "max_hops: 50\n" + COUNT.replace("PEERS", "").replace("payload.n - 1", "payload.n")
    made = run(bundle(f=flow), {"n": 1})
    assert made.reply().status == 502
    assert made.reply().error == "node “again”: more than 50 messages"


def test_a_disabled_node_passes_messages_on_untouched() -> None:
    flow = """
listeners:
  - {name: skip, handler: "builtin:map", with: {expr: "1"}, disabled: true, peers: [end]}
  - {name: end, handler: "builtin:map", with: {expr: '{"got": payload}'}}
"""
    assert value(run(bundle(f=flow), {"a": 1})) == {"got": {"a": 1}}


DECIDES = """
listeners:
  - {name: boss, handler: "wasm:echo:run", prompt: "You decide.", peers: [worker]}
  - name: worker
    handler: builtin:map
    with: {expr: '{"status": 200, "body": {"sum": payload.n + 1, "_to": null}}'}
"""


def test_a_function_with_a_prompt_is_an_agent_and_hears_what_its_peer_answers() -> None:
    made = run(bundle("echo", f=DECIDES), {"n": 1})
    assert path(made) == ["boss", "worker", "boss"]
    assert value(made) == {"sum": 2}


def test_without_a_prompt_it_only_passes_on() -> None:
    made = run(bundle("echo", f=DECIDES.replace('prompt: "You decide.", ', "")), {"n": 1})
    assert path(made) == ["boss", "worker"]
    assert value(made)["body"]["sum"] == 2


def test_a_function_with_a_prompt_is_told_of_its_peers_failure_and_not_sent_in_circles() -> None:
    made = run(bundle("echo", f=DECIDES), {"x": 1})
    assert path(made) == ["boss", "worker", "boss"]
    assert '"code":"validation"' in made.pump.steps.kept[-1]["input"]
    assert (made.reply().status, made.pump.culprit) == (502, "boss")


@pytest.mark.parametrize(("wait", "answer"), [("any", "payload"), ("2", "payload[0]")])
def test_a_join_in_a_cycle_goes_on_each_time_around(wait: str, answer: str) -> None:
    text = f"""
listeners:
  - {{name: a, handler: "builtin:map", with: {{expr: "payload + 1"}}, peers: [b, c]}}
  - {{name: b, handler: "builtin:map", with: {{expr: payload}}, peers: [j]}}
  - {{name: c, handler: "builtin:map", with: {{expr: payload}}, peers: [j]}}
  - {{name: j, handler: "builtin:join", with: {{wait: {wait}}}, peers: [d]}}
  - {{name: d, handler: "builtin:map", with: {{expr: "{answer}"}}, peers: [q]}}
  - {{name: q, handler: "builtin:branch", with: {{cases: [{{if: "payload < 5", to: a}}], else: out}}}}
  - {{name: out, handler: "builtin:output"}}
"""
    made = run(bundle(f=text), 0)
    assert value(made) == 5
    assert path(made).count("out") == 1
