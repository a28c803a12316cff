"""Prompts that are only compiled, over real sockets: the short way means what the long one does."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.db import database_sync_to_async

from billing import keys
from bundles import deploy as asking
from runtime.front import Front
from runtime.gateway import Gateway
from runtime.models import Execution
from runtime.promptnow import Dry, Within
from tests.fakes.llm import Fake
from tests.runtime import prompting, stage
from tests.runtime.prompting import hello
from tests.runtime.test_front import Client, Reply

pytestmark = pytest.mark.django_db(transaction=True)
DOOR = "/alice/prompts/hello"
DRY = f"{DOOR}?dry=1"
LONG = "{% for a in range(200) %}{% for b in range(200) %}{{ who[0] }}{% endfor %}{% endfor %}"
GUARDED = "interceptors: [monitoring, {filter: {when: 'request.body.who != \"Bob\"', status: 418}}]"
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
    "steps",
)


@pytest.fixture
async def front(alice: Any, settings: Any, clean_redis: None, fake: Fake) -> AsyncIterator[Any]:
    settings.JOURNAL = "file"  # with the other one, which has to be waited for, nothing is answered at once

    def started() -> Any:
        prompting.keep_key(alice, settings, fake)
        more = {
            "prompts/long.prmd": hello(LONG).replace(b"id: hello", b"id: long"),
            "prompts/guarded.prmd": hello(prompting.BODY, GUARDED).replace(b"id: hello", b"id: guarded"),
            "prompts/bad.prmd": hello("{% if %}").replace(b"id: hello", b"id: bad"),
        }
        return stage.run_bundle(alice, prompting.files(fake, more))

    server = Front(Gateway())
    server.bundle = await database_sync_to_async(started)()  # type: ignore[attr-defined]
    listening = await server.listen("127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    yield server
    listening.close()
    await server.drain()
    await server.gateway.stop()


@pytest.fixture
async def client(front: Any, alice: Any) -> AsyncIterator[Client]:
    made = await Client(front.port, alice.token).open()
    yield made
    made.writer.close()


def hot(front: Any) -> Any:
    return next(iter(front.connections)).head.hot


async def history(*answers: Reply) -> list[Execution]:
    await stage.drain()
    return [await Execution.objects.aget(pk=answer.headers["x-execution-id"]) for answer in answers]


async def test_a_head_that_came_before_means_the_same_again(front: Any, client: Client) -> None:
    _, long, short = [await client.ask(DRY, {"who": name}) for name in ("Ann", "Bob", "Eve")]
    assert isinstance(hot(front), Dry)
    assert [reply.status for reply in (long, short)] == [200, 200]
    assert short.json() == {"output": long.json()["output"].replace("Bob", "Eve"), "problems": []}
    first, second = await history(long, short)
    told, again = json.loads(first.input), json.loads(second.input)
    assert told | {"body": {"who": "Eve", "times": 1}, "execution": again["execution"]} == again
    assert list(told) == list(again)
    for name in SAME:
        assert getattr(first, name) == getattr(second, name), name
    assert long.headers["x-compute-units"] == short.headers["x-compute-units"] != "0"
    assert set(long.headers) == set(short.headers)


async def test_both_ways_say_what_the_door_says(client: Client, call: Any) -> None:
    """`call` is the gateway behind an ASGI server, which always takes the long way."""
    for value in (
        {"who": "Ann", "times": 3},
        {"who": "x" * 41},
        {"whom": 1},
        [],
        {"who": "😀"},
    ):
        await client.ask(DRY, {"who": "first"})
        short, told = await client.ask(DRY, value), await call("POST", DRY, value)
        assert (short.status, short.json()) == (told.status, told.json()), value


async def test_what_is_wrong_is_told_each_time_and_nothing_is_recorded(client: Client) -> None:
    assert (await client.ask(DRY, {"who": "Ann"})).status == 200
    answer = await client.ask(DRY, {"times": 9})
    assert (answer.status, sorted(one["path"] for one in answer.json()["errors"])) == (422, ["times", "who"])
    await client.send(client.raw(DRY, b'{"who": !}'))
    assert (await client.read()).status == 400
    assert (await client.ask(DRY, {"who": "Ann"})).status == 200
    await stage.drain()
    assert await Execution.objects.acount() == 2


async def test_only_dry_calls_are_answered_without_a_model(client: Client, fake: Fake) -> None:
    for _ in range(3):
        assert (await client.ask(DRY, {"who": "Ann"})).status == 200
        assert (await client.ask(f"{DRY}&format=openai", {"who": "Ann"})).json()["output"][0][
            "role"
        ] == "system"
    assert fake.asked == []
    assert (await client.ask(f"{DOOR}?dry=0", {"who": "Ann"})).status == 200
    assert len(fake.asked) == 1


async def test_a_long_text_is_made_all_the_same(client: Client) -> None:
    for _ in range(3):
        answer = await client.ask("/alice/prompts/long?dry=1", {"who": "Ann"})
        assert (answer.status, answer.json()["output"]) == (200, "A" * 40_000)
    runs = await history(answer)
    assert runs[0].units_used > 100


async def test_interceptors_are_asked_each_time(client: Client, front: Any) -> None:
    path = "/alice/prompts/guarded?dry=1"
    found = [(await client.ask(path, {"who": name})).status for name in ("Ann", "Bob", "Ann", "Bob", "Eve")]
    assert found == [200, 418, 200, 418, 200]
    assert isinstance(hot(front), Within)


async def test_a_prompt_with_errors_says_so_on_either_way(client: Client) -> None:
    for _ in range(3):
        answer = await client.ask("/alice/prompts/bad?dry=1", {"who": "Ann"})
        assert (answer.status, "prompts/bad.prmd" in answer.json()["detail"]) == (501, True)


async def test_a_revoked_key_is_refused_at_once_though_its_head_is_known(client: Client, alice: Any) -> None:
    for _ in range(3):
        assert (await client.ask(DRY, {"who": "Ann"})).status == 200
    for key in await database_sync_to_async(lambda: list(alice.tenant.keys.all()))():
        await database_sync_to_async(keys.revoke)(alice.tenant.pk, key.pk)
    assert (await client.ask(DRY, {"who": "Ann"})).status == 401


async def test_a_stopped_bundle_is_gone_at_once_though_its_head_is_known(
    client: Client, alice: Any, front: Any
) -> None:
    for _ in range(3):
        assert (await client.ask(DRY, {"who": "Ann"})).status == 200
    await database_sync_to_async(asking.ask_stop)(alice.email, front.bundle)
    assert (await client.ask(DRY, {"who": "Ann"})).status == 404


async def test_a_key_that_may_not_call_learns_nothing(front: Any, alice: Any, charlie: Any) -> None:
    made = await database_sync_to_async(keys.create)(alice.tenant, "reader", scopes=("read",))
    for token, status in ((made[1], 403), (charlie.token, 404), ("ps_nobody", 401)):
        other = await Client(front.port, token).open()
        assert (await other.ask(DRY, {"who": "Ann"})).status == status
        other.writer.close()
