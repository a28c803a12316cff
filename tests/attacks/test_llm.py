"""Language models under attack (ATTACKS A001, A008, A014, A016, A125–A129, A161, A162): keys, addresses, loops, bombs."""

import gzip
import json
import logging
import time
from typing import Any

import pytest

from runtime import agents, llm
from tests.billing.listener import Listener, redirect, reply
from tests.fakes.llm import Fake, Turn, refuse, say, wish
from tests.runtime import agent
from tests.runtime.outsiders import Around, failed, need, value
from tests.runtime.test_llm import KEY, PROVIDERS, around, backend

ASK = need("llm", {"prompt": "x", "model": "m"})


def of(url: str, **more: Any) -> dict[str, Any]:
    return {"provider": "openai", "api_key_env": "llm_key", "base_url": url, **more}


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "169.254.169.254", "[::ffff:7f00:1]"]
)
async def test_an_address_inside_is_refused_and_hears_nothing(settings: Any, host: str) -> None:
    with Listener(reply(b"{}")) as listener:
        settings.EGRESS_ALLOW = [f"*:{listener.port}"]
        stage = Around(
            llm={"backends": [{"provider": "mine", "base_url": f"http://{host}:{listener.port}/v1"}]}
        )
        failure = failed(await llm.perform(ASK, stage.context))
        assert (failure.code, failure.retryable) == ("egress", False)
        assert listener.connections == 0


async def test_ollama_of_the_server_itself_is_out_of_reach() -> None:
    failure = failed(await llm.perform(ASK, Around(llm={"backends": [{"provider": "ollama"}]}).context))
    assert failure.code == "egress"


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_key_does_not_go_to_a_host_it_is_not_bound_to(settings: Any, provider: str) -> None:
    """A128: setting base_url to a server of one's own does not bring the key there."""
    with Fake() as thief:
        settings.EGRESS_ALLOW = [thief.place]
        stage = Around(
            llm={"backends": [of(f"{thief.url}/v1", provider=provider)]},
            secrets={"llm_key": (KEY, ("api.openai.com",))},
        )
        failure = failed(await llm.perform(ASK, stage.context))
        assert "not bound to 127.0.0.1" in failure.message
        assert thief.asked == []


async def test_a_redirect_is_not_followed_with_a_key(settings: Any) -> None:
    with Listener(reply(b"{}")) as thief, Listener(redirect(thief.url("/v1/chat/completions"))) as first:
        settings.EGRESS_ALLOW = [first.place, thief.place]
        stage = Around(llm={"backends": [of(first.url("/v1"))]}, secrets={"llm_key": (KEY, ("127.0.0.1",))})
        failure = failed(await llm.perform(ASK, stage.context))
        assert "302" in failure.message
        assert thief.connections == 0


async def test_a_key_in_the_file_is_refused(settings: Any) -> None:
    with Fake() as fake:
        settings.EGRESS_ALLOW = [fake.place]
        written = {"provider": "openai", "api_key": KEY, "base_url": f"{fake.url}/v1"}
        failure = failed(await llm.perform(ASK, Around(llm={"backends": [written]}).context))
        assert "does not belong in a file" in failure.message
        assert KEY not in failure.message
        assert fake.asked == []


async def test_a_secret_that_the_bundle_does_not_name_is_not_there(settings: Any) -> None:
    with Fake() as fake:
        settings.EGRESS_ALLOW = [fake.place]
        failure = failed(await llm.perform(ASK, Around(llm={"backends": [of(f"{fake.url}/v1")]}).context))
        assert failure.code == "not-available"
        assert fake.asked == []


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_the_key_is_in_no_error_log_or_step(
    settings: Any, caplog: Any, provider: str, status: int
) -> None:
    """A161: providers like to repeat the key in what they say about it."""
    caplog.set_level(logging.DEBUG)
    told = refuse(status, f"Incorrect API key provided: {KEY}\r\nX-Injected: yes")
    with Fake([told] * 9) as fake:
        stage = around(settings, backend(fake, provider), fakes=(fake,))
        failure = failed(await llm.perform(ASK, stage.context))
        everything = [failure.message, str(failure), repr(stage.context.bundle.bound), *map(str, stage.logs)]
        assert "•••" in failure.message
        assert "\n" not in failure.message
        assert not any(KEY in text for text in everything)
        assert KEY not in caplog.text


@pytest.mark.parametrize("field", ["prompt", "system"])
async def test_a_secret_in_what_is_asked_is_refused(settings: Any, field: str) -> None:
    """A125: secrets are never in prompts, wherever the prompt goes."""
    with Fake() as fake:
        stage = around(
            settings, backend(fake), fakes=(fake,), secrets={"rates": ("canary-of-rates", ("127.0.0.1",))}
        )
        asked = need("llm", {"prompt": "x", "model": "m", field: "use canary-of-rates"})
        assert failed(await llm.perform(asked, stage.context)).code == "validation"
        assert fake.asked == []


async def test_a_header_cannot_be_forged_by_a_key(settings: Any) -> None:
    with Fake() as fake:
        settings.EGRESS_ALLOW = [fake.place]
        stage = Around(
            llm={"backends": [of(f"{fake.url}/v1")]}, secrets={"llm_key": ("a\r\nX-Evil: 1", ("127.0.0.1",))}
        )
        failure = failed(await llm.perform(ASK, stage.context))
        assert failure.code == "egress"
        assert "X-Evil" not in failure.message
        assert fake.asked == []


BOMBS = {
    "endless": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 20_000_000,
    "gzip": reply(gzip.compress(bytes(100_000_000)), "Content-Encoding: gzip"),
    "deep": reply(b"[" * 100_000),
    "headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000,
    "calls": reply(
        json.dumps(
            {
                "choices": [
                    {
                        "message": {
                            "content": None,
                            "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]
                            * 10_000,
                        }
                    }
                ]
            }
        ).encode()
    ),
}


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_bomb_for_an_answer_ends_in_words_and_in_time(settings: Any, bomb: str) -> None:
    with Fake(lambda asked: say("", raw=BOMBS[bomb])) as fake:
        stage = around(settings, backend(fake), fakes=(fake,), retries=0)
        began = time.monotonic()
        answer = await llm.perform(ASK, stage.context)
        assert time.monotonic() - began < 5
        assert answer == b'""' if bomb == "calls" else failed(answer).code == "handler"


async def test_a_line_without_end_in_a_stream_is_given_up(settings: Any) -> None:
    endless = b"HTTP/1.1 200 OK\r\n\r\ndata: " + b"x" * 7_000_000
    with Fake([say("", raw=endless)]) as fake:
        stage = around(settings, backend(fake), fakes=(fake,), retries=0)
        request = llm.Request((llm.Message("user", "x"),), model="m")
        with pytest.raises(llm.LlmError, match="bearable"):
            _ = [part async for part in llm.stream(request, llm.backends(stage.context))]


async def test_an_agent_without_end_ends(settings: Any) -> None:
    """A127: a model that calls tools for ever."""
    with Fake(lambda asked: wish(("look", {}))) as fake:
        stage = around(
            settings, backend(fake), fakes=(fake,), **agent.around(look=lambda given: {"more": True})
        )
        failure = failed(await agents.perform(agent.need("go", max_iterations=4), stage.context))
        assert failure.code == "budget"
        assert len(fake.asked) == 4


async def test_an_agent_stops_when_the_run_has_no_tokens_left(settings: Any) -> None:
    """A129."""
    with Fake(lambda asked: wish(("look", {}), usage=(400, 100))) as fake:
        more = agent.around(look=lambda given: {"more": True})
        stage = around(settings, backend(fake), fakes=(fake,), tokens=1200, **more)
        assert (
            failed(await agents.perform(agent.need("go", max_iterations=100), stage.context)).code == "budget"
        )
        assert len(fake.asked) == 3


async def test_only_peers_are_tools_whatever_the_model_wishes(settings: Any) -> None:
    """A125: a page that was read asks for the wallet, the flow's other nodes, the platform."""
    names = ["wallet", "delete_flow", "secret-node", "node", "__class__", "look ", "LOOK\n"]
    with Fake([wish(*[(name, {}) for name in names]), say("done")]) as fake:
        stage = around(settings, backend(fake), fakes=(fake,), **agent.around(look=lambda given: {}))
        assert value(await agents.perform(agent.need("go"), stage.context)) == "done"
        assert stage.called == []
        answers = [one for one in fake.asked[1].messages if one["role"] == "tool"]
        assert len(answers) == len(names)
        assert all("routing" in one["content"] for one in answers)
        told = {one["content"].replace(name, "") for one, name in zip(answers[:3], names[:3], strict=True)}
        assert len(told) == 1  # a node that exists is told about like one that does not


async def test_what_a_tool_found_tells_no_secret_to_the_model(settings: Any) -> None:
    with Fake([wish(("look", {})), say("done")]) as fake:
        more = agent.around(look=lambda given: {"key": "canary-of-rates"})
        stage = around(
            settings,
            backend(fake),
            fakes=(fake,),
            secrets={"rates": ("canary-of-rates", ("x.example",))},
            **more,
        )
        await agents.perform(agent.need("go"), stage.context)
        assert "canary-of-rates" not in json.dumps([one.body for one in fake.asked])
        assert stage.kept is not None
        assert b"canary-of-rates" not in stage.kept


async def test_a_flood_of_wishes_is_cut(settings: Any) -> None:
    def script(asked: Any) -> Turn:
        return wish(*[("look", {"n": n}) for n in range(500)]) if len(asked.messages) < 3 else say("done")

    with Fake(script) as fake:
        stage = around(settings, backend(fake), fakes=(fake,), **agent.around(look=lambda given: {}))
        assert value(await agents.perform(agent.need("go"), stage.context)) == "done"
        assert len(stage.called) == 64
