"""Every door that sends requests to an address somebody wrote, under every attack on the way out (A001–A016).

The doors: the http node and the llm node of a running flow, the http of a function, an agent's model.
Git is in test_repositories.py.
"""

import asyncio
import gzip
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from billing import destination, variables
from tests.attacks.outgoing import NameServer, table
from tests.billing.listener import Listener, redirect, reply
from tests.runtime import flowstage, stage

pytestmark = pytest.mark.django_db(transaction=True)

FLOWS = {
    "asks": """
listeners:
  - {name: ask, handler: builtin:http, with: {url: "${payload.url}",
     headers: "${payload.headers}"}, peers: [done], onError: sorry}
  - {name: done, handler: builtin:output, with: {body: "${payload}"}}
  - {name: sorry, handler: builtin:output, with: {status: 502, body: "${payload.error}"}}
""",
    "thinks": """
llm:
  retries: 0
  backends: [{provider: mine, base_url: "${vars.where}"}]
listeners:
  - {name: ask, handler: builtin:llm, with: {prompt: x, model: m}, peers: [done], onError: sorry}
  - {name: done, handler: builtin:output, with: {body: "${payload}"}}
  - {name: sorry, handler: builtin:output, with: {status: 502, body: "${payload.error}"}}
""",
}
HOSTS = (
    "127.0.0.1:{0}",
    "localhost:{0}",
    "*.example:{0}",
    "*.example",
    "*.internal",
    "169.254.169.254",
    "example.org:6379",
)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> NameServer:
    return NameServer(monkeypatch)


@pytest.fixture
def inside(settings: Any) -> Iterator[Listener]:
    """A server inside our network, at a port that is open for public hosts."""
    with Listener(reply(b'{"stolen": 1}')) as listener:
        settings.EGRESS_ALLOW = [f"*:{listener.port}"]
        yield listener


@pytest.fixture
async def call(alice: Any, clean_redis: None) -> Any:
    caller = stage.Caller(alice.token)
    yield caller
    await caller.close()


@pytest.fixture
async def flows(call: Any, alice: Any) -> Any:
    await sync_to_async(flowstage.start)(alice, **FLOWS)

    async def go(flow: str, url: str, **more: Any) -> stage.Answer:
        if flow == "thinks":
            await sync_to_async(variables.put)(alice.tenant, "where", url)
        return await call("POST", f"/alice/api/w/{flow}", {"url": url, "headers": {}, **more})

    return go


def asking(person: Any, hosts: list[str]) -> None:
    """A running function that asks for what it is sent."""
    extra = f"http: {{allowedHosts: {json.dumps(hosts)}}}\n"
    stage.run_bundle(person, stage.bundle_files("g", ["http"], extra=extra, POST_http="wasm:http:run"))


@pytest.fixture
async def function(call: Any, alice: Any, inside: Listener) -> Any:
    await sync_to_async(asking)(alice, [host.format(inside.port) for host in HOSTS])

    async def go(url: str, **more: Any) -> stage.Answer:
        return await call("POST", "/alice/api/g/http", {"url": url, **more})

    return go


@pytest.mark.parametrize("flow", FLOWS)
async def test_a_flow_reaches_nothing_inside(
    flows: Any, names: NameServer, inside: Listener, flow: str
) -> None:
    """A001–A006, A009–A011, A013 at the http node and at base_url: refused in words, on the error wire."""
    came_through = {}
    for attack, url in table(inside.port).items():
        answer = await flows(flow, url)
        error = answer.json() if answer.status == 502 else {}
        if error.get("code") != "egress":
            came_through[attack] = answer.status, answer.body
    assert came_through == {}
    assert inside.connections == 0


async def test_a_function_reaches_nothing_inside(function: Any, names: NameServer, inside: Listener) -> None:
    """The same at priostack.http, although its bundle allows these hosts."""
    came_through = {}
    for attack, url in table(inside.port).items():
        answer = await function(url)
        if answer.status != 200 or answer.json() != {"failed": -4}:
            came_through[attack] = answer.status, answer.body
    assert came_through == {}
    assert inside.connections == 0


async def knocks(flows: Any, function: Any, url: str) -> dict[str, Any]:
    """What each door makes of one address: the answer's JSON."""
    told = {flow: (await flows(flow, url)).json() for flow in FLOWS}
    return told | {"function": (await function(url)).json()}


async def test_the_doors_are_open_where_they_should_be(
    flows: Any, function: Any, inside: Listener, settings: Any
) -> None:
    settings.EGRESS_ALLOW = [inside.place]
    told = await knocks(flows, function, inside.url())
    assert len(inside.heard) == 3, told


async def test_a_second_answer_of_the_name_server_is_never_asked_for(
    flows: Any, function: Any, names: NameServer, inside: Listener, settings: Any
) -> None:
    """A007: the connection goes to the address that was judged."""
    names.turns["pinned.example"] = [["127.0.0.1"], ["10.0.0.1"]] * 3
    settings.EGRESS_ALLOW = [f"pinned.example:{inside.port}"]
    for number, go in enumerate(
        (lambda url: flows("asks", url), lambda url: flows("thinks", url), function), 1
    ):
        names.turns["pinned.example"] = [["127.0.0.1"], ["10.0.0.1"]]
        await go(inside.url(host="pinned.example"))
        assert len(inside.heard) == number
    assert set(names.asked) == {"pinned.example"}


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://loopback.example:{port}/", "//127.0.0.1:{port}/",
        "http://169.254.169.254/latest/", "file:///etc/passwd", "gopher://127.0.0.1:{port}/_x",
    ],
)  # fmt: skip
async def test_a_redirect_leads_nowhere_inside(
    flows: Any, function: Any, names: NameServer, inside: Listener, settings: Any, location: str
) -> None:
    """A008: each hop is judged; a model's server is not followed at all."""
    with Listener(redirect(location.format(port=inside.port))) as first:
        settings.EGRESS_ALLOW = [first.place, f"*:{inside.port}"]
        told = {
            "asks": (await flows("asks", first.url())).json(),
            "thinks": (await flows("thinks", first.url())).json(),
        }
        assert told["asks"]["code"] == "egress"
        assert "302" in told["thinks"]["message"]
        assert len(first.heard) == 2
    assert inside.connections == 0


async def test_a_function_follows_no_redirect_inside(
    call: Any, alice: Any, names: NameServer, inside: Listener, settings: Any
) -> None:
    """A008, also when its bundle allows the host that the redirect names."""
    with Listener(redirect(inside.url(host="loopback.example"))) as first:
        settings.EGRESS_ALLOW = [first.place, f"*:{inside.port}"]
        hosts = [first.place, f"loopback.example:{inside.port}"]
        await sync_to_async(asking)(alice, hosts)
        answer = await call("POST", "/alice/api/g/http", {"url": first.url()})
        assert answer.json() == {"failed": -4}
        assert len(first.heard) == 1
    assert inside.connections == 0


FORGED = [
    {"headers": {"host": "admin.internal"}}, {"headers": {"X-A": "1\r\nX-B: 2"}}, {"headers": {"X-A\r\nX-B": "1"}},
    {"headers": {"transfer-encoding": "chunked"}}, {"headers": {"content-length": "1"}},
    {"headers": {"connection": "upgrade"}}, {"headers": {"proxy-authorization": "x"}},
]  # fmt: skip
METHODS = ["GET /x HTTP/1.1\r\nX: y", "CONNECT", "GE T", "G\u0000T"]


async def test_no_door_splits_or_forges_a_request(
    flows: Any, function: Any, inside: Listener, settings: Any
) -> None:
    """A012, A013: host, framing and method are not for the sender to say."""
    settings.EGRESS_ALLOW = [inside.place]
    for more in FORGED:
        assert (await flows("asks", inside.url(), **more)).json()["code"] == "egress", more
        assert (await function(inside.url(), **more)).json() == {"failed": -4}, more
    for method in METHODS:
        assert (await function(inside.url(), method=method)).json() == {"failed": -4}, method
    assert inside.connections == 0


async def test_proxies_and_logins_of_the_server_are_not_ours_to_give(
    flows: Any, function: Any, inside: Listener, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """A015."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login admin password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Listener(reply(b"1")) as proxy:
        settings.EGRESS_ALLOW = [inside.place]
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())
        await knocks(flows, function, inside.url())
        assert proxy.connections == 0
    assert len(inside.heard) == 3
    assert not any(b"uthorization" in heard for heard in inside.heard)


BOMBS = {
    "endless": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 6_000_000,
    "gzip": reply(gzip.compress(bytes(20_000_000)), "Content-Encoding: gzip"),
    "headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000,
    "not HTTP": b"-ERR unknown command\r\n",
    "not gzip": reply(b"hello", "Content-Encoding: gzip"),
    "other packing": reply(b"hello", "Content-Encoding: br"),
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "length below nothing": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc",
}
ODD = {
    "deep": reply(b"[" * 900 + b"]" * 900, "Content-Type: application/json"),
    "deeper": reply(b"[" * 100_000, "Content-Type: application/json"),
    "half a character": reply(b'"\\ud800"', "Content-Type: application/json"),
    "a number without end": reply(b"9" * 50_000, "Content-Type: application/json"),
    "bytes": reply(b"\xff\xfe", "Content-Type: text/plain; charset=utf-7"),
    "header of bytes": reply(b"1", "X-A: \xff"),
}


@pytest.mark.parametrize("bomb", [*BOMBS, *ODD])
async def test_a_hostile_answer_is_a_failure_and_the_next_call_is_served(
    flows: Any, function: Any, inside: Listener, settings: Any, bomb: str
) -> None:
    """A014."""
    good = inside.script
    settings.EGRESS_ALLOW = [inside.place]

    def hostile(connection: socket.socket, request: bytes) -> None:
        connection.sendall((BOMBS | ODD)[bomb])
        connection.shutdown(socket.SHUT_RDWR)

    inside.script = hostile
    asked = await flows("asks", inside.url())
    assert asked.status == (502 if bomb in BOMBS else 200), asked.body
    assert (await flows("thinks", inside.url())).status == 502
    answer = await function(inside.url())
    assert answer.status == (502 if bomb == "deep" else 200), (
        answer.body
    )  # it answers with what it was answered
    assert (answer.body == b'{"failed":-4}') == (bomb in BOMBS), answer.body
    assert len(inside.heard) >= 3
    inside.script = good
    assert (await flows("asks", inside.url())).status == 200


async def test_a_name_server_that_does_not_answer_holds_up_nobody_else(
    function: Any, names: NameServer, inside: Listener, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A006, A014: more look-ups without answer than any shared pool has threads."""
    monkeypatch.setattr(destination, "RESOLVE_SECONDS", 1.0)
    names.turns["quick.example"] = [["127.0.0.1"]]
    settings.EGRESS_ALLOW = [inside.place, f"quick.example:{inside.port}"]
    with names.silent():
        waiting = [asyncio.create_task(function(f"http://s{number}.silent.example/")) for number in range(60)]
        async with asyncio.timeout(5):
            while len(names.asked) < 60:
                await asyncio.sleep(0.01)
        began = time.monotonic()
        assert await asyncio.to_thread(lambda: "journal") == "journal"
        await function(inside.url(host="quick.example"))
        assert time.monotonic() - began < 0.9
        assert len(inside.heard) == 1
        assert {(await answer).body for answer in waiting} == {b'{"failed":-4}'}
