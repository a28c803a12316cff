"""Interceptors over real HTTP and in several processes: nothing is answered on a shorter way than it should be."""

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.conf import settings as django

from billing import keys
from runtime.front import Front
from runtime.gateway import Gateway
from runtime.interceptors import cells
from runtime.interceptors.serve import Guarded
from runtime.models import Execution
from tests.runtime import guarded, stage
from tests.runtime.guarded import endpoint
from tests.runtime.test_front import Client

pytestmark = pytest.mark.django_db(transaction=True)
SHOP = "/alice/api/shop"
MANY = (
    "[monitoring, logging, compression, auth, filter: 'request.body.n >= 0', transform: request.body, cache]"
)


@pytest.fixture
async def front(alice: Any, clean_redis: None, settings: Any) -> Any:
    settings.JOURNAL = "file"
    cells.clear()
    await database_sync_to_async(guarded.run)(
        alice,
        endpoint("plain", "[]"),
        endpoint("many", MANY),
        endpoint("count", "[monitoring, timeout]", "wasm:counter:run"),
        endpoint("limited", "[rateLimit: {max: 3}]"),
        endpoint("refused", "[filter: request.body.ok]"),
    )
    server = Front(Gateway())
    listening = await server.listen("127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    yield server
    listening.close()
    await server.drain()
    await server.gateway.stop()


@pytest.fixture
async def client(front: Any, alice: Any) -> Any:
    made = await Client(front.port, alice.token).open()
    yield made
    made.writer.close()


async def test_a_kept_connection_gets_each_answer_through_the_chain(client: Any, front: Any) -> None:
    """A head that came before is not read again, but its interceptors are asked each time."""
    for n in (0, 1, 2, 1, 2, 1):
        answer = await client.ask(f"{SHOP}/many", {"n": n})
        assert (answer.status, answer.json()) == (200, {"n": n})
    assert isinstance(next(iter(front.connections)).head.hot, Guarded)
    answer = await client.ask(f"{SHOP}/many", {"n": -1})
    assert answer.status == 422
    found = {
        place.name: cells.metrics(cell) for place, cell in cells._cells.items() if place.endpoint == "many"
    }
    assert {name: one["totalExecutions"] for name, one in found.items()} == {
        **dict.fromkeys(("monitoring", "logging", "compression", "auth", "filter"), 7),
        **dict.fromkeys(("transform", "cache"), 6),
    }
    assert found["cache"]["hits"] == 3
    await stage.drain()
    assert await Execution.objects.acount() == 3


async def test_what_cannot_be_answered_at_once_is_counted_once(client: Any) -> None:
    assert [(await client.ask(f"{SHOP}/count", {})).json() for _ in range(5)] == [1, 2, 3, 4, 5]
    place = next(place for place in cells._cells if place.endpoint == "count" and place.name == "monitoring")
    assert cells.metrics(cells._cells[place])["totalExecutions"] == 5
    await stage.drain()
    assert await Execution.objects.acount() == 5


async def test_limits_and_refusals_hold_on_a_kept_connection(client: Any) -> None:
    assert [(await client.ask(f"{SHOP}/limited", {})).status for _ in range(5)] == [200] * 3 + [429] * 2
    assert [(await client.ask(f"{SHOP}/refused", {"ok": ok})).status for ok in (True, False, True)] == [
        200,
        422,
        200,
    ]


async def test_a_key_that_is_revoked_is_refused_on_a_kept_connection(client: Any, alice: Any) -> None:
    for _ in range(3):
        assert (await client.ask(f"{SHOP}/many", {"n": 1})).status == 200
    await database_sync_to_async(keys.revoke)(alice.tenant.pk, alice.key.pk)
    assert (await client.ask(f"{SHOP}/many", {"n": 1})).status == 401


async def test_others_on_the_connection_keep_their_short_way(client: Any, front: Any) -> None:
    for _ in range(3):
        assert (await client.ask(f"{SHOP}/plain", {"a": 1})).status == 200
    assert next(iter(front.connections)).head.hot is not None


ASKER = """
import asyncio, sys
from types import SimpleNamespace
import django
django.setup()
from runtime.interceptors.ratelimit import RateLimit
link = RateLimit([0.0] * 8, "two:processes", int(sys.argv[1]), 60_000, "all")

async def main():
    call = SimpleNamespace()
    sys.stdin.readline()
    answers = await asyncio.gather(*(link.wait_before(call) for _ in range(int(sys.argv[2]))))
    print(sum(answer is None for answer in answers))

asyncio.run(main())
"""


def test_the_limit_is_exact_over_two_processes(clean_redis: None) -> None:
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "priostack.settings",
        "REDIS_URL": django.REDIS_URL,
        "PRIOSTACK_DATA_DIR": str(django.DATA_DIR),
    }
    argv = [sys.executable, "-c", ASKER, "150", "120"]
    askers = [
        subprocess.Popen(
            argv, env=env, cwd=django.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for asker in askers:
        assert asker.stdin
        asker.stdin.write("go\n")
        asker.stdin.flush()
    passed = [int(asker.communicate(timeout=60)[0]) for asker in askers]
    assert sum(passed) == 150


async def test_parallel_calls_never_pass_the_limit(client: Any, front: Any, alice: Any) -> None:
    others = [await Client(front.port, alice.token).open() for _ in range(8)]
    answers = await asyncio.gather(*(one.ask(f"{SHOP}/limited", {"n": 1}) for one in others))
    assert sorted(answer.status for answer in answers) == [200] * 3 + [429] * 5
    for one in others:
        one.writer.close()


async def test_a_body_is_not_read_before_its_caller_is_known(front: Any, alice: Any) -> None:
    stranger = await Client(front.port, "ps_wrong").open()
    head = stranger.raw(f"{SHOP}/many", b"", content_length="900000")
    await stranger.send(head + json.dumps({"n": 1}).encode())
    assert (await stranger.read()).status == 401
    stranger.writer.close()
