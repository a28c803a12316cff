"""A backend that fails again and again is left alone, then tried with one request (runtime/llmbreaker.py)."""

import asyncio
from typing import Any

import pytest
from channels.db import database_sync_to_async
from prometheus_client.parser import text_string_to_metric_families as parse

from runtime import exposition, llm, llmcounts, metrics
from runtime.llm import LlmError, Reply
from runtime.llmbreaker import Breaker
from tests.fakes.llm import Fake, Turn, refuse, say
from tests.runtime.outsiders import Around
from tests.runtime.test_llm import around, ask, backend, hello

GARBAGE = say("", raw=b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\nnono")


def stood(settings: Any, *fakes: Fake, **more: Any) -> Around:
    places = [backend(fake, priority=number) for number, fake in enumerate(fakes)]
    return around(settings, *places, fakes=fakes, retries=0, **more)


def breaker(stage: Around, number: int = 0) -> Breaker:
    return llm.backends(stage.context).section.loads[number].breaker


async def failed(stage: Around, times: int) -> LlmError:
    for _ in range(times):
        with pytest.raises(LlmError) as problem:
            await ask(stage, hello())
    return problem.value


@pytest.mark.parametrize("turn", [refuse(500), refuse(503), GARBAGE, say("", raw=b"")])
async def test_after_five_faults_it_is_not_asked_any_more(settings: Any, turn: Turn) -> None:
    with Fake(lambda asked: turn) as fake:
        stage = stood(settings, fake)
        await failed(stage, 5)
        assert breaker(stage).state == "open"
        told = await failed(stage, 3)
        assert len(fake.asked) == 5
        assert "failed 5 times in a row" in told.message
        assert (told.retryable, 0 < (told.retry_after_s or 0) <= 30) == (True, True)


@pytest.mark.parametrize("status", [400, 401, 404, 429])
async def test_refusals_that_are_no_faults_do_not_count(settings: Any, status: int) -> None:
    with Fake(lambda asked: refuse(status)) as fake:
        stage = stood(settings, fake)
        await failed(stage, 8)
        assert (len(fake.asked), breaker(stage).state) == (8, "closed")


async def test_an_answer_in_between_begins_the_count_anew(settings: Any) -> None:
    bad = [refuse(500)] * 4
    with Fake([*bad, say("well"), *bad, say("well again")]) as fake:
        stage = stood(settings, fake)
        for text in ("well", "well again"):
            await failed(stage, 4)
            assert (await ask(stage, hello())).text == text


async def test_another_backend_is_asked_meanwhile(settings: Any) -> None:
    with Fake(lambda asked: refuse(500)) as broken, Fake() as good:
        places = [backend(broken), backend(good, priority=2)]
        stage = around(settings, *places, fakes=(broken, good), retries=1)
        for _ in range(7):
            assert (await ask(stage, hello())).text == "You said: hello"
        assert (len(broken.asked), len(good.asked)) == (5, 7)


async def test_one_request_finds_out_whether_it_is_back(settings: Any) -> None:
    with Fake([*[refuse(500)] * 6, say("back", delay=0.3)]) as fake:
        stage = stood(settings, fake)
        await failed(stage, 5)
        mine = breaker(stage)
        mine.until = 0.0  # it has rested
        assert mine.state == "half-open"
        await failed(stage, 1)
        assert (mine.state, len(fake.asked)) == ("open", 6)
        mine.until = 0.0
        first, *others = await asyncio.gather(
            *(ask(stage, hello()) for _ in range(4)), return_exceptions=True
        )
        assert isinstance(first, Reply)
        assert all(isinstance(one, LlmError) and one.retryable for one in others)
        assert (mine.state, len(fake.asked)) == ("closed", 7)


async def test_a_request_that_is_cancelled_leaves_the_try_to_the_next(settings: Any) -> None:
    with Fake([*[refuse(500)] * 5, say("late", delay=5), say("back")]) as fake:
        stage = stood(settings, fake)
        await failed(stage, 5)
        mine = breaker(stage)
        mine.until = 0.0
        trying = asyncio.ensure_future(ask(stage, hello()))
        async with asyncio.timeout(5):
            while len(fake.asked) < 6:
                await asyncio.sleep(0.01)
        assert mine.wait() > 0
        trying.cancel()
        await asyncio.gather(trying, return_exceptions=True)
        assert (mine.state, mine.wait()) == ("half-open", 0)
        assert (await ask(stage, hello())).text == "back"


async def test_streams_count_too(settings: Any) -> None:
    with Fake(lambda asked: say("one two three four", cut=True)) as fake:
        stage = stood(settings, fake)
        for _ in range(5):
            with pytest.raises(LlmError):
                async for _ in llm.stream(hello(), llm.backends(stage.context)):
                    pass
        assert breaker(stage).state == "open"


async def test_others_need_not_wait_for_the_end_of_a_stream(settings: Any) -> None:
    slow = say("one two three four five six", pause=0.2)
    with Fake([*[refuse(500)] * 5, slow, say("meanwhile")]) as fake:
        stage = stood(settings, fake)
        await failed(stage, 5)
        mine = breaker(stage)
        mine.until = 0.0
        parts = llm.stream(hello(), llm.backends(stage.context))
        await anext(parts)
        assert (mine.state, mine.wait()) == ("half-open", 0)
        assert (await ask(stage, hello())).text == "meanwhile"
        async for _ in parts:
            pass
        assert mine.state == "closed"


async def test_who_gives_a_server_too_little_time_cannot_blame_it(settings: Any) -> None:
    with Fake(lambda asked: say("late", delay=1)) as fake:
        stage = stood(settings, fake)
        where = llm.backends(stage.context)
        hurried = type(where)(
            where.section, where.key, asyncio.get_running_loop().time() + 0.1, where.masks, where.log
        )
        with pytest.raises(LlmError) as problem:
            await llm.complete(hello(), hurried)
        assert problem.value.code == "timeout"
        assert breaker(stage).faults == 0


async def test_it_is_set_in_the_section_and_can_be_switched_off(settings: Any) -> None:
    with Fake(lambda asked: refuse(500)) as fake:
        places = {"backends": [backend(fake)], "retries": 0}
        settings.EGRESS_ALLOW = [fake.place]
        secrets = {"llm_key": ("sk-canary-0123456789", ("127.0.0.1",))}
        early = Around(llm={**places, "breaker_faults": 2, "breaker_rest": 7}, secrets=secrets)
        await failed(early, 4)
        assert (len(fake.asked), breaker(early).rest_s) == (2, 7)
        never = Around(llm={**places, "breaker_faults": 0}, secrets=secrets)
        await failed(never, 9)
        assert (len(fake.asked), breaker(never).state) == (11, "closed")


@pytest.mark.django_db
async def test_its_state_is_in_the_metrics(
    settings: Any, monkeypatch: pytest.MonkeyPatch, clean_redis: None
) -> None:
    for name in ("_tries", "_opened"):
        monkeypatch.setattr(llmcounts, name, type(getattr(llmcounts, name))())
    llmcounts._resting.clear()
    with Fake(lambda asked: refuse(500)) as fake, Fake() as good:
        await failed(stood(settings, fake), 5)
        await ask(around(settings, backend(good, "mine"), fakes=(good,)), hello())
    metrics.Reporter("web").once()
    text = (await database_sync_to_async(exposition.page)()).decode()
    found = {
        (one.name, *sorted(one.labels.values())): one.value for each in parse(text) for one in each.samples
    }
    assert found["priostack_llm_requests_total", "failed", "openai"] == 5
    assert found["priostack_llm_requests_total", "answered", "other"] == 1
    assert found["priostack_llm_breaker_opened_total", "openai"] == 1
    assert found["priostack_llm_breakers", "open", "openai"] == 1
