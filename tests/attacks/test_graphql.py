"""Attacks by GraphQL (A078, A138): bombs of depth, width, aliases and fragments, batches, keys of others."""

import time
from typing import Any

import pytest
from channels.db import database_sync_to_async

from runtime.graphql import execute
from runtime.models import Execution
from tests.fakes.llm import Fake, say
from tests.runtime import prompting, stage

pytestmark = pytest.mark.django_db(transaction=True)
DOOR = "/alice/graphql"
ONE = '{hello(who: "A") {output}}'
LOOK = "{__schema {queryType {name}}}"


@pytest.fixture
def fake() -> Any:
    with Fake() as server:
        yield server


@pytest.fixture
async def call(alice: Any, charlie: Any, clean_redis: None, settings: Any, fake: Fake) -> Any:
    def made() -> Any:
        prompting.keep_key(alice, settings, fake)
        return stage.run_bundle(alice, prompting.files(fake))

    await database_sync_to_async(made)()
    caller = stage.Caller(alice.token)
    yield caller
    await caller.close()


async def nothing_ran(fake: Fake) -> None:
    await stage.drain()
    assert fake.asked == []
    assert await Execution.objects.acount() == 0


async def refused(call: Any, fake: Fake, query: str, **more: Any) -> str:
    """The code of a refusal that came soon and after which nothing has run."""
    began = time.monotonic()
    answer = await call("POST", DOOR, {"query": query, **more})
    assert time.monotonic() - began < 2
    assert answer.status == 400, answer.body[:300]
    told = answer.json()
    assert "data" not in told
    await nothing_ran(fake)
    return str(told["errors"][0]["extensions"]["code"])


def aliases(count: int, field: str) -> str:
    return "{" + " ".join(f"a{at}: {field}" for at in range(count)) + "}"


DEEP = "{__schema {types {" + "ofType {" * 30 + "name" + "}" * 30 + "}}}"
BRACKETS = "{hello(who: " + "[" * 1500 + "]" * 1500 + ") {output}}"
BRACES = "{a" * 1900
CIRCLE = "{...a} fragment a on Query {...b} fragment b on Query {...a tenant}"
SELF = '{hello(who: "A") {...a}} fragment a on PromptAnswer {output ...a}'
DOUBLING = (
    "{...f0} "
    + " ".join(f"fragment f{at} on Query {{...f{at + 1} ...f{at + 1}}}" for at in range(40))
    + " fragment f40 on Query {tenant}"
)
LINKS = " ".join(f"fragment f{at} on Query {{...f{at + 1}}}" for at in range(400))
CHAIN = f"{{...f0}} {LINKS} fragment f400 on Query {{tenant}}"


@pytest.mark.parametrize(
    "query",
    [
        DEEP, BRACKETS, BRACES, CIRCLE, SELF, DOUBLING, CHAIN,
        aliases(11, 'hello(who: "A") {output}'),
        aliases(600, "__typename"),
        "{hello(who: \"A\") {" + "output " * 600 + "}}",
        "{tenant " + "@skip(if: false) " * 2000 + "}",
        "{tenant} #" + "x" * 70_000,
        '{hello(who: "' + "x" * 70_000 + '") {output}}',
        " ".join(f"query q{at} {{tenant}}" for at in range(11)),
        "{__schema {queryType {name}} " + ONE[1:],
        "mutation {...a __typename} fragment a on Mutation {" + aliases(11, 'hello(who: "A") {output}')[1:],
    ],
    ids=lambda query: query[:30],
)  # fmt: skip
async def test_a_bomb_is_refused_before_anything_runs(call: Any, fake: Fake, query: str) -> None:
    assert await refused(call, fake, query) in ("PARSE_FAILED", "TOO_COMPLEX")


NOTHING = [
    "",
    "}",
    "subscription {tenant}",
    "{nothing}",
    "query a {tenant} query b {tenant}",
    "\0",
    "{tenant}\ufffd",
]


@pytest.mark.parametrize("query", NOTHING)
async def test_what_is_no_document_is_refused(call: Any, fake: Fake, query: str) -> None:
    assert await refused(call, fake, query) in ("PARSE_FAILED", "VALIDATION_FAILED", "NO_OPERATION")


async def test_circles_in_the_schema_lead_nowhere(call: Any, fake: Fake) -> None:
    query = "{__schema {types {fields {type {fields {type {fields {type {fields {name}}}}}}}}}}"
    assert await refused(call, fake, query) == "VALIDATION_FAILED"


async def test_a_wide_question_about_the_schema_has_an_end(
    call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "SCHEMA_STEPS", 500)
    many = " ".join(f"a{at}: name" for at in range(400))
    answer = await call("POST", DOOR, {"query": f"{{__schema {{types {{{many}}}}}}}"})
    assert answer.json()["data"] is None
    assert answer.json()["errors"][0]["extensions"]["code"] == "TOO_COMPLEX"


async def test_batches_are_refused(call: Any, fake: Fake) -> None:
    answer = await call("POST", DOOR, [{"query": ONE}] * 3)
    assert answer.status == 400
    await nothing_ran(fake)


async def test_huge_variables_are_refused(call: Any, fake: Fake) -> None:
    ask = "query($w: String!) {hello(who: $w) {output}}"
    big = await call("POST", DOOR, {"query": ask, "variables": {"w": "x" * 1_100_000}})
    assert big.status == 413
    long = (await call("POST", DOOR, {"query": ask, "variables": {"w": "x" * 900_000}})).json()
    assert long["errors"][0]["extensions"]["code"] == "INVALID_PARAMETERS"
    wrong = await call("POST", DOOR, {"query": ask, "variables": {"w": ["x" * 900_000]}})
    assert len(wrong.body) < 5_000  # nothing that was sent comes back in full
    await nothing_ran(fake)


async def test_deep_variables_are_refused(call: Any, fake: Fake) -> None:
    ask = "query($w: String!) {hello(who: $w) {output}}"
    deep = b'{"query": "%s", "variables": {"w": %s%s}}' % (ask.encode(), b"[" * 900, b"]" * 900)
    answer = await call("POST", DOOR, deep, content_type="application/json")
    assert answer.status in (200, 400)
    assert answer.json()["errors"]
    assert len(answer.body) < 5_000
    await nothing_ran(fake)


@pytest.mark.parametrize("query", [LOOK, ONE])
async def test_nobody_asks_without_a_key_of_the_tenant(
    call: Any, fake: Fake, charlie: Any, query: str
) -> None:
    body = {"query": query}
    assert (await call("POST", DOOR, body, token=None)).status == 401
    assert (await call("POST", DOOR, body, token="ps_unknown")).status == 401
    assert (await call("POST", DOOR, body, token=charlie.token)).status == 404
    absent = await call("POST", "/nobody/graphql", body, token=charlie.token)
    assert absent.status == 404
    cookie = await call("POST", DOOR, body, token=None, cookie="sessionid=x")
    assert cookie.status == 401
    await nothing_ran(fake)


async def test_a_key_that_may_not_call_may_not_look(call: Any, fake: Fake, alice: Any) -> None:
    from billing import keys

    def made() -> str:
        return str(keys.create(alice.tenant, "reader", scopes=("read",))[1])

    token = await database_sync_to_async(made)()
    assert (await call("POST", DOOR, {"query": LOOK}, token=token)).status == 403
    await nothing_ran(fake)


async def test_ids_in_the_request_name_no_other_tenant(call: Any, fake: Fake, charlie: Any) -> None:
    for more in ({"tenant": "alice"}, {"tenant_id": str(charlie.tenant.pk)}):
        assert (await call("POST", DOOR, {"query": "{tenant}", **more})).status == 400
    own = await call("POST", "/charlie/graphql", {"query": ONE}, token=charlie.token)
    assert own.status == 400  # Alice's prompts are no fields of Charlie's schema
    await nothing_ran(fake)


async def test_one_output_under_many_names_does_not_fill_the_memory(call: Any, fake: Fake) -> None:
    fake.brain.turns.append(say("x" * 100_000))
    names = " ".join(f"a{at}: output" for at in range(480))
    answer = await call("POST", DOOR, {"query": f'{{hello(who: "A") {{{names}}}}}'})
    told = answer.json()
    assert {error["extensions"]["code"] for error in told["errors"]} == {"TOO_LARGE"}
    assert len(answer.body) < 17 * 1024 * 1024
    sent = [text for text in told["data"]["hello"].values() if text]
    assert 100 < len(sent) < 170


@pytest.mark.parametrize(
    "variables", [{"who": ["A"] * 100_001}, {"who": [[0] * 10] * 10_000}, {"who": [{"a": 1}] * 60_000}]
)
async def test_variables_without_end_are_not_read(call: Any, fake: Fake, variables: Any) -> None:
    query = "query ($who: String!) {hello(who: $who) {output}}"
    assert await refused(call, fake, query, variables=variables) == "TOO_COMPLEX"
