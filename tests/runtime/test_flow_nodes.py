"""Branches, loops, joins and the other nodes that need nobody else."""

from datetime import UTC, datetime

import pytest

from runtime.flowrun import Run
from tests.runtime.flowstage import bundle, job, path, run, value

BRANCH = """
listeners:
  - name: size
    handler: builtin:branch
    with: {cases: [{if: "payload.n > 100", to: large}, {if: "payload.n > 10", to: middle}], else: small}
  - {name: large, handler: "builtin:map", with: {expr: '"large"'}}
  - {name: middle, handler: "builtin:map", with: {expr: '"middle"'}}
  - {name: small, handler: "builtin:map", with: {expr: '"small"'}}
"""


@pytest.mark.parametrize(("n", "way"), [(101, "large"), (11, "middle"), (1, "small"), (10.5, "middle")])
def test_a_branch_takes_the_first_case_that_holds(n: float, way: str) -> None:
    assert value(run(bundle(f=BRANCH), {"n": n})) == way


def test_a_condition_that_is_no_condition_fails_the_step() -> None:
    made = run(bundle(f=BRANCH), {"x": 1})
    assert made.reply().status == 502
    assert "node “size”" in made.reply().error


def test_a_loop_keeps_the_order_of_its_answers_with_rounds_side_by_side() -> None:
    flow = """
listeners:
  - {name: each, handler: "builtin:loop", with: {over: payload.items, body: price, done: sum, parallel: 3}}
  - {name: price, handler: "builtin:map", with: {expr: "{'i': index, 'v': item * 2}"}}
  - {name: sum, handler: "builtin:map", with: {expr: "payload.map(x, x.v)"}}
"""
    assert value(run(bundle(f=flow), {"items": [3, 1, 2, 5]})) == [6, 2, 4, 10]
    assert value(run(bundle(f=flow), {"items": []})) == []


def test_what_a_filter_drops_in_a_loop_is_not_among_its_answers() -> None:
    flow = """
listeners:
  - {name: each, handler: "builtin:loop", with: {over: payload, body: odd}}
  - {name: odd, handler: "builtin:filter", with: {if: "item % 2 == 1"}}
"""
    assert value(run(bundle(f=flow), [1, 2, 3, 4])) == [1, 3]


def test_a_while_goes_on_with_what_its_body_answers() -> None:
    flow = """
listeners:
  - {name: grow, handler: "builtin:loop", with: {while: "payload < 100", body: twice, max: 20}}
  - {name: twice, handler: "builtin:map", with: {expr: "payload * 2"}}
"""
    assert value(run(bundle(f=flow), 3)) == 192
    stuck = run(bundle(f=flow.replace("payload * 2", "payload")), 3)
    assert "more than 20 rounds" in stuck.reply().error


def test_more_items_than_the_loop_may_have_fail_it() -> None:
    flow = """
listeners:
  - {name: each, handler: "builtin:loop", with: {over: payload, body: one, max: 3}}
  - {name: one, handler: "builtin:map", with: {expr: "1"}}
"""
    assert "4 items" in run(bundle(f=flow), [1, 2, 3, 4]).reply().error


def test_loops_in_loops_see_their_own_items() -> None:
    flow = """
listeners:
  - {name: rows, handler: "builtin:loop", with: {over: payload, body: cells}}
  - {name: cells, handler: "builtin:loop", with: {over: item, body: cell}}
  - {name: cell, handler: "builtin:map", with: {expr: "item + index"}}
"""
    assert value(run(bundle(f=flow), [[1, 2], [], [5]])) == [[1, 3], [], [5]]


def test_a_failure_in_a_round_is_the_loops_and_names_the_node() -> None:
    flow = """
listeners:
  - {name: each, handler: "builtin:loop", with: {over: payload, body: risky}, on_error: sorry}
  - {name: risky, handler: "builtin:map", with: {expr: "10 / item"}}
  - {name: sorry, handler: "builtin:map", with: {expr: "payload.error"}}
"""
    told = value(run(bundle(f=flow), [5, 0, 2]))
    assert told["node"] == "each"
    assert told["message"].startswith("node “risky”")


JOIN = """
listeners:
  - {name: start, handler: "builtin:map", with: {expr: payload}, peers: [size, slow]}
  - {name: size, handler: "builtin:branch", with: {cases: [{if: "payload.n > 1", to: each}], else: both}}
  - {name: each, handler: "builtin:loop", with: {over: "[1, 2]", body: one, done: both}}
  - {name: one, handler: "builtin:map", with: {expr: "item"}}
  - {name: slow, handler: "builtin:map", with: {expr: '"s"'}, peers: [slower]}
  - {name: slower, handler: "builtin:map", with: {expr: '"slow"'}, peers: [both]}
  - {name: both, handler: "builtin:join", with: {wait: WAIT}, peers: [end]}
  - {name: end, handler: "builtin:map", with: {expr: "payload"}}
"""


def test_a_join_waits_for_what_can_still_come_and_for_nothing_else() -> None:
    live = bundle(f=JOIN.replace("WAIT", "all"))
    assert value(run(live, {"n": 2})) == {"each": [1, 2], "slower": "slow"}
    assert value(run(live, {"n": 1})) == {"size": {"n": 1}, "slower": "slow"}


def test_a_join_for_any_takes_the_first_alone() -> None:
    made = run(bundle(f=JOIN.replace("WAIT", "any")), {"n": 1})
    assert value(made) == {"n": 1}
    assert path(made).count("end") == 1


def test_a_join_for_some_takes_so_many_in_order() -> None:
    assert value(run(bundle(f=JOIN.replace("WAIT", "2")), {"n": 1})) == [{"n": 1}, "slow"]
    short = run(bundle(f=JOIN.replace("WAIT", "3")), {"n": 1})
    assert "2 of 3 messages came" in short.reply().error


def test_a_join_inside_a_round_belongs_to_that_round() -> None:
    flow = """
listeners:
  - {name: each, handler: "builtin:loop", with: {over: payload, body: split, parallel: 2}}
  - {name: split, handler: "builtin:map", with: {expr: payload}, peers: [a, b]}
  - {name: a, handler: "builtin:map", with: {expr: "payload + 1"}, peers: [both]}
  - {name: b, handler: "builtin:map", with: {expr: "payload + 2"}, peers: [both]}
  - {name: both, handler: "builtin:join", with: {wait: all}}
"""
    assert value(run(bundle(f=flow), [10, 20])) == [{"a": 11, "b": 12}, {"a": 21, "b": 22}]


def test_joins_that_wait_for_each_other_do_not_hang() -> None:
    flow = """
listeners:
  - {name: start, handler: "builtin:map", with: {expr: payload}, peers: [one, two]}
  - {name: one, handler: "builtin:join", with: {wait: all}, peers: [two]}
  - {name: two, handler: "builtin:join", with: {wait: all}, peers: [cond]}
  - {name: cond, handler: "builtin:branch", with: {cases: [{if: "false", to: one}], else: end}}
  - {name: end, handler: "builtin:map", with: {expr: '"end"'}}
"""
    assert value(run(bundle(f=flow), {"n": 1})) == "end"


def test_the_error_edge_carries_the_error_and_the_payload() -> None:
    flow = """
listeners:
  - {name: bad, handler: "wasm:trapper:writes_then_traps", on_error: sorry}
  - {name: sorry, handler: "builtin:output", with: {status: 422, body: "${payload}"}}
"""
    made = run(bundle("trapper", f=flow), {"a": 1})
    told = value(made)
    assert made.reply().status == 422
    assert (told["payload"], told["error"]["code"], told["error"]["node"]) == ({"a": 1}, "handler", "bad")


def test_an_answer_with_a_status_of_failure_is_one_and_another_is_unwrapped() -> None:
    flow = """
listeners:
  - {name: says, handler: "wasm:echo:run", peers: [end]}
  - {name: end, handler: "builtin:map", with: {expr: '{"got": payload}'}}
"""
    live = bundle("echo", f=flow)
    assert value(run(live, {"status": 200, "body": {"x": 1}})) == {"got": {"x": 1}}
    assert "answered 404: gone" in run(live, {"status": 404, "body": {"error": "gone"}}).reply().error
    assert "no more" in run(live, {"error": "no more"}).reply().error


def test_expressions_see_the_run() -> None:
    flow = """
listeners:
  - {name: one, handler: "builtin:map", with: {expr: "payload.a + 1"}, peers: [two]}
  - name: two
    handler: builtin:map
    with:
      expr: >-
        {"body": trigger.body.a, "method": trigger.method,
        "one": steps.one.output, "in": steps.one.input.a, "id": execution.id,
        "year": execution.started.getFullYear(), "began": execution.started, "run": execution.flow}
"""
    made = run(bundle(f=flow), {"a": 1})
    began = datetime.fromtimestamp(made.job.created_us / 1e6, UTC)
    told = value(made)
    assert datetime.fromisoformat(told.pop("began")) == began
    assert told.pop("year") == began.year
    assert told == {"body": 1, "method": "POST", "one": 2, "in": 1, "id": made.job.id, "run": "f"}


def test_a_run_that_goes_on_elsewhere_began_when_it_began() -> None:
    flow = 'listeners:\n  - {name: m, handler: "builtin:map", with: {expr: "execution.started"}}\n'
    live = bundle(f=flow)
    again = job(live)
    again.created_us = 1_700_000_000_000_000
    made = Run(again, 1_000)
    made.pump.begin()
    made.advance(10)
    assert value(made) == "2023-11-14T22:13:20Z"


def test_a_secret_is_no_word_outside_of_its_places() -> None:
    from runtime.flowscope import Scope

    made = run(bundle(f=BRANCH), {"n": 1})
    assert "secret" not in Scope(made.pump, made.pump.ready, False)  # type: ignore[arg-type]
    assert "tenant" not in dict(Scope(made.pump, made.pump.ready, False)["trigger"])  # type: ignore[arg-type]


def test_one_node_alone_runs_with_a_payload_of_its_own() -> None:
    made = run(bundle(f=JOIN.replace("WAIT", "all")), {"n": 5}, "flow:f:size", only=True)
    assert path(made) == ["size"]
    assert value(made) == {"n": 5}
    assert made.pump.steps.kept[0]["to"] == []


def test_a_run_may_begin_at_any_node() -> None:
    made = run(bundle(f=JOIN.replace("WAIT", "all")), 7, "flow:f:slower")
    assert path(made) == ["slower", "both", "end"]


def test_a_pinned_node_is_not_run_and_gives_what_was_pinned() -> None:
    flow = """
listeners:
  - {name: bad, handler: "wasm:trapper:writes_then_traps", peers: [end]}
  - {name: end, handler: "builtin:map", with: {expr: '{"got": payload}'}}
"""
    made = run(bundle("trapper", f=flow), {}, pinned={"bad": {"x": 1}})
    assert value(made) == {"got": {"x": 1}}


def test_the_grant_is_one_for_all_steps() -> None:
    flow = """
listeners:
  - {name: spin, handler: "wasm:spin:run", peers: [spin2]}
  - {name: spin2, handler: "wasm:spin:run"}
"""
    made = run(bundle("spin", f=flow), {"n": 1000})
    steps = made.pump.steps.kept
    assert made.pump.fuel > 0
    assert sum(step["units"] for step in steps) >= made.pump.fuel // 100_000
