"""Prompts as targets of endpoints, intents and functions, as nodes of flows, and as the words of agents."""

import asyncio
from typing import Any

import pytest
from channels.db import database_sync_to_async

from runtime.models import Execution
from runtime.worker import Worker
from tests.fakes.llm import Fake, say
from tests.guests import guest
from tests.runtime import flowstage, prompting, stage
from tests.runtime.prompting import hello

pytestmark = pytest.mark.django_db(transaction=True)

SERVICES = """
services:
  - name: talk
    intents:
      - {name: greet, whenSensor: came, toFunc: 'prompt:hello'}
    api:
      basePath: /api/talk
      endpoints:
        - {name: greet, method: POST, path: /greet, to: 'prompt:hello'}
        - {name: greet_who, method: GET, path: '/greet/:who', to: 'prompt:hello'}
        - {name: flow, method: POST, path: /flow, to: 'flow:f'}
"""


@pytest.fixture
async def start(alice: Any, settings: Any, fake: Fake) -> Any:
    async def started(flow: str = "", more: dict[str, bytes] | None = None, extra: str = "") -> Any:
        flows = {"flows/f.yaml": flowstage.text("f", flow)} if flow else {}

        def made() -> Any:
            prompting.keep_key(alice, settings, fake)
            services = extra or (SERVICES if flow else SERVICES.replace("flow:f", "prompt:hello"))
            return stage.run_bundle(alice, prompting.files(fake, {**flows, **(more or {})}, extra=services))

        return await database_sync_to_async(made)()

    return started


def said(fake: Fake) -> list[str]:
    return [asked.said() for asked in fake.asked]


async def test_an_endpoint_leads_to_a_prompt(call: Any, start: Any, fake: Fake) -> None:
    await start()
    answer = await call("POST", "/alice/api/talk/greet", {"who": "Ann", "times": 3})
    assert (answer.status, answer.json()["execution"]) == (200, answer.execution)
    assert said(fake) == ["Greet Ann!!!"]
    await stage.drain()
    run = await Execution.objects.aget()
    assert (run.service, run.name, run.target) == ("talk", "greet", "prompt:hello")


async def test_an_endpoint_checks_as_strictly_as_the_own_door(call: Any, start: Any, fake: Fake) -> None:
    await start()
    answer = await call("POST", "/alice/api/talk/greet", {"times": 0, "x": 1})
    assert (answer.status, len(answer.json()["errors"])) == (422, 3)
    assert (await call("POST", "/alice/api/talk/greet", [])).status == 422
    assert fake.asked == []


async def test_path_and_query_are_read_by_the_types_of_the_parameters(
    call: Any, start: Any, fake: Fake
) -> None:
    await start()
    assert (await call("GET", "/alice/api/talk/greet/Bo?times=2")).status == 200
    assert said(fake) == ["Greet Bo!!"]
    answer = await call("GET", "/alice/api/talk/greet/Bo?times=many")
    assert (answer.status, answer.json()["errors"][0]["path"]) == (422, "times")


async def test_nobody_writes_the_options_of_a_call_into_a_request(call: Any, start: Any, fake: Fake) -> None:
    await start()
    answer = await call("POST", "/alice/api/talk/greet?dry=1", {"who": "Ann", "prompt": {"dry": True}})
    assert (answer.status, answer.json()["errors"][0]["path"]) == (422, "prompt")


PLAIN = """
listeners:
  - {name: in, handler: "builtin:map", with: {expr: "{'who': payload.name, 'more': 1}"}, peers: [ask]}
  - {name: ask, handler: "prompt:hello", peers: [out]}
  - {name: out, handler: "builtin:output", with: {body: {said: "${payload}"}}}
"""
WRITTEN = """
listeners:
  - name: ask
    handler: prompt:hello
    with: {parameters: {who: "${payload.name}", times: "${payload.n}"}, model: gpt-4.1-mini, maxTokens: 9}
    peers: [out]
  - {name: out, handler: "builtin:output"}
"""
AGENT = """
listeners:
  - {name: boss, agent: true, promptRef: hello, model: gpt-4.1-mini, peers: [out]}
  - {name: out, handler: "builtin:output"}
"""


async def test_a_node_fills_a_prompt_with_the_payload(call: Any, start: Any, fake: Fake) -> None:
    await start(PLAIN)
    fake.brain.turns.append(say("Hi."))
    answer = await call("POST", "/alice/api/talk/flow", {"name": "Ann"})
    assert (answer.status, answer.json()) == (200, {"said": "Hi."}), answer.body
    run = await flowstage.history(answer)
    assert said(fake) == ["Greet Ann!"]
    assert (flowstage.nodes(run), run.status) == (["in", "ask", "out"], "success")


async def test_a_node_says_what_its_prompt_gets_and_which_model_it_asks(
    call: Any, start: Any, fake: Fake
) -> None:
    await start(WRITTEN)
    assert (await call("POST", "/alice/api/talk/flow", {"name": "Ann", "n": 2})).status == 200
    assert said(fake) == ["Greet Ann!!"]
    assert (fake.asked[0].body["model"], 9 in fake.asked[0].body.values()) == ("gpt-4.1-mini", True)


async def test_a_node_without_what_its_prompt_needs_fails(call: Any, start: Any, fake: Fake) -> None:
    await start(PLAIN.replace("payload.name", "7"))
    answer = await call("POST", "/alice/api/talk/flow", {})
    assert (answer.status, answer.json()["code"]) == (502, "validation"), answer.body
    assert "who" in answer.json()["detail"]
    assert fake.asked == []


async def test_an_agent_is_told_the_compiled_prompt(call: Any, start: Any, fake: Fake) -> None:
    await start(AGENT, {"prompts/hello.prmd": hello("You greet {{ who }}, always.")})
    fake.brain.turns.append(say("Done."))
    answer = await call("POST", "/alice/api/talk/flow", {"who": "Ann", "other": 1})
    assert answer.status == 200, answer.body
    system = [one["content"] for one in fake.asked[0].messages if one["role"] == "system"]
    assert system == ["You greet Ann, always."]


async def test_rendering_in_a_flow_is_charged_to_its_contract(call: Any, start: Any, fake: Fake) -> None:
    loop = "{% for a in range(1000) %}{% for b in range(9) %}x{% endfor %}{% endfor %}"
    await start(PLAIN, {"prompts/hello.prmd": hello(loop)})
    answer = await call("POST", "/alice/api/talk/flow", {"name": "Ann"})
    assert answer.status == 200
    assert int(answer.headers["x-compute-units"]) > 90


async def test_an_intent_leads_to_a_prompt(call: Any, start: Any, fake: Fake, alice: Any) -> None:
    bundle = await start()
    await database_sync_to_async(fire)(alice, bundle, {"who": "Ann"})
    await database_sync_to_async(fire)(alice, bundle, {"whom": "Ann"})
    await worked()
    runs = [run async for run in Execution.objects.order_by("created")]
    assert [(run.status, run.http_status) for run in runs] == [("success", 200), ("error", 422)]
    assert said(fake) == ["Greet Ann!"]


def fire(person: Any, bundle: Any, payload: Any) -> None:
    answer = person.client.post(
        f"/api/bundles/{bundle.pk}/sensors/came", payload, content_type="application/json"
    )
    assert answer.status_code == 202, answer.content


async def worked() -> None:
    """A worker, until nothing is queued."""
    runner = Worker()
    runner.start()
    try:
        async with asyncio.timeout(20):
            while await Execution.objects.filter(completed__isnull=False).acount() < 2:
                await asyncio.sleep(0.05)
    finally:
        await asyncio.to_thread(runner.stop)


async def test_a_function_may_call_a_prompt(call: Any, start: Any, fake: Fake) -> None:
    fn = SERVICES.replace("to: 'flow:f'", "to: 'wasm:caller:run'")
    await start(more={"wasm/caller.wasm": guest("caller")}, extra=fn)
    answer = await call("POST", "/alice/api/talk/flow", {"target": "prompt:hello", "payload": {"who": "Ann"}})
    assert answer.status == 200, answer.body
    assert said(fake) == ["Greet Ann!"]


async def test_a_node_and_an_agent_are_rehearsed_while_no_key_is_there(
    call: Any, start: Any, fake: Fake, alice: Any
) -> None:
    """The words of the front matter for the prompt, a summary for the agent; nobody is asked, no tool is called."""
    flow = """
llm: {backends: [{provider: openai}, {provider: rehearsal}]}
listeners:
  - {name: write, handler: 'prompt:hello', peers: [check]}
  - {name: check, agent: true, prompt: You check what is written., peers: [done]}
  - {name: done, handler: builtin:output, with: {body: "${payload}"}}
"""
    head = {"prompts/hello.prmd": hello(prompting.BODY, 'rehearsal: "Good day, {{ who }}!"')}
    await start(flow, head)
    answer = await call("POST", "/alice/api/talk/flow", {"who": "Ann"})
    assert answer.status == 200, answer.body
    assert "no language model was asked" in answer.body.decode()
    assert "“Good day, Ann!”" in answer.body.decode()
    assert fake.asked == []


async def test_json_of_a_prompt_goes_on_as_a_value(call: Any, start: Any, fake: Fake) -> None:
    flow = """
listeners:
  - {name: ask, handler: 'prompt:hello', peers: [done]}
  - {name: done, handler: builtin:output, with: {body: "${payload.mood}"}}
"""
    await start(flow, {"prompts/hello.prmd": hello(prompting.BODY, "json: true")})
    fake.brain.turns.append(say('```json\n{"mood": "good"}\n```'))
    answer = await call("POST", "/alice/api/talk/flow", {"who": "Ann"})
    assert (answer.status, answer.json()) == (200, "good"), answer.body
