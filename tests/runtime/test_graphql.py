"""POST /{tenant}/graphql: a field for each prompt and flow, each one execution, with the validation of all doors."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import hypothesis
import hypothesis_graphql
import pytest
from graphql import build_client_schema, get_introspection_query, print_schema
from hypothesis import HealthCheck

from runtime.front import Front
from runtime.models import Execution
from tests.fakes.llm import Fake, refuse, say
from tests.runtime import prompting, stage
from tests.runtime.prompting import hello

pytestmark = pytest.mark.django_db(transaction=True)
DOOR = "/alice/graphql"
ASK = "query Ask($who: String!, $times: Int) { hello(who: $who, times: $times) { output usage model execution } }"
FLOW = """
organism: {name: upper}
listeners:
  - {name: start, handler: "builtin:map", with: {expr: '{"said": payload.text}'}, peers: [end]}
  - {name: end, handler: "builtin:output", with: {body: "${payload}"}}
triggers:
  - {type: manual, name: go, to: start}
"""


def body(query: str, **variables: Any) -> dict[str, Any]:
    return {"query": query, "variables": variables}


async def runs() -> list[Execution]:
    await stage.drain()
    return [run async for run in Execution.objects.order_by("pk")]


async def test_a_prompt_is_a_field_and_each_field_one_execution(call: Any, start: Any, fake: Fake) -> None:
    await start()
    fake.brain.turns.append(say("Good day, Ann!"))
    answer = await call("POST", DOOR, body(ASK, who="Ann", times=2))
    assert answer.status == 200, answer.body
    found = answer.json()["data"]["hello"]
    (run,) = await runs()
    assert found == {
        "output": "Good day, Ann!",
        "usage": {"input": 11, "output": 7, "total": 18},
        "model": "gpt-5-mini",
        "execution": str(run.pk),
    }
    assert (run.trigger, run.target, run.status) == ("graphql", "prompt:hello", "success")
    assert run.caller.startswith("key:")
    assert [one.messages[1]["content"] for one in fake.asked] == ["Greet Ann!!"]


async def test_the_schema_says_what_a_prompt_is_given(call: Any, start: Any) -> None:
    await start()
    answer = await call("POST", DOOR, body(get_introspection_query()))
    assert answer.status == 200, answer.body
    schema = build_client_schema(answer.json()["data"])
    for kind in (schema.query_type, schema.mutation_type):
        assert kind is not None
        args = kind.fields["hello"].args
        assert str(args["who"].type) == "String!"
        assert (str(args["times"].type), args["times"].default.literal.value) == ("Int", "1")
        assert args["times"].description == "at least 1; at most 5"
    assert await runs() == []


async def test_everything_wrong_with_the_values_is_told_at_the_field(
    call: Any, start: Any, fake: Fake
) -> None:
    await start()
    answer = await call("POST", DOOR, body(ASK, who="A" * 41, times=9))
    told = answer.json()
    assert answer.status == 200
    assert told["data"] == {"hello": None}
    (error,) = told["errors"]
    assert error["path"] == ["hello"]
    assert error["extensions"]["code"] == "INVALID_PARAMETERS"
    assert {one["path"] for one in error["extensions"]["problems"]} == {"who", "times"}
    assert fake.asked == []
    assert await runs() == []


async def test_several_fields_are_several_runs_and_one_may_fail(call: Any, start: Any, fake: Fake) -> None:
    await start()
    text = '{a: hello(who: "A") {execution} b: hello(who: "B", times: 9) {execution} c: hello(who: "C") {execution}}'
    told = (await call("POST", DOOR, body(text))).json()
    assert told["data"]["b"] is None
    assert [error["path"] for error in told["errors"]] == [["b"]]
    assert {str(run.pk) for run in await runs()} == {told["data"][name]["execution"] for name in ("a", "c")}


async def test_mutations_run_one_after_the_other(call: Any, start: Any, fake: Fake) -> None:
    await start()
    text = 'mutation {a: hello(who: "A") {output} b: hello(who: "B") {output} c: hello(who: "C") {output}}'
    told = (await call("POST", DOOR, body(text))).json()
    assert "errors" not in told
    assert fake.most == 1
    assert [one.messages[1]["content"] for one in fake.asked] == ["Greet A!", "Greet B!", "Greet C!"]


async def test_a_flow_is_a_mutation(call: Any, start: Any) -> None:
    await start({"flows/upper.yaml": FLOW.encode()})
    text = "mutation($in: JSON) {flow_upper(input: $in) {output execution}}"
    told = (await call("POST", DOOR, body(text, **{"in": {"text": "hi"}}))).json()
    assert "errors" not in told, told
    assert told["data"]["flow_upper"]["output"] == {"said": "hi"}
    (run,) = await runs()
    assert (run.trigger, run.target) == ("graphql", "flow:upper")
    refused = await call("POST", DOOR, body("{flow_upper {output}}"))
    assert refused.status == 400
    assert "flow_upper" in refused.json()["errors"][0]["message"]


async def test_interceptors_of_a_prompt_hold_here_too(call: Any, start: Any, fake: Fake) -> None:
    more = {"prompts/hello.prmd": hello(prompting.BODY, "interceptors: [{rateLimit: {maxRequests: 1}}]")}
    await start(more)
    first = (await call("POST", DOOR, body(ASK, who="Ann"))).json()
    second = (await call("POST", DOOR, body(ASK, who="Ann"))).json()
    assert "errors" not in first, first
    assert second["data"] == {"hello": None}
    assert second["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    (run,) = await runs()
    assert (run.trigger, str(run.pk)) == ("graphql", first["data"]["hello"]["execution"])


async def test_a_model_that_fails_is_an_error_of_its_field(call: Any, start: Any, fake: Fake) -> None:
    await start()
    fake.brain.turns += [refuse(400)] * 3
    told = (await call("POST", DOOR, body(ASK, who="Ann"))).json()
    (error,) = told["errors"]
    (run,) = await runs()
    assert error["extensions"]["code"] == "FAILED"
    assert error["extensions"]["execution"] == str(run.pk)
    assert prompting.KEY not in str(told)


async def test_what_starts_and_stops_comes_and_goes(call: Any, start: Any, alice: Any) -> None:
    names = "{__schema {queryType {fields {name}}}}"
    before = await call("POST", DOOR, body(names))
    bundle = await start()
    after = await call("POST", DOOR, body(names))
    shown = [
        [one["name"] for one in told.json()["data"]["__schema"]["queryType"]["fields"]]
        for told in (before, after)
    ]
    assert shown == [["tenant"], ["tenant", "hello"]], bundle


async def test_what_speaks_otherwise_is_told_how(call: Any, start: Any) -> None:
    await start()
    got = await call("GET", f"{DOOR}?query={{tenant}}")
    assert (got.status, got.headers["allow"]) == (405, "POST")
    assert (await call("POST", DOOR, b"{tenant}", content_type="application/graphql")).status == 415
    assert (await call("POST", DOOR, {"query": "{tenant}", "id": "x"})).status == 400
    assert (await call("POST", DOOR, {"query": "{tenant}", "variables": []})).status == 400
    assert (await call("POST", DOOR, body("{tenant"))).json()["errors"][0]["extensions"][
        "code"
    ] == "PARSE_FAILED"
    good = await call("POST", DOOR, body("{tenant}"), accept="application/graphql-response+json")
    assert good.headers["content-type"] == "application/graphql-response+json"
    assert good.json() == {"data": {"tenant": "alice"}}


def fuzzed(schema: str, url: str, token: str, seen: Counter[str]) -> None:
    """Documents that the schema allows, each answered as GraphQL answers."""

    @hypothesis.settings(
        max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @hypothesis.given(document=hypothesis_graphql.from_schema(schema))
    def check(document: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.post(url, json={"query": document}, headers=headers, timeout=20)
        assert answer.status_code in (200, 400), answer.text
        for error in answer.json().get("errors", ()):
            code = error["extensions"]["code"]
            assert code != "INTERNAL", (document, error)
            seen[code] += 1
        seen[str(answer.status_code)] += 1

    check()


async def test_whatever_the_schema_allows_is_answered(
    call: Any, start: Any, alice: Any, unused_tcp_port: int
) -> None:
    await start({"flows/upper.yaml": FLOW.encode()})
    told = (await call("POST", DOOR, body(get_introspection_query()))).json()["data"]
    server = await Front(call.gateway).listen("127.0.0.1", unused_tcp_port)
    seen: Counter[str] = Counter()
    try:
        url = f"http://127.0.0.1:{unused_tcp_port}{DOOR}"
        await asyncio.to_thread(fuzzed, print_schema(build_client_schema(told)), url, alice.token, seen)
    finally:
        server.close()
    assert seen["200"] > 10
    assert seen["INVALID_PARAMETERS"]
