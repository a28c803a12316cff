"""Waits beside other work: their links work at once, and an answer is heard whatever else the run does."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from bundles.models import Flow
from runtime import flowkeep, importer, resume
from runtime.models import Execution
from tests.runtime import flowstage
from tests.runtime.test_flow_driven import call, row, start, work_until

__all__ = ["call"]  # a fixture that is shared

pytestmark = pytest.mark.django_db(transaction=True)
BESIDE = """
listeners:
  - {{name: top, handler: "builtin:map", with: {{expr: "1"}}, peers: [ask, slow]}}
  - {{name: ask, handler: "builtin:wait", with: {{timeout: 48h}}, peers: [both]}}
  - {{name: slow, handler: "builtin:http", with: {{url: "{url}"}}, peers: [both]}}
  - {{name: both, handler: "builtin:join", peers: [end]}}
  - {{name: end, handler: "builtin:map", with: {{expr: "payload.ask"}}}}
"""


class Door:
    """A server that answers when it is let."""

    def __init__(self) -> None:
        self.open = opened = threading.Event()

        class Behind(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                opened.wait(60)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Behind)
        self.place = f"127.0.0.1:{self.server.server_port}"


@pytest.fixture
def door(settings: Any) -> Iterator[Door]:
    found = Door()
    threading.Thread(target=found.server.serve_forever, daemon=True).start()
    settings.EGRESS_ALLOW = [found.place]
    yield found
    found.open.set()
    found.server.shutdown()


@sync_to_async
def link() -> tuple[Execution, str] | None:
    """The run that is under way, and the token of its wait."""
    importer.drain()
    run = Execution.objects.filter(status__in=("running", "waiting")).first()
    found = resume.addresses(run) if run else []
    return (run, found[0]["url"].rpartition("/")[2]) if run and found else None


async def linked() -> tuple[Execution, str]:
    async with asyncio.timeout(20):
        while (found := await link()) is None:
            await asyncio.sleep(0.02)
    return found


@sync_to_async
def left(run: Execution, token: str) -> bool:
    flow = Flow.objects.get(bundle_id=run.bundle_id, name="f")
    return token in flowkeep.waits(str(run.tenant_id), str(flow.pk), str(run.pk))


async def test_a_wait_beside_a_slow_request_can_be_ended_before_that_is_answered(
    call: Any, alice: Any, door: Door
) -> None:
    await start(alice, f=BESIDE.format(url=f"http://{door.place}/"))
    asked = asyncio.create_task(call("POST", "/alice/api/w/f", {"a": 1}))
    run, token = await linked()
    assert run.status == "running"
    flow = await Flow.objects.select_related("bundle").aget(bundle_id=run.bundle_id, name="f")
    await sync_to_async(resume.resume)(flow, run.pk, token, {"yes": True})
    assert not await left(run, token)
    door.open.set()
    answer = await asked
    assert (answer.status, answer.json()) == (200, {"yes": True})


async def test_an_answer_that_came_while_the_run_was_busy_is_heard_before_it_is_parked(
    call: Any, alice: Any, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.flowdrive.LISTEN_S", 3600.0)
    await start(alice, f=BESIDE.format(url=f"http://{door.place}/"))
    asked = asyncio.create_task(call("POST", "/alice/api/w/f", {"a": 1}))
    run, token = await linked()
    flow = await Flow.objects.aget(bundle_id=run.bundle_id, name="f")
    assert await sync_to_async(flowkeep.give)(str(run.tenant_id), str(flow.pk), str(run.pk), token, 7)
    door.open.set()
    answer = await asked
    assert (answer.status, answer.json()) == (200, 7)


async def test_after_one_answer_only_the_other_link_is_left(call: Any, alice: Any) -> None:
    two = BESIDE.replace(
        'slow, handler: "builtin:http", with: {{url: "{url}"}}', 'slow, handler: "builtin:wait"'
    )
    await start(alice, f=two.format())
    answer = await call("POST", "/alice/api/w/f", {"a": 1})
    run = await flowstage.history(answer)
    tokens = {
        one["node"]: one["url"].rpartition("/")[2] for one in await sync_to_async(resume.addresses)(run)
    }
    flow = await Flow.objects.select_related("bundle").aget(bundle_id=run.bundle_id, name="f")
    await sync_to_async(resume.resume)(flow, run.pk, tokens["slow"], 1)

    def parked_again() -> bool:
        found = row(answer)
        return found.status == "waiting" and [one["node"] for one in resume.addresses(found)] == ["ask"]

    await sync_to_async(work_until)(parked_again)
