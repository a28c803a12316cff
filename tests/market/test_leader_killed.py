"""kill -9 of the leader at every step of a round: nothing is charged twice, and nothing that was paid for is lost."""

import asyncio

import pytest

from billing import wallet
from billing.models import Tenant
from market.models import Leadership
from tests.market.leaders import Callers, ended, figures, leading, lease_ends, revenue, round_keys, start
from tests.market.running import balance, tenant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
STEPS = [
    ("after taking messages", 1),
    ("in office", 1),
    ("before the round", 1),
    ("before the charge", 1),
    ("before the charge", 2),
    ("before the commit", 1),
    ("before the commit", 2),
    ("after the commit", 1),
    ("after the commit", 2),
    ("before the push", 2),
    ("after the push", 3),
    ("after the state", 5),
]


@pytest.mark.parametrize(("step", "times"), STEPS)
def test_a_leader_that_is_killed_loses_nothing_and_charges_nothing_twice(step: str, times: int) -> None:
    with figures():
        owners = [tenant(f"t{number}", 1_000, auto_bid=True) for number in range(4)]
        callers = asyncio.run(scene(owners, step, times))
    assert callers.allowed_is_needed()
    assert callers.charged() == revenue() == 4_000 - sum(map(balance, owners))
    assert callers.charged() > 0
    assert len(round_keys()) == len(set(round_keys()))
    assert Leadership.objects.get().term >= 2
    assert wallet.check() == []


async def scene(owners: list[Tenant], step: str, times: int) -> Callers:
    doomed = await asyncio.to_thread(start, step, times)
    with ended(doomed):
        async with Callers() as callers:
            for owner in owners:
                for _ in range(2):
                    callers.call(owner, 700)
            await callers.until(lambda: doomed.poll() is not None, 20)
            lease_ends()
            with leading():
                await callers.all_served()
            return callers
