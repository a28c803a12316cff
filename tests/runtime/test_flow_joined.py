"""Whoever begins to watch a run in its midst learns of its earlier steps first, then of the live ones, of none twice."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from runtime import flowlive, importer
from runtime.models import Execution
from tests.runtime import flowstage, stage
from tests.runtime.watching import ORIGIN, socket, with_key

pytestmark = pytest.mark.django_db(transaction=True)
FLOW = """
listeners:
  - {{name: first, handler: "builtin:map", with: {{expr: "payload"}}, peers: [second]}}
  - {{name: second, handler: "builtin:map", with: {{expr: "payload"}}, peers: [ask]}}
  - {{name: ask, handler: "builtin:http", with: {{url: "{url}"}}, peers: [last]}}
  - {{name: last, handler: "builtin:map", with: {{expr: '"done"'}}}}
"""
PARKED = """
listeners:
  - {name: first, handler: "builtin:map", with: {expr: "payload"}, peers: [pause]}
  - {name: pause, handler: "builtin:wait"}
"""


class Gate(BaseHTTPRequestHandler):
    opened = threading.Event()

    def do_GET(self) -> None:
        Gate.opened.wait(30)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def gate(settings: Any) -> Any:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.EGRESS_ALLOW = [f"127.0.0.1:{server.server_port}"]
    Gate.opened.clear()
    yield f"http://127.0.0.1:{server.server_port}/"
    Gate.opened.set()
    server.shutdown()


@pytest.fixture
async def call(alice: Any, clean_redis: None) -> Any:
    caller = stage.Caller(alice.token)
    yield caller
    await caller.close()


class Viewer:
    """A socket, and the steps it was told of."""

    def __init__(self, run: str, token: str) -> None:
        self.wire: Any = socket(f"/ws/executions/{run}", ORIGIN, with_key(token))
        self.steps: list[str] = []

    async def until(self, node: str) -> list[str]:
        async with asyncio.timeout(15):
            while node not in self.steps:
                told = json.loads(await self.wire.receive_from(10))
                lines = [line for line in told.get("lines", ()) if line["level"] == "step"]
                self.steps += [json.loads(line["text"])["node"] for line in lines]
        return self.steps


async def begun(run: str) -> bool:
    """It is written down that it runs: in the journal, or imported already."""
    return importer.find(run) is not None or await Execution.objects.filter(pk=run).aexists()


async def viewer(run: str, token: str) -> Viewer:
    found = Viewer(run, token)
    assert (await found.wire.connect(10))[0]
    return found


async def test_who_comes_late_sees_all_steps_once(call: Any, alice: Any, gate: str) -> None:
    await sync_to_async(flowstage.start)(alice, f=FLOW.format(url=gate))
    await call.gateway.start()
    flowlive._going.clear()  # tests whose event loop ended in the midst of a run may have left theirs
    asked = asyncio.create_task(call("POST", "/alice/api/w/f", {"a": 1}))
    async with asyncio.timeout(15):
        while not flowlive._going or not await begun(next(iter(flowlive._going))):
            await asyncio.sleep(0.02)
    run = next(iter(flowlive._going))
    one = await viewer(run, alice.token)
    assert await one.until("second") == ["first", "second"]
    two = await viewer(run, alice.token)
    assert await two.until("second") == ["first", "second"]
    Gate.opened.set()
    assert await one.until("last") == ["first", "second", "ask", "last"]
    assert await two.until("last") == ["first", "second", "ask", "last"]
    assert (await asked).json() == "done"
    assert not flowlive._going
    for each in (one, two):
        await each.wire.disconnect()


async def test_a_parked_run_tells_its_steps_from_its_row(call: Any, alice: Any) -> None:
    await sync_to_async(flowstage.start)(alice, f=PARKED)
    answer = await call("POST", "/alice/api/w/f", {"a": 1})
    run = await flowstage.history(answer)
    assert run.status == "waiting"
    late = await viewer(str(run.pk), alice.token)
    assert await late.until("first") == ["first"]
    await late.wire.disconnect()
