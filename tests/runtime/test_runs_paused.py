"""Runs that are paused: what is under way ends, nothing else begins, and later they go on where they stood."""

import asyncio
import json
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from billing.ids import uuid7
from bundles.models import Bundle, Flow
from runtime import executions, importer, resume, running
from runtime.models import Execution
from tests.fakes.llm import Fake, say, wish
from tests.runtime import flowstage, stage
from tests.runtime.test_agents_parked import AGENT, links, model, over, said
from tests.runtime.test_flow_driven import Outside, call, outside, row, start, work_until

__all__ = ["call", "model", "outside"]  # fixtures that are shared

pytestmark = pytest.mark.django_db(transaction=True)
TWO = """
listeners:
  - {{name: one, handler: "builtin:http", with: {{method: POST, url: "{url}", body: first}}, peers: [two]}}
  - {{name: two, handler: "builtin:http", with: {{method: POST, url: "{url}", body: second}}, peers: [end]}}
  - {{name: end, handler: "builtin:map", with: {{expr: "'over'"}}}}
"""


@pytest.fixture
def gate(outside: str) -> Any:
    """The server outside answers its first request when it is let."""
    gate = Outside.meeting = threading.Barrier(2)
    yield gate
    Outside.meeting = None
    gate.abort()


async def let(gate: threading.Barrier) -> None:
    Outside.meeting = None
    await asyncio.to_thread(gate.wait, 20)


def verb(person: Any, answer: Any, name: str) -> int:
    return int(person.api.post(f"/api/executions/{answer.execution}/{name}").status_code)


@sync_to_async
def told(person: Any) -> str:
    """The one run that is under way is paused, and its process told of it."""
    importer.drain()
    run = str(Execution.objects.get().pk)
    assert person.api.post(f"/api/executions/{run}/pause").status_code == 202
    assert running.beat([run]) == [(run, False)]
    return run


async def under_way(gate: threading.Barrier) -> None:
    async with asyncio.timeout(20):
        while not running._pausers or not gate.n_waiting:
            await asyncio.sleep(0.01)
        while await Execution.objects.acount() == 0:
            await asyncio.sleep(0.02)
            await stage.drain()


async def paused(call: Any, alice: Any, outside: str, gate: threading.Barrier) -> tuple[Any, str]:
    """A call whose first step is under way and whose run was paused: what it will answer, and the run."""
    await start(alice, f=TWO.format(url=outside))
    asked = asyncio.create_task(call("POST", "/alice/api/w/f", {}))
    await under_way(gate)
    return asked, await told(alice)


async def test_a_running_flow_ends_its_step_and_begins_no_other_until_it_may(
    call: Any, alice: Any, outside: str, gate: threading.Barrier
) -> None:
    asked, run = await paused(call, alice, outside, gate)
    running._pausers[run]()
    await let(gate)
    answer = await asyncio.wait_for(asked, 20)
    assert (answer.status, answer.execution) == (202, run)
    await flowstage.history(answer)
    shown = await sync_to_async(lambda: alice.api.get(f"/api/executions/{run}").json())()
    assert (shown["status"], shown["paused"]) == ("waiting", True)
    assert [step["node"] for step in shown["steps"]] == ["one"]
    assert await sync_to_async(executions.claim)("w", 10) == []
    assert [body for body, _ in Outside.seen] == ["first"]
    assert await sync_to_async(verb)(alice, answer, "unpause") == 202
    await sync_to_async(work_until)(over(answer))
    end = await sync_to_async(row)(answer)
    assert (end.status, end.paused, json.loads(end.output)) == ("success", False, "over")
    assert [body for body, _ in Outside.seen] == ["first", "second"]


async def test_a_worker_tells_its_runs_that_they_are_paused(
    call: Any, alice: Any, outside: str, gate: threading.Barrier
) -> None:
    asked, run = await paused(call, alice, outside, gate)
    await running.look([run], renewing=True)
    await let(gate)
    answer = await asyncio.wait_for(asked, 20)
    assert answer.status == 202
    assert (await flowstage.history(answer)).status == "waiting"


async def test_an_agent_that_is_paused_keeps_what_its_tools_said(call: Any, alice: Any, model: Fake) -> None:
    model.brain.turns = [wish(("person", {})), say("Salted.")]
    await start(alice, f=AGENT.format(url=model.url, more=""))
    answer = await call("POST", "/alice/api/w/f", "Cook")
    run = await flowstage.history(answer)
    assert await sync_to_async(verb)(alice, answer, "pause") == 202
    token = (await links(answer))["person"]
    await said(run, token, "salt")
    flow = await Flow.objects.select_related("bundle__tenant").aget(bundle_id=run.bundle_id, name="f")
    assert await sync_to_async(resume.woken)(
        flow, run.pk, token
    )  # nobody waits until a run goes on that is held
    assert await sync_to_async(executions.wake)(timezone.now()) == 0
    assert (await sync_to_async(row)(answer)).status == "waiting"
    assert await sync_to_async(verb)(alice, answer, "unpause") == 202
    await sync_to_async(work_until)(over(answer))
    assert (await sync_to_async(row)(answer)).status == "success"


def a_run(alice: Any, **values: Any) -> Execution:
    bundle = Bundle.objects.first() or flowstage.start(
        alice, f="listeners: [{name: a, handler: 'builtin:output'}]"
    )
    known = {
        "id": uuid7(),
        "tenant": alice.tenant,
        "bundle": bundle,
        "revision": 1,
        "created": timezone.now(),
    }
    return Execution.objects.create(**{**known, "target": "flow:f", "trigger": "manual", **values})


def test_what_is_queued_is_held_and_what_is_over_is_not(alice: Any, charlie: Any, clean_redis: None) -> None:
    queued = a_run(alice, status="queued", due=timezone.now())
    path = f"/api/executions/{queued.pk}"
    assert charlie.api.post(f"{path}/pause").status_code == 404
    assert alice.api.post(f"{path}/unpause").status_code == 409
    assert alice.api.post(f"{path}/pause").json() == {"execution": str(queued.pk), "paused": True}
    assert executions.claim("w", 10) == []
    assert alice.api.post(f"{path}/unpause").status_code == 202
    assert [run.pk for run in executions.claim("w", 10)] == [queued.pk]
    for other in (a_run(alice, status="success"), a_run(alice, status="running", target="wasm:m:f")):
        assert alice.api.post(f"/api/executions/{other.pk}/pause").status_code == 409
        other.refresh_from_db()
        assert not other.paused


def test_a_paused_run_is_cancelled_as_any(alice: Any, clean_redis: None) -> None:
    run = a_run(alice, status="waiting", paused=True)
    assert alice.api.post(f"/api/executions/{run.pk}/cancel").status_code == 202
    run.refresh_from_db()
    assert run.status == "cancelled"


def test_the_page_of_a_run_holds_it_and_lets_it_go(alice: Any, bob: Any, clean_redis: None) -> None:
    run = a_run(alice, status="waiting", due=timezone.now())
    path = f"/runs/{run.pk}"
    assert "run-pause" in alice.client.get(path).content.decode()
    assert "run-pause" not in bob.client.get(path).content.decode()
    page = alice.client.post(f"{path}/pause", follow=True).content.decode()
    run.refresh_from_db()
    assert run.paused
    assert "run-unpause" in page
    assert 'data-status="paused"' in page
    page = alice.client.post(f"{path}/pause", {"off": ""}, follow=True).content.decode()
    run.refresh_from_db()
    assert (run.paused, run.status) == (False, "queued")
    assert "It goes on." in page
