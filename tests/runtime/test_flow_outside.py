"""Flows that call servers, language models and agents, through the gateway and the real engine."""

import json
import re
import time
from typing import Any

import pytest
from channels.db import database_sync_to_async

from billing import secrets
from tests.billing.listener import Listener, reply
from tests.fakes.llm import Fake, say, wish
from tests.runtime import flowstage, stage

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "sk-canary-0123456789"


@pytest.fixture
async def call(alice: Any, clean_redis: None) -> Any:
    caller = stage.Caller(alice.token)
    yield caller
    await caller.close()


def models(fake: Fake) -> str:
    return f"""
llm:
  retry_base_delay: 0.01
  backends: [{{provider: mine, api_key_env: llm_key, base_url: "{fake.url}/v1"}}]
"""


async def start(alice: Any, settings: Any, body: str, *places: Any) -> None:
    settings.EGRESS_ALLOW = [place.place for place in places]

    def made() -> None:
        secrets.put(alice.tenant, "llm_key", KEY.encode(), ["127.0.0.1"])
        flowstage.start(alice, "secrets: [llm_key]\n", f=body)

    await database_sync_to_async(made)()


async def run(call: Any, payload: Any) -> Any:
    return await call("POST", "/alice/api/w/f", payload)


async def test_an_http_node_asks_a_server(call: Any, alice: Any, settings: Any) -> None:
    with Listener(reply(b'{"rate": 1.25}', "Content-Type: application/json")) as listener:
        flow = f"""
listeners:
  - name: rate
    handler: builtin:http
    with:
      method: POST
      url: "{listener.url()}rates/${{payload.currency}}"
      headers: {{authorization: "Bearer ${{secret.llm_key}}"}}
      body: "${{payload}}"
    peers: [answer]
  - {{name: answer, handler: builtin:output, with: {{body: "${{payload.body.rate}}"}}}}
"""
        await start(alice, settings, flow, listener)
        answer = await run(call, {"currency": "EUR"})
        assert (answer.status, answer.json()) == (200, 1.25)
        heard = listener.heard[0].decode()
        assert heard.startswith("POST /rates/EUR HTTP/1.1")
        assert f"authorization: Bearer {KEY}" in heard
        assert re.search(rf"idempotency-key: {answer.execution}:\d+\r\n", heard)
        kept = await flowstage.history(answer)
        assert KEY not in json.dumps(kept.steps)


async def test_a_failing_server_goes_along_the_error_wire(call: Any, alice: Any, settings: Any) -> None:
    with Listener(reply(f"wrong key {KEY}".encode(), status="403 No")) as listener:
        flow = f"""
listeners:
  - {{name: rate, handler: builtin:http, with: {{url: "{listener.url()}"}}, onError: sorry}}
  - {{name: sorry, handler: builtin:output, with: {{status: 502, body: "${{payload.error}}"}}}}
"""
        await start(alice, settings, flow, listener)
        answer = await run(call, {})
        assert answer.status == 502
        assert answer.json()["code"] == "status"
        assert "403" in answer.json()["message"]
        assert KEY not in answer.body.decode()


async def test_a_model_is_asked_by_a_node(call: Any, alice: Any, settings: Any) -> None:
    with Fake([say('{"summary": "short"}')]) as fake:
        flow = f"""{models(fake)}
listeners:
  - name: ask
    handler: builtin:llm
    with: {{model: m, prompt: "Sum up: ${{payload.text}}", json: true}}
    peers: [answer]
  - {{name: answer, handler: builtin:output, with: {{body: "${{payload.summary}}"}}}}
"""
        await start(alice, settings, flow, fake)
        answer = await run(call, {"text": "long"})
        assert (answer.status, answer.json()) == (200, "short")
        assert fake.asked[0].said() == "Sum up: long"
        assert fake.asked[0].headers["authorization"] == f"Bearer {KEY}"
        kept = await flowstage.history(answer)
        assert KEY not in json.dumps([kept.steps, kept.error])


AGENT = """
listeners:
  - name: assistant
    agent: true
    prompt: You decide about orders.
    model: m
    peers: [look, total, done]
  - {name: look, handler: "wasm:echo:run", description: Echoes}
  - {name: total, handler: "wasm:trapper:forever", description: Falls, timeout: 1s}
  - {name: done, handler: builtin:output, description: The decision, with: {status: 201, body: "${payload}"}}
"""


async def test_an_agent_uses_functions_as_tools_and_ends_by_an_output(
    call: Any, alice: Any, settings: Any
) -> None:
    script = [wish(("look", {"id": 7})), wish(("done", {"accept": True})), say("never asked")]
    with Fake(script) as fake:
        await start(alice, settings, models(fake) + AGENT, fake)
        answer = await run(call, {"order": 7})
        assert (answer.status, answer.json()) == (201, {"accept": True})
        assert len(fake.asked) == 2
        assert json.loads(fake.asked[1].messages[-1]["content"]) == {"id": 7}
        kept = await flowstage.history(answer)
        assert {"assistant", "look", "done"} <= set(flowstage.nodes(kept))
        assert KEY not in json.dumps(kept.steps)


async def test_a_tool_that_falls_and_one_that_is_no_peer_are_told_to_the_agent(
    call: Any, alice: Any, settings: Any
) -> None:
    with Fake([wish(("total", {}), ("nobody", {})), say("I give up.")]) as fake:
        await start(alice, settings, models(fake) + AGENT, fake)
        answer = await run(call, "go")
        assert (answer.status, answer.json()) == (200, "I give up.")
        codes = [json.loads(one["content"])["error"]["code"] for one in fake.asked[1].messages[-2:]]
        assert codes[1] == "routing"
        assert codes[0] in ("handler", "timeout")


async def test_an_agent_that_never_ends_fails_the_run(call: Any, alice: Any, settings: Any) -> None:
    with Fake(lambda asked: wish(("look", {}))) as fake:
        await start(alice, settings, models(fake) + AGENT, fake)
        answer = await run(call, "go")
        assert answer.status == 502
        assert len(fake.asked) == 5
        assert "rounds" in (await flowstage.history(answer)).error


async def test_the_tokens_of_a_flow_are_its_budget(call: Any, alice: Any, settings: Any) -> None:
    with Fake(lambda asked: wish(("look", {}), usage=(40, 20))) as fake:
        flow = models(fake) + AGENT
        await start(alice, settings, flow, fake)
        settings.EGRESS_ALLOW = [fake.place]
        await database_sync_to_async(flowstage.start)(
            alice,
            "secrets: [llm_key]\n",
            f=flow.replace("listeners:", "max_tokens_per_thread: 100\nlisteners:", 1),
        )
        answer = await run(call, "go")
        assert answer.status == 502
        assert len(fake.asked) == 2


async def test_agents_that_ask_each_other_are_told_and_end(call: Any, alice: Any, settings: Any) -> None:
    """ATTACKS A127: no waiting in a ring until time is up."""

    def script(asked: Any) -> Any:
        told = json.dumps([one for one in asked.messages if one["role"] == "tool"])
        ends = "cannot be asked now" in told or "enough" in told
        return say("enough") if ends else wish((asked.tools[0], {"message": "you?"}))

    flow = """
max_concurrent_per_agent: 1
listeners:
  - {name: a, agent: true, prompt: A, model: m, peers: [b]}
  - {name: b, agent: true, prompt: B, model: m, peers: [a]}
"""
    with Fake(script) as fake:
        await start(alice, settings, models(fake) + flow, fake)
        began = time.monotonic()
        answer = await run(call, "go")
        assert time.monotonic() - began < 20
        assert answer.status == 200
        assert len(fake.asked) == 4


async def test_an_agent_takes_no_place_from_its_tools(call: Any, alice: Any, settings: Any) -> None:
    with Fake([wish(("look", {})), say("seen")]) as fake, Listener(reply(b"1")) as listener:
        flow = f"""{models(fake)}
max_concurrent_handlers: 1
listeners:
  - {{name: a, agent: true, prompt: A, model: m, peers: [look], timeout: 5s}}
  - {{name: look, handler: builtin:http, with: {{url: "{listener.url()}"}}}}
"""
        await start(alice, settings, flow, fake, listener)
        answer = await run(call, "go")
        assert (answer.status, answer.json()) == (200, "seen")


async def test_an_agent_of_a_flow_that_is_called_has_the_peers_of_that_flow(
    call: Any, alice: Any, settings: Any
) -> None:
    inner = """
listeners:
  - {name: helper, agent: true, prompt: H, model: m, peers: [look]}
  - {name: look, handler: "wasm:echo:run"}
"""
    with Fake([wish(("look", {"x": 1})), say("helped")]) as fake:
        settings.EGRESS_ALLOW = [fake.place]
        outer = 'listeners:\n  - {name: ask, handler: "flow:inner"}\n'

        def made() -> None:
            secrets.put(alice.tenant, "llm_key", KEY.encode(), ["127.0.0.1"])
            flowstage.start(alice, "secrets: [llm_key]\n", f=outer, inner=models(fake) + inner)

        await database_sync_to_async(made)()
        answer = await run(call, "go")
        assert (answer.status, answer.json()) == (200, "helped")
        assert fake.asked[0].tools == ["look"]
