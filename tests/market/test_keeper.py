"""A leader that is at work keeps its lease, one that is stuck or deposed does not."""

from collections.abc import Iterator

import pytest

from billing.redis import redis
from market import keeper, office
from market.keeper import Keeper
from market.office import Lease


@pytest.fixture
def lease(clean_redis: None) -> Iterator[Lease]:
    found = Lease("mine")
    assert found.gain()
    redis().pexpire(office.LEASE, 1_000)  # as after two seconds of one long step
    yield found
    found.leave()


def left() -> int:
    return int(redis().pttl(office.LEASE))


def test_a_step_that_takes_long_costs_no_lease(lease: Lease) -> None:
    Keeper(lease).once()
    assert 1_000 < left() <= office.LEASE_MS


def test_a_leader_that_is_stuck_is_not_kept_in_office(lease: Lease) -> None:
    mine = Keeper(lease)
    mine.seen -= keeper.STUCK_S + 1
    mine.once()
    assert left() <= 1_000
    mine.alive()
    mine.once()
    assert left() > 1_000


def test_what_another_leader_holds_is_left_alone(lease: Lease) -> None:
    redis().set(office.LEASE, "theirs", px=1_000)
    Keeper(lease).once()
    assert redis().get(office.LEASE) == b"theirs"
    assert left() <= 1_000


def test_a_lease_that_is_gone_is_not_made_anew(lease: Lease) -> None:
    redis().delete(office.LEASE)
    Keeper(lease).once()
    assert redis().get(office.LEASE) is None


def test_a_store_that_is_away_ends_no_thread(lease: Lease, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OSError("gone")

    monkeypatch.setattr(lease, "renew", away)
    Keeper(lease).once()
    assert left() <= 1_000
