"""Hostile functions behind the gateway: they end, they are told apart, and the next call finds all as it was
(A057, A058, A062–A066)."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from wasmtime import wat2wasm

from runtime.models import Execution
from tests.attacks import door
from tests.guests import source
from tests.runtime import stage

pytestmark = pytest.mark.django_db(transaction=True)
KEEPER = """(module
  (memory (export "memory") 4)
  (global $calls (mut i32) (i32.const 0))
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (data (i32.const 16) "01")
  (func $digit (param i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (i32.add (i32.const 16) (local.get 0))) (i64.const 32)) (i64.const 1)))
  ;; marks its global and its whole upper memory, and some that it asks for
  (func (export "mark") (param i32 i32) (result i64)
    (drop (memory.grow (i32.const 8)))
    (global.set $calls (i32.const 1))
    (memory.fill (i32.const 65536) (i32.const 0xAA) (i32.const 700000))
    (call $digit (i32.const 1)))
  ;; 1 when anything of it is left
  (func (export "look") (param i32 i32) (result i64)
    (local $at i32)
    (drop (memory.grow (i32.const 8)))
    (local.set $at (i32.const 65536))
    (if (global.get $calls) (then (return (call $digit (i32.const 1)))))
    (loop $next
      (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (return (call $digit (i32.const 1)))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 700000))))
    (call $digit (i32.const 0))))"""


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("forever", {502, 504}),
        ("overflow", {502}),
        ("outside", {502}),
        ("bad_pointer", {502}),
        ("bad_length", {502}),
        ("bad_json", {502}),
        ("bad_host_pointer", {502}),
        ("writes_then_traps", {502}),
        ("chatters", {502, 504}),
        ("absent", {501}),
        ("memory", {501, 502}),
        ("alloc", {501, 502}),
    ],
)
async def test_it_ends_clearly_and_the_next_call_is_served(
    knock: Any, alice: Any, name: str, statuses: set[int]
) -> None:
    state = await sync_to_async(door.stored)()
    answer = await knock("POST", f"/alice/api/shop/{name}", token=alice.token, body=b"{}")
    assert answer.status in statuses, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["x-compute-units"]) >= 0
    assert await sync_to_async(door.stored)() == state
    assert (await knock("POST", "/alice/api/shop/echo", token=alice.token, body=b"[1]")).body == b"[1]"
    await stage.drain()
    run = await Execution.objects.aget(pk=answer.execution)
    assert run.status in {"error", "timeout"}
    assert run.error


async def test_memory_without_end_is_refused_to_the_guest_alone(knock: Any, alice: Any) -> None:
    answer = await knock("POST", "/alice/api/shop/hoard", token=alice.token, body=b"{}")
    assert (answer.status, answer.body) == (200, b"1")


@pytest.mark.parametrize(
    "said",
    [
        {"status": 99999},
        {"status": -1},
        {"status": 0},
        {"status": 100},
        {"status": 200, "headers": {"x-a": "b\r\nset-cookie: sessionid=1"}},
        {"status": 200, "headers": {"x-a\r\nset-cookie": "1"}},
        {"status": 200, "headers": {"x-a": "b\u0000"}},
        {"status": 200, "headers": {"content-type": "text/html\n\n<script>"}},
        {"status": 200, "headers": {"x-long": "a" * 5000}},
        {"status": 200, "headers": ["set-cookie"]},
        {"status": 200, "headers": {"content-type": "текст"}},
        {"status": 200, "body": {"base64": "%%%"}},
        {"status": 200, "headers": {"x-a": {"b": 1}}},
        {"status": 200, "body": json.loads("[" * 300 + "]" * 300)},
    ],
    ids=lambda said: str(said)[:60],
)
async def test_answers_that_are_none_are_502(knock: Any, alice: Any, said: Any) -> None:
    answer = await knock(
        "POST", "/alice/api/shop/echo", token=alice.token, body=json.dumps(said).encode(), headers=JSON
    )
    assert answer.status == 502, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert "set-cookie" not in answer.headers


JSON = (("content-type", "application/json"),)
FORBIDDEN = {
    "set-cookie": "sessionid=stolen; Path=/",
    "Set-Cookie2": "a=b",
    "access-control-allow-origin": "*",
    "access-control-allow-credentials": "true",
    "content-security-policy": "default-src *",
    "x-content-type-options": "sniff",
    "service-worker-allowed": "/",
    "clear-site-data": '"*"',
    "strict-transport-security": "max-age=0",
    "x-execution-id": "forged",
    "x-compute-units": "0",
    "content-length": "1",
    "transfer-encoding": "chunked",
    "connection": "close",
    "www-authenticate": "Basic",
    "x-accel-redirect": "/internal/secret",
    "x-sendfile": "/etc/passwd",
    "refresh": "0; url=https://evil.example",
    "alt-svc": 'h2="evil.example:443"',
}


async def test_a_function_cannot_set_cookies_or_policies_or_command_the_proxy(knock: Any, alice: Any) -> None:
    said = {
        "status": 200,
        "headers": FORBIDDEN | {"content-type": "text/html", "x-own": "1"},
        "body": "<script>1</script>",
    }
    answer = await knock(
        "POST", "/alice/api/shop/echo", token=alice.token, body=json.dumps(said).encode(), headers=JSON
    )
    assert answer.status == 200
    assert answer.headers["x-own"] == "1"
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    for name, value in FORBIDDEN.items():
        assert answer.headers.get(name.lower()) != value, name


async def test_nothing_of_one_call_is_left_for_the_next_or_for_another_tenant(
    knock: Any, alice: Any, charlie: Any
) -> None:
    module = bytes(wat2wasm(KEEPER))
    for person in (alice, charlie):
        files = stage.bundle_files("k", [], POST_mark="wasm:keeper:mark", POST_look="wasm:keeper:look")
        await sync_to_async(stage.run_bundle)(person, files | {"wasm/keeper.wasm": module})
    for _ in range(10):
        assert (await knock("POST", "/alice/api/k/mark", token=alice.token, body=b"{}")).body == b"1"
        for person in (alice, charlie):
            answer = await knock("POST", f"/{person.tenant.slug}/api/k/look", token=person.token, body=b"{}")
            assert answer.body == b"0", answer.body


async def test_a_guest_that_grows_its_requests_own_numbers_is_metered_alike(knock: Any, alice: Any) -> None:
    answers = [await knock("POST", "/alice/api/shop/count", token=alice.token, body=b"{}") for _ in range(3)]
    assert len({answer.headers["x-compute-units"] for answer in answers}) == 1


async def test_the_source_of_guests_is_never_what_is_run(alice: Any, shop: Any) -> None:
    """Text, native code and damaged modules are refused at upload and change nothing (A060, A061, A067)."""
    before = await sync_to_async(door.counts)()
    good = bytes(wat2wasm(KEEPER))
    socket = '(module (import "wasi:sockets/tcp" "connect" (func)) (memory (export "memory") 1))'
    for data in (
        source("echo").encode(),
        b"",
        b"\0asm",
        good[:40],
        b"\x7fELF" + good[4:],
        good[:4] + b"\x02\0\0\0" + good[8:],
        bytes(wat2wasm(socket)),
        bytes(wat2wasm('(module (import "env" "system" (func (param i32))) (memory (export "memory") 1))')),
        bytes(wat2wasm('(module (memory (export "memory") 65536))')),
    ):
        answer = await sync_to_async(upload)(alice, data)
        assert answer.status_code in {413, 422}, data[:8]
        assert answer.json()["detail"] or answer.json()["errors"]
    assert await sync_to_async(door.counts)() == before


def upload(person: Any, data: bytes) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return person.api.post("/api/modules", {"name": "m", "file": SimpleUploadedFile("m.wasm", data)})
