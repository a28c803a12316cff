"""The http node against real listeners: what is sent, what comes back, what is refused (ATTACKS A001, A008, A013, A162)."""

import asyncio
import base64
import json
import time
from typing import Any

import pytest

from runtime import flowhttp
from runtime.flowneeds import Failure
from tests.billing.listener import Listener, redirect, reply
from tests.runtime.outsiders import Around, failed, need, value

SECRETS = {"rates": ("canary-of-rates", ("127.0.0.1",)), "bank": ("canary-of-bank", ("bank.example",))}


@pytest.fixture
def allow(settings: Any) -> Any:
    settings.EGRESS_ALLOW = []

    def place(listener: Listener) -> Listener:
        settings.EGRESS_ALLOW = [*settings.EGRESS_ALLOW, listener.place]
        return listener

    return place


async def do(options: dict[str, Any], stage: Around | None = None, **more: Any) -> bytes | Failure:
    return await flowhttp.perform(need("http", options, **more), (stage or Around()).context)


def heard(listener: Listener) -> tuple[str, dict[str, str], str]:
    """Request line, headers and body of the last request."""
    head, _, body = listener.heard[-1].decode().partition("\r\n\r\n")
    line, *headers = head.split("\r\n")
    return line, dict(header.split(": ", 1) for header in headers), body


async def test_a_request_is_sent_as_it_is_described(allow: Any) -> None:
    with allow(Listener(reply(b'{"rate": 1.1}', "Content-Type: application/json"))) as listener:
        options = {
            "method": "POST", "url": listener.url("/rates/EUR?a=1"), "headers": {"X-Mine": 7, "X-None": None},
            "query": {"q": "a b&c", "n": [1, 2], "none": None, "deep": {"x": True}}, "body": {"total": 5},
        }  # fmt: skip
        answer = value(await do(options))
        assert (answer["status"], answer["body"]) == (200, {"rate": 1.1})
        assert answer["headers"]["content-type"] == "application/json"
        line, headers, body = heard(listener)
        assert line == "POST /rates/EUR?a=1&q=a+b%26c&n=1&n=2&deep=%7B%22x%22%3Atrue%7D HTTP/1.1"
        assert headers["x-mine"] == "7"
        assert "x-none" not in headers
        assert headers["content-type"] == "application/json"
        assert headers["idempotency-key"] == "0190-run:3"
        assert json.loads(body) == {"total": 5}


@pytest.mark.parametrize(
    ("url", "query", "target"),
    [
        ("/a#part", {}, "/a"),
        ("/a#part", {"q": None}, "/a"),
        ("/a?x#part", {"q": 1}, "/a?x&q=1"),
        ("?x=ü", None, "/?x=%C3%BC"),
    ],
)
async def test_a_query_stands_before_the_fragment(allow: Any, url: str, query: Any, target: str) -> None:
    with allow(Listener(reply())) as listener:
        await do({"url": f"http://{listener.place}{url}", "query": query})
        assert heard(listener)[0] == f"GET {target} HTTP/1.1"


@pytest.mark.parametrize(
    ("given", "kind", "body"),
    [
        ("plain words", "text/plain; charset=utf-8", "plain words"),
        ([1, 2], "application/json", "[1,2]"),
        (False, "application/json", "false"),
        ({"base64": base64.b64encode(b"bytes").decode()}, "application/octet-stream", "bytes"),
        (None, None, ""),
    ],
)
async def test_a_body_has_its_kind(allow: Any, given: Any, kind: str | None, body: str) -> None:
    with allow(Listener(reply())) as listener:
        await do({"method": "PUT", "url": listener.url(), "body": given})
        assert heard(listener)[1].get("content-type") == kind
        assert heard(listener)[2] == body


async def test_a_content_type_of_ones_own_stays(allow: Any) -> None:
    with allow(Listener(reply())) as listener:
        await do(
            {"method": "POST", "url": listener.url(), "body": "<a/>", "headers": {"Content-Type": "text/xml"}}
        )
        assert heard(listener)[1]["content-type"] == "text/xml"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_what_only_reads_has_no_idempotency_key(allow: Any, method: str) -> None:
    with allow(Listener(reply(b"" if method == "HEAD" else b"ok"))) as listener:
        assert value(await do({"method": method, "url": listener.url()}))["status"] == 200
        assert "idempotency-key" not in heard(listener)[1]


@pytest.mark.parametrize(
    ("kind", "sent", "body"),
    [
        ("application/json; charset=utf-8", b' {"a": [1]} ', {"a": [1]}),
        ("application/problem+json", b'{"a": 1}', {"a": 1}),
        ("application/json", b"not json", "not json"),
        ("text/plain", b"123", "123"),
        ("", b"123", 123),
        ("image/png", b"\x89PNG\xff", {"base64": base64.b64encode(b"\x89PNG\xff").decode()}),
        ("text/html", b"", None),
    ],
)
async def test_an_answer_is_read_by_its_kind(allow: Any, kind: str, sent: bytes, body: Any) -> None:
    with allow(Listener(reply(sent, *([f"Content-Type: {kind}"] if kind else [])))) as listener:
        assert value(await do({"url": listener.url()}))["body"] == body


@pytest.mark.parametrize(
    ("expect", "good"),
    [(None, False), (["2xx"], False), ([404], True), (["4xx"], True), ([200, "404"], True), ("4xx", True)],
)
async def test_expect_tells_good_from_bad(allow: Any, expect: Any, good: bool) -> None:
    with allow(Listener(reply(b"no such rate", status="404 Not Found"))) as listener:
        answer = await do({"url": listener.url(), **({"expect": expect} if expect else {})})
        if good:
            assert value(answer)["status"] == 404
        else:
            failure = failed(answer)
            assert (failure.code, failure.retryable) == ("status", False)
            assert failure.message == "127.0.0.1 answered 404: no such rate"


async def test_a_busy_server_says_when_to_come_again(allow: Any) -> None:
    with allow(Listener(reply(b"", "Retry-After: 7", status="503 Busy"))) as listener:
        failure = failed(await do({"url": listener.url()}))
        assert (failure.retryable, failure.retry_after_s) == (True, 7.0)


async def test_a_slow_server_is_given_up(allow: Any) -> None:
    with allow(Listener(lambda connection, request: time.sleep(2))) as listener:
        failure = failed(await do({"url": listener.url(), "timeout": "200ms"}))
        assert (failure.code, failure.retryable) == ("timeout", True)


async def test_nobody_waits_longer_than_the_run(allow: Any) -> None:
    with allow(Listener(lambda connection, request: time.sleep(2))) as listener:
        stage = Around()
        stage.context.deadline = time.monotonic() + 0.2
        began = time.monotonic()
        assert failed(await do({"url": listener.url(), "timeout": "60s"}, stage)).code == "timeout"
        assert time.monotonic() - began < 1


async def test_a_cancelled_step_hangs_up(allow: Any) -> None:
    ended: list[bool] = []

    def script(connection: Any, request: bytes) -> None:
        connection.settimeout(2)
        ended.append(connection.recv(1) == b"")

    with allow(Listener(script)) as listener:
        task = asyncio.create_task(do({"url": listener.url()}))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.sleep(0.1)
        assert ended == [True]


@pytest.mark.parametrize(
    "options",
    [
        {"url": None}, {"url": 7}, {"url": ""}, {"url": "http://a.example", "timeout": "soon"},
        {"url": "http://a.example", "headers": ["x"]}, {"url": "http://a.example", "query": "x"},
        {"url": "http://a.example", "method": "POST", "body": {"base64": "?"}},
        {"url": "http://a.example", "method": "POST", "body": "x" * (flowhttp.MAX_BYTES + 1)},
    ],
)  # fmt: skip
async def test_options_that_make_no_request_are_a_failure_in_words(options: dict[str, Any]) -> None:
    failure = failed(await do(options))
    assert (failure.code, failure.retryable) == ("validation", False)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/",
        "http://10.0.0.1/", "http://0x7f000001/", "http://[::ffff:169.254.169.254]/", "file:///etc/passwd",
        "gopher://a.example/", "http://public@127.0.0.1/", "http://example.org:6379/", "http://a b.example/",
        "http://example.org/\r\nX: 1", "//example.org/", "http://127.0.0.1\\@example.org/",
    ],
)  # fmt: skip
async def test_where_nobody_may_go_is_refused(url: str) -> None:
    failure = failed(await do({"url": url}))
    assert (failure.code, failure.retryable) == ("egress", False)


@pytest.mark.parametrize(
    "options",
    [
        {"method": "GET /x HTTP/1.1\r\nX: y"}, {"method": "CONNECT"}, {"headers": {"X-A": "1\r\nX-B: 2"}},
        {"headers": {"X-A\r\nX-B": "1"}}, {"headers": {"Host": "admin.internal"}},
        {"headers": {"Transfer-Encoding": "chunked"}}, {"headers": {"Content-Length": "1"}},
        {"headers": {"Connection": "upgrade"}},
    ],
)  # fmt: skip
async def test_a_request_cannot_be_split_or_forged(allow: Any, options: dict[str, Any]) -> None:
    with allow(Listener(reply())) as listener:
        assert failed(await do({"url": listener.url(), **options})).code == "egress"
        assert listener.connections == 0


async def test_a_redirect_inside_is_refused(allow: Any) -> None:
    with Listener(reply(b"inside")) as inside, allow(Listener(redirect(inside.url()))) as first:
        assert failed(await do({"url": first.url()})).code == "egress"
        assert inside.connections == 0


async def test_an_answer_without_end_is_a_failure(allow: Any) -> None:
    def endless(connection: Any, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)

    with allow(Listener(endless)) as listener:
        assert "larger than" in failed(await do({"url": listener.url()})).message


# -- secrets ----------------------------------------------------------------------------------------


def with_secret(
    listener: Listener, name: str, value: str, **more: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options filled in, and as they were written."""
    filled = {"url": listener.url(), "headers": {"authorization": value}, **more}
    return filled, {**filled, "headers": {"authorization": f"${{secret.{name}}}"}}


async def test_a_secret_goes_to_its_host(allow: Any) -> None:
    with allow(Listener(reply())) as listener:
        options, written = with_secret(listener, "rates", "canary-of-rates")
        assert value(await do(options, Around(secrets=SECRETS), written=written))["status"] == 200
        assert heard(listener)[1]["authorization"] == "canary-of-rates"


async def test_a_secret_goes_to_no_other_host(allow: Any) -> None:
    with allow(Listener(reply())) as listener:
        options, written = with_secret(listener, "bank", "canary-of-bank")
        failure = failed(await do(options, Around(secrets=SECRETS), written=written))
        assert failure.message == "the secret “bank” is not bound to 127.0.0.1"
        assert listener.connections == 0


@pytest.mark.parametrize(
    "expression",
    [
        "${secret.bank}",
        "${secret['bank']}",
        '${ secret["bank"] }',
        "${base64.encode(bytes(secret.bank))}",
        "${secret[payload.x]}",
    ],
)
async def test_a_secret_in_disguise_goes_nowhere_else_either(allow: Any, expression: str) -> None:
    with allow(Listener(reply())) as listener:
        filled = {"method": "POST", "url": listener.url(), "body": {"a": ["Y2FuYXJ5"]}}
        written = {**filled, "body": {"a": [expression]}}
        assert failed(await do(filled, Around(secrets=SECRETS), written=written)).code == "egress"
        assert listener.connections == 0


@pytest.mark.parametrize("place", ["url", "header", "body"])
async def test_a_secret_that_came_with_the_payload_goes_nowhere_else_either(allow: Any, place: str) -> None:
    with allow(Listener(reply())) as listener:
        options: dict[str, Any] = {"method": "POST", "url": listener.url()}
        options |= {
            "url": {"url": listener.url("/canary-of-bank")}, "header": {"headers": {"x": "a canary-of-bank"}},
            "body": {"body": {"deep": ["canary-of-bank"]}},
        }[place]  # fmt: skip
        assert failed(await do(options, Around(secrets=SECRETS))).code == "egress"
        assert listener.connections == 0


async def test_a_secret_does_not_follow_a_redirect_to_another_host(allow: Any, settings: Any) -> None:
    with Listener(reply()) as thief:
        with allow(Listener(redirect(f"http://localhost:{thief.port}/"))) as first:
            settings.EGRESS_ALLOW = [first.place, f"localhost:{thief.port}"]
            options, written = with_secret(first, "rates", "canary-of-rates")
            failure = failed(await do(options, Around(secrets=SECRETS), written=written))
        assert "not bound to localhost" in failure.message
        assert thief.connections == 0


async def test_no_secret_is_in_a_failure(allow: Any) -> None:
    with allow(Listener(reply(b"your key canary-of-rates is wrong", status="401 No"))) as listener:
        options, written = with_secret(listener, "rates", "canary-of-rates")
        failure = failed(await do(options, Around(secrets=SECRETS), written=written))
        assert failure.message == "127.0.0.1 answered 401: your key ••• is wrong"
