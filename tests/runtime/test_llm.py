"""The llm node and its providers against real servers on loopback (tests/fakes)."""

import json
import subprocess
import sys
import urllib.request
from typing import Any

import pytest

from runtime import llm
from runtime.llm import LlmError, Message, Reply, Request, Tool, ToolCall
from tests.fakes.llm import Fake, refuse, say, wish
from tests.runtime.outsiders import Around, failed, need, value

KEY = "sk-canary-0123456789"
PROVIDERS = ["openai", "anthropic", "ollama", "mine"]
LOOKUP = Tool("lookup", "Finds orders", {"type": "object", "properties": {"id": {"type": "integer"}}})
CONVERSATION = (
    Message("system", "Be brief."),
    Message("user", "Where is order 7?"),
    Message("assistant", "I look.", (ToolCall("call_0", "lookup", {"id": 7}, '{"id": 7}'),)),
    Message("tool", '{"state": "sent"}', call_id="call_0"),
)


def backend(fake: Fake, provider: str = "openai", **more: Any) -> dict[str, Any]:
    base = fake.url if provider == "ollama" else f"{fake.url}/v1"
    return {
        "provider": provider,
        "api_key_env": "llm_key",
        "base_url": base,
        "supported_models": ["*"],
        **more,
    }


def around(settings: Any, *backends: dict[str, Any], fakes: tuple[Fake, ...], **more: Any) -> Around:
    settings.EGRESS_ALLOW = [fake.place for fake in fakes]
    told = {
        key: more.pop(key)
        for key in ("strategy", "retries", "retry_base_delay", "retry_max_delay")
        if key in more
    }
    quick = {"retry_base_delay": 0.01, **told}
    secrets = {"llm_key": (KEY, ("127.0.0.1",)), **more.pop("secrets", {})}
    return Around(llm={**quick, "backends": list(backends)}, secrets=secrets, **more)


async def ask(stage: Around, request: Request) -> Reply:
    return await llm.ask(request, stage.context)


def hello(**more: Any) -> Request:
    return Request((Message("user", "hello"),), model="gpt-5-mini", **more)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_question_is_answered(settings: Any, provider: str) -> None:
    with Fake([say("Good day.")]) as fake:
        stage = around(settings, backend(fake, provider), fakes=(fake,))
        reply = await ask(stage, hello(temperature=0.5, max_tokens=50))
        assert (reply.text, reply.stop, reply.usage.input, reply.usage.output) == ("Good day.", "stop", 11, 7)
        assert reply.backend == provider
        heard = fake.asked[0]
        assert heard.body["model"] == "gpt-5-mini"
        assert KEY in (heard.headers.get("authorization", "") + heard.headers.get("x-api-key", ""))


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_tools_are_offered_and_their_results_are_told(settings: Any, provider: str) -> None:
    with Fake([wish(("lookup", {"id": 8}), text="And order 8?")]) as fake:
        stage = around(settings, backend(fake, provider), fakes=(fake,))
        reply = await ask(stage, Request(CONVERSATION, model="m", tools=(LOOKUP,)))
        assert reply.stop == "tools"
        assert [(call.name, call.arguments) for call in reply.calls] == [("lookup", {"id": 8})]
        heard = fake.asked[0]
        assert heard.tools == ["lookup"]
        assert heard.used() == ["lookup"]
        assert "sent" in json.dumps(heard.messages)
        assert "Be brief." in json.dumps(heard.body)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_stream_gives_pieces_and_then_the_reply(settings: Any, provider: str) -> None:
    with Fake([wish(("lookup", {"id": 8}), text="I look it up for you.")]) as fake:
        stage = around(settings, backend(fake, provider), fakes=(fake,))
        request = Request(CONVERSATION, model="m", tools=(LOOKUP,))
        parts = [part async for part in llm.stream(request, llm.backends(stage.context))]
        reply = parts.pop()
        assert len(parts) > 2
        assert "".join(str(part) for part in parts) == "I look it up for you."
        assert isinstance(reply, Reply)
        assert (reply.text, reply.stop, reply.usage.total) == ("I look it up for you.", "tools", 18)
        assert [(call.name, call.arguments) for call in reply.calls] == [("lookup", {"id": 8})]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_stream_that_breaks_off_is_a_failure(settings: Any, provider: str) -> None:
    with Fake([say("a long text of many pieces", cut=True)] * 9) as fake:
        stage = around(settings, backend(fake, provider), fakes=(fake,))
        with pytest.raises(LlmError):
            _ = [part async for part in llm.stream(hello(), llm.backends(stage.context))]
        assert len(fake.asked) == 1  # something was shown already: nobody starts again


async def test_a_stream_that_cannot_begin_is_tried_elsewhere(settings: Any) -> None:
    with Fake([refuse(500)]) as broken, Fake([say("here")]) as good:
        stage = around(settings, backend(broken), backend(good), fakes=(broken, good))
        parts = [part async for part in llm.stream(hello(), llm.backends(stage.context))]
        assert parts[0] == "here"


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_cut_answer_says_so(settings: Any, provider: str) -> None:
    with Fake([say("and then", length=True)]) as fake:
        reply = await ask(around(settings, backend(fake, provider), fakes=(fake,)), hello())
        assert reply.stop == "length"


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_a_model_that_refuses_is_a_failure(settings: Any, provider: str) -> None:
    with Fake([say("", filtered=True)]) as fake:
        stage = around(settings, backend(fake, provider), fakes=(fake,))
        failure = failed(await llm.perform(need("llm", {"prompt": "x", "model": "m"}), stage.context))
        assert failure.message == f"{provider}: the model refused to answer"
        assert stage.context.tokens.used == 18


async def test_the_node_gives_text(settings: Any) -> None:
    with Fake([say("Good day.")]) as fake:
        stage = around(settings, backend(fake), fakes=(fake,))
        node = need(
            "llm",
            {"prompt": "hello", "system": "Be brief.", "model": "gpt-4o", "temperature": 0, "maxTokens": 9},
        )
        assert value(await llm.perform(node, stage.context)) == "Good day."
        body = fake.asked[0].body
        assert [one["role"] for one in body["messages"]] == ["system", "user"]
        assert (body["temperature"], body["max_tokens"], body["model"]) == (0.0, 9, "gpt-4o")
        assert fake.asked[0].headers["idempotency-key"] == "0190-run:3"
        assert stage.context.tokens.used == 18
        assert stage.logs == [("info", "openai: gpt-4o, 11 + 7 tokens")]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("written", ['{"a": 1}', '```json\n{"a": 1}\n```', ' {"a":1}\n'])
async def test_the_node_gives_the_json_that_was_written(settings: Any, provider: str, written: str) -> None:
    with Fake([say(written)]) as fake:
        stage = around(settings, backend(fake, provider), fakes=(fake,))
        answer = await llm.perform(need("llm", {"prompt": "x", "json": True, "model": "m"}), stage.context)
        assert value(answer) == {"a": 1}
        assert fake.asked[0].json or provider == "anthropic"
        assert "json" in json.dumps(fake.asked[0].body).lower()


async def test_what_is_no_json_fails_and_may_be_tried_again(settings: Any) -> None:
    with Fake([say("Sure! Here it is")]) as fake:
        stage = around(settings, backend(fake), fakes=(fake,))
        failure = failed(await llm.perform(need("llm", {"prompt": "x", "json": True}), stage.context))
        assert (failure.code, failure.retryable) == ("validation", True)


async def test_without_a_prompt_the_payload_is_asked(settings: Any) -> None:
    with Fake() as fake:
        stage = around(settings, backend(fake), fakes=(fake,))
        assert value(await llm.perform(need("llm", {}, {"a": 1}), stage.context)) == 'You said: {"a":1}'


async def test_reasoning_models_are_asked_in_their_own_way(settings: Any) -> None:
    with Fake() as fake:
        stage = around(settings, backend(fake), fakes=(fake,))
        await ask(stage, hello(temperature=0.2, max_tokens=50))
        assert fake.asked[0].body["max_completion_tokens"] == 50
        assert not {"temperature", "max_tokens"} & set(fake.asked[0].body)


async def test_the_model_of_the_backend_is_used_when_none_is_named(settings: Any) -> None:
    with Fake() as fake:
        stage = around(settings, backend(fake, model="house-model"), fakes=(fake,))
        await ask(stage, Request((Message("user", "x"),)))
        assert fake.asked[0].body["model"] == "house-model"


async def test_the_section_of_the_bundle_serves_flows_without_one(settings: Any) -> None:
    with Fake([say("yes")]) as fake:
        settings.EGRESS_ALLOW = [fake.place]
        stage = Around(bundle_llm={"backends": [backend(fake)]}, secrets={"llm_key": (KEY, ("127.0.0.1",))})
        assert (await ask(stage, hello())).text == "yes"


async def test_the_address_may_be_a_variable(settings: Any) -> None:
    with Fake([say("yes")]) as fake:
        stage = around(
            settings,
            backend(fake, base_url="${vars.llm_url}"),
            fakes=(fake,),
            vars={"llm_url": f"{fake.url}/v1"},
        )
        assert (await ask(stage, hello())).text == "yes"


async def test_the_run_pays_with_its_tokens(settings: Any) -> None:
    with Fake() as fake:
        stage = around(settings, backend(fake), fakes=(fake,), tokens=20)
        await ask(stage, hello(max_tokens=500))
        assert fake.asked[0].body["max_completion_tokens"] == 20
        assert stage.context.tokens.left == 2
        await ask(stage, hello())
        failure = failed(await llm.perform(need("llm", {"prompt": "x"}), stage.context))
        assert failure.code == "budget"
        assert len(fake.asked) == 2


async def test_nothing_is_asked_when_no_backend_is_set_up() -> None:
    failure = failed(await llm.perform(need("llm", {"prompt": "x"}), Around().context))
    assert failure.code == "not-available"
    assert "llm:" in failure.message


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"choices":[1]}'[:-1],
        b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"choices":{}}',
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{",
    ],
)
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_malformed_answer_is_a_failure_with_words(settings: Any, provider: str, raw: bytes) -> None:
    with Fake([say("", raw=raw)] * 4) as fake:
        stage = around(settings, backend(fake, provider), fakes=(fake,))
        failure = failed(await llm.perform(need("llm", {"prompt": "x", "model": "m"}), stage.context))
        assert failure.code == "handler"
        assert failure.retryable
        assert len(fake.asked) == 4


@pytest.mark.parametrize("arguments", ["{broken", "[1]", '"text"'])
async def test_arguments_that_are_no_object_are_told_as_such(settings: Any, arguments: str) -> None:
    with Fake([wish(("lookup", arguments))]) as fake:
        reply = await ask(around(settings, backend(fake), fakes=(fake,)), hello(tools=(LOOKUP,)))
        assert reply.calls[0].arguments is None
        assert reply.calls[0].written == arguments


def test_the_fake_runs_by_itself() -> None:
    argv = [sys.executable, "-m", "tests.fakes.llm", "--port", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            base = process.stdout.readline().strip()
            body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
            with urllib.request.urlopen(f"{base}/chat/completions", body, timeout=5) as answer:
                assert json.load(answer)["choices"][0]["message"]["content"] == "You said: hi"
        finally:
            process.kill()
