"""The provider rehearsal: deterministic, marked, and only where somebody said so and nobody has a key."""

from typing import Any

import pytest

from runtime import llm
from runtime.llm import LlmError, Message, Reply, Request
from tests.fakes.llm import Fake, refuse
from tests.runtime.outsiders import Around, failed, need, value
from tests.runtime.test_llm import around, ask, backend, hello

ALONE = {"backends": [{"provider": "rehearsal"}]}
NO_KEY = [{"provider": "openai", "api_key_env": "nowhere"}]


def question(text: str = "Where is order 7?", **more: Any) -> Request:
    return Request((Message("system", "Be brief."), Message("user", text)), **more)


async def test_it_says_what_it_was_asked_and_that_it_is_none() -> None:
    stage = Around(llm=ALONE)
    first, again = await ask(stage, question()), await ask(stage, question())
    assert first == again
    assert (first.model, first.backend, first.cost) == ("rehearsal", "rehearsal", 0)
    assert "no language model was asked" in first.text
    assert "“Where is order 7?”" in first.text
    assert first.usage.input > 3
    assert first.usage.output > 10


async def test_a_long_question_is_shortened_and_an_answer_has_its_limit() -> None:
    stage = Around(llm=ALONE)
    assert len((await ask(stage, question("word " * 5000))).text) < 600
    short = await ask(stage, question(max_tokens=3))
    assert (short.usage.output, short.stop) == (3, "length")


async def test_streamed_it_says_the_same_token_by_token() -> None:
    stage = Around(llm=ALONE)
    parts = [part async for part in llm.stream(question(), llm.backends(stage.context))]
    *pieces, reply = parts
    assert isinstance(reply, Reply)
    assert len(pieces) == reply.usage.output
    assert "".join(str(piece) for piece in pieces) == reply.text == (await ask(stage, question())).text


async def test_json_that_is_asked_for_is_json() -> None:
    stage = Around(llm=ALONE)
    told = await llm.perform(need("llm", {"prompt": "How many?", "json": True}), stage.context)
    assert value(told) == {"rehearsal": True, "words": 2, "asked": "How many?"}


async def test_a_missing_key_is_an_error_where_nobody_said_otherwise() -> None:
    answer = await llm.perform(need("llm", {"prompt": "Hi"}), Around(llm={"backends": NO_KEY}).context)
    assert failed(answer).code == "not-available"
    assert (
        "no language model is set up" in failed(await llm.perform(need("llm", {}), Around().context)).message
    )


async def test_a_node_says_what_it_answers_while_no_key_is_there() -> None:
    for section in ({"backends": NO_KEY}, {}):
        stage = Around(llm=section)
        told = await llm.perform(need("llm", {"prompt": "Hi", "rehearsal": "Good day."}), stage.context)
        assert value(told) == "Good day."
        assert "rehearsal, no language model is asked" in stage.logs[0][1]
    as_json = {"prompt": "Hi", "json": True, "rehearsal": {"mood": "good"}}
    assert value(await llm.perform(need("llm", as_json), Around().context)) == {"mood": "good"}


async def test_with_a_key_the_model_is_asked_whatever_the_order(settings: Any) -> None:
    with Fake() as fake:
        first = {"provider": "rehearsal", "priority": 0}
        stage = around(settings, first, backend(fake, priority=5), fakes=(fake,))
        assert (await ask(stage, hello(rehearsal=lambda: "no"))).text == "You said: hello"


@pytest.mark.parametrize("status", [401, 404, 429, 500])
async def test_it_never_stands_in_for_a_model_that_fails(settings: Any, status: int) -> None:
    with Fake(lambda asked: refuse(status)) as fake:
        stage = around(settings, backend(fake), {"provider": "rehearsal"}, fakes=(fake,), retries=1)
        with pytest.raises(LlmError, match=f"answered {status}"):
            await ask(stage, hello(rehearsal=lambda: "no"))


async def test_nor_for_a_key_that_may_not_go_there(settings: Any) -> None:
    with Fake() as fake:
        secrets = {"llm_key": ("sk-canary-0123456789", ("api.openai.com",))}
        stage = around(settings, backend(fake), {"provider": "rehearsal"}, fakes=(fake,), secrets=secrets)
        with pytest.raises(LlmError, match="not bound") as problem:
            await ask(stage, hello())
        assert problem.value.code == "egress"


async def test_nor_for_a_model_that_no_backend_has(settings: Any) -> None:
    with Fake() as fake:
        only = backend(fake, supported_models=["small"])
        stage = around(settings, only, {"provider": "rehearsal"}, fakes=(fake,))
        with pytest.raises(LlmError, match="has the model"):
            await ask(stage, Request((Message("user", "hi"),), model="large"))


async def test_one_missing_key_of_two_leaves_the_other_to_answer(settings: Any) -> None:
    with Fake() as fake:
        stage = around(settings, *NO_KEY, backend(fake), fakes=(fake,))
        assert (await ask(stage, hello(rehearsal=lambda: "no"))).text == "You said: hello"


async def test_an_agent_that_rehearses_calls_no_tools() -> None:
    tool = llm.Tool("pay", "Pays at once")
    reply = await ask(Around(llm=ALONE), Request((Message("user", "Pay!"),), tools=(tool,)))
    assert (reply.calls, reply.stop) == ((), "stop")


async def test_its_tokens_are_paid_from_those_of_the_run() -> None:
    stage = Around(llm=ALONE, tokens=40)
    await ask(stage, question())
    used = stage.context.tokens.used
    assert 20 < used < 40
    await ask(stage, question())
    assert stage.context.tokens.used == used * 2 > 40
    with pytest.raises(LlmError, match="has used its"):
        await ask(stage, question())


async def test_what_a_server_said_is_told_before_that_another_has_no_key(settings: Any) -> None:
    with Fake(lambda asked: refuse(401, "bad key")) as fake:
        for places in ([backend(fake), *NO_KEY], [*NO_KEY, backend(fake)]):
            stage = around(settings, *places, fakes=(fake,))
            with pytest.raises(LlmError, match="bad key"):
                await ask(stage, hello())
