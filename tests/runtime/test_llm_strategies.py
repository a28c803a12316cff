"""Which backend is asked, how often again, how much at a time (FORMATS §1.1, with the faults of 0.4.0 turned right)."""

import asyncio
import itertools
import time
from typing import Any

import pytest

from runtime import llm
from runtime.llm import LlmError, Message, Request
from runtime.llmbackends import Section, provider_of, section
from tests.fakes.llm import Fake, Turn, refuse, say
from tests.runtime.outsiders import failed, need
from tests.runtime.test_llm import around, ask, backend, hello


def texts(*fakes: Fake) -> list[int]:
    return [len(fake.asked) for fake in fakes]


def read(**told: Any) -> Section:
    return section(told, {})


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("grok-3-mini-beta", "xai"), ("Grok-4", "xai"), ("claude-sonnet-4", "anthropic"),
        ("us.anthropic.thing", "anthropic"), ("gpt-5-mini", "openai"), ("o1", "openai"), ("o3-pro", "openai"),
        ("llama3", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_models_name_tells_its_provider(model: str, provider: str) -> None:
    assert provider_of(model) == provider


def test_a_model_goes_to_the_backends_that_have_it() -> None:
    chosen = read(
        backends=[
            {"provider": "xai"}, {"provider": "anthropic"}, {"provider": "openai"},
            {"provider": "ollama", "name": "small", "supported_models": ["llama3"]}, {"provider": "ollama"},
        ]
    )  # fmt: skip

    def names(model: str) -> list[int]:
        return [load.backend.number for load in chosen.order(model)]

    assert names("grok-3") == [0, 4]
    assert names("gpt-5") == [2, 4]
    assert names("llama3") == [3, 4]
    assert names("mistral") == [4]


def test_the_list_of_models_is_not_dropped() -> None:
    """0.4.0 dropped supported_models when it made a backend."""
    chosen = read(backends=[{"provider": "ollama", "supported_models": ["llama3"]}])
    assert [load.backend.number for load in chosen.order("llama3")] == [0]
    assert chosen.order("mistral") == []


def test_servers_at_their_own_address_get_what_nobody_else_has() -> None:
    chosen = read(
        backends=[{"provider": "openai"}, {"provider": "openai", "base_url": "https://router.example/v1"}]
    )
    assert [load.backend.number for load in chosen.order("some/model")] == [1]


def test_lower_priority_is_asked_first() -> None:
    chosen = read(backends=[{"provider": "openai", "priority": 3}, {"provider": "openai", "priority": 1}])
    assert [load.backend.number for load in chosen.order("gpt-5")] == [1, 0]


def test_the_usual_values() -> None:
    chosen = read(backends=[{"provider": "openai"}])
    one = chosen.loads[0].backend
    assert (chosen.strategy, chosen.retries, chosen.base_s, chosen.max_s) == ("failover", 3, 1.0, 60.0)
    assert (one.name, one.priority, one.tpm, one.concurrent, one.timeout_s) == (
        "openai",
        1,
        100_000,
        20,
        120.0,
    )


def test_without_a_section_the_usual_secrets_count() -> None:
    chosen = section({}, {}, ["ANTHROPIC_API_KEY", "other"])
    assert [(load.backend.provider, load.backend.key) for load in chosen.loads] == [
        ("anthropic", "ANTHROPIC_API_KEY")
    ]


async def test_failover_goes_on_to_the_next_at_once(settings: Any) -> None:
    with Fake([refuse(500)]) as first, Fake([say("second")]) as second:
        stage = around(
            settings, backend(first), backend(second, priority=2), fakes=(first, second), retry_base_delay=9
        )
        began = time.monotonic()
        assert (await ask(stage, hello())).text == "second"
        assert time.monotonic() - began < 2


async def test_two_backends_of_one_provider_are_two(settings: Any) -> None:
    """In 0.4.0 both had the provider's name and counted as tried together."""
    with Fake([refuse(503)]) as first, Fake([say("twin")]) as second:
        stage = around(
            settings, backend(first), backend(second), fakes=(first, second), retries=1, retry_base_delay=9
        )
        assert (await ask(stage, hello())).text == "twin"


@pytest.mark.parametrize("retries", [0, 1, 3])
async def test_there_are_as_many_tries_as_retries_and_one(settings: Any, retries: int) -> None:
    with Fake(lambda asked: refuse(502)) as fake:
        stage = around(settings, backend(fake), fakes=(fake,), retries=retries)
        with pytest.raises(LlmError, match="answered 502"):
            await ask(stage, hello())
        assert len(fake.asked) == retries + 1


async def test_pauses_double_up_to_their_limit(settings: Any) -> None:
    at: list[float] = []

    def script(asked: Any) -> Turn:
        at.append(time.monotonic())
        return refuse(500)

    with Fake(script) as fake:
        stage = around(
            settings, backend(fake), fakes=(fake,), retries=4, retry_base_delay=0.1, retry_max_delay=0.3
        )
        with pytest.raises(LlmError):
            await ask(stage, hello())
    pauses = [later - earlier for earlier, later in itertools.pairwise(at)]
    for pause, meant in zip(pauses, [0.1, 0.2, 0.3, 0.3], strict=True):
        assert meant * 0.75 <= pause <= meant * 1.25 + 0.1


async def test_retry_after_is_honoured(settings: Any) -> None:
    with Fake([refuse(429, "slow down", Retry_After="1"), say("now")]) as fake:
        stage = around(settings, backend(fake), fakes=(fake,))
        began = time.monotonic()
        assert (await ask(stage, hello())).text == "now"
        assert 0.95 <= time.monotonic() - began < 3


async def test_who_was_told_to_wait_is_passed_over_meanwhile(settings: Any) -> None:
    with Fake([refuse(429, Retry_After="60")]) as busy, Fake() as free:
        stage = around(settings, backend(busy), backend(free, priority=2), fakes=(busy, free))
        for _ in range(3):
            assert (await ask(stage, hello())).text == "You said: hello"
        assert texts(busy, free) == [1, 3]


async def test_a_wait_beyond_the_end_of_the_run_is_told_instead(settings: Any) -> None:
    with Fake([refuse(429, Retry_After="900")]) as fake:
        stage = around(settings, backend(fake), fakes=(fake,))
        began = time.monotonic()
        failure = failed(await llm.perform(need("llm", {"prompt": "x"}), stage.context))
        assert time.monotonic() - began < 2
        assert failure.retryable
        assert 890 < (failure.retry_after_s or 0) <= 900


async def test_a_refused_key_is_not_asked_again_but_elsewhere(settings: Any) -> None:
    with Fake([refuse(401, "bad key")] * 9) as closed, Fake([say("open")]) as good:
        stage = around(settings, backend(closed), backend(good, priority=2), fakes=(closed, good), retries=0)
        assert (await ask(stage, hello())).text == "open"
        assert texts(closed, good) == [1, 1]


async def test_a_wrong_request_is_asked_nobody_again(settings: Any) -> None:
    with Fake([refuse(400, "too long")] * 9) as first, Fake() as second:
        stage = around(settings, backend(first), backend(second), fakes=(first, second))
        failure = failed(await llm.perform(need("llm", {"prompt": "x", "model": "m"}), stage.context))
        assert (failure.code, failure.message) == ("validation", "openai answered 400: too long")
        assert texts(first, second) == [1, 0]


async def test_round_robin_takes_turns(settings: Any) -> None:
    with Fake() as one, Fake() as two, Fake() as three:
        fakes = (one, two, three)
        stage = around(settings, *map(backend, fakes), fakes=fakes, strategy="round-robin")
        for _ in range(6):
            await ask(stage, hello())
        assert texts(*fakes) == [2, 2, 2]


async def test_least_loaded_goes_where_less_is_going_on(settings: Any) -> None:
    with Fake(lambda asked: say("slow", delay=0.5)) as slow, Fake() as quick:
        stage = around(settings, backend(slow), backend(quick), fakes=(slow, quick), strategy="least-loaded")
        first = asyncio.create_task(ask(stage, hello()))
        await asyncio.sleep(0.1)
        assert [(await ask(stage, hello())).text for _ in range(3)] == ["You said: hello"] * 3
        assert (await first).text == "slow"


async def test_no_more_than_so_many_at_the_same_time(settings: Any) -> None:
    with Fake(lambda asked: say("x", delay=0.05)) as fake:
        stage = around(settings, backend(fake, max_concurrent=2), fakes=(fake,))
        await asyncio.gather(*(ask(stage, hello()) for _ in range(8)))
        assert fake.most == 2


async def test_tokens_a_minute_are_held(settings: Any) -> None:
    """6,000 a minute are 100 a second; each question counts as 100, and as what it really took."""
    with Fake(lambda asked: say("x", usage=(3000, 0))) as fake:
        stage = around(settings, backend(fake, rate_limit_tpm=6000), fakes=(fake,))
        began = time.monotonic()
        await ask(stage, hello())
        await ask(stage, hello())
        assert time.monotonic() - began < 0.5
        await ask(stage, hello())
        assert 0.9 < time.monotonic() - began < 3


async def test_a_bucket_that_is_empty_for_long_is_told(settings: Any) -> None:
    with Fake(lambda asked: say("x", usage=(500_000, 0))) as fake:
        stage = around(settings, backend(fake, rate_limit_tpm=100), fakes=(fake,), tokens=10**9)
        await ask(stage, hello())
        with pytest.raises(LlmError, match="more than 100 tokens a minute") as told:
            await ask(stage, hello())
        assert told.value.retryable
        assert len(fake.asked) == 1


async def test_a_backend_has_its_own_time(settings: Any) -> None:
    with Fake([say("late", delay=2)]) as slow, Fake([say("in time")]) as quick:
        stage = around(settings, backend(slow, timeout=0.3), backend(quick, priority=2), fakes=(slow, quick))
        began = time.monotonic()
        assert (await ask(stage, hello())).text == "in time"
        assert time.monotonic() - began < 1.5


async def test_a_cancelled_question_frees_its_place(settings: Any) -> None:
    with Fake([say("late", delay=5), say("next")]) as fake:
        stage = around(settings, backend(fake, max_concurrent=1), fakes=(fake,))
        task = asyncio.create_task(ask(stage, hello()))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await asyncio.wait_for(ask(stage, hello()), 2)).text == "next"


async def test_a_model_that_nobody_has_is_named(settings: Any) -> None:
    with Fake() as fake:
        stage = around(settings, backend(fake, supported_models=["a"]), fakes=(fake,))
        with pytest.raises(LlmError, match="none of the backends has the model “b”"):
            await ask(stage, Request((Message("user", "x"),), model="b"))
        assert fake.asked == []
