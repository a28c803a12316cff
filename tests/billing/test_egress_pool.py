"""The asynchronous way out: connections are kept, never confused, never left half read, and bounded in number."""

import asyncio
import gzip
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from billing import pool as pools
from billing.egress import EgressFailed, EgressRefused, Gate, Limits, afetch, astream, pool
from tests.billing.listener import Listener, redirect, reply


@pytest.fixture
def allow(settings) -> Callable[[Listener], Listener]:
    """Every loopback port: each listener of a test is named when it is made."""
    settings.EGRESS_ALLOW = []

    def place(listener: Listener) -> Listener:
        settings.EGRESS_ALLOW = [*settings.EGRESS_ALLOW, listener.place]
        return listener

    return place


async def read(stream: Any) -> bytes:
    async with stream as answer:
        return b"".join([piece async for piece in answer.body])


async def test_requests_after_each_other_share_a_connection(allow) -> None:
    with allow(Listener(reply(b"hello", "X-Thing: 1", "X-Thing: 2"))) as listener:
        for _ in range(3):
            answer = await afetch("POST", listener.url("/a?b=1"), headers={"X-Mine": "yes"}, content=b"body")
        assert (answer.status, answer.body, answer.headers["x-thing"]) == (200, b"hello", "1, 2")
        assert listener.connections == 1
        assert listener.heard[2].startswith(b"POST /a?b=1 HTTP/1.1\r\nhost: " + listener.place.encode())
        assert listener.heard[2].endswith(b"content-length: 4\r\naccept-encoding: gzip\r\n\r\nbody")


async def test_requests_at_the_same_time_have_a_connection_each(allow) -> None:
    def slow(connection: socket.socket, request: bytes) -> None:
        time.sleep(0.05)
        connection.sendall(reply(request.split(b" ")[1]))

    with allow(Listener(slow)) as listener:
        answers = await asyncio.gather(*(afetch("GET", listener.url(f"/{n}")) for n in range(5)))
        assert [answer.body for answer in answers] == [f"/{n}".encode() for n in range(5)]
        assert listener.connections == 5


async def test_what_comes_behind_an_answer_is_never_the_next_answer(allow) -> None:
    """A server that sends two answers for one request poisons nobody's next request."""
    forged = reply(b"mine") + reply(b"forged")
    with allow(Listener(forged)) as listener:
        for _ in range(3):
            assert (await afetch("GET", listener.url())).body == b"mine"
            await asyncio.sleep(0.02)
        assert listener.connections == 3


async def test_what_comes_later_unasked_ends_the_connection(allow) -> None:
    def late(connection: socket.socket, request: bytes) -> None:
        connection.sendall(reply(b"mine"))
        time.sleep(0.02)
        connection.sendall(reply(b"forged"))

    with allow(Listener(late)) as listener:
        assert (await afetch("GET", listener.url())).body == b"mine"
        await asyncio.sleep(0.08)
        assert (await afetch("GET", listener.url())).body == b"mine"
        assert listener.connections == 2


async def test_the_answer_to_head_has_no_body(allow) -> None:
    with allow(Listener(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")) as listener:
        answer = await afetch("HEAD", listener.url())
        assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "5000")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_an_answer_without_body_ends_with_its_headers(allow, status: str) -> None:
    with allow(Listener(f"HTTP/1.1 {status}\r\n\r\n".encode())) as listener:
        for _ in range(2):
            assert (await afetch("GET", listener.url(), timeout=2)).body == b""
        assert listener.connections == 1


async def test_early_answers_are_passed_over(allow) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    with allow(Listener(early + reply(b"final", "X-A: 1"))) as listener:
        answer = await afetch("GET", listener.url())
        assert (answer.status, answer.body) == (200, b"final")
        assert "link" not in answer.headers


async def test_a_body_without_length_ends_with_the_connection(allow) -> None:
    def script(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nto the end")
        connection.shutdown(socket.SHUT_RDWR)

    with allow(Listener(script)) as listener:
        assert (await afetch("GET", listener.url())).body == b"to the end"


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"gzip\r\nTransfer-Encoding: chunked", b"gzip"])
async def test_an_answer_packed_for_its_way_is_a_failure(allow, coding: bytes) -> None:
    packed = gzip.compress(b"hello")
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(packed), packed)
    with (
        allow(Listener(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: %b\r\n\r\n%b" % (coding, body))) as listener,
        pytest.raises(EgressFailed, match=r"transfer encoding|valid HTTP"),
    ):
        await afetch("GET", listener.url())


@pytest.mark.parametrize(
    "part",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ],
)
async def test_a_cut_answer_is_a_failure(allow, part: bytes) -> None:
    def script(connection: socket.socket, request: bytes) -> None:
        connection.sendall(part)
        connection.shutdown(socket.SHUT_RDWR)

    with allow(Listener(script)) as listener, pytest.raises(EgressFailed, match="too early"):
        await afetch("GET", listener.url())


class Forgetful:
    """Answers the first request of its life, and hangs up on the second one of that connection unanswered."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, connection: socket.socket, request: bytes) -> None:
        self.count += 1
        if self.count == 2:
            connection.shutdown(socket.SHUT_RDWR)
        else:
            connection.sendall(reply(b"here"))


@pytest.mark.parametrize(
    ("method", "headers", "repeated"),
    [("GET", {}, True), ("POST", {}, False), ("POST", {"Idempotency-Key": "run:1"}, True)],
)
async def test_only_what_may_be_repeated_is_sent_again_on_a_dead_connection(
    allow, method: str, headers: dict[str, str], repeated: bool
) -> None:
    with allow(Listener(Forgetful())) as listener:
        await afetch("GET", listener.url())
        if repeated:
            assert (await afetch(method, listener.url(), headers=headers)).body == b"here"
        else:
            with pytest.raises(EgressFailed, match="hangs up"):
                await afetch(method, listener.url(), headers=headers)
        assert len(listener.heard) == (3 if repeated else 2)


async def test_a_server_that_always_hangs_up_is_not_asked_for_ever(allow) -> None:
    with allow(Listener(lambda connection, _: connection.shutdown(socket.SHUT_RDWR))) as listener:
        with pytest.raises(EgressFailed, match="hangs up"):
            await afetch("GET", listener.url())
        assert listener.connections == 1


async def test_a_cancelled_request_leaves_no_connection_behind(allow) -> None:
    def slow(connection: socket.socket, request: bytes) -> None:
        time.sleep(0.1)
        connection.sendall(reply(request.split(b" ")[1]))

    with allow(Listener(slow)) as listener:
        task = asyncio.create_task(afetch("GET", listener.url("/first")))
        await asyncio.sleep(0.03)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await afetch("GET", listener.url("/second"))).body == b"/second"
        assert listener.connections == 2


async def test_redirects_change_the_method_as_browsers_do(allow) -> None:
    def script(connection: socket.socket, request: bytes) -> None:
        connection.sendall(
            reply(b"", "Location: /there", status="303 See Other") if b" / " in request else reply()
        )

    with allow(Listener(script)) as listener:
        headers = {"Content-Type": "application/json", "Authorization": "Bearer mine"}
        assert (await afetch("POST", listener.url(), headers=headers, content=b"{}")).body == b"ok"
        assert listener.heard[1].startswith(b"GET /there ")
        assert b"authorization: Bearer mine" in listener.heard[1]
        assert b"content-type" not in listener.heard[1]


async def test_credentials_stay_with_their_origin(allow) -> None:
    with allow(Listener(reply())) as second, allow(Listener(redirect(second.url()))) as first:
        secrets = {"Authorization": "Bearer canary", "X-Api-Key": "canary", "Cookie": "s=canary"}
        await afetch("GET", first.url(), headers=secrets)
        assert first.heard[0].count(b"canary") == 3
        assert b"canary" not in second.heard[0]


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/", "file:///etc/passwd", "http://[::1]/", "//127.0.0.1:22/", "http://["],
)
async def test_a_redirect_off_the_internet_is_refused(allow, location: str) -> None:
    with allow(Listener(redirect(location))) as listener:
        with pytest.raises((EgressRefused, EgressFailed)):
            await afetch("GET", listener.url())
        assert len(listener.heard) == 1


async def test_redirects_without_end_are_a_failure(allow) -> None:
    with allow(Listener(redirect("/again"))) as listener:
        with pytest.raises(EgressFailed, match="redirects"):
            await afetch("GET", listener.url())
        assert len(listener.heard) == 6


async def test_a_name_is_looked_up_for_each_connection_and_never_in_between() -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> tuple[str, ...]:
        asked.append(host)
        return ("127.0.0.1",) if len(asked) == 1 else ("10.0.0.1",)

    with Listener(reply(b"pinned")) as listener:
        way = pool(
            Gate(frozenset({f"shop.example:{listener.port}"}), Limits(connect_s=0.2), aresolve=rebinding)
        )
        for _ in range(3):
            assert (await afetch("GET", listener.url(host="shop.example"), via=way)).body == b"pinned"
        assert asked == ["shop.example"]
        way.close()


async def test_one_private_answer_among_public_ones_refuses_them_all(caplog) -> None:
    async def mixed(host: str, port: int) -> tuple[str, ...]:
        return ("93.184.216.34", "127.0.0.1")

    with Listener(reply()) as listener:
        way = pool(Gate(frozenset({f"*:{listener.port}"}), aresolve=mixed))
        with pytest.raises(EgressRefused, match="not on the internet"):
            await afetch("GET", listener.url(host="shop.example"), via=way)
        assert listener.connections == 0
        assert "egress refused" in caplog.text


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET /x HTTP/1.1\r\nX: y", {}), ("CONNECT", {}), ("GET", {"X-A": "1\r\nInjected: 1"}),
        ("GET", {"X-A\nInjected": "1"}), ("GET", {"Host": "admin.internal"}), ("GET", {"Content-Length": "0"}),
    ],
)  # fmt: skip
async def test_a_request_cannot_be_split_or_forged(allow, method: str, headers: dict[str, str]) -> None:
    with allow(Listener(reply())) as listener:
        with pytest.raises(EgressRefused):
            await afetch(method, listener.url(), headers=headers)
        assert listener.connections == 0


async def test_headers_of_ours_cannot_be_doubled(allow) -> None:
    with allow(Listener(reply())) as listener:
        await afetch("GET", listener.url(), headers={"User-Agent": "mine", "Accept-Encoding": "br"})
        assert b"user-agent: mine\r\n" in listener.heard[0]
        assert listener.heard[0].lower().count(b"user-agent") == 1
        assert b"br\r\n" not in listener.heard[0]


async def test_a_stream_is_read_while_it_arrives(allow) -> None:
    def script(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for word in (b"one", b"two"):
            connection.sendall(b"3\r\n" + word + b"\r\n")
            time.sleep(0.1)
        connection.sendall(b"0\r\n\r\n")

    with allow(Listener(script)) as listener:
        began, at = time.monotonic(), []
        async with astream("GET", listener.url()) as answer:
            async for piece in answer.body:
                at.append((piece, time.monotonic() - began))
        assert [piece for piece, _ in at] == [b"one", b"two"]
        assert at[0][1] < 0.09 < at[1][1]


async def test_a_stream_that_is_left_early_ends_its_connection(allow) -> None:
    def script(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")

    with allow(Listener(script)) as listener:
        for count in (1, 2):
            async with astream("GET", listener.url()) as answer:
                assert await anext(answer.body) == b"half"
            assert listener.connections == count


async def test_a_stream_in_gzip_is_bounded_by_what_it_decodes_to(allow) -> None:
    bomb = reply(gzip.compress(bytes(5_000_000)), "Content-Encoding: gzip")
    with allow(Listener(bomb)) as listener, pytest.raises(EgressFailed, match="larger than 100000"):
        await read(astream("GET", listener.url(), max_bytes=100_000))


async def test_a_slow_reader_holds_the_other_side_back(allow) -> None:
    sent = 0

    def flood(connection: socket.socket, request: bytes) -> None:
        nonlocal sent
        connection.settimeout(1)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 50_000_000:
            connection.sendall(bytes(65_536))
            sent += 65_536

    with allow(Listener(flood)) as listener:
        async with astream("GET", listener.url(), max_bytes=100_000_000) as answer:
            await anext(answer.body)
            await asyncio.sleep(0.3)
        assert sent < 20_000_000


async def test_a_stream_ends_at_its_deadline(allow) -> None:
    def drip(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    with allow(Listener(drip)) as listener:
        began = time.monotonic()
        with pytest.raises(EgressFailed, match="too long"):
            await read(astream("GET", listener.url(), timeout=0.4))
        assert time.monotonic() - began < 2


async def test_requests_to_one_host_are_bounded_and_take_turns(allow, monkeypatch) -> None:
    monkeypatch.setattr(pools, "MOST_TO_ONE", 2)

    def slow(connection: socket.socket, request: bytes) -> None:
        time.sleep(0.1)
        connection.sendall(reply())

    with allow(Listener(slow)) as listener:
        answers = await asyncio.gather(*(afetch("GET", listener.url()) for _ in range(6)))
        assert [answer.status for answer in answers] == [200] * 6
        assert listener.connections <= 2
        late = [afetch("GET", listener.url(), timeout=limit) for limit in (2, 2, 0.05, 0.05)]
        ends = await asyncio.gather(*late, return_exceptions=True)
        assert all(isinstance(end, EgressFailed) and "at present" in end.reason for end in ends[2:])


async def test_what_rests_too_long_is_closed(allow, monkeypatch) -> None:
    monkeypatch.setattr(pools, "IDLE_S", 0.05)
    with allow(Listener(reply())) as listener:
        await afetch("GET", listener.url())
        await asyncio.sleep(0.2)
        await afetch("GET", listener.url())
        assert listener.connections == 2


async def test_a_name_with_a_dead_address_is_reached_by_its_next_one() -> None:
    async def two(host: str, port: int) -> tuple[str, ...]:
        return ("127.0.0.2", "127.0.0.1")

    with Listener(reply(b"here")) as listener:
        way = pool(Gate(frozenset({f"shop.example:{listener.port}"}), aresolve=two))
        assert (await afetch("GET", listener.url(host="shop.example"), via=way)).body == b"here"
        way.close()


async def test_nobody_there_is_told_in_words(allow) -> None:
    listener = allow(Listener(reply()))
    listener._server.close()
    with pytest.raises(EgressFailed, match="does not accept connections"):
        await afetch("GET", listener.url())
