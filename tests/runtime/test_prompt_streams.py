"""Answers of prompts while they are written, over real sockets: slow, vanishing and reconnecting readers too."""

import asyncio
import json
import socket
from typing import Any

import pytest
from channels.db import database_sync_to_async

from billing import secrets
from runtime import promptstream
from runtime.front import Front
from runtime.gateway import Gateway
from runtime.models import Execution
from tests.fakes.llm import Fake, refuse, say
from tests.runtime import guarded, stage
from tests.runtime.prompting import KEY, hello
from tests.runtime.test_front import Client

pytestmark = pytest.mark.django_db(transaction=True)
STREAM = "/alice/prompts/hello/stream"
ANN = {"who": "Ann"}
LONG = "One two three four five six seven eight nine ten."


@pytest.fixture
def fake() -> Any:
    with Fake() as server:
        yield server


@pytest.fixture
async def front(alice: Any, clean_redis: None) -> Any:
    server = Front(Gateway())
    listening = await server.listen("127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    yield server
    listening.close()
    await server.drain()
    await server.gateway.stop()
    assert not promptstream._runs
    assert not promptstream._shelves.whole.bytes


class Reader(Client):
    """A client that hears events."""

    status = 0
    system = 0  # bytes that its system takes beside what it reads

    async def open(self) -> "Client":
        connected = socket.socket()
        if self.system:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.system)
        connected.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connected, ("127.0.0.1", self.port))
        self.reader, self.writer = await asyncio.open_connection(
            sock=connected, limit=2**16 if self.system else 2**20
        )
        return self

    async def listen(self, path: str, value: Any = None, method: str = "POST", **headers: str) -> "Reader":
        data = json.dumps(value).encode() if method == "POST" else b""
        await self.open()
        await self.send(self.raw(path, data, method, **headers))
        async with asyncio.timeout(15):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        self.status, self.headers = int(first.split()[1]), dict(line.split(": ", 1) for line in lines)
        return self

    async def next(self) -> tuple[str, str, Any]:
        """Name, id and data of the next event; a sign of life has the name ":"."""
        async with asyncio.timeout(15):
            while True:
                block = (await self.reader.readuntil(b"\n\n")).decode().strip()
                if block.startswith(":"):
                    return ":", "", None
                parts = dict(line.split(": ", 1) for line in block.split("\n"))
                if "event" in parts:
                    return parts["event"], parts["id"], json.loads(parts["data"])

    async def all(self) -> list[tuple[str, str, Any]]:
        found = []
        try:
            while True:
                found.append(await self.next())
        except asyncio.IncompleteReadError:
            return found


@pytest.fixture
async def reader(front: Any, alice: Any) -> Any:
    made: list[Reader] = []

    def reading() -> Reader:
        made.append(Reader(front.port, alice.token))
        return made[-1]

    yield reading
    for one in made:
        one.writer.close()


def text_of(events: list[tuple[str, str, Any]]) -> str:
    return "".join(data["text"] for name, _, data in events if name == "token")


async def gone(run: str) -> None:
    async with asyncio.timeout(10):
        while run in promptstream._runs:
            await asyncio.sleep(0.02)


async def test_an_answer_comes_in_pieces_and_ends_with_what_it_used(
    reader: Any, start: Any, fake: Fake
) -> None:
    await start()
    fake.brain.turns.append(say(LONG, pause=0.03))
    heard = await reader().listen(f"{STREAM}?chunkInterval=0", ANN)
    assert (heard.status, heard.headers["content-type"]) == (200, "text/event-stream")
    events = await heard.all()
    assert text_of(events) == LONG
    assert len([1 for name, _, _ in events if name == "token"]) > 5
    name, _, done = events[-1]
    assert (name, done["usage"]["total"], done["execution"]) == ("done", 18, heard.headers["x-execution-id"])
    assert [number for _, number, _ in events] == [
        f"{done['execution']}:{n}" for n in range(1, len(events) + 1)
    ]
    await stage.drain()
    run = await Execution.objects.aget()
    assert (run.status, json.loads(run.output)["output"]) == ("success", LONG)


async def test_the_accept_header_asks_for_a_stream_too(reader: Any, start: Any, fake: Fake) -> None:
    await start()
    fake.brain.turns.append(say(LONG))
    heard = await reader().listen("/alice/prompts/hello", ANN, accept="text/event-stream")
    assert text_of(await heard.all()) == LONG
    await stage.drain()
    run = await Execution.objects.aget()
    assert (run.status, str(run.pk)) == ("success", heard.headers["x-execution-id"])


async def test_a_run_is_known_while_it_is_heard(reader: Any, start: Any, fake: Fake) -> None:
    await start()
    fake.brain.turns.append(say(LONG, pause=0.1))
    heard = await reader().listen(f"{STREAM}?chunkInterval=0", ANN)
    await stage.drain()
    assert (await Execution.objects.aget(pk=heard.headers["x-execution-id"])).status == "running"
    await heard.all()
    await stage.drain()
    assert (await Execution.objects.aget()).status == "success"


async def test_get_has_the_parameters_in_its_query(reader: Any, start: Any, fake: Fake) -> None:
    await start()
    heard = await reader().listen(f"{STREAM}?who=Ann&times=2&chunkSize=9", method="GET")
    assert text_of(await heard.all()) == "You said: Greet Ann!!"


async def test_pieces_are_gathered_for_an_interval_and_never_larger_than_asked(
    reader: Any, start: Any, fake: Fake
) -> None:
    await start({"prompts/hello.prmd": hello("Greet {{ who }}", "sse: {chunkInterval: 5000, chunkSize: 7}")})
    fake.brain.turns.append(say("äöü" * 10))
    events = await (await reader().listen(STREAM, ANN)).all()
    pieces = [data["text"] for name, _, data in events if name == "token"]
    assert "".join(pieces) == "äöü" * 10
    assert max(len(piece.encode()) for piece in pieces) <= 7


@pytest.mark.parametrize("query", ["chunkSize=0", "chunkInterval=x", "heartbeat=5", "size=3", "who=Ann"])
async def test_options_out_of_bounds_are_refused(reader: Any, start: Any, query: str, fake: Fake) -> None:
    await start()
    assert (await reader().listen(f"{STREAM}?{query}", ANN)).status == 422
    assert (fake.asked, promptstream._runs) == ([], {})


async def test_what_fails_at_once_has_a_status_of_its_own(reader: Any, start: Any, fake: Fake) -> None:
    await start()
    fake.brain.script = lambda asked: refuse(400, f"no {KEY}")
    for body, status in ((ANN, 502), ({}, 422)):
        heard = await reader().listen(STREAM, body)
        answer = await heard.reader.readexactly(int(heard.headers["content-length"]))
        assert (heard.status, KEY in answer.decode()) == (status, False)
    assert not promptstream._runs


async def test_a_failure_in_the_middle_is_an_event(reader: Any, start: Any, fake: Fake) -> None:
    await start()
    fake.brain.turns.append(say(LONG * 4, cut=True))
    events = await (await reader().listen(f"{STREAM}?chunkInterval=0", ANN)).all()
    name, _, data = events[-1]
    assert (name, data["status"], data["type"]) == ("error", 502, "/docs/errors#model-failed")
    assert "token" in [name for name, _, _ in events]
    await stage.drain()
    assert (await Execution.objects.aget()).status == "error"


async def test_a_secret_never_leaves_even_in_pieces(reader: Any, start: Any, fake: Fake) -> None:
    await start()
    fake.brain.turns.append(say(f"It is {KEY}, or {KEY[:9]} maybe."))
    events = await (await reader().listen(f"{STREAM}?chunkInterval=0", ANN)).all()
    assert text_of(events) == f"It is •••, or {KEY[:9]} maybe."


async def test_signs_of_life_come_while_nothing_is_said(reader: Any, start: Any, fake: Fake) -> None:
    await start()
    fake.brain.turns.append(say(LONG, delay=2.5))
    heard = await reader().listen(f"{STREAM}?heartbeat=1000", ANN)
    assert (await heard.next())[0] == ":"
    assert text_of(await heard.all()) == LONG


async def test_who_was_cut_off_goes_on_where_it_was(reader: Any, start: Any, fake: Fake) -> None:
    await start()
    fake.brain.turns.append(say(LONG, pause=0.05))
    first = await reader().listen(f"{STREAM}?chunkInterval=0", ANN)
    before = [await first.next() for _ in range(3)]
    first.writer.transport.abort()
    await asyncio.sleep(0.2)
    second = await reader().listen(STREAM, ANN, last_event_id=before[-1][1])
    assert second.status == 200
    after = await second.all()
    assert text_of(before + after) == LONG
    assert after[-1][0] == "done"
    assert len(fake.asked) == 1
    await stage.drain()
    assert await Execution.objects.acount() == 1


async def test_nobody_else_hears_a_run(reader: Any, start: Any, fake: Fake, charlie: Any, front: Any) -> None:
    await start()
    fake.brain.turns.append(say(LONG, pause=0.05))
    first = await reader().listen(f"{STREAM}?chunkInterval=0", ANN)
    _, mark, _ = await first.next()
    stranger = Reader(front.port, charlie.token)
    assert (await stranger.listen(STREAM, ANN, last_event_id=mark)).status == 404
    stranger.writer.close()
    for bad in ("x:1", mark.replace(":", "9:"), "no", f"{mark}x", f"{mark.partition(':')[0]}:-1"):
        assert (await reader().listen(STREAM, ANN, last_event_id=bad)).status == 404
    assert (await first.all())[-1][0] == "done"
    assert (await reader().listen(STREAM, ANN, last_event_id=mark)).status == 404  # it is over
    assert len(fake.asked) == 1


async def test_a_run_that_nobody_hears_ends_within_a_heartbeat(reader: Any, start: Any, fake: Fake) -> None:
    await start()
    fake.brain.turns.append(say(LONG, endless=True, pause=0.02))
    heard = await reader().listen(f"{STREAM}?chunkInterval=0&heartbeat=1000", ANN)
    await heard.next()
    run = heard.headers["x-execution-id"]
    heard.writer.transport.abort()
    await gone(run)
    async with asyncio.timeout(10):
        while True:
            await stage.drain()
            found = await Execution.objects.filter(pk=run).afirst()
            if found is not None and found.completed:
                break
            await asyncio.sleep(0.05)
    assert found.status == "cancelled"
    async with asyncio.timeout(5):
        while fake.busy:
            await asyncio.sleep(0.05)


async def test_a_slow_reader_holds_back_the_model_and_nothing_piles_up(
    reader: Any, start: Any, fake: Fake
) -> None:
    await start()
    fake.brain.turns.append(say("x" * 4000, endless=True))
    slow = reader()
    slow.system = 8192
    heard = await slow.listen(f"{STREAM}?chunkInterval=0&heartbeat=1000", ANN)
    run = promptstream._runs[heard.headers["x-execution-id"]]
    sizes = []
    for _ in range(30):
        await asyncio.sleep(0.1)
        sizes.append(sum(len(event) for _, event in (*run.kept, *run.fresh)))
    assert max(sizes) < 2 * (promptstream.AHEAD + promptstream.KEPT)
    before = run.last
    await asyncio.sleep(0.3)
    assert run.last == before  # the model is not heard while nobody takes what it said
    heard.writer.transport.abort()
    await gone(heard.headers["x-execution-id"])


async def test_a_never_ending_answer_ends_at_its_limit(
    reader: Any, start: Any, fake: Fake, monkeypatch: Any
) -> None:
    monkeypatch.setattr("runtime.llmsend.MAX_ANSWER", 100_000)
    await start()
    fake.brain.turns.append(say("x" * 4000, endless=True))
    events = await (await reader().listen(f"{STREAM}?chunkInterval=0", ANN)).all()
    assert events[-1][0] == "error"


async def test_interceptors_lie_around_streams_too(reader: Any, start: Any, fake: Fake) -> None:
    await start(
        {"prompts/hello.prmd": hello("Greet {{ who }}", "interceptors: [rateLimit: {max: 1}, monitoring]")}
    )
    heard = await reader().listen(STREAM, ANN)
    assert text_of(await heard.all()) == "You said: Greet Ann"
    assert (await reader().listen(STREAM, ANN)).status == 429
    assert len(fake.asked) == 1


async def test_what_is_changed_as_a_whole_is_not_streamed(reader: Any, start: Any, fake: Fake) -> None:
    await start(
        {
            "prompts/hello.prmd": hello(
                "Greet {{ who }}", "interceptors: [transform: {response: response.body}]"
            )
        }
    )
    assert (await reader().listen(STREAM, ANN)).status == 406
    assert fake.asked == []


async def test_a_stream_needs_the_key_of_the_tenant(front: Any, start: Any, charlie: Any, fake: Fake) -> None:
    await start()
    for token, status in (("", 401), ("ps_none", 401), (charlie.token, 404)):
        heard = await Reader(front.port, token).listen(STREAM, ANN)
        assert heard.status == status
        heard.writer.close()
    assert fake.asked == []


async def test_a_second_reader_takes_over_from_the_first(reader: Any, start: Any, fake: Fake) -> None:
    await start()
    fake.brain.turns.append(say(LONG, pause=0.1))
    first = await reader().listen(f"{STREAM}?chunkInterval=0", ANN)
    before = [await first.next()]
    second = await reader().listen(STREAM, ANN, last_event_id=before[0][1])
    assert text_of(before + await second.all()) == LONG
    await first.all()  # it ends


async def test_a_reader_who_comes_back_too_late_is_told_what_is_missing(
    reader: Any, start: Any, fake: Fake, monkeypatch: Any
) -> None:
    monkeypatch.setattr(promptstream, "KEPT", 300)
    await start()
    fake.brain.turns.append(say(LONG, pause=0.1))
    first = await reader().listen(f"{STREAM}?chunkInterval=0", ANN)
    _, mark, _ = await first.next()
    for _ in range(5):
        await first.next()
    after = await (await reader().listen(STREAM, ANN, last_event_id=mark)).all()
    told = [data["text"] for name, _, data in after if name == "log"]
    assert any("events are not kept any more" in text for text in told)
    assert after[-1][0] == "done"


async def test_who_came_by_a_token_goes_on_by_it_too_and_nobody_else_does(
    front: Any, start: Any, fake: Fake, alice: Any
) -> None:
    await database_sync_to_async(secrets.put)(alice.tenant, "JWT_KEY", guarded.KEY.encode(), [])
    lines = "interceptors: [auth: {algorithm: HS256, secret: JWT_KEY}]"
    await start({"prompts/hello.prmd": hello("Greet {{ who }}", lines)})
    fake.brain.turns.append(say(LONG, pause=0.1))
    first = await Reader(front.port, guarded.token()).listen(f"{STREAM}?chunkInterval=0", ANN)
    before = [await first.next()]
    first.writer.transport.abort()
    others = (guarded.token(sub="bob"), 404), (guarded.token("x" * 64), 401), ("", 401), (alice.token, 404)
    for token, status in others:
        other = await Reader(front.port, token).listen(STREAM, ANN, last_event_id=before[0][1])
        assert other.status == status
        other.writer.close()
    again = await Reader(front.port, guarded.token()).listen(STREAM, ANN, last_event_id=before[0][1])
    assert again.status == 200
    assert text_of(before + await again.all()) == LONG


async def test_many_streams_together_keep_no_more_than_their_budget(
    reader: Any, start: Any, fake: Fake, monkeypatch: Any
) -> None:
    monkeypatch.setattr(promptstream, "_shelves", promptstream.Shelves(10_000, 400))
    await start()
    fake.brain.turns += [say(LONG * 20, pause=0.1), say(LONG, pause=0.02)]
    first = await reader().listen(f"{STREAM}?chunkInterval=0&heartbeat=1000", ANN)
    _, mark, _ = await first.next()
    await (await reader().listen(f"{STREAM}?chunkInterval=0", ANN)).all()
    assert promptstream._shelves.whole.bytes <= 400
    again = await reader().listen(STREAM, ANN, last_event_id=mark)
    while not ((event := await again.next())[0] == "log" and "not kept any more" in event[2]["text"]):
        assert event[0] != "done"
    again.writer.transport.abort()
    await gone(again.headers["x-execution-id"])


async def test_a_server_of_others_streams_too(front: Any, start: Any, fake: Fake, alice: Any) -> None:
    """ASGI: the head, pieces with more to come, and an end as soon as the client has left."""
    await start()
    fake.brain.turns.append(say(LONG, endless=True, pause=0.02))
    body, sent, leaves = json.dumps(ANN).encode(), [], asyncio.Event()
    asked: list[int] = []

    async def receive() -> dict[str, Any]:
        asked.append(1)
        if len(asked) > 1:
            await leaves.wait()
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) > 5:
            leaves.set()

    head = {"authorization": f"Bearer {alice.token}", "content-type": "application/json"}
    head["content-length"] = str(len(body))
    scope = {
        "type": "http", "method": "POST", "path": STREAM, "raw_path": STREAM.encode(),
        "query_string": b"chunkInterval=0&heartbeat=1000", "client": ("127.0.0.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in head.items()],
    }  # fmt: skip
    async with asyncio.timeout(10):
        await front.gateway(scope, receive, send)
    assert sent[0]["status"] == 200
    assert b"event: token" in b"".join(part["body"] for part in sent[1:])
    await gone(dict(sent[0]["headers"])[b"x-execution-id"].decode())
