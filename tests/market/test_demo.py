"""The crowd of `manage.py market demo`: it wants more than there is, and goes without leaving anything behind."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing import wallet
from billing.models import Tenant
from billing.redis import redis
from market import crowd, demo, wire
from market.models import Bidding, Reservation
from market.rush import NEED, Rush
from tests.conftest import Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


def members() -> Any:
    return Tenant.objects.filter(slug__startswith=crowd.SLUG)


def test_a_crowd_has_wallets_and_caps_that_let_the_price_climb(alice: Person) -> None:
    made = crowd.gather(crowd.PATIENT + 60)
    caps = [one.cap for one in made]
    assert caps[: crowd.PATIENT] == [0] * crowd.PATIENT
    assert sorted(caps[crowd.PATIENT :]) == list(range(1, 61))
    assert set(wallet.balances(one.tenant_id for one in made).values()) == {crowd.PURSE}
    assert Bidding.objects.filter(auto_bid=True).count() == 60
    assert wallet.check() == []


def test_clean_takes_all_of_it_away_and_the_ledger_adds_up(alice: Person) -> None:
    Bidding.objects.create(tenant=alice.tenant, auto_bid=False, bid_cap=33)
    before = wallet.balances([alice.tenant.pk])[alice.tenant.pk]
    crowd.gather(3)
    crowd.follow(alice.tenant)
    assert Bidding.objects.get(pk=alice.tenant.pk).bid_cap == crowd.SHOWN_CAP
    assert wallet.balances([alice.tenant.pk])[alice.tenant.pk] == before + crowd.SHOWN_CREDITS
    assert crowd.clean() == 3
    assert not members().exists()
    mine = Bidding.objects.get()
    assert (mine.auto_bid, mine.bid_cap) == (False, 33)
    assert wallet.balances([alice.tenant.pk])[alice.tenant.pk] == before
    assert wallet.check() == []
    assert crowd.clean() == 0


def test_clean_never_touches_anybody_else(alice: Person, charlie: Person) -> None:
    crowd.gather(2)
    crowd.clean()
    assert set(Tenant.objects.values_list("slug", flat=True)) == {"alice", "charlie"}


def test_a_reservation_in_the_way_is_left_alone(alice: Person) -> None:
    wallet.grant(alice.tenant.pk, 100, key="x", note="x")
    start = timezone.now() + timedelta(minutes=1)
    assert crowd.reserve(alice.tenant, start, 30) == Reservation.objects.get().start
    assert crowd.reserve(alice.tenant, start, 30) is None


def test_a_crowd_hands_in_more_than_bidding_needs_and_goes_when_told(alice: Person) -> None:
    made = [crowd.Member(alice.tenant.pk, cap) for cap in (0, 0, 5)]
    seen: list[Any] = []

    async def play() -> None:
        until = asyncio.Event()
        rush = Rush(made, None, 30)
        task = asyncio.create_task(rush.run(until))
        await asyncio.sleep(0.6)
        until.set()
        await task

    asyncio.run(play())
    for data in redis().lpop(wire.INBOX, 1_000) or []:
        message = wire.read(data)
        seen += message["a"] if message["t"] == "submit" else []
        left = len(message["a"]) if message["t"] == "end" else 0
    assert {one["need"] for one in seen} == {NEED}
    assert left == len({one["id"] for one in seen})


def test_without_a_tenant_or_a_leader_the_command_says_what_to_do(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match="There is no tenant “nobody”"):
        call_command("market", "demo", "--tenant", "nobody")
    monkeypatch.setattr(demo, "led", lambda: False)
    with pytest.raises(CommandError, match="Nobody leads the rounds"):
        call_command("market", "demo", "--tenant", "alice")
    assert not members().exists()
