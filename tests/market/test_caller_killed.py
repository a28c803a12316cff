"""kill -9 of a process whose call waits or works: what it did not get to the end of is paid back, once (R22)."""

import asyncio
import time
from collections.abc import Callable

import pytest
from django.db import connection

from billing import wallet
from billing.models import Journal
from billing.redis import redis
from market import office, register
from tests.market.leaders import ended, figures, leading, lease_ends, start
from tests.market.running import balance, tenant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
STEPS = [("handed in", True), ("granted", True), ("at work", True), ("over", False)]


@pytest.mark.parametrize("leaders", [1, 2])
@pytest.mark.parametrize(("step", "back"), STEPS)
def test_a_process_that_is_killed_is_paid_back_for_what_it_did_not_finish(
    step: str, back: bool, leaders: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register, "GONE_S", 1.5)
    with figures():
        owner = tenant("a", 1_000, auto_bid=True)
        asyncio.run(scene(str(owner.pk), step, leaders))
    charged = Journal.objects.filter(kind="round").count()
    assert charged >= 1
    assert Journal.objects.filter(key__startswith="refund:").count() == back
    assert balance(owner) == 1_000 - (0 if back else charged)
    assert wallet.check() == []


def settled() -> bool:
    """It was charged for, and the leader has found its process gone."""
    try:
        return Journal.objects.filter(kind="round").exists() and not redis().smembers(office.PROCESSES)
    finally:
        connection.close()


async def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not await asyncio.to_thread(holds):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


async def scene(owner: str, step: str, leaders: int) -> None:
    """With a second leader, the first one goes as soon as the process did."""
    with leading() as first:
        doomed = await asyncio.to_thread(start, step, owner, 700, module="tests.market.doomedcaller")
        with ended(doomed):
            await until(lambda: doomed.poll() is not None)
        if leaders == 1:
            return await until(settled)
        first.ending.set()
        await asyncio.to_thread(first.join, 20)
    lease_ends()
    with leading():
        await until(settled)
