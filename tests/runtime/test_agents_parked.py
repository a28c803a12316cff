"""Agents whose tools wait for a person: they are put away with their run, and go on where they stood."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from bundles.models import Flow
from runtime import flowstate, importer, resume
from runtime.flowpump import Pump
from runtime.models import Execution
from tests.fakes.llm import Fake, say, wish
from tests.runtime import flowstage
from tests.runtime.test_flow_driven import call, keys, row, start, work_until

__all__ = ["call"]  # a fixture that is shared

pytestmark = pytest.mark.django_db(transaction=True)
AGENT = """
llm: {{backends: [{{provider: openai, base_url: "{url}/v1"}}]}}
memory: 4KiB
listeners:
  - {{name: chef, agent: true, prompt: You cook., peers: [person, count, other]{more}}}
  - {{name: person, handler: "builtin:wait", description: Asks a person, with: {{timeout: 48h}}}}
  - {{name: other, handler: "builtin:wait", description: Asks another, with: {{timeout: 48h}}}}
  - {{name: count, handler: "builtin:memory", description: Counts, with: {{add: n}}}}
"""


@pytest.fixture
def model(settings: Any) -> Iterator[Fake]:
    with Fake() as fake:
        settings.EGRESS_ALLOW = [fake.place]
        yield fake


def told(fake: Fake) -> list[str]:
    """What the model was told of its tools' answers, in its last question."""
    return [message["content"] for message in fake.asked[-1].messages if message["role"] == "tool"]


@sync_to_async
def links(answer: Any) -> dict[str, str]:
    importer.drain()
    found = resume.addresses(Execution.objects.get(pk=answer.execution))
    return {one["node"]: one["url"].rpartition("/")[2] for one in found}


async def parked(answer: Any) -> Execution:
    """The run once it is put away: in the hands of nobody."""
    run = await flowstage.history(answer)
    assert run.status == "waiting"
    return run


async def said(run: Execution, token: str, payload: Any) -> None:
    flow = await Flow.objects.select_related("bundle").aget(bundle_id=run.bundle_id, name="f")
    await sync_to_async(resume.resume)(flow, run.pk, token, payload)


def over(answer: Any) -> Any:
    return lambda: row(answer).completed is not None


async def test_an_agent_is_parked_with_a_person_as_its_tool_and_goes_on_elsewhere(
    call: Any, alice: Any, model: Fake
) -> None:
    model.brain.turns = [wish(("person", {"ask": "salt?"})), say("Salted.")]
    await start(alice, f=AGENT.format(url=model.url, more=""))
    answer = await call("POST", "/alice/api/w/f", "Cook")
    assert answer.status == 202
    run = await parked(answer)
    assert len(model.asked) == 1
    await said(run, (await links(answer))["person"], {"approved": True})
    await sync_to_async(work_until)(over(answer))
    run = await sync_to_async(row)(answer)
    assert (run.status, json.loads(run.output)) == ("success", "Salted.")
    assert told(model) == ['{"approved":true}']
    assert len(model.asked) == 2
    assert await sync_to_async(keys)("tenant:*:flow:*:registry:*") == []


async def test_tools_that_have_answered_do_not_run_again(call: Any, alice: Any, model: Fake) -> None:
    model.brain.turns = [
        wish(("count", {}), ("person", {}), ("other", {})),
        wish(("count", {})),
        say("Done."),
    ]
    await start(alice, f=AGENT.format(url=model.url, more=""))
    answer = await call("POST", "/alice/api/w/f", "Cook")
    run = await parked(answer)
    await said(run, (await links(answer))["other"], "two")

    def waits_for_one() -> bool:
        found = row(answer)
        waits = [one["node"] for one in resume.addresses(found)]
        return found.status == "waiting" and found.leased_until is None and waits == ["person"]

    await sync_to_async(work_until)(waits_for_one)
    assert len(model.asked) == 1
    await said(run, (await links(answer))["person"], "one")
    await sync_to_async(work_until)(over(answer))
    assert told(model) == ["1", "one", "two", "2"]
    assert (await sync_to_async(row)(answer)).status == "success"


async def test_an_agents_time_goes_on_while_it_is_parked(call: Any, alice: Any, model: Fake) -> None:
    model.brain.turns = [wish(("person", {}))]
    await start(alice, f=AGENT.format(url=model.url, more=", timeout: 1h"))
    answer = await call("POST", "/alice/api/w/f", "Cook")
    run = await parked(answer)
    assert run.due is not None
    assert (run.due - run.created).total_seconds() < 3700


async def test_what_a_tool_answered_for_an_agent_that_is_away_is_kept_for_it() -> None:
    live = flowstage.bundle(f=AGENT.format(url="http://127.0.0.1:1", more=""))
    made = flowstage.run(live, "Cook")
    (agent,) = made.pump.needs.values()
    first = made.pump.call(agent.id, "person", b'"?"', "r1_0")
    made.pump.call(agent.id, "other", b'"!"', "r1_1")
    made.pump.advance()
    (wait, _) = (need for need in made.pump.needs.values() if need.kind == "wait")
    made.pump.feed(wait.id, b'"yes"')
    assert made.pump.replies == [(first, b'"yes"')]
    again = Pump(made.plan, made, made.pump.start)
    flowstate.load(again, flowstate.save(made.pump))
    again.advance()
    kinds = sorted(need.kind for need in again.needs.values())
    assert kinds == ["agent", "wait"]
    agent = next(need for need in again.needs.values() if need.kind == "agent")
    call = again.call(agent.id, "person", b'"?"', "r1_0")
    assert again.replies == [(call, b'"yes"')]
    pending = again.call(agent.id, "other", b'"!"', "r1_1")
    again.advance()
    assert sorted(need.kind for need in again.needs.values()) == ["agent", "wait"]
    wait = next(need for need in again.needs.values() if need.kind == "wait")
    again.feed(wait.id, b'"no"')
    assert again.replies[1:] == [(pending, b'"no"')]
    again.feed(agent.id, b'"over"')
    assert again.done
    assert (again.left, again.tools) == (b'"over"', {})


async def test_an_agent_that_took_too_long_thinks_no_further(call: Any, alice: Any, model: Fake) -> None:
    model.brain.turns = [wish(("person", {}))]
    await start(alice, f=AGENT.format(url=model.url, more=", timeout: 300ms"))
    async with asyncio.timeout(20):
        answer = await call("POST", "/alice/api/w/f", "Cook")
    assert answer.status == 502
    assert "longer than 0.3 s" in answer.json()["detail"]
    run = await flowstage.history(answer)
    assert (run.status, len(model.asked)) == ("error", 1)
