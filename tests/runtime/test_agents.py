"""The agent loop against a real server: rounds, tools side by side, failures told, output, conversation, budgets."""

import asyncio
import json
import time
from typing import Any

import orjson
import pytest

from runtime import agents
from runtime.agentbuffer import Conversation, pruned
from runtime.agentshape import schema
from runtime.agenttools import peers
from runtime.flowneeds import Failure
from runtime.llm import Message, ToolCall
from tests.fakes.llm import Asked, Fake, refuse, say, wish
from tests.runtime import agent
from tests.runtime.outsiders import Around, failed, value
from tests.runtime.test_llm import PROVIDERS, around, backend


def stage_of(settings: Any, fake: Fake, provider: str = "openai", **tools: Any) -> Around:
    return around(settings, backend(fake, provider), fakes=(fake,), **agent.around(**tools))


def results(asked: Asked) -> list[str]:
    """What the model was told by its tools, in any protocol."""
    found = []
    for message in asked.messages:
        if message["role"] == "tool":
            found.append(message["content"])
        elif isinstance(message["content"], list):
            found += [part["content"] for part in message["content"] if part["type"] == "tool_result"]
    return found


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_agent_uses_its_tools_and_answers(settings: Any, provider: str) -> None:
    with Fake([wish(("look", {"id": 7})), say("It was sent.")]) as fake:
        stage = stage_of(settings, fake, provider, look=lambda given: {"state": "sent", "id": given["id"]})
        assert value(await agents.perform(agent.need("Where is order 7?"), stage.context)) == "It was sent."
        assert stage.called == [("look", {"id": 7})]
        assert [json.loads(one) for one in results(fake.asked[1])] == [{"state": "sent", "id": 7}]
        assert fake.asked[0].tools == ["look"]
        assert agent.PROMPT in json.dumps(fake.asked[0].body)
        assert fake.asked[1].said() == "Where is order 7?"


async def test_tools_are_described_by_their_listeners(settings: Any) -> None:
    with Fake([say("x")]) as fake:
        await agents.perform(
            agent.need({"a": 1}), stage_of(settings, fake, look=lambda given: 1, done=lambda g: g).context
        )
        look, done = [one["function"] for one in fake.asked[0].body["tools"]]
        assert look == {
            "name": "look", "description": "The tool look",
            "parameters": {"type": "object", "additionalProperties": True},
        }  # fmt: skip
        assert done["description"].startswith("The tool done Ends the task")
        assert fake.asked[0].said() == '{"a":1}'


def test_names_are_made_such_that_providers_take_them() -> None:
    names = ["calc.add", "calc_add", "x" * 90, "node"]
    flow = Around(listeners=(agent.listener(*names), *(agent.tool(name) for name in names[:3]))).context.flow
    found = peers(flow, agent.listener(*names))
    assert list(found) == ["calc_add", "calc_add_2", "x" * 64]
    assert [peer.listener.name for peer in found.values()] == names[:3]


def test_a_star_stands_for_everybody_else() -> None:
    flow = Around(listeners=(agent.listener("*"), agent.tool("a"), agent.tool("b"))).context.flow
    assert list(peers(flow, agent.listener("*"))) == ["a", "b"]


@pytest.mark.parametrize(
    ("description", "properties", "required"),
    [
        ("Finds orders: {customer}", {"customer": {}}, ["customer"]),
        (
            "Finds {a: integer, b?: The day, c: LIST} quickly",
            {"a": {"type": "integer"}, "b": {"description": "The day"}, "c": {"type": "array"}}, ["a", "c"],
        ),
        ('Wants {"id": text}', {"id": {"type": "string"}}, ["id"]),
    ],
)  # fmt: skip
def test_a_description_may_tell_the_arguments(description: str, properties: Any, required: list[str]) -> None:
    found = schema(description)
    assert (found["properties"], found["required"]) == (properties, required)


@pytest.mark.parametrize(
    "description", ["", "Finds orders", "{}", "{a b}", "{1}", "{" + "a," * 40 + "b}", "{a, }"]
)
def test_a_description_without_a_shape_takes_any_object(description: str) -> None:
    assert schema(description) == {"type": "object", "additionalProperties": True}


def test_another_agent_is_told_a_text() -> None:
    flow = Around(listeners=(agent.listener("helper"), agent.tool("helper", "Helps", "agent"))).context.flow
    helper = peers(flow, agent.listener("helper"))["helper"]
    assert helper.tool.schema["required"] == ["message"]
    assert helper.payload({"message": "hi"}) == b'"hi"'


async def test_tools_run_side_by_side_and_keep_their_order(settings: Any) -> None:
    async def slow(given: Any) -> Any:
        await asyncio.sleep(0.3 - given["n"] / 10)
        return given["n"]

    with Fake([wish(*[("look", {"n": n}) for n in range(3)]), say("x")]) as fake:
        stage = stage_of(settings, fake, look=slow)
        began = time.monotonic()
        await agents.perform(agent.need("go"), stage.context)
        assert time.monotonic() - began < 0.55
        assert results(fake.asked[1]) == ["0", "1", "2"]


@pytest.mark.parametrize("code", ["routing", "validation", "timeout", "handler"])
async def test_a_failure_of_a_tool_is_told_to_the_model(settings: Any, code: str) -> None:
    with Fake([wish(("look", {})), say("I cannot.")]) as fake:
        stage = stage_of(settings, fake, look=lambda given: Failure(code, "it does not work"))
        assert value(await agents.perform(agent.need("go"), stage.context)) == "I cannot."
        error = json.loads(results(fake.asked[1])[0])["error"]
        assert (error["code"], error["message"]) == (code, "it does not work")


async def test_a_wish_for_what_is_no_peer_is_told_and_may_be_corrected(settings: Any) -> None:
    """In 0.4.0 the thread was silently dead."""
    with Fake([wish(("lok", {})), wish(("look", {})), say("found")]) as fake:
        stage = stage_of(settings, fake, look=lambda given: "here")
        assert value(await agents.perform(agent.need("go"), stage.context)) == "found"
        error = json.loads(results(fake.asked[1])[0])["error"]
        assert error == {
            "code": "routing",
            "message": "there is no tool “lok”; tools: look",
            "retry_allowed": True,
        }
        assert results(fake.asked[2])[1] == "here"


async def test_arguments_that_are_no_object_are_told(settings: Any) -> None:
    with Fake([wish(("look", "{broken")), say("sorry")]) as fake:
        stage = stage_of(settings, fake, look=lambda given: 1)
        assert value(await agents.perform(agent.need("go"), stage.context)) == "sorry"
        assert json.loads(results(fake.asked[1])[0])["error"]["code"] == "validation"
        assert stage.called == []


async def test_an_output_ends_the_run_with_what_it_was_given(settings: Any) -> None:
    with Fake([wish(("done", {"state": "sent"}))]) as fake:
        stage = stage_of(settings, fake, look=lambda given: 1, done=lambda given: given)
        assert value(await agents.perform(agent.need("go"), stage.context)) == {"state": "sent"}
        assert len(fake.asked) == 1


async def test_an_output_that_fails_does_not_end_it(settings: Any) -> None:
    with Fake([wish(("done", {})), say("then so")]) as fake:
        stage = stage_of(settings, fake, done=lambda given: Failure("validation", "status 99"))
        assert value(await agents.perform(agent.need("go", "done"), stage.context)) == "then so"


async def test_an_agent_without_peers_only_talks(settings: Any) -> None:
    with Fake([say("hi")]) as fake:
        stage = stage_of(settings, fake)
        assert value(await agents.perform(agent.need("hello", "gone"), stage.context)) == "hi"
        assert "tools" not in fake.asked[0].body


async def test_rounds_are_counted(settings: Any) -> None:
    with Fake(lambda asked: wish(("look", {}))) as fake:
        stage = stage_of(settings, fake, look=lambda given: 1)
        failure = failed(await agents.perform(agent.need("go", max_iterations=3), stage.context))
        assert (failure.code, failure.message) == ("budget", "the agent did not come to an end in 3 rounds")
        assert len(fake.asked) == 3
        assert stage.context.tokens.used == 3 * 18


async def test_the_conversation_goes_on_in_its_thread(settings: Any) -> None:
    with Fake([wish(("look", {})), say("one"), say("two"), say("new")]) as fake:
        stage = stage_of(settings, fake, look=lambda given: "seen")
        first, second, other = (
            agent.need(text, thread=thread) for text, thread in (("a", "t"), ("b", "t"), ("c", "u"))
        )
        second.step, other.step = 4, 5
        await agents.perform(first, stage.context)
        await agents.perform(second, stage.context)
        assert [one["role"] for one in fake.asked[2].messages] == [
            "system", "user", "assistant", "tool", "assistant", "user",
        ]  # fmt: skip
        await agents.perform(other, stage.context)
        assert [one["role"] for one in fake.asked[3].messages] == ["system", "user"]


async def test_a_step_that_is_done_again_goes_on_where_it_was(settings: Any) -> None:
    """A worker that fell: rounds that were finished are not repeated, the message is not said twice."""
    with Fake([wish(("look", {})), say("late", delay=5), say("found")]) as fake:
        stage = stage_of(settings, fake, look=lambda given: "seen")
        task = asyncio.create_task(agents.perform(agent.need("go"), stage.context))
        while len(fake.asked) < 2:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert value(await agents.perform(agent.need("go"), stage.context)) == "found"
        assert len(stage.called) == 1
        assert [one["role"] for one in fake.asked[2].messages] == ["system", "user", "assistant", "tool"]
        assert fake.asked[1].headers["idempotency-key"] == fake.asked[2].headers["idempotency-key"]


async def test_a_step_that_was_finished_is_not_done_again(settings: Any) -> None:
    with Fake([say("once")]) as fake:
        stage = stage_of(settings, fake)
        for _ in range(2):
            assert value(await agents.perform(agent.need("go"), stage.context)) == "once"
        assert len(fake.asked) == 1


async def test_another_try_begins_anew(settings: Any) -> None:
    with Fake([wish(("look", {})), refuse(400), say("second try")]) as fake:
        stage = stage_of(settings, fake, look=lambda given: "seen")
        assert failed(await agents.perform(agent.need("go"), stage.context)).code == "validation"
        assert value(await agents.perform(agent.need("go", attempt=1), stage.context)) == "second try"
        assert [one["role"] for one in fake.asked[2].messages] == ["system", "user"]


async def test_a_broken_buffer_is_an_empty_one(settings: Any) -> None:
    with Fake([say("x")] * 3) as fake:
        for kept in (b"nope", b"[]", b'{"thread": ""}'):
            stage = stage_of(settings, fake)
            stage.kept = kept
            assert value(await agents.perform(agent.need("go"), stage.context)) == "x"


async def test_a_long_result_is_cut(settings: Any) -> None:
    with Fake([wish(("look", {})), say("x")]) as fake:
        await agents.perform(
            agent.need("go"), stage_of(settings, fake, look=lambda given: "y" * 100_000).context
        )
        assert len(results(fake.asked[1])[0]) < 33_000
        assert results(fake.asked[1])[0].endswith("(cut, 100000 characters)")


def test_a_kept_conversation_begins_with_somebodys_message() -> None:
    call = ToolCall("1", "look", {}, "{}")
    turn = [Message("user", "u" * 1000), Message("assistant", "", (call,)), Message("tool", "x", call_id="1")]
    kept = pruned(turn * 1000)
    assert kept[0].role == "user"
    assert 0 < len(kept) <= 400
    talk = Conversation("t", messages=list(kept))
    assert len(orjson.loads(talk.packed())["messages"]) == len(kept)


async def test_the_prompt_of_a_bundle_is_not_executed_yet(settings: Any) -> None:
    from dataclasses import replace

    from bundles.flow import Handler
    from bundles.target import parse

    node = agent.need("go")
    node.listener = replace(node.listener, handler=Handler("agent", "", parse("prompt:x")))
    assert failed(await agents.perform(node, Around().context)).code == "not-available"
