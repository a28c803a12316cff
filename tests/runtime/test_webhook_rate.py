"""How often webhooks may be called: exact over processes and in a burst, told with 429, and cheap without a limit."""

import asyncio
import time
from collections import Counter
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from billing.errors import ApiError
from bundles.flowmodel import Rate
from runtime import webhookrate
from runtime.liveflow import Hook
from runtime.models import Execution
from tests.attacks import door
from tests.runtime import stage
from tests.runtime.test_webhooks import JSON, hooked, path

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


def a_hook(rate: Rate | None, token: bytes = b"t" * 32) -> Hook:
    return Hook("incoming", "webhook", "a", token, "", at_once=False, signed=False, key=None, rate=rate)


@pytest.fixture(autouse=True)
def _forgotten() -> Any:
    webhookrate._meters.clear()
    yield
    webhookrate._meters.clear()


@pytest.fixture
async def knock() -> Any:
    yield door.knock
    await door.leave()


async def admitted(hook: Hook, calls: int) -> int:
    async def one() -> bool:
        try:
            await webhookrate.admit(hook, "1", "f")
        except ApiError as refusal:
            return refusal.status != 429
        return True

    return sum(await asyncio.gather(*(one() for _ in range(calls))))


@pytest.mark.parametrize("calls", [1, 7, 100, 1000])
async def test_a_burst_is_let_in_exactly_to_the_limit(calls: int) -> None:
    assert await admitted(a_hook(Rate(calls, 3600)), 1200) == calls


async def test_the_limit_holds_over_processes() -> None:
    """Two processes are two sets of meters over the same counter."""
    hook, came = a_hook(Rate(100, 3600)), 0
    processes: list[dict[bytes, Any]] = [{}, {}, {}]
    for round in range(90):
        webhookrate._meters.clear()
        mine = processes[round % 3]
        webhookrate._meters.update(mine)
        came += await admitted(hook, 5)
        mine.update(webhookrate._meters)
    assert came == 100


async def test_a_new_span_is_a_new_limit_and_webhooks_count_for_themselves(monkeypatch: Any) -> None:
    now = time.time() // 60 * 60
    monkeypatch.setattr(time, "time", lambda: now)
    hook = a_hook(Rate(3, 60))
    assert await admitted(hook, 5) == 3
    with pytest.raises(ApiError) as refused:
        await webhookrate.admit(hook, "1", "f")
    assert refused.value.headers["Retry-After"] == "60"
    assert await admitted(a_hook(Rate(3, 60), b"u" * 32), 2) == 0  # another token of the same trigger
    await webhookrate.admit(a_hook(Rate(3, 60), b"v" * 32), "1", "other")
    monkeypatch.setattr(time, "time", lambda: now + 60.5)
    assert await admitted(hook, 5) == 3


async def test_without_a_limit_there_is_a_ceiling_and_nobody_is_asked(monkeypatch: Any) -> None:
    monkeypatch.setattr(webhookrate, "CEILING", Rate(5, 3600))
    monkeypatch.setattr(webhookrate, "aredis", None)
    assert await admitted(a_hook(None), 9) == 5


@pytest.mark.parametrize("extra", ["", ", respond: async"])
async def test_calls_over_the_limit_are_refused_and_run_nothing(alice: Any, knock: Any, extra: str) -> None:
    flow = await sync_to_async(hooked)(alice, extra=f", rateLimit: 10/h{extra}")
    answers = await asyncio.gather(*(knock("POST", path(flow), body=b"{}", headers=JSON) for _ in range(30)))
    assert Counter(answer.status for answer in answers) == {201 if not extra else 202: 10, 429: 20}
    late = next(answer for answer in answers if answer.status == 429)
    assert 0 < int(late.headers["retry-after"]) <= 3600
    assert "10/h" in late.json()["detail"] or "10/h" in late.json()["title"]
    assert (await knock("POST", path(flow) + "x", body=b"{}", headers=JSON)).status == 404
    await stage.drain()
    assert await Execution.objects.acount() == 10


async def test_what_waits_counts_once(alice: Any, knock: Any, monkeypatch: Any) -> None:
    """A call that cannot be answered at once goes two ways inside, and is one call all the same."""
    monkeypatch.setattr(webhookrate, "CEILING", Rate(4, 3600))
    flow = await sync_to_async(hooked)(alice)
    statuses = [(await knock("POST", path(flow), body=b"{}", headers=JSON)).status for _ in range(6)]
    assert statuses == [201] * 4 + [429] * 2
