"""The guarded clients against real listeners (ATTACKS A001, A007, A008, A010, A013–A015)."""

import gzip
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from billing.egress import EgressFailed, EgressRefused, Gate, Limits, afetch, client, fetch
from tests.billing.listener import Listener, redirect, reply

QUICK = Limits(connect_s=1, read_s=0.5, total_s=1.0, max_bytes=100_000)


class Resolver:
    """A name server of ours: each look-up takes the next answer."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> tuple[str, ...]:
        self.asked += 1
        return (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0],)


@pytest.fixture
def heard_nothing() -> Iterator[Listener]:
    with Listener(reply(b"secret")) as listener:
        yield listener
        assert listener.connections == 0


@pytest.fixture
def answering(settings) -> Iterator[Listener]:
    with Listener(reply(b"hello", "X-Thing: 1")) as listener:
        settings.EGRESS_ALLOW = [listener.place]
        yield listener


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0.0.0.0", "127.1", "2130706433", "127.0.0.1.", "[::ffff:7f00:1]"]
)
def test_a_loopback_listener_hears_nothing(heard_nothing: Listener, host: str, settings) -> None:
    settings.EGRESS_ALLOW = [f"*:{heard_nothing.port}"]
    with pytest.raises(EgressRefused):
        fetch("GET", heard_nothing.url(host=host))
    with client() as guarded, pytest.raises((EgressRefused, httpx.InvalidURL)):
        guarded.get(heard_nothing.url(host=host))


async def test_the_asynchronous_door_is_as_closed(heard_nothing: Listener, settings) -> None:
    settings.EGRESS_ALLOW = [f"*:{heard_nothing.port}"]
    with pytest.raises(EgressRefused):
        await afetch("GET", heard_nothing.url())
    with pytest.raises(EgressRefused):
        await afetch("GET", heard_nothing.url(host="localhost"))


def test_an_allowed_listener_is_fetched(answering: Listener) -> None:
    answer = fetch("post", answering.url("/a?b=1"), headers={"X-Mine": "yes"}, content=b"body")
    assert (answer.status, answer.body, answer.headers["x-thing"]) == (200, b"hello", "1")
    assert answering.heard[0].startswith(b"POST /a?b=1 HTTP/1.1\r\n")
    assert f"Host: {answering.place}".encode() in answering.heard[0]
    assert b"X-Mine: yes" in answering.heard[0]


async def test_an_allowed_listener_is_fetched_asynchronously(answering: Listener) -> None:
    answer = await afetch("GET", answering.url())
    assert (answer.status, answer.body) == (200, b"hello")


def test_connections_are_kept_between_fetches(answering: Listener) -> None:
    for _ in range(3):
        fetch("GET", answering.url())
    assert answering.connections == 1


def test_the_second_answer_of_a_rebinding_name_server_is_never_asked_for(heard_nothing: Listener) -> None:
    resolver = Resolver("10.255.255.1", "127.0.0.1")
    gate = Gate(frozenset({f"*:{heard_nothing.port}"}), QUICK, resolver)
    with client(gate) as guarded, pytest.raises(EgressRefused):
        guarded.get(heard_nothing.url(host="rebind.example"))
    assert resolver.asked == 1


def test_the_connection_goes_to_the_address_that_was_vetted() -> None:
    with Listener(reply(b"pinned")) as listener:
        resolver = Resolver("127.0.0.1", "10.0.0.1")
        gate = Gate(frozenset({f"shop.example:{listener.port}"}), QUICK, resolver)
        with client(gate) as guarded:
            assert guarded.get(listener.url(host="shop.example")).text == "pinned"
        assert resolver.asked == 1
        assert f"Host: shop.example:{listener.port}".encode() in listener.heard[0]


@pytest.mark.parametrize(
    "scheme", ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://2130706433:{port}/"]
)
def test_a_redirect_to_a_private_address_is_refused(heard_nothing: Listener, scheme: str) -> None:
    with Listener(redirect(scheme.format(port=heard_nothing.port))) as listener:
        gate = Gate(frozenset({listener.place, f"*:{heard_nothing.port}"}), QUICK)
        with client(gate) as guarded, pytest.raises(EgressRefused):
            guarded.get(listener.url())


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "http://[::1]/",
    ],
)
def test_a_redirect_off_the_internet_is_refused(location: str, settings) -> None:
    with Listener(redirect(location)) as listener:
        settings.EGRESS_ALLOW = [listener.place]
        with pytest.raises((EgressRefused, EgressFailed)):
            fetch("GET", listener.url())
        assert len(listener.heard) == 1


def test_redirects_are_bounded(settings) -> None:
    with Listener(redirect("/again")) as listener:
        settings.EGRESS_ALLOW = [listener.place]
        with pytest.raises(EgressFailed, match="redirects"):
            fetch("GET", listener.url())
        assert len(listener.heard) == 6


def test_credentials_do_not_follow_to_another_origin(answering: Listener, settings) -> None:
    with Listener(redirect(answering.url())) as first:
        settings.EGRESS_ALLOW = [first.place, answering.place]
        secrets = {"Authorization": "Bearer canary", "X-Api-Key": "canary", "Cookie": "s=canary"}
        assert fetch("GET", first.url(), headers=secrets).status == 200
        assert first.heard[0].count(b"canary") == 3
        assert b"canary" not in answering.heard[0]


async def test_the_callers_own_rule_is_asked_for_every_hop(answering: Listener, settings) -> None:
    with Listener(redirect(answering.url())) as first:
        settings.EGRESS_ALLOW = [first.place, answering.place]
        asked: list[str] = []

        def permit(url: str) -> None:
            asked.append(url)
            if url == answering.url():
                raise EgressRefused("not among my hosts")

        with pytest.raises(EgressRefused, match="not among my hosts"):
            fetch("GET", first.url(), permit=permit)
        with pytest.raises(EgressRefused, match="not among my hosts"):
            await afetch("GET", first.url(), permit=permit)
        assert asked == [first.url(), answering.url()] * 2
        assert answering.connections == 0


def test_credentials_follow_within_an_origin(settings) -> None:
    def script(connection: socket.socket, request: bytes) -> None:
        connection.sendall(redirect("/there") if b"GET / " in request else reply())

    with Listener(script) as listener:
        settings.EGRESS_ALLOW = [listener.place]
        fetch("GET", listener.url(), headers={"Authorization": "Bearer mine"})
        assert b"Authorization: Bearer mine" in listener.heard[1]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET /x HTTP/1.1\r\nX: y", {}), ("GE T", {}), ("", {}), ("CONNECT", {}),
        ("GET", {"X-A\r\nInjected": "1"}), ("GET", {"X-A": "1\r\nInjected: 1"}),
        ("GET", {"X-A": "1\nInjected: 1"}),
        ("GET", {"X-A": "1\0"}), ("GET", {"X A": "1"}), ("GET", {"": "1"}), ("GET", {"X-A": "☃"}),
        ("GET", {"Host": "admin.internal"}), ("GET", {"Transfer-Encoding": "chunked"}),
        ("GET", {"Content-Length": "0"}),
    ],
)  # fmt: skip
def test_a_request_cannot_be_split_or_forged(
    answering: Listener, method: str, headers: dict[str, str]
) -> None:
    with pytest.raises(EgressRefused):
        fetch(method, answering.url(), headers=headers)
    assert answering.connections == 0


def test_a_client_cannot_claim_another_host(answering: Listener) -> None:
    with client() as guarded, pytest.raises(EgressRefused, match="Host"):
        guarded.get(answering.url(), headers={"Host": "admin.internal"})
    assert answering.connections == 0


def endless(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65_536)


def never_ending_chunk(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;")
    while True:
        connection.sendall(b"a")
        time.sleep(0.05)


def slow_headers(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: y\r\n")
        time.sleep(0.05)


def slow_body(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def many_headers(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1_000_000 + b"\r\n")


def some_headers_too_many(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + b"A: b\r\n" * 300 + b"\r\n")


def silence(connection: socket.socket, request: bytes) -> None:
    time.sleep(5)


def continue_for_ever(connection: socket.socket, request: bytes) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def gzip_bomb(connection: socket.socket, request: bytes) -> None:
    connection.sendall(reply(gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip"))


def unasked_encoding(connection: socket.socket, request: bytes) -> None:
    connection.sendall(reply(b"x", "Content-Encoding: br"))


def cut_gzip(connection: socket.socket, request: bytes) -> None:
    connection.sendall(reply(gzip.compress(b"hello world")[:-9], "Content-Encoding: gzip"))


def not_gzip(connection: socket.socket, request: bytes) -> None:
    connection.sendall(reply(b"hello", "Content-Encoding: gzip"))


def not_http(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"-ERR unknown command\r\n")


BOMBS = [
    endless, never_ending_chunk, slow_headers, slow_body, many_headers, some_headers_too_many, silence,
    continue_for_ever, gzip_bomb, unasked_encoding, cut_gzip, not_gzip, not_http,
]  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.__name__)
def test_a_hostile_answer_ends_in_time_and_in_words(bomb, settings) -> None:
    with Listener(bomb) as listener:
        settings.EGRESS_ALLOW = [listener.place]
        started = time.monotonic()
        with pytest.raises(EgressFailed) as failed:
            fetch("GET", listener.url(), timeout=1.0, max_bytes=100_000)
        assert time.monotonic() - started < 3
        assert failed.value.reason


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.__name__)
async def test_a_hostile_answer_ends_in_time_for_asynchronous_callers(bomb, settings) -> None:
    with Listener(bomb) as listener:
        settings.EGRESS_ALLOW = [listener.place]
        started = time.monotonic()
        with pytest.raises(EgressFailed):
            await afetch("GET", listener.url(), timeout=1.0, max_bytes=100_000)
        assert time.monotonic() - started < 3


def test_gzip_is_decoded_and_counted_decoded(settings) -> None:
    packed = gzip.compress(b"a" * 50_000) + gzip.compress(b"b")
    with Listener(reply(packed, "Content-Encoding: gzip")) as listener:
        settings.EGRESS_ALLOW = [listener.place]
        assert fetch("GET", listener.url(), max_bytes=50_001).body == b"a" * 50_000 + b"b"
        with pytest.raises(EgressFailed, match="larger than 50000"):
            fetch("GET", listener.url(), max_bytes=50_000)


def test_a_shared_client_keeps_no_cookies(settings) -> None:
    with Listener(reply(b"", "Set-Cookie: session=canary; Path=/")) as listener:
        settings.EGRESS_ALLOW = [listener.place]
        fetch("GET", listener.url())
        fetch("GET", listener.url())
        assert b"canary" not in listener.heard[1]


def test_proxies_and_netrc_of_the_server_are_ignored(answering, heard_nothing, monkeypatch, tmp_path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login admin password canary\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, heard_nothing.url())
    with client(Gate(frozenset({answering.place}))) as guarded:
        assert guarded.get(answering.url()).text == "hello"
    assert b"uthorization" not in answering.heard[0]


def test_the_refusal_is_logged(caplog) -> None:
    with client(Gate()) as guarded, pytest.raises(EgressRefused):
        guarded.get("http://localhost/")
    assert "egress refused: destination not allowed: localhost" in caplog.text
