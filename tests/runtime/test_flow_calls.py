"""Flows through the gateway: functions in a chain, the answer of an output, failures that name their node."""

import pytest

from tests.runtime import flowstage, stage

pytestmark = pytest.mark.django_db(transaction=True)

CHAIN = """
listeners:
  - {name: first, handler: "wasm:echo:run", peers: [second]}
  - {name: second, handler: "wasm:total:run", peers: [answer]}
  - name: answer
    handler: builtin:output
    with: {status: 201, headers: {x-count: "${payload.count}"}, body: "${payload}"}
"""
ITEMS = {"items": [{"qty": 2, "price": 9.99}, {"qty": 1, "price": 5}]}


@pytest.fixture
async def call(alice, clean_redis):
    caller = stage.Caller(alice.token)
    yield caller
    await caller.close()


async def run(call, person, body, payload=None, **flows):
    from channels.db import database_sync_to_async

    await database_sync_to_async(flowstage.start)(person, **{"f": body, **flows})
    return await call("POST", "/alice/api/w/f", payload)


async def test_a_payload_goes_from_function_to_function_to_the_output(call, alice):
    answer = await run(call, alice, CHAIN, ITEMS)
    assert (answer.status, answer.headers["x-count"]) == (201, "2")
    assert answer.json()["count"] == 2
    kept = await flowstage.history(answer)
    assert flowstage.nodes(kept) == ["first", "second", "answer"]
    assert kept.steps[1]["from"] == "first"
    assert kept.steps[1]["to"] == ["answer"]
    assert kept.steps[1]["target"] == "wasm:total:run"
    assert kept.steps[1]["units"] >= 1
    assert (kept.status, kept.target) == ("success", "flow:f")


async def test_a_function_that_keeps_state_is_driven_and_commits_once_for_each_step(call, alice):
    flow = """
listeners:
  - {name: one, handler: "wasm:counter:run", peers: [two]}
  - {name: two, handler: "wasm:counter:run"}
"""
    answer = await run(call, alice, flow, {})
    assert (answer.status, answer.json()) == (200, 2)
    again = await call("POST", "/alice/api/w/f", {})
    assert again.json() == 4


async def test_a_step_that_falls_fails_the_run_and_names_its_node(call, alice):
    flow = """
listeners:
  - {name: fine, handler: "wasm:echo:run", peers: [bad]}
  - {name: bad, handler: "wasm:trapper:writes_then_traps"}
"""
    answer = await run(call, alice, flow, {"a": 1})
    assert answer.status == 502
    assert "bad" in str(answer.json())
    kept = await flowstage.history(answer)
    assert kept.status == "error"
    assert "node “bad”" in kept.error
    assert kept.steps[-1]["error"].startswith("handler:")


async def test_a_flow_without_any_answer_is_taken_on(call, alice):
    flow = 'listeners:\n  - {name: none, handler: "builtin:filter", with: {if: "false"}}\n'
    answer = await run(call, alice, flow, {"a": 1})
    assert answer.status == 202
    assert answer.json() == {"execution": answer.execution}


async def test_a_flow_calls_another_flow_and_waits_for_its_output(call, alice):
    outer = """
listeners:
  - {name: ask, handler: "flow:inner", peers: [answer]}
  - {name: answer, handler: "builtin:map", with: {expr: '{"got": payload}'}}
"""
    inner = """
listeners:
  - {name: twice, handler: "builtin:map", with: {expr: "payload.n * 2"}, peers: [out]}
  - {name: out, handler: "builtin:output", with: {status: 418, body: "${payload}"}}
"""
    answer = await run(call, alice, outer, {"n": 21}, inner=inner)
    assert (answer.status, answer.json()) == (200, {"got": 42})


async def test_flows_that_call_each_other_without_end_are_refused(call, alice):
    flow = 'listeners:\n  - {name: again, handler: "flow:f"}\n'
    answer = await run(call, alice, flow, {})
    assert answer.status == 502
    assert "8 deep" in str(answer.json())


async def test_a_function_calls_a_flow_and_gets_its_answer(call, alice):
    flow = """
listeners:
  - {name: ask, handler: "wasm:caller:run", peers: [answer]}
  - {name: answer, handler: "builtin:map", with: {expr: '{"got": payload}'}}
"""
    inner = 'listeners:\n  - {name: twice, handler: "builtin:map", with: {expr: "payload.n * 2"}}\n'
    answer = await run(call, alice, flow, {"target": "flow:inner", "payload": {"n": 4}}, inner=inner)
    assert (answer.status, answer.json()) == (200, {"got": 8})


async def test_functions_and_flows_that_call_each_other_without_end_are_refused(call, alice):
    flow = """
listeners:
  - {name: aim, handler: "builtin:map", with: {expr: '{"target": "flow:f", "payload": {}}'}, peers: [ask]}
  - {name: ask, handler: "wasm:caller:run"}
"""
    answer = await run(call, alice, flow, {})
    assert answer.json() == {"failed": -4}
    kept = await flowstage.history(answer)
    assert "8 deep" in kept.logs[0][2]
