"""Reservations with money and races: made, cancelled, begun, ended, sold out (R23 to R26, A145, A146)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing import wallet
from billing.models import Wallet
from market import reservations
from market.models import Reservation
from market.reservations import Refused, Wanted
from tests.market.running import balance, rules, tenant

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime.now(UTC)
AT = NOW + timedelta(hours=1)
LONG = timedelta(minutes=10)


def wanted(start: datetime = AT, end: datetime | None = None, credits: Any = 2) -> Wanted:
    return Wanted(start, end or start + LONG, credits)


def make(owner: Any, *given: Any, **more: Any) -> str:
    try:
        return reservations.make(owner.pk, wanted(*given, **more)).status
    except Refused as refused:
        return refused.reason


def at_once(acts: list[Callable[[], str]]) -> list[str]:
    """All of them started together, each in a thread with a connection of its own."""
    gate = Barrier(len(acts))

    def run(act: Callable[[], str]) -> str:
        try:
            gate.wait(20)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def held(owner: Any) -> int:
    return Wallet.objects.get(pk=owner.pk).held


def test_of_32_at_once_exactly_one_gets_the_window() -> None:
    owner = tenant("race", 1_000)
    found = at_once([lambda: make(owner)] * 32)
    assert sorted(set(found)) == ["overlap", "upcoming"]
    assert found.count("upcoming") == Reservation.objects.count() == 1
    assert (balance(owner), held(owner)) == (998, 2)
    assert wallet.check() == []


def test_of_32_that_overlap_in_part_those_that_are_made_do_not_overlap() -> None:
    owner = tenant("race", 1_000)
    starts = [AT + timedelta(minutes=4 * number) for number in range(32)]
    at_once([lambda start=start: make(owner, start) for start in starts])  # type: ignore[misc]
    made = list(Reservation.objects.order_by("start"))
    assert len(made) >= 7  # each takes away less than 20 of 134 minutes
    assert all(one.end <= two.start for one, two in pairwise(made))
    assert held(owner) == 2 * len(made)
    assert wallet.check() == []


def test_of_many_accounts_only_as_many_reserve_as_may_hold_at_an_instant() -> None:
    """R24: sold out."""
    owners = [tenant(f"o{number}", 10) for number in range(8)]
    with rules(max_reservations=3):
        found = at_once([lambda owner=owner: make(owner) for owner in owners])  # type: ignore[misc]
    assert (found.count("upcoming"), found.count("sold out")) == (3, 5)
    assert wallet.check() == []


def test_one_wallet_is_not_spent_twice() -> None:
    """A140: each of ten windows costs all that there is."""
    owner = tenant("race", 5)
    starts = [AT + timedelta(hours=number) for number in range(10)]
    acts = [lambda start=start: make(owner, start, credits=5) for start in starts]  # type: ignore[misc]
    found = at_once(acts)
    assert (found.count("upcoming"), found.count("insufficient")) == (1, 9)
    assert balance(owner) == 0
    assert wallet.check() == []


def test_of_16_cancels_at_once_one_refunds() -> None:
    owner = tenant("cancel", 10)
    made = reservations.make(owner.pk, wanted())

    def cancel() -> str:
        try:
            reservations.cancel(owner.pk, made.pk)
        except Refused as refused:
            return refused.reason
        return "cancelled"

    found = at_once([cancel] * 16)
    assert (found.count("cancelled"), found.count("started")) == (1, 15)
    assert (balance(owner), held(owner)) == (10, 0)
    assert wallet.check() == []


def test_a_cancel_and_the_start_at_the_same_instant_are_one_of_both() -> None:
    """R25: at the instant of the start it is too late."""
    for number in range(4):
        owner = tenant(f"n{number}", 10)
        made = reservations.make(owner.pk, wanted())

        def cancel(owner: Any = owner, made: Any = made) -> str:
            try:
                reservations.cancel(owner.pk, made.pk, now=AT - timedelta(microseconds=1))
            except Refused:
                return "late"
            return "cancelled"

        found = at_once([cancel, lambda: str(reservations.pass_time(AT))] * 2)
        made.refresh_from_db()
        assert ("cancelled" in found) is (made.status == "cancelled")
        assert balance(owner) == (10 if made.status == "cancelled" else 8)
        assert held(owner) == 0
    assert wallet.check() == []


@pytest.mark.parametrize(("early", "outcome"), [(1, "cancelled"), (0, "started"), (-1, "started")])
def test_cancelled_up_to_the_microsecond_before(early: int, outcome: str) -> None:
    owner = tenant("instant", 10)
    made = reservations.make(owner.pk, wanted())
    try:
        reservations.cancel(owner.pk, made.pk, now=AT - timedelta(microseconds=early))
        found = "cancelled"
    except Refused as refused:
        found = refused.reason
    assert found == outcome
    assert balance(owner) == (10 if outcome == "cancelled" else 8)


def test_at_its_start_it_becomes_revenue_and_at_its_end_its_pool_lapses() -> None:
    owner = tenant("time", 10)
    made = reservations.make(owner.pk, wanted())
    assert reservations.pass_time(AT - timedelta(seconds=1)) == 0
    assert reservations.pass_time(AT) == 1
    made.refresh_from_db()
    assert (made.status, made.pool, held(owner)) == ("active", 1000, 0)
    assert reservations.pass_time(AT + LONG) == 1
    made.refresh_from_db()
    assert made.status == "ended"
    assert balance(owner) == 8
    assert reservations.pass_time(AT + LONG) == 0
    assert wallet.check() == []


def test_a_window_that_passed_while_nobody_looked_is_over_and_was_paid() -> None:
    owner = tenant("missed", 10)
    made = reservations.make(owner.pk, wanted())
    reservations.pass_time(AT + 2 * LONG)
    made.refresh_from_db()
    assert (made.status, held(owner), balance(owner)) == ("ended", 0, 8)
    assert wallet.check() == []


@pytest.mark.parametrize("credits", [0, -3, 1.0, "1", True, None, float("nan"), 10**13])
def test_credits_that_are_none_reserve_nothing(credits: Any) -> None:
    owner = tenant("bad", 10)
    assert make(owner, credits=credits) == "window"
    assert not Reservation.objects.exists()
    assert balance(owner) == 10


@pytest.mark.parametrize(
    ("start", "end"),
    [(NOW - LONG, None), (AT, AT), (AT, AT - LONG), (AT, AT + timedelta(days=400))],
)
def test_windows_that_are_none_reserve_nothing(start: datetime, end: datetime | None) -> None:
    owner = tenant("bad", 10)
    assert make(owner, start, end) == "window"
    assert balance(owner) == 10


def test_a_refusal_leaves_no_trace() -> None:
    owner = tenant("poor", 1)
    assert make(owner) == "insufficient"
    assert not Reservation.objects.exists()
    assert wallet.check() == []


def test_the_database_itself_forbids_an_overlap() -> None:
    """Whoever inserts: a constraint on PostgreSQL, a trigger on SQLite."""
    owner = tenant("raw", 10)
    given: dict[str, Any] = {"tenant": owner, "credits": 1, "pool": 500}
    Reservation.objects.create(start=AT, end=AT + LONG, **given)
    with pytest.raises(IntegrityError, match="reservations_do_not_overlap"), transaction.atomic():
        Reservation.objects.create(start=AT + LONG / 2, end=AT + 2 * LONG, **given)
    Reservation.objects.create(start=AT + LONG, end=AT + 2 * LONG, **given)
    Reservation.objects.create(start=AT, end=AT + LONG, status="cancelled", **given)
    assert Reservation.objects.count() == 3


def test_two_names_of_one_instant_are_one_window() -> None:
    """Time zones: 10:00 in Berlin overlaps 09:00 in UTC."""
    owner = tenant("zones", 10)
    from zoneinfo import ZoneInfo

    assert make(owner, AT.astimezone(ZoneInfo("Europe/Berlin"))) == "upcoming"
    assert make(owner, AT.astimezone(ZoneInfo("Asia/Kathmandu"))) == "overlap"
