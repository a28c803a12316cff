"""GET /{tenant}/openapi.json: what the caller may call, valid, cached, and true of what the data plane does."""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from channels.db import database_sync_to_async
from hypothesis import HealthCheck
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from runtime.front import Front
from tests.fakes.llm import Fake
from tests.runtime import prompting, stage

pytestmark = pytest.mark.django_db(transaction=True)
DOOR = "/alice/openapi.json"
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
SERVICES = """services:
  - name: shop
    api:
      basePath: /api/shop
      endpoints:
        - {name: greet, method: POST, path: "/greet/:who", to: "prompt:hello"}
        - {name: open, method: POST, path: /open, to: "wasm:echo:run", auth: public}
"""


@pytest.fixture
def fake() -> Any:
    with Fake() as server:
        yield server


@pytest.fixture
async def call(alice: Any, charlie: Any, clean_redis: None) -> Any:
    caller = stage.Caller(alice.token)
    yield caller
    await caller.close()


@pytest.fixture
async def start(alice: Any, settings: Any, fake: Fake) -> Any:
    async def started(extra: str = SERVICES) -> Any:
        def made() -> Any:
            prompting.keep_key(alice, settings, fake)
            more = {"wasm/echo.wasm": stage.guest("echo")}
            return stage.run_bundle(alice, prompting.files(fake, more, extra))

        return await database_sync_to_async(made)()

    return started


async def test_a_member_sees_everything(call: Any, start: Any) -> None:
    await start()
    answer = await call("GET", DOOR)
    found = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert {"/api/shop/greet/{who}", "/api/shop/open", "/prompts/hello"} <= set(found["paths"])
    assert found["servers"][0]["url"].endswith("/alice")
    assert found["info"]["version"] == "talk 1"
    schemathesis.openapi.from_dict(found).validate()


async def test_a_stranger_sees_what_is_public_and_nothing_else(call: Any, start: Any) -> None:
    await start()
    answer = await call("GET", DOOR, token=None)
    assert list(answer.json()["paths"]) == ["/api/shop/open"]
    assert "talk" not in answer.body.decode()


async def test_where_nothing_is_public_a_stranger_is_refused(call: Any, start: Any, charlie: Any) -> None:
    await start(SERVICES.replace(", auth: public", ""))
    assert (await call("GET", DOOR, token=None)).status == 401
    assert (await call("GET", DOOR, token=charlie.token)).status == 404
    assert (await call("GET", DOOR, token="ps_wrong")).status == 401


async def test_somebody_elses_key_is_no_stranger(call: Any, start: Any, charlie: Any) -> None:
    await start()
    assert (await call("GET", DOOR, token=charlie.token)).status == 404


async def test_it_is_sent_again_only_when_something_changed(call: Any, start: Any) -> None:
    await start()
    first = await call("GET", DOOR)
    etag = first.headers["etag"]
    same = await call("GET", DOOR, if_none_match=etag)
    assert (same.status, same.body) == (304, b"")
    assert "authorization" in first.headers["vary"]
    assert (await call("GET", DOOR, token=None, if_none_match=etag)).status == 200
    await start(SERVICES.replace("/open", "/other"))
    later = await call("GET", DOOR, if_none_match=etag)
    assert later.status == 200
    assert "/api/shop/other" in later.json()["paths"]


async def test_it_is_only_read(call: Any, start: Any) -> None:
    await start()
    assert (await call("POST", DOOR, {})).status == 405
    assert (await call("HEAD", DOOR)).body == b""
    assert (await call("GET", f"{DOOR}/x")).status == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/prompts/hello", {"who": "Ann"}, 200),
        ("/prompts/hello?dry=1", {"who": "Ann"}, 200),
        ("/prompts/hello", {"who": "A" * 41, "times": "x"}, 422),
        ("/prompts/hello", b"{", 400),
        ("/api/shop/greet/{who}", {"times": 2}, 200),
        ("/api/shop/greet/{who}", {"times": 9}, 422),
        ("/api/shop/open", {"a": 1}, 200),
    ],
)
async def test_answers_are_as_the_document_says(
    call: Any, start: Any, path: str, body: Any, status: int
) -> None:
    await start()
    schema = schemathesis.openapi.from_dict((await call("GET", DOOR)).json())
    operation = schema[path.partition("?")[0]]["POST"]
    more = {"content_type": "application/json"} if isinstance(body, bytes) else {}
    answer = await call("POST", "/alice" + path.replace("{who}", "Ann"), body, **more)
    assert answer.status == status, answer.body
    headers = {name: [value] for name, value in answer.headers.items()}
    asked = requests.Request("POST", "http://x/").prepare()
    operation.validate_response(Response(answer.status, headers, answer.body, asked, 0.1, verify=False))


def fuzzed(document: dict[str, Any], base: str, token: str, seen: Counter[int]) -> None:
    """Requests that the document allows, and others that it does not, each answered as it says."""
    schema = schemathesis.openapi.from_dict(document)
    every = [found.ok() for found in schema.get_all_operations()]
    for mode in GenerationMode:
        for operation in every:

            @hypothesis.settings(
                max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck)
            )
            @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
            def check(case: schemathesis.Case) -> None:
                answer = case.call(base_url=base, headers={"Authorization": f"Bearer {token}"})
                seen[answer.status_code] += 1
                case.validate_response(answer, checks=CHECKS)

            with suppress(Unsatisfiable):  # what takes anything has no wrong requests
                check()


async def test_strangers_requests_are_answered_as_the_document_says(
    call: Any, start: Any, alice: Any, unused_tcp_port: int
) -> None:
    await start()
    document = (await call("GET", DOOR)).json()
    server = await Front(call.gateway).listen("127.0.0.1", unused_tcp_port)
    seen: Counter[int] = Counter()
    try:
        base = f"http://127.0.0.1:{unused_tcp_port}/alice"
        await asyncio.to_thread(fuzzed, document, base, alice.token, seen)
    finally:
        server.close()
    assert seen[200]
    assert seen[422]
    assert not seen[500]
