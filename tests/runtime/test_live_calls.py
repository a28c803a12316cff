"""A call through the data plane, watched live: the same lines on the socket, at the REST door, and no secret."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from billing import secrets
from tests.runtime import stage
from tests.runtime.watching import ORIGIN, socket, watched, with_key

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "canary-4711-live"


def a_logger(person: Any) -> Any:
    secrets.put(person.tenant, "token", CANARY.encode(), [])
    files = stage.bundle_files("w", ["logger"], extra="secrets: [token]\n", POST_log="wasm:logger:run")
    return stage.run_bundle(person, files)


async def test_live_lines_are_those_of_the_history_and_masked(alice: Any, clean_redis: None) -> None:
    bundle = await sync_to_async(a_logger)(alice)
    call = stage.Caller(alice.token)
    waist = await call.gateway.start()
    wire = socket(f"/ws/bundles/{bundle.pk}/logs", ORIGIN, with_key(alice.token))
    assert (await wire.connect(5))[0]
    assert await wire.receive_json_from(5) == {"lines": []}
    await watched(waist.publisher, bundle.pk)
    answer = await call("POST", "/alice/api/w/log", {"text": f"hello {CANARY}", "n": 2, "level": 2})
    assert answer.status == 200
    live = (await wire.receive_json_from(5))["lines"]
    assert len(live) == 3
    assert CANARY not in str(live)
    assert {line["execution"] for line in live} == {answer.execution}
    assert live[-1]["text"].startswith("success 200 ·")
    path = f"/api/executions/{answer.execution}/logs"
    assert (await sync_to_async(alice.api.get)(path)).json() == {"items": live, "next": None}
    await wire.disconnect()
    await call.close()
