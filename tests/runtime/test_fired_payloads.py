"""What a function fires along with a sensor may be any bytes: the run is answered and recorded, the intent gets them."""

from typing import Any

import pytest
import wasmtime
from channels.db import database_sync_to_async

from runtime.models import Execution
from tests.conftest import Person
from tests.runtime import stage

pytestmark = pytest.mark.django_db(transaction=True)

WAT = """(module
  (import "priostack" "fire" (func $fire (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "null")
  (data (i32.const 16) "tick")
  (data (i32.const 32) "%s")
  (func (export "alloc") (param i32) (result i32) (i32.const 8192))
  (func (export "run") (param i32 i32) (result i64)
    (drop (call $fire (i32.const 16) (i32.const 4) (i32.const 32) (i32.const %d)))
    (i64.or (i64.shl (i64.const 8) (i64.const 32)) (i64.const 4))))"""
INTENT = "\n  - {name: hears, whenSensor: tick, toFunc: 'wasm:firer:run'}\n"


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        (b'{"a":1}', {"a": 1}),
        (b"", None),
        (b"{not json}", "{not json}"),
        (b"NaN", "NaN"),
        (b"\xff\x00", {"base64": "/wA="}),
        (b"[" * 3000, "[" * 3000),
        (b"[" * 500 + b"]" * 500, "[" * 500 + "]" * 500),
    ],
    ids=["json", "nothing", "text", "odd", "bytes", "open", "deep"],
)
async def test_any_payload_reaches_the_intent(
    alice: Person, clean_redis: None, payload: bytes, body: Any
) -> None:
    source = WAT % ("".join(f"\\{byte:02x}" for byte in payload), len(payload))
    files = stage.bundle_files("s", [], INTENT, POST_go="wasm:firer:run")
    files["wasm/firer.wasm"] = bytes(wasmtime.wat2wasm(source))
    await database_sync_to_async(stage.run_bundle)(alice, files)
    call = stage.Caller(alice.token)
    try:
        answer = await call("POST", "/alice/api/s/go", {})
    finally:
        await call.close()
    await stage.drain()
    run = await Execution.objects.aget(pk=answer.execution)
    assert (answer.status, run.status) == (200, "success")
    heard = await Execution.objects.aget(parent=run.pk)
    shown = await database_sync_to_async(alice.api.get)(f"/api/executions/{heard.pk}")
    assert (shown.json()["status"], shown.json()["input"]["body"]) == ("queued", body)


def test_a_payload_by_rest_that_is_nested_too_deeply_is_refused_and_nothing_runs(
    alice: Person, clean_redis: None
) -> None:
    files = stage.bundle_files("s", ["echo"], INTENT.replace("firer", "echo"))
    bundle = stage.run_bundle(alice, files)
    deep = "[" * 500 + "]" * 500
    answer = alice.api.post(f"/api/bundles/{bundle.pk}/sensors/tick", deep, content_type="application/json")
    assert answer.status_code == 400
    assert alice.api.get("/api/executions").json()["items"] == []
