"""A stream is taken up again in another process than the one that runs it, over the real store; nobody is left behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from channels.db import database_sync_to_async

from billing.background import end
from runtime import promptrelay, promptstream
from runtime.front import Front
from runtime.gateway import Gateway
from runtime.promptrelay import Relay
from runtime.promptstream import Mark
from tests.bench.processes import free_ports
from tests.billing import elsewhere
from tests.fakes.llm import Fake, say
from tests.runtime import prompting, stage
from tests.runtime.test_prompt_streams import ANN, LONG, STREAM, Reader, text_of

pytestmark = pytest.mark.django_db(transaction=True)
SLOWLY = say(LONG * 4, pause=0.02)
ENDLESS = say(LONG, endless=True, pause=0.01)


@pytest.fixture
async def front(alice: Any, settings: Any, fake: Fake, clean_redis: None) -> AsyncIterator[Any]:
    def made() -> Any:
        prompting.keep_key(alice, settings, fake)
        return stage.run_bundle(alice, prompting.files(fake))

    await database_sync_to_async(made)()
    server = Front(Gateway())
    listening = await server.listen("127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    yield server
    listening.close()
    await server.drain()
    await server.gateway.stop()
    assert not promptstream._runs


@pytest.fixture
async def other() -> AsyncIterator[Relay]:
    """As another process would have it."""
    relay = Relay()
    listening = asyncio.ensure_future(relay.listen())
    async with asyncio.timeout(10):
        await relay.ready.wait()
    yield relay
    await end([listening])
    assert relay.coming == {}


async def begun(front: Any, alice: Any, query: str = "chunkInterval=0&heartbeat=1000") -> tuple[Reader, Mark]:
    """A reader who has heard the first token, and where it is."""
    reader = await Reader(front.port, alice.token).listen(f"{STREAM}?{query}", ANN)
    name, mark, _ = await reader.next()
    while name != "token":
        name, mark, _ = await reader.next()
    await asyncio.wait_for(front.gateway.relay.ready.wait(), 10)
    caller = promptstream._runs[mark.partition(":")[0]].job.caller
    return reader, Mark.of(mark, tenant=str(alice.tenant.pk), prompt="hello", caller=caller)


def events(data: bytes) -> list[tuple[str, str, Any]]:
    found = []
    for block in data.decode().split("\n\n"):
        parts = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":") and line)
        if "event" in parts:
            found.append((parts["event"], parts["id"], json.loads(parts["data"])))
    return found


async def rest(pieces: Any) -> list[tuple[str, str, Any]]:
    async with asyncio.timeout(20):
        return events(b"".join([piece async for piece in pieces]))


async def freed(front: Any) -> None:
    async with asyncio.timeout(15):
        while promptstream._runs or front.gateway.relay.going:
            await asyncio.sleep(0.02)


async def test_the_rest_comes_from_the_other_process_in_order(
    front: Any, alice: Any, other: Relay, fake: Fake
) -> None:
    fake.brain.turns.append(SLOWLY)
    reader, mark = await begun(front, alice)
    reader.writer.close()
    pieces = await other.follow(mark)
    assert pieces is not None
    heard = await rest(pieces)
    assert heard[-1][0] == "done"
    numbers = [int(number.partition(":")[2]) for _, number, _ in heard]
    assert numbers == list(range(mark.after + 1, mark.after + 1 + len(numbers)))
    assert (LONG * 4).endswith(text_of(heard))
    assert len(text_of(heard)) > len(LONG)
    await freed(front)


@pytest.mark.parametrize(
    "wrong", [{"caller": "key:other"}, {"tenant": "other"}, {"prompt": "other"}, {"run": "other"}]
)
async def test_whose_run_it_is_not_hears_nothing(
    front: Any, alice: Any, other: Relay, fake: Fake, wrong: dict[str, str]
) -> None:
    fake.brain.turns.append(ENDLESS)
    reader, mark = await begun(front, alice)
    assert await other.follow(replace(mark, **wrong)) is None
    assert front.gateway.relay.going == {}
    assert (await reader.next())[0] == "token"
    reader.writer.close()
    await freed(front)


async def test_alone_there_is_nobody_to_ask(other: Relay, clean_redis: None) -> None:
    assert await other.follow(Mark("run", 1, "tenant", "hello", "key:a")) is None


async def test_without_a_store_there_is_nobody_to_ask(settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(promptrelay, "ANSWER_S", 0.2)
    settings.REDIS_URL = "unix:///nowhere/at/all.sock"
    relay = Relay()
    listening = asyncio.ensure_future(relay.listen())
    assert await relay.follow(Mark("run", 1, "tenant", "hello", "key:a")) is None
    await end([listening])


async def test_when_the_reader_leaves_the_run_ends(front: Any, alice: Any, other: Relay, fake: Fake) -> None:
    fake.brain.turns.append(ENDLESS)
    reader, mark = await begun(front, alice)
    pieces = await other.follow(mark)
    assert pieces is not None
    async with aclosing(pieces):
        await anext(pieces)
        await anext(pieces)
        reader.writer.close()
    await freed(front)


async def test_when_the_other_process_dies_the_run_ends(
    front: Any, alice: Any, other: Relay, fake: Fake, monkeypatch: Any
) -> None:
    monkeypatch.setattr(promptrelay, "SILENCE_S", 1.0)
    fake.brain.turns.append(ENDLESS)
    reader, mark = await begun(front, alice)
    reader.writer.close()
    pieces = await other.follow(mark)
    assert pieces is not None
    await anext(pieces)
    await end(list(other.tasks))  # it says nothing any more
    await freed(front)
    await pieces.aclose()


async def test_when_the_owner_dies_the_stream_ends(
    front: Any, alice: Any, other: Relay, fake: Fake, monkeypatch: Any
) -> None:
    monkeypatch.setattr(promptrelay, "SILENCE_S", 1.0)
    fake.brain.turns.append(ENDLESS)
    reader, mark = await begun(front, alice)
    reader.writer.close()
    pieces = await other.follow(mark)
    assert pieces is not None
    await anext(pieces)
    await end(list(front.gateway.relay.tasks))
    assert "done" not in [name for name, _, _ in await rest(pieces)]
    await freed(front)


async def test_what_is_lost_on_the_way_ends_the_stream(
    front: Any, alice: Any, other: Relay, fake: Fake
) -> None:
    fake.brain.turns.append(ENDLESS)
    reader, mark = await begun(front, alice)
    reader.writer.close()
    pieces = await other.follow(mark)
    assert pieces is not None
    await anext(pieces)
    (coming,) = other.coming.values()
    coming.news.put_nowait(("piece", 1_000, b"event: token\n\n"))
    found = await rest(pieces)
    numbers = [int(number.partition(":")[2]) for _, number, _ in found]
    assert numbers == list(range(mark.after + 1, mark.after + 1 + len(numbers)))
    await freed(front)


async def test_a_slow_reader_elsewhere_holds_the_run_back(
    front: Any, alice: Any, other: Relay, fake: Fake
) -> None:
    fake.brain.turns.append(say("x" * 40_000, endless=True))
    reader, mark = await begun(front, alice)
    reader.writer.close()
    pieces = await other.follow(mark)
    assert pieces is not None
    await anext(pieces)
    (heard,), (coming,) = promptstream._runs.values(), other.coming.values()
    async with asyncio.timeout(60):
        while heard.unsent <= promptstream.AHEAD:
            await asyncio.sleep(0.05)
    assert sum(kind == "piece" for kind, _, _ in coming.news._queue) <= promptrelay.AHEAD  # type: ignore[attr-defined]
    await pieces.aclose()
    await freed(front)


async def test_another_process_serves_the_rest_and_frees_it(
    front: Any, alice: Any, fake: Fake, settings: Any
) -> None:
    """A whole second server, and a reader who was sent there by the balancer."""
    port = free_ports()
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "priostack.settings",
        "DATABASE_URL": await database_sync_to_async(elsewhere.database)(),
        "REDIS_URL": settings.REDIS_URL,
        "PRIOSTACK_DATA_DIR": str(settings.DATA_DIR),
    }
    argv = [sys.executable, "-m", "priostack.edge", "--port", str(port)]
    process = subprocess.Popen(argv, env=env, cwd=elsewhere.ROOT)
    try:
        await answering(port, alice)
        fake.brain.turns += [SLOWLY, ENDLESS]
        reader, mark = await begun(front, alice)
        reader.writer.close()
        second = await Reader(port, alice.token).listen(STREAM, ANN, last_event_id=f"{mark.run}:{mark.after}")
        assert (second.status, second.headers["x-execution-id"]) == (200, mark.run)
        heard = await second.all()
        assert heard[-1][0] == "done"
        assert (LONG * 4).endswith(text_of(heard))
        gone = await Reader(port, alice.token).listen(STREAM, ANN, last_event_id=f"{mark.run}:1")
        assert gone.status == 404
        first, mark = await begun(front, alice)
        third = await Reader(port, alice.token).listen(STREAM, ANN, last_event_id=f"{mark.run}:{mark.after}")
        assert (await third.next())[0] == "token"
        third.writer.close()
        first.writer.close()
        await freed(front)
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 30)


async def answering(port: int, alice: Any) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                found = await Reader(port, alice.token).open()
                if (await found.ask("/alice/prompts/none", {})).status == 404:
                    return
            except OSError:
                await asyncio.sleep(0.1)
