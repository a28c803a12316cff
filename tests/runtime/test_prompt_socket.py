"""/ws/prompts/{id} over real sockets of the real server: several runs at once, wrong input, slow and vanishing clients."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from channels.db import database_sync_to_async
from granian.constants import Interfaces
from granian.server.embed import Server
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from billing import keys
from runtime import promptsocket, promptstream, running
from runtime.gateway import Gateway
from runtime.models import Execution
from tests.bench.processes import free_ports
from tests.fakes.llm import Fake, refuse, say
from tests.runtime import prompting, stage
from tests.runtime.prompting import KEY, hello

pytestmark = pytest.mark.django_db(transaction=True)
HELLO = "/ws/prompts/hello"
ANN = {"who": "Ann"}
ENDLESS = say("word " * 20, endless=True, pause=0.01)


@pytest.fixture
async def port(clean_redis: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """The platform behind the server that serves it, in this loop."""
    from priostack.asgi import platform

    gateway = Gateway()
    monkeypatch.setattr(promptsocket, "gateway", gateway)
    where = free_ports()
    server = Server(platform, port=where, interface=Interfaces.ASGINL, log_enabled=False)
    serving = asyncio.ensure_future(server.serve())
    for _ in range(500):
        with suppress(OSError):
            (await asyncio.open_connection("127.0.0.1", where))[1].close()
            break
        await asyncio.sleep(0.01)
    yield where
    server.stop()
    await serving
    await gateway.stop()
    for _ in range(500):  # those that were told to leave may still be leaving
        if not promptsocket._open and not promptstream._runs:
            break
        await asyncio.sleep(0.01)
    assert not promptstream._runs
    assert not promptsocket._open


class Line:
    """A client that says and hears JSON."""

    def __init__(self, wire: ClientConnection) -> None:
        self.wire = wire

    async def say(self, **message: Any) -> None:
        await self.wire.send(json.dumps(message))

    async def run(self, name: str, parameters: Any = None, **more: Any) -> None:
        await self.say(type="run", id=name, parameters=ANN if parameters is None else parameters, **more)

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(15):
            while True:
                found: dict[str, Any] = json.loads(await self.wire.recv())
                if found["type"] != "ping":
                    return found

    async def until(self, kind: str, name: str | None = None) -> list[dict[str, Any]]:
        """All messages up to one of this type, of that run if one is named."""
        found = [await self.next()]
        while found[-1]["type"] != kind or (name is not None and found[-1]["id"] != name):
            found.append(await self.next())
        return found

    async def code(self) -> int:
        """With which code the socket is closed, whatever is said before."""
        async with asyncio.timeout(15):
            try:
                while True:
                    await self.wire.recv()
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 0


@pytest.fixture
async def line(port: int, alice: Any) -> AsyncIterator[Any]:
    wires: list[ClientConnection] = []

    async def opened(token: str | None = "own", path: str = HELLO, **more: Any) -> Line:
        headers = (
            {} if token is None else {"authorization": f"Bearer {alice.token if token == 'own' else token}"}
        )
        wires.append(
            await connect(
                f"ws://127.0.0.1:{port}{path}", additional_headers=headers | more.pop("headers", {}), **more
            )
        )
        return Line(wires[-1])

    yield opened
    for wire in wires:
        await wire.close()


async def ready(line: Any, **more: Any) -> Line:
    made: Line = await line(**more)
    assert await made.next() == {"type": "ready", "data": {"prompt": "hello", "runs": promptsocket.RUNS}}
    return made


async def freed() -> None:
    """Until no run is under way any more."""
    async with asyncio.timeout(10):
        while promptstream._runs or running._tasks:
            await asyncio.sleep(0.01)


async def busy(fake: Fake, count: int) -> None:
    async with asyncio.timeout(10):
        while fake.busy != count:
            await asyncio.sleep(0.01)


async def test_a_run_says_what_its_stream_would(start: Any, line: Any, fake: Fake) -> None:
    await start()
    fake.brain.turns.append(say("Good day, Ann!"))
    one = await ready(line)
    await one.run("a", {"who": "Ann", "times": 2})
    begun, *tokens, done = await one.until("done")
    assert {message["id"] for message in (begun, *tokens, done)} == {"a"}
    assert (begun["type"], list(begun["data"])) == ("begun", ["execution"])
    assert {message["type"] for message in tokens} <= {"token", "log"}
    told = [message["data"]["text"] for message in tokens if message["type"] == "token"]
    assert "".join(told) == "Good day, Ann!", tokens
    run = begun["data"]["execution"]
    assert done["data"] == {
        "usage": {"input": 11, "output": 7, "total": 18}, "model": "gpt-5-mini", "execution": run,
    }  # fmt: skip
    await stage.drain()
    kept = await Execution.objects.aget(pk=run)
    assert (kept.status, kept.target) == ("success", "prompt:hello")
    assert kept.caller.startswith("key:")


async def test_several_runs_share_a_socket_and_a_name_is_free_again(start: Any, line: Any) -> None:
    await start()
    one = await ready(line)
    for name in "abc":
        await one.run(name)
    found: list[dict[str, Any]] = []
    for _ in "abc":
        found += await one.until("done")
    assert sorted(message["id"] for message in found if message["type"] == "done") == ["a", "b", "c"]
    for name in "abc":
        mine = [message["type"] for message in found if message["id"] == name]
        assert (mine[0], mine[-1]) == ("begun", "done")
    await one.run("a")
    assert (await one.until("done"))[-1]["id"] == "a"


async def test_pings_are_answered(start: Any, line: Any) -> None:
    await start()
    one = await ready(line)
    await one.say(type="ping")
    assert await one.next() == {"type": "pong"}


@pytest.mark.parametrize(
    ("message", "status", "path"),
    [
        ({"type": "run", "id": "a", "parameters": {"times": 9}}, 422, "times"),
        ({"type": "run", "id": "a", "parameters": [1]}, 422, None),
        ({"type": "run", "id": "a", "parameters": None}, 422, None),
        ({"type": "run", "id": 7, "parameters": ANN}, 422, "id"),
        ({"type": "run", "id": "x" * 65, "parameters": ANN}, 422, "id"),
        ({"type": "run", "parameters": ANN}, 422, "id"),
        ({"type": "run", "id": "a", "parameters": ANN, "model": "other"}, 422, "model"),
        ({"type": "run", "id": "a", "parameters": ANN, "chunkSize": 0}, 422, "chunkSize"),
        ({"type": "cancel", "id": "none"}, 404, None),
        ({"type": "cancel", "id": [1]}, 404, None),
        ({"type": "shout"}, 422, "type"),
        ({}, 422, "type"),
        ([], 400, None),
        ("text", 400, None),
    ],
)
async def test_what_is_wrong_is_told_and_the_socket_goes_on(
    start: Any, line: Any, fake: Fake, message: Any, status: int, path: str | None
) -> None:
    await start()
    one = await ready(line)
    await one.wire.send(json.dumps(message))
    told = await one.next()
    assert (told["type"], told["data"]["status"]) == ("error", status)
    paths = [error["path"] for error in told["data"].get("errors", [])]
    assert path is None or path in paths
    assert fake.asked == []
    await one.say(type="ping")
    assert await one.next() == {"type": "pong"}
    await stage.drain()
    assert await Execution.objects.acount() == 0


async def test_what_is_no_json_is_told(start: Any, line: Any) -> None:
    await start()
    one = await ready(line)
    for data in ("{", b"\xff\xfe", ""):
        await one.wire.send(data)
        assert (await one.next())["data"]["status"] == 400


async def test_a_cancelled_run_ends_alone(start: Any, line: Any, fake: Fake) -> None:
    fake.brain.turns += [ENDLESS, ENDLESS]
    await start()
    one = await ready(line)
    await one.run("a")
    await one.until("token", "a")
    await one.run("b")
    await one.until("token", "b")
    await one.say(type="cancel", id="a")
    last = (await one.until("error"))[-1]
    assert (last["id"], last["data"]["status"]) == ("a", 499)
    assert (await one.until("token"))[-1]["id"] == "b"
    await busy(fake, 1)
    await stage.drain()
    kept = {run.status async for run in Execution.objects.all()}
    assert kept == {"cancelled", "running"}


async def test_a_name_is_taken_once_and_there_is_a_limit(
    start: Any, line: Any, fake: Fake, monkeypatch: Any
) -> None:
    monkeypatch.setattr(promptsocket, "RUNS", 2)
    fake.brain.turns += [ENDLESS, ENDLESS]
    await start()
    one: Line = await line()
    await one.next()
    for name, status in (("a", None), ("a", 409), ("b", None), ("c", 429)):
        await one.run(name)
        if status:
            told = (await one.until("error"))[-1]
            assert (told["id"], told["data"]["status"]) == (name, status)
    await one.until("token", "b")
    assert len(promptstream._runs) == 2


async def test_a_client_that_leaves_ends_its_runs(start: Any, line: Any, fake: Fake) -> None:
    fake.brain.turns += [ENDLESS, ENDLESS]
    await start()
    one = await ready(line)
    for name in "ab":
        await one.run(name)
        await one.until("token", name)
    await one.wire.close()
    await freed()
    await busy(fake, 0)


async def test_a_client_that_vanishes_ends_its_runs(start: Any, line: Any, fake: Fake) -> None:
    fake.brain.turns.append(ENDLESS)
    await start()
    one = await ready(line)
    await one.run("a")
    await one.until("token")
    one.wire.transport.abort()
    await freed()
    await busy(fake, 0)


class Torrent:
    """A model's server that writes as fast as it is read."""

    PIECE = {"id": "1", "model": "m", "choices": [{"index": 0, "delta": {"content": "x" * 60_000}}]}
    HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    busy = 0

    async def listen(self) -> "Torrent":
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.place = f"127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        self.url = f"http://{self.place}"
        return self

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.busy += 1
        writer.write(self.HEAD)
        with suppress(OSError):
            while True:
                writer.write(b"data: " + json.dumps(self.PIECE).encode() + b"\n\n")
                await writer.drain()
        self.busy -= 1


async def test_a_client_that_does_not_read_is_cut_off(
    line: Any, alice: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for it stays small: the runs wait, then nobody is spoken to any more."""
    monkeypatch.setattr(promptsocket, "HEART_S", 1.0)
    torrent = await Torrent().listen()

    def made() -> None:
        prompting.keep_key(alice, settings, torrent)  # type: ignore[arg-type]
        stage.run_bundle(alice, prompting.files(torrent))  # type: ignore[arg-type]

    await database_sync_to_async(made)()
    one = await ready(line, max_queue=1)
    for name in "abcde":
        await one.run(name, chunkInterval=0, chunkSize=65_536)
    one.wire.transport.pause_reading()
    most = 0
    async with asyncio.timeout(30):
        while torrent.busy or not most:
            most = max([most, *(voice.unsent for voice in promptstream._runs.values())])
            await asyncio.sleep(0.01)
    assert promptstream.AHEAD < most < 4 * promptstream.AHEAD
    await freed()
    torrent.server.close()
    one.wire.transport.abort()


async def test_who_may_not_call_hears_nothing(start: Any, line: Any, alice: Any, charlie: Any) -> None:
    await start()
    reader = await database_sync_to_async(keys.create)(alice.tenant, "reader", scopes=("read",))
    for token, code in (("ps_nobody", 4401), (charlie.token, 4404), (reader[1], 4403)):
        assert await (await line(token=token)).code() == code
    assert await (await line(path="/ws/prompts/none")).code() == 4404


async def test_another_site_opens_nothing(start: Any, line: Any, alice: Any) -> None:
    await start()
    cookie = f"sessionid={alice.client.cookies['sessionid'].value}"
    for token, headers in (
        (None, {"cookie": cookie}),
        (None, {"cookie": cookie, "origin": "https://evil.example"}),
        ("own", {"origin": "https://evil.example"}),
        (None, {}),
    ):
        with pytest.raises(InvalidStatus) as refused:
            await line(token=token, headers=headers)
        assert refused.value.response.status_code == 403


async def test_our_own_pages_come_with_their_session(
    start: Any, line: Any, port: int, alice: Any, settings: Any
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = [f"http://127.0.0.1:{port}"]
    await start()
    cookie = f"sessionid={alice.client.cookies['sessionid'].value}"
    one = await ready(line, token=None, headers={"cookie": cookie}, origin=f"http://127.0.0.1:{port}")
    await one.run("a")
    run = (await one.until("done"))[-1]["data"]["execution"]
    await stage.drain()
    assert (await Execution.objects.aget(pk=run)).caller == alice.email


async def test_a_deleted_key_ends_the_socket_and_its_runs(
    start: Any, line: Any, alice: Any, fake: Fake, monkeypatch: Any
) -> None:
    monkeypatch.setattr(promptsocket, "CHECK_S", 0.05)
    fake.brain.turns.append(ENDLESS)
    await start()
    one = await ready(line)
    await one.run("a")
    await one.until("token")
    await alice.key.adelete()
    assert await one.code() == 4403
    await freed()


async def test_floods_and_large_messages_end_the_socket(
    start: Any, line: Any, settings: Any, monkeypatch: Any
) -> None:
    await start()
    settings.CALL_MAX_BODY = 1_000
    one = await ready(line)
    await one.say(type="ping", more="x" * 1_000)
    assert await one.code() == 1009
    monkeypatch.setattr(promptsocket, "MESSAGES", 3)
    two = await ready(line)
    with suppress(ConnectionClosed):
        for _ in range(10):
            await two.say(type="ping")
    assert await two.code() == 1008


async def test_more_sockets_than_a_tenant_may_have_are_turned_away(
    start: Any, line: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(promptsocket, "OF_TENANT", 1)
    await start()
    await ready(line)
    assert await (await line()).code() == 1013


async def test_interceptors_hold_for_each_run(start: Any, line: Any, fake: Fake) -> None:
    await start(
        {
            "prompts/hello.prmd": hello(
                prompting.BODY, "interceptors: [{rateLimit: {maxRequests: 2, windowMs: 60000}}]"
            )
        }
    )
    one = await ready(line)
    for name in "ab":
        await one.run(name)
        await one.until("done", name)
    await one.run("c")
    told = await one.next()
    assert (told["type"], told["id"], told["data"]["status"]) == ("error", "c", 429)
    assert len(fake.asked) == 2


async def test_a_prompt_whose_answers_are_kept_whole_is_not_heard(start: Any, line: Any, fake: Fake) -> None:
    await start({"prompts/hello.prmd": hello(prompting.BODY, "interceptors: [cache]")})
    one = await ready(line)
    await one.run("a")
    assert (await one.next())["data"]["status"] == 406
    assert fake.asked == []


async def test_a_model_that_fails_is_told_without_anything_secret(start: Any, line: Any, fake: Fake) -> None:
    fake.brain.turns += [refuse(401, f"bad key {KEY}")] * 2
    await start()
    one = await ready(line)
    await one.run("a")
    found = await one.until("error")
    assert found[-1]["data"]["status"] == 502
    assert KEY not in json.dumps(found)
    await freed()
