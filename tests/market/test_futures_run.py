"""Reservations that the platform makes for scheduled runs (R27)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing import wallet
from bundles.models import Bundle
from market import reservations
from market.futures_run import Upcoming, book
from market.models import Bidding, Reservation
from market.reservations import Wanted
from tests.market.running import balance, tenant

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(
    hours=6
)  # its windows have not begun when they are made


@pytest.fixture
def owner() -> Any:
    return tenant("futures", 100, auto_bid=True)


@pytest.fixture
def bundle(owner: Any) -> Bundle:
    return Bundle.objects.create(tenant=owner, name="b")


def run(bundle: Bundle, minutes: float = 10, need: int = 700, **more: Any) -> Upcoming:
    given = {"expected_s": 0, "horizon_s": 3600, "budget": 10, "need": need}
    at = NOW + timedelta(minutes=minutes)
    return Upcoming(bundle.tenant_id, bundle.pk, at, **(given | more))


def test_a_run_within_the_horizon_is_reserved_for(bundle: Bundle) -> None:
    assert book([run(bundle)], NOW) == 1
    made = Reservation.objects.get()
    assert (made.credits, made.origin, made.bundle_id) == (2, "futures", bundle.pk)
    assert (made.start, made.end) == (NOW + timedelta(minutes=10), NOW + timedelta(minutes=11))
    assert balance(bundle.tenant) == 98
    assert wallet.check() == []


def test_a_window_lasts_as_long_as_the_run_is_expected_to(bundle: Bundle) -> None:
    book([run(bundle, expected_s=600)], NOW)
    assert Reservation.objects.get().end == NOW + timedelta(minutes=20)


def test_a_second_tick_makes_no_second_one(bundle: Bundle) -> None:
    book([run(bundle)], NOW)
    assert book([run(bundle)], NOW + timedelta(seconds=10)) == 0
    assert balance(bundle.tenant) == 98


def test_what_its_owner_cancelled_is_not_made_again(bundle: Bundle) -> None:
    book([run(bundle)], NOW)
    reservations.cancel(bundle.tenant_id, Reservation.objects.get().pk)
    assert book([run(bundle)], NOW) == 0
    assert balance(bundle.tenant) == 100


def test_a_window_made_by_hand_covers_a_run(bundle: Bundle) -> None:
    at = NOW + timedelta(minutes=5)
    reservations.make(bundle.tenant_id, Wanted(at, at + timedelta(minutes=10), 1))
    assert book([run(bundle)], NOW) == 0


@pytest.mark.parametrize(
    "more",
    [{"budget": 0}, {"budget": 1}, {"horizon_s": 300}, {"minutes": -1}, {"minutes": 0}, {"need": 100_000}],
)
def test_outside_of_its_terms_nothing_is_reserved(bundle: Bundle, more: dict[str, Any]) -> None:
    assert book([run(bundle, **more)], NOW) == 0
    assert balance(bundle.tenant) == 100


def test_without_the_toggle_nothing_is_spent(bundle: Bundle) -> None:
    Bidding.objects.update(auto_bid=False)
    assert book([run(bundle)], NOW) == 0


def test_the_budget_is_for_the_calendar_month(bundle: Bundle) -> None:
    runs = [run(bundle, minutes) for minutes in (10, 20, 30)]
    assert book([one._replace(budget=5) for one in runs], NOW) == 2
    last = NOW.replace(day=1) - timedelta(days=1)
    Reservation.objects.update(created=last)
    assert book([one._replace(budget=5) for one in runs], NOW) == 1


def test_an_empty_wallet_is_no_failure(bundle: Bundle) -> None:
    wallet.take(bundle.tenant_id, 99, key="t", note="n")
    assert book([run(bundle)], NOW) == 0
    assert not Reservation.objects.exists()
    assert wallet.check() == []
