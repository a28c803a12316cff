"""A form that is sent twice asks its model once (runtime/formonce.py)."""

import asyncio
from typing import Any

import pytest
from channels.db import database_sync_to_async

from billing.redis import aredis
from runtime.models import Execution
from tests.fakes.llm import Fake, refuse, say
from tests.runtime import forming, prompting, stage
from tests.runtime.forming import PLAIN, WEB

pytestmark = pytest.mark.django_db(transaction=True)
DOOR = "/alice/forms/ticket"


@pytest.fixture
async def page(call: Any, alice: Any, settings: Any, fake: Fake) -> Any:
    """The token of a page that was opened."""

    def made() -> Any:
        prompting.keep_key(alice, settings, fake)
        return stage.run_bundle(alice, prompting.files(fake, {"prompts/ticket.prmd": forming.prompt()}))

    await database_sync_to_async(made)()
    return forming.token(await call("GET", DOOR, token=None))


async def sent(call: Any, token: str, values: dict[str, Any] = PLAIN) -> Any:
    return await call("POST", DOOR, forming.encoded(token, values), token=None, **WEB)


async def asked(fake: Fake, times: int) -> None:
    async with asyncio.timeout(10):
        while len(fake.asked) < times:
            await asyncio.sleep(0.01)


async def test_pressing_twice_asks_once_and_both_pages_have_the_answer(
    call: Any, page: str, fake: Fake
) -> None:
    fake.brain.script = lambda _: say(f"Answer {len(fake.asked)}", delay=0.5)
    pages = await asyncio.gather(*(sent(call, page) for _ in range(3)))
    assert [one.status for one in pages] == [200, 200, 200]
    assert all("Answer 1" in one.body.decode() for one in pages)
    assert "Answer 1" in (await sent(call, page)).body.decode()  # a reload
    await stage.drain()
    assert (len(fake.asked), await Execution.objects.acount()) == (1, 1)


async def test_other_values_and_a_page_opened_anew_are_sent(call: Any, page: str, fake: Fake) -> None:
    await sent(call, page)
    await sent(call, page, {**PLAIN, "subject": "Another"})
    again = forming.token(await call("GET", DOOR, token=None))
    await sent(call, again)
    assert len(fake.asked) == 3


async def test_what_failed_may_be_sent_again_at_once(call: Any, page: str, fake: Fake) -> None:
    fake.brain.turns += [refuse(400), say("Now it works.")]
    assert (await sent(call, page)).status == 502
    assert "Now it works." in (await sent(call, page)).body.decode()


async def test_who_goes_away_leaves_the_call_to_the_next(call: Any, page: str, fake: Fake) -> None:
    fake.brain.turns += [say("never heard", delay=5), say("for the second")]
    first = asyncio.ensure_future(sent(call, page))
    await asked(fake, 1)
    second = asyncio.ensure_future(sent(call, page))
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    async with asyncio.timeout(10):
        assert "for the second" in (await second).body.decode()
    assert len(fake.asked) == 2


async def test_nothing_of_what_was_written_stands_in_the_store(call: Any, page: str, fake: Fake) -> None:
    await sent(call, page, {**PLAIN, "subject": "canary-4815"})
    names = [name async for name in aredis().scan_iter("priostack:form:*")]
    assert len(names) == 1
    assert page not in str(names)
    assert "canary" not in str(names)
    assert 0 < await aredis().ttl(names[0]) <= 300
