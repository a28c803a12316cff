"""The data plane's own server, over real sockets: what HTTP asks of it, and what strangers try with it (A110)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from channels.db import database_sync_to_async

from billing import keys
from bundles import deploy as asking
from runtime import body, connection
from runtime.front import Front
from runtime.gateway import Gateway
from runtime.journal import FileJournal, JournalFull
from runtime.models import Execution
from tests.runtime import stage

pytestmark = pytest.mark.django_db(transaction=True)

MODULES = ["echo", "counter", "logger", "spin", "trapper"]
ROUTES = {
    "POST_echo": "wasm:echo:run",
    "POST_count": "wasm:counter:run",
    "POST_log": "wasm:logger:run",
    "POST_spin": "wasm:spin:run",
    "POST_fall": "wasm:trapper:writes_then_traps",
    "GET_read": "wasm:echo:run",
}


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """A connection with bare hands."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token

    async def open(self) -> "Client":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    def raw(self, path: str, data: bytes = b"", method: str = "POST", **headers: str) -> bytes:
        sent = {"host": "test", "authorization": f"Bearer {self.token}", "content-type": "application/json"}
        sent |= {"content-length": str(len(data))} | {k.replace("_", "-"): v for k, v in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items() if value)
        return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + data

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read(self, *, bodiless: bool = False) -> Reply:
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.rstrip().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines)
            size = 0 if bodiless else int(headers.get("content-length", 0))
            return Reply(int(first.split()[1]), headers, await self.reader.readexactly(size))

    async def ask(self, path: str, value: Any = None, **more: str) -> Reply:
        await self.send(self.raw(path, json.dumps(value).encode(), **more))
        return await self.read()

    async def ended(self) -> bool:
        """Whether the server hung up, and said nothing more."""
        async with asyncio.timeout(10):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:
                return True


@pytest.fixture
async def front(alice: Any, clean_redis: None, settings: Any) -> AsyncIterator[Any]:
    settings.JOURNAL = "file"  # with the other one, which has to be waited for, nothing is answered at once
    files = stage.bundle_files("w", MODULES, **ROUTES)
    bundle = await database_sync_to_async(stage.run_bundle)(alice, files)
    server = Front(Gateway())
    listening = await server.listen("127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    server.bundle = bundle  # type: ignore[attr-defined]
    sweeper = asyncio.create_task(server.sweep())
    yield server
    listening.close()
    sweeper.cancel()
    await server.drain()
    await server.gateway.stop()


@pytest.fixture
async def client(front: Any, alice: Any) -> AsyncIterator[Client]:
    made = await Client(front.port, alice.token).open()
    yield made
    made.writer.close()


async def history(*answers: Reply) -> list[Execution]:
    await stage.drain()
    return [await Execution.objects.aget(pk=answer.headers["x-execution-id"]) for answer in answers]


async def test_many_calls_over_one_connection_are_all_answered_and_recorded(client: Client) -> None:
    answers = [await client.ask("/alice/api/w/echo", {"n": number % 3}) for number in range(12)]
    assert [answer.status for answer in answers] == [200] * 12
    runs = await history(*answers)
    assert [json.loads(run.input)["body"]["n"] for run in runs] == [number % 3 for number in range(12)]
    assert {run.status for run in runs} == {"success"}
    assert len({run.pk for run in runs}) == 12


async def test_a_head_that_came_before_means_the_same_again(client: Client, front: Any) -> None:
    """The short way must not differ from the long one in what the function is told or the history keeps."""
    note = "grün".encode().decode("latin-1")
    asks = [
        await client.ask("/alice/api/w/echo?a=1&b=%20x", {"n": number}, x_note=note) for number in range(3)
    ]
    _, long, short = asks  # the first one loads the tenant
    assert next(iter(front.connections)).head.hot is not None
    first, second = await history(long, short)
    told, again = json.loads(first.input), json.loads(second.input)
    assert told | {"body": {"n": 2}, "execution": again["execution"]} == again
    assert list(told) == list(again)
    for name in (
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
    ):
        assert getattr(first, name) == getattr(second, name), name
    assert first.completed >= first.started
    assert second.completed >= second.started
    differ = {"date", "x-execution-id"}
    assert {k: v for k, v in long.headers.items() if k not in differ} == {
        k: v for k, v in short.headers.items() if k not in differ
    }


async def test_bad_json_after_good_with_the_same_head_is_still_refused(client: Client) -> None:
    assert (await client.ask("/alice/api/w/echo", {"n": 1})).status == 200
    await client.send(client.raw("/alice/api/w/echo", b'{"n": !}'))
    assert (await client.read()).status == 400
    assert (await client.ask("/alice/api/w/echo", {"n": 1})).status == 200


async def test_a_revoked_key_is_refused_at_once_though_its_head_is_known(client: Client, alice: Any) -> None:
    for _ in range(3):
        assert (await client.ask("/alice/api/w/echo", {})).status == 200
    for key in await database_sync_to_async(lambda: list(alice.tenant.keys.all()))():
        await database_sync_to_async(keys.revoke)(alice.tenant.pk, key.pk)
    assert (await client.ask("/alice/api/w/echo", {})).status == 401


async def test_a_stopped_bundle_is_gone_at_once_though_its_head_is_known(
    client: Client, alice: Any, front: Any
) -> None:
    for _ in range(3):
        assert (await client.ask("/alice/api/w/echo", {})).status == 200
    await database_sync_to_async(asking.ask_stop)(alice.email, front.bundle)
    assert (await client.ask("/alice/api/w/echo", {})).status == 404


async def test_pipelined_requests_are_answered_in_their_order(client: Client) -> None:
    """Short ones, one that needs state, one that needs a fiber: none overtakes."""
    paths = ["echo", "count", "echo", "spin", "echo", "log", "count", "nowhere", "echo"] * 3
    values = [{"n": 3_000_000 if path == "spin" else at} for at, path in enumerate(paths)]
    await client.send(
        b"".join(
            client.raw(f"/alice/api/w/{p}", json.dumps(v).encode())
            for p, v in zip(paths, values, strict=True)
        )
    )
    answers = [await client.read() for _ in paths]
    assert [answer.status for answer in answers] == [404 if path == "nowhere" else 200 for path in paths]
    echoed = [json.loads(a.body).get("n") for a, path in zip(answers, paths, strict=True) if path == "echo"]
    assert echoed == [value["n"] for value, path in zip(values, paths, strict=True) if path == "echo"]


async def test_a_request_in_single_bytes_is_one_request(client: Client) -> None:
    for byte in client.raw("/alice/api/w/echo", b'{"n":1}'):
        await client.send(bytes([byte]))
        await asyncio.sleep(0)
    assert (await client.read()).json() == {"n": 1}


async def test_chunks_and_trailers(client: Client) -> None:
    head = client.raw("/alice/api/w/echo", content_length="", transfer_encoding="chunked")
    await client.send(head + b'3\r\n{"n\r\n4\r\n":1}\r\n0\r\nauthorization: Bearer other\r\n\r\n')
    assert (await client.read()).json() == {"n": 1}
    assert (await client.ask("/alice/api/w/echo", {"n": 2})).json() == {"n": 2}


@pytest.mark.parametrize("coding", ["gzip, chunked", "gzip\r\ntransfer-encoding: chunked", "deflate,chunked"])
async def test_a_body_packed_for_its_way_is_refused_and_runs_nothing(client: Client, coding: str) -> None:
    head = client.raw("/alice/api/w/echo", content_length="", transfer_encoding=coding)
    await client.send(head + b"3\r\n{}\n\r\n0\r\n\r\n")
    answer = await client.read()
    assert (answer.status, "only chunked" in answer.json()["detail"]) == (501, True)
    assert await Execution.objects.acount() == 0


async def test_a_long_body_waits_until_the_caller_is_known(client: Client, front: Any, alice: Any) -> None:
    value = {"text": "x" * (3 * body.SMALL)}
    assert (await client.ask("/alice/api/w/echo", value)).json() == value
    stranger = await Client(front.port, "ps_wrong").open()
    await stranger.send(stranger.raw("/alice/api/w/echo", b"x" * 1000, content_length=str(900_000)))
    assert (await stranger.read()).status == 401
    assert await stranger.ended()


async def test_a_client_that_asks_first_is_told_to_go_on(client: Client) -> None:
    data = json.dumps({"text": "x" * 2 * body.SMALL}).encode()
    head = client.raw("/alice/api/w/echo", b"", content_length=str(len(data)), expect="100-continue")
    await client.send(head)
    assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
    await client.send(data)
    assert (await client.read()).status == 200


async def test_small_bodies_that_wait_to_be_asked_for_are(client: Client) -> None:
    head = client.raw("/alice/api/w/echo", b"", content_length="7", expect="100-continue")
    await client.send(head)
    assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
    await client.send(b'{"n":1}')
    assert (await client.read()).json() == {"n": 1}


async def test_a_body_over_the_limit_is_refused_before_it_came(client: Client, settings: Any) -> None:
    await client.send(client.raw("/alice/api/w/echo", b"x", content_length=str(settings.CALL_MAX_BODY + 1)))
    assert (await client.read()).status == 413
    assert await client.ended()


async def test_chunks_without_end_are_cut_off(client: Client, settings: Any) -> None:
    settings.CALL_MAX_BODY = 200_000
    await client.send(client.raw("/alice/api/w/echo", content_length="", transfer_encoding="chunked"))
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    for _ in range(10):
        await client.send(chunk)
    assert (await client.read()).status == 413


async def test_head_old_versions_and_close(client: Client, front: Any, alice: Any) -> None:
    await client.send(client.raw("/alice/api/w/read", method="HEAD"))
    answer = await client.read(bodiless=True)
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) > 0
    assert (await client.ask("/alice/api/w/echo", {}, connection="close")).headers["connection"] == "close"
    assert await client.ended()
    old = await Client(front.port, alice.token).open()
    await old.send(client.raw("/alice/api/w/echo", b"{}").replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert (await old.read()).status == 200
    assert await old.ended()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET /a HTTP/9.9\r\n\r\n",
        b"GET /a HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /a HTTP/1.1\r\nx: a\0b\r\n\r\n",
        b"GET /a HTTP/1.1\r\nx : y\r\n\r\n",
        b"POST /a HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"POST /a HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /a HTTP/1.1\r\ntransfer-encoding: gzip, chunked, x\r\n\r\n",
        b"POST /a HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET /a HTTP/1.1\r\n x: folded\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_and_hung_up_on(client: Client, garbage: bytes) -> None:
    await client.send(garbage)
    assert (await client.read()).status == 400
    assert await client.ended()


async def test_garbage_after_a_good_request_does_not_lose_its_answer(client: Client) -> None:
    slow = client.raw("/alice/api/w/spin", b'{"n": 3000000}')
    await client.send(slow + b"\x00\x01\x02\r\n\r\n")
    assert (await client.read()).status == 200
    assert await client.ended()


async def test_smuggled_requests_are_not_seen(client: Client) -> None:
    """A second request hidden in the body of a first is a body."""
    inner = client.raw("/alice/api/w/count", b"{}")
    await client.send(client.raw("/alice/api/w/echo", inner, content_type="text/plain"))
    assert (await client.read()).status == 200
    assert (await client.ask("/alice/api/w/count", {})).status == 200
    await stage.drain()
    assert await Execution.objects.filter(name="count").acount() == 1


async def test_an_offer_to_speak_another_protocol_is_not_taken_up(client: Client) -> None:
    await client.send(
        client.raw("/alice/api/w/read", method="GET", connection="Upgrade", upgrade="websocket")
    )
    assert (await client.read()).status == 200
    assert await client.ended()


@pytest.mark.parametrize("way", ["one", "many", "unfinished"])
async def test_headers_have_a_limit(client: Client, way: str) -> None:
    long = {
        "one": "x: " + "a" * 70_000 + "\r\n\r\n",
        "many": "x: aaaaaaa\r\n" * 9_000 + "\r\n",
        "unfinished": "x: " + "a" * 400_000,
    }
    await client.send(b"GET /alice/api/w/read HTTP/1.1\r\n" + long[way].encode())
    assert (await client.read()).status == 431


async def test_addresses_have_a_limit(client: Client) -> None:
    await client.send(client.raw("/alice/" + "a" * 17_000, method="GET"))
    assert (await client.read()).status == 414


@pytest.mark.parametrize(
    "target", [b"/al\xc3\xa9ice/api/w/read", b"*", b"http://x/alice/api/w/read", b"/alice/api/w/%2e%2e/read"]
)
async def test_odd_targets_find_nothing(client: Client, target: bytes) -> None:
    await client.send(client.raw("/TARGET", method="GET").replace(b"/TARGET", target))
    assert (await client.read()).status in (400, 404)


async def test_half_a_request_and_silence_do_not_last(
    front: Any, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HEAD_S", "BODY_S", "IDLE_S"):
        monkeypatch.setattr(connection, name, 0.05)
    half, short, idle = [await Client(front.port, alice.token).open() for _ in range(3)]
    await half.send(b"GET /alice/api/w/read HTTP/1.1\r\nhost:")
    await short.send(half.raw("/alice/api/w/echo", b"{", content_length="7"))
    assert (await half.read()).status == 408
    assert (await short.read()).status == 408
    assert await idle.ended()


async def test_nothing_is_acknowledged_that_the_journal_did_not_take(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await client.ask("/alice/api/w/echo", {})).status == 200

    def full(self: FileJournal, data: bytes) -> None:
        raise JournalFull("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(FileJournal, "put", full)
        for path in ("echo", "echo", "log", "count"):
            assert (await client.ask(f"/alice/api/w/{path}", {})).status == 503
    assert (await client.ask("/alice/api/w/echo", {})).status == 200


async def test_what_a_function_logs_is_kept_on_the_short_way_too(client: Client) -> None:
    answers = [await client.ask("/alice/api/w/log", {"n": 1}) for _ in range(3)]
    logs = [[line[1:] for line in run.logs] for run in await history(*answers)]
    assert logs[0]
    assert logs[0] == logs[1] == logs[2]


async def test_falls_are_told_and_recorded_on_the_short_way_too(client: Client) -> None:
    answers = [await client.ask("/alice/api/w/fall", {}) for _ in range(3)]
    assert [answer.status for answer in answers] == [502] * 3
    assert [run.status for run in await history(*answers)] == ["error"] * 3


async def test_a_server_that_ends_finishes_what_it_began(front: Any, alice: Any) -> None:
    client = await Client(front.port, alice.token).open()
    idle = await Client(front.port, alice.token).open()
    await client.send(client.raw("/alice/api/w/spin", b'{"n": 30000000}'))
    await asyncio.sleep(0.05)
    began = time.monotonic()
    await front.drain()
    assert (await client.read()).status == 200
    assert await client.ended()
    assert await idle.ended()
    assert time.monotonic() - began < 8
    front.ending = False


async def test_more_connections_than_may_be_are_told_so(
    front: Any, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runtime import front as module

    monkeypatch.setattr(module, "MAX_CONNECTIONS", 1)
    first = await Client(front.port, alice.token).open()
    assert (await first.ask("/alice/api/w/echo", {})).status == 200
    second = await Client(front.port, alice.token).open()
    assert (await second.read()).status == 503
    assert (await first.ask("/alice/api/w/echo", {})).status == 200
