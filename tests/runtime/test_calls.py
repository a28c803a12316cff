"""Calls that do more than echo: long ones, ones that call others, reach out, fall, or are called from other pages."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from billing import secrets
from runtime.models import Execution
from tests.runtime import stage

pytestmark = pytest.mark.django_db(transaction=True)

MODULES = ["echo", "counter", "trapper", "caller", "spin", "logger", "http", "numbers"]
EXTRA = "secrets: [token]\nhttp: {allowedHosts: ['127.0.0.1:*', 'localhost']}\n"
ROUTES = {
    "POST_echo": "wasm:echo:run",
    "POST_call": "wasm:caller:run",
    "POST_count": "wasm:counter:run",
    "POST_spin": "wasm:spin:run",
    "POST_forever": "wasm:trapper:forever",
    "POST_fall": "wasm:trapper:writes_then_traps",
    "POST_badjson": "wasm:trapper:bad_json",
    "POST_log": "wasm:logger:run",
    "POST_http": "wasm:http:run",
    "GET_read": "wasm:echo:run",
    "POST_absent": "wasm:nowhere:run",
    "POST_nofunction": "wasm:echo:nothing",
}


def start(person, extra="", **changes):
    files = stage.bundle_files("w", MODULES, extra=extra, **ROUTES)
    service = files["w.yaml"].decode()
    for old, new in changes.values():
        assert old in service
        service = service.replace(old, new)
    return stage.run_bundle(person, files | {"w.yaml": service.encode()})


@pytest.fixture
async def call(alice, clean_redis):
    caller = stage.Caller(alice.token)
    yield caller
    await caller.close()


@pytest.fixture
def bundle(alice, clean_redis):
    return start(alice)


async def history(answer) -> Execution:
    await stage.drain()
    return await Execution.objects.aget(pk=answer.execution)


async def test_a_long_call_moves_to_a_fiber_and_is_charged_once(call, bundle):
    answer = await call("POST", "/alice/api/w/spin", {"n": 30_000_000})
    assert answer.status == 200, answer.body
    assert 300 <= int(answer.headers["x-compute-units"]) <= 302
    run = await history(answer)
    assert (run.status, run.units_used) == ("success", int(answer.headers["x-compute-units"]))


async def test_an_endless_call_ends_in_504_and_others_go_on(call, bundle):
    import asyncio

    endless = asyncio.create_task(call("POST", "/alice/api/w/forever", {}))
    await asyncio.sleep(0.05)
    assert (await call("POST", "/alice/api/w/echo", {"a": 1})).status == 200
    answer = await endless
    assert answer.status in (502, 504)
    assert (await history(answer)).status in ("timeout", "error")


async def test_a_function_calls_another_and_the_step_is_recorded(call, bundle):
    body = {"target": "wasm:echo:run", "payload": {"deep": True}}
    answer = await call("POST", "/alice/api/w/call", body)
    assert (answer.status, answer.json()) == (200, {"deep": True})
    assert [step["target"] for step in (await history(answer)).steps] == ["wasm:echo:run"]


async def test_what_a_called_function_writes_is_kept(call, bundle):
    for expected in (1, 2):
        answer = await call("POST", "/alice/api/w/call", {"target": "wasm:counter:run", "payload": {}})
        assert (answer.status, answer.json()) == (200, expected)


async def test_what_a_fallen_function_wrote_is_gone(call, bundle):
    answer = await call("POST", "/alice/api/w/fall", {})
    assert (answer.status, answer.headers["content-type"]) == (502, "application/problem+json")
    assert (await call("POST", "/alice/api/w/count", {})).json() == 1
    run = await history(answer)
    assert run.status == "error"
    assert "unreachable" in run.error


async def test_an_answer_that_is_not_json_is_502_with_the_reason(call, bundle):
    answer = await call("POST", "/alice/api/w/badjson", {})
    assert answer.status == 502
    assert "JSON" in answer.json()["detail"]


async def test_absent_modules_and_functions_are_501_and_named(call, bundle):
    module = await call("POST", "/alice/api/w/absent", {})
    function = await call("POST", "/alice/api/w/nofunction", {})
    assert (module.status, function.status) == (501, 501)
    assert "wasm/nowhere.wasm" in module.json()["detail"]
    assert "nothing" in function.json()["detail"]


async def test_guest_logs_are_in_the_history(call, bundle):
    answer = await call("POST", "/alice/api/w/log", {"text": "hello", "n": 2, "level": 2})
    assert [(level, text) for _, level, text in (await history(answer)).logs] == [("warning", "hello")] * 2


async def test_head_answers_as_get_without_a_body(call, bundle):
    answer = await call("HEAD", "/alice/api/w/read")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


async def test_large_answers_are_packed_for_who_takes_it(call, bundle):
    body = {"text": "x" * 5000}
    packed = await call("POST", "/alice/api/w/echo", body, accept_encoding="gzip")
    plain = await call("POST", "/alice/api/w/echo", body)
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body


async def test_cors_is_closed_unless_the_api_opens_it(call, alice, clean_redis):
    from channels.db import database_sync_to_async

    await database_sync_to_async(start)(
        alice, cors=("basePath: /api/w", "basePath: /api/w\n  cors: ['https://shop.example']")
    )
    good, bad = "https://shop.example", "https://evil.example"
    answer = await call("OPTIONS", "/alice/api/w/echo", token=None, origin=good)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, good)
    assert "access-control-allow-credentials" not in answer.headers
    refused = await call("OPTIONS", "/alice/api/w/echo", token=None, origin=bad)
    assert "access-control-allow-origin" not in refused.headers
    real = await call("POST", "/alice/api/w/echo", {}, origin=good)
    assert real.headers["access-control-allow-origin"] == good


async def test_a_public_endpoint_answers_strangers_and_only_it(call, alice, clean_redis):
    from channels.db import database_sync_to_async

    await database_sync_to_async(start)(
        alice, auth=("path: /echo, to: 'wasm:echo:run'", "path: /echo, to: 'wasm:echo:run', auth: public")
    )
    assert (await call("POST", "/alice/api/w/echo", {}, token=None)).status == 200
    assert (await call("POST", "/alice/api/w/count", {}, token=None)).status == 401
    assert (await call("POST", "/alice/api/w/echo", {}, token="ps_wrong")).status == 401


class Outside(BaseHTTPRequestHandler):
    seen: list[str] = []

    def do_POST(self) -> None:
        self.seen.append(self.rfile.read(int(self.headers["content-length"])).decode())
        self.send_response(200)
        self.send_header("content-length", "11")
        self.end_headers()
        self.wfile.write(b'{"ok":true}')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def outside(settings):
    server = HTTPServer(("127.0.0.1", 0), Outside)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.EGRESS_ALLOW = [f"127.0.0.1:{server.server_port}"]
    Outside.seen.clear()
    yield server.server_port
    server.shutdown()


async def test_http_reaches_allowed_hosts_only_and_carries_only_secrets_bound_to_them(call, alice, outside):
    from channels.db import database_sync_to_async

    def prepare():
        secrets.put(alice.tenant, "token", b"canary-4711", ["api.example.org"])
        start(alice, f"secrets: [token]\nhttp: {{allowedHosts: ['127.0.0.1:{outside}']}}\n")

    await database_sync_to_async(prepare)()
    url = f"http://127.0.0.1:{outside}/x"
    good = await call("POST", "/alice/api/w/http", {"method": "POST", "url": url, "body": {"a": 1}})
    assert (good.status, good.json()) == (200, {"ok": True})
    await call("POST", "/alice/api/w/http", {"method": "POST", "url": url, "body": "canary-4711"})
    await call("POST", "/alice/api/w/http", {"method": "POST", "url": "http://localhost:1/", "body": 1})
    assert Outside.seen == ['{"a":1}']


async def test_a_granted_secret_is_masked_in_the_history(call, alice, clean_redis):
    from channels.db import database_sync_to_async

    def prepare():
        secrets.put(alice.tenant, "token", b'can"ary-4711', [])
        start(alice, "secrets: [token]\n")

    await database_sync_to_async(prepare)()
    answer = await call("POST", "/alice/api/w/echo", {"t": 'can"ary-4711'})
    run = await history(answer)
    assert "ary-4711" not in run.input + run.output
    assert "•••" in run.output


async def test_a_body_of_the_largest_size_arrives_whole(call, bundle):
    body = {"text": "x" * (1024 * 1024 - 20)}
    answer = await call("POST", "/alice/api/w/echo", body)
    assert (answer.status, len(answer.body)) == (200, 1024 * 1024 - 9)


async def test_strangers_are_counted_by_the_address_a_known_proxy_tells(settings):
    from runtime.wire import caller

    told = [("x-forwarded-for", "6.6.6.6, 9.9.9.9")]
    assert caller("10.0.0.1", told) == "10.0.0.1"
    settings.FORWARDED_ALLOW = ["10.0.0.1"]
    assert caller("10.0.0.1", told) == "9.9.9.9"
