"""Webhooks over real sockets: a head that came before leads to the same run, told and recorded alike."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.db import database_sync_to_async

from runtime.front import Front
from runtime.gateway import Gateway
from tests.runtime.test_front import Client, history
from tests.runtime.test_webhooks import hooked, path

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
SAME = (
    "service",
    "name",
    "target",
    "trigger",
    "caller",
    "status",
    "http_status",
    "revision",
    "logs",
    "parent",
)


@pytest.fixture
async def client(alice: Any, settings: Any) -> AsyncIterator[Client]:
    settings.JOURNAL = "file"
    server = Front(Gateway())
    listening = await server.listen("127.0.0.1", 0)
    sweeper = asyncio.create_task(server.sweep())
    made = await Client(listening.sockets[0].getsockname()[1], "").open()
    made.front = server  # type: ignore[attr-defined]
    yield made
    made.writer.close()
    listening.close()
    sweeper.cancel()
    await server.drain()
    await server.gateway.stop()


def steps(run: Any) -> list[dict[str, Any]]:
    """Without what differs from run to run: times, and the input that was sent."""
    differ = {"at_us", "duration_us", "input", "output"}
    return [{key: value for key, value in step.items() if key not in differ} for step in run.steps]


async def test_the_short_way_of_a_webhook_differs_in_nothing(client: Client, alice: Any) -> None:
    flow = await database_sync_to_async(hooked)(alice)
    way = path(flow, "?a=1&b=%20x")
    answers = [await client.ask(way, {"n": number}, authorization="") for number in range(4)]
    assert [answer.status for answer in answers] == [201] * 4
    assert next(iter(client.front.connections)).head.hot is not None  # type: ignore[attr-defined]
    first, *others = await history(*answers)
    told = json.loads(first.input)
    for number, run in enumerate(others, 1):
        again = json.loads(run.input)
        assert told | {"body": {"n": number}, "execution": str(run.pk)} == again
        assert list(told) == list(again)
        assert [getattr(run, name) for name in SAME] == [getattr(first, name) for name in SAME]
        assert steps(run) == steps(first)
        assert json.loads(run.steps[0]["input"]) == {"n": number}
        assert answers[number].json() == {"got": {"n": number}, "by": "POST"}


async def test_of_a_name_that_comes_twice_everybody_sees_the_last(client: Client, alice: Any) -> None:
    flow = await database_sync_to_async(hooked)(alice)
    for _ in range(3):
        await client.send(client.raw(path(flow), b'{"a": 1, "a": 2}', authorization=""))
        answer = await client.read()
        (run,) = await history(answer)
        assert answer.json()["got"] == {"a": 2}
        assert json.loads(run.steps[0]["input"]) == {"a": 2}
        assert run.steps[0]["input"].count('"a"') == 1


@pytest.mark.parametrize("data", [b"", b"a=1&a=2&b=x", b"\xff\xfe", b"[1,"])
async def test_other_bodies_are_read_as_on_the_long_way(client: Client, alice: Any, data: bytes) -> None:
    flow = await database_sync_to_async(hooked)(alice)
    kind = "application/x-www-form-urlencoded" if b"=" in data else "application/json"
    kind = "application/octet-stream" if b"\xff" in data else kind
    seen = set()
    for _ in range(3):
        await client.send(client.raw(path(flow), data, authorization="", content_type=kind))
        answer = await client.read()
        seen.add((answer.status, answer.body if answer.status == 201 else b""))
    assert len(seen) == 1
    assert next(iter(seen))[0] == (400 if data == b"[1," else 201)
