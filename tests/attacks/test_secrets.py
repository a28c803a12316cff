"""A secret that a function logs, returns, fires and fails with is in no history, log, export or metric
(A161, A162)."""

import io
import zipfile
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from wasmtime import wat2wasm

from billing import secrets
from runtime.models import Execution
from runtime.worker import Worker
from tests.attacks import door
from tests.runtime import stage
from tests.runtime.watching import ORIGIN, publishing, socket, watched, with_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
CANARY = "4815162342108"  # a number, so that it is a whole answer as it stands
GUEST = """(module
  (import "priostack" "secret" (func $secret (param i32 i32) (result i64)))
  (import "priostack" "log" (func $log (param i32 i32 i32)))
  (import "priostack" "fire" (func $fire (param i32 i32 i32 i32) (result i32)))
  (import "priostack" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (global $top (mut i32) (i32.const 1024))
  (func (export "alloc") (param $n i32) (result i32)
    (global.get $top) (global.set $top (i32.add (global.get $top) (local.get $n))))
  (data (i32.const 16) "canary") (data (i32.const 32) "told") (data (i32.const 48) "other")
  (func $tell (result i64) (local $s i64) (local $at i32) (local $n i32)
    (local.set $s (call $secret (i32.const 16) (i32.const 6)))
    (local.set $at (i32.wrap_i64 (i64.shr_u (local.get $s) (i64.const 32))))
    (local.set $n (i32.wrap_i64 (local.get $s)))
    (call $log (i32.const 1) (local.get $at) (local.get $n))
    (drop (call $fire (i32.const 32) (i32.const 4) (local.get $at) (local.get $n)))
    (local.get $s))
  (func (export "run") (param i32 i32) (result i64) (call $tell))
  (func (export "fail") (param i32 i32) (result i64) (drop (call $tell)) (unreachable))
  (func (export "other") (param i32 i32) (result i64)
    (if (i64.ne (call $secret (i32.const 48) (i32.const 5)) (i64.const 0)) (then (unreachable)))
    (i64.or (i64.shl (i64.const 64) (i64.const 32)) (i64.const 1)))
  (data (i32.const 64) "1"))"""
INTENTS = "  - {name: told, whenSensor: told, toFunc: 'wasm:teller:run', cooldown: 1h}"


@pytest.fixture
def telling(alice: Any) -> Any:
    secrets.put(alice.tenant, "canary", CANARY.encode(), [])
    secrets.put(alice.tenant, "other", b"not granted to this bundle", [])
    files = stage.bundle_files(
        "t", [], INTENTS, extra="secrets: [canary]\n", POST_run="wasm:teller:run", POST_fail="wasm:teller:fail",
        POST_other="wasm:teller:other",
    )  # fmt: skip
    return stage.run_bundle(alice, files | {"wasm/teller.wasm": bytes(wat2wasm(GUEST))})


async def test_it_is_in_no_place_that_anybody_reads(telling: Any, alice: Any, bob: Any) -> None:
    async with publishing() as publisher:
        wire = socket(f"/ws/bundles/{telling.pk}/logs", ORIGIN, with_key(alice.token))
        await wire.connect(5)
        await wire.receive_from(5)
        await watched(publisher, telling.pk)
        answers = [
            await door.knock("POST", f"/alice/api/t/{name}", token=alice.token) for name in ("run", "fail")
        ]
        await sync_to_async(work)()
        live = ""
        while not await wire.receive_nothing(0.5):
            live += await wire.receive_from(1)
        await wire.disconnect()
    await door.leave()
    assert answers[0].body.decode() == CANARY, (
        "the function's own caller may have it: that is its author's choice"
    )
    assert CANARY not in answers[1].body.decode()
    assert CANARY not in live
    shown = await sync_to_async(everything)(alice, telling)
    for name, text in shown.items():
        assert CANARY not in text, name


def work() -> None:
    runner = Worker()
    runner.start()
    try:
        for _ in range(100):
            runner.importer.once()
            if (
                Execution.objects.exists()
                and not Execution.objects.filter(status__in=("queued", "running")).exists()
            ):
                break
            runner.ending.wait(0.05)
    finally:
        runner.stop()


def everything(person: Any, bundle: Any) -> dict[str, str]:
    """All places where people and programs read: pages, REST, exports, metrics, audit."""
    runs = list(Execution.objects.values_list("pk", flat=True))
    assert len(runs) >= 3, "two calls and what they fired"
    paths = [
        "/runs", "/dashboard", "/bundles", "/settings/secrets", "/settings/audit", "/api/secrets", "/api/audit",
        "/api/executions", f"/bundles/{bundle.pk}", f"/bundles/{bundle.pk}/log", f"/api/bundles/{bundle.pk}/logs",
        *[f"/api/executions/{run}" for run in runs], *[f"/api/executions/{run}/logs" for run in runs],
        *[f"/runs/{run}" for run in runs],
    ]  # fmt: skip
    told = {path: person.client.get(path).content.decode() for path in paths}
    from runtime.exposition import page

    told["metrics"] = page().decode()
    packed = person.client.get(f"/api/bundles/{bundle.pk}/export")
    with zipfile.ZipFile(io.BytesIO(b"".join(packed) if packed.streaming else packed.content)) as archive:
        told["export"] = "".join(archive.read(name).decode("latin-1") for name in archive.namelist())
    told["rows"] = str(list(Execution.objects.values()))
    return told


async def test_a_secret_that_was_not_granted_is_absent(telling: Any, alice: Any) -> None:
    answer = await door.knock("POST", "/alice/api/t/other", token=alice.token)
    await door.leave()
    assert (answer.status, answer.body) == (200, b"1")


def test_no_role_and_no_key_reads_a_value_again(telling: Any, alice: Any) -> None:
    for client in (alice.client, alice.api):
        for path in (
            "/api/secrets",
            "/api/secrets/canary",
            "/settings/secrets",
            "/settings/secrets?name=canary",
        ):
            assert CANARY not in client.get(path).content.decode()
    changed = alice.client.put(
        "/api/secrets/canary", {"value": CANARY, "hosts": []}, content_type="application/json"
    )
    assert CANARY not in changed.content.decode()
    wrong = alice.client.put("/api/secrets/canary", {"value": {"a": CANARY}}, content_type="application/json")
    assert wrong.status_code == 422
    assert CANARY not in wrong.content.decode()
