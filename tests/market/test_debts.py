"""Who paid for a call that the platform lost is paid back, also when the leader that knew of it is gone too (R22)."""

from collections.abc import Iterator
from typing import Any

import pytest

from billing import wallet
from billing.models import Journal, Tenant
from market import wire
from market.debts import Debt, Debts, merged, of_row
from market.wire import Waiting
from tests.market.running import PROCESS, START, Clock, House, Told, balance, hear, rules, tenant, waiting

MS = START * 1000
BUSY: dict[str, Any] = {"threshold": 0, "free_lane": 0, "slots": 1}


@pytest.fixture
def owner(db: None) -> Iterator[Tenant]:
    yield tenant("a", 9, auto_bid=True)
    assert wallet.check() == []


def paid(owner: Tenant, clock: Clock, **more: Any) -> tuple[House, Waiting]:
    """A leader that has charged one credit for 500 of 800 CU."""
    house, action = House(clock), waiting(owner, 800, **more)
    house.submit(action)
    house.step()
    assert balance(owner) == 8
    return house, action


def later(clock: Clock, *seconds: int) -> House:
    """The next leader."""
    clock.ms = MS + 500
    house = House(clock, token="next")
    for second in seconds:
        house.step(MS + second * 1000)
    return house


@pytest.mark.usefixtures("clean_redis")
@pytest.mark.parametrize("leaders", [1, 2, 3])
def test_process_and_leader_go_together_and_the_payment_comes_back_once(owner: Tenant, leaders: int) -> None:
    clock = Clock()
    with rules(**BUSY):
        paid(owner, clock)
        for _ in range(leaders - 1):
            later(clock, 1)
        later(clock, *range(1, 14))
    assert balance(owner) == 9
    assert Journal.objects.filter(key__startswith="refund:").count() == 1


@pytest.mark.usefixtures("clean_redis")
def test_the_leader_dies_between_the_charge_and_telling_anybody(owner: Tenant) -> None:
    clock = Clock()
    with rules(**BUSY):
        house = House(clock)
        house.handle(wire.here(PROCESS, 0))
        house.step()
        house.submit(waiting(owner, 800))
        house.term._round()
        assert balance(owner) == 8
        later(clock, *range(1, 14))
    assert balance(owner) == 9


@pytest.mark.usefixtures("clean_redis")
def test_the_leader_dies_after_it_found_the_process_gone(owner: Tenant) -> None:
    """Before it could pay back, which is a transaction of its own."""
    clock = Clock()
    with rules(**BUSY):
        house, _ = paid(owner, clock)
        clock.ms = MS + 11_000
        house.term.leader.tick(clock.ms)
        house.term._send()
        assert balance(owner) == 8
        house = House(clock, token="next")
        house.step(MS + 23_000)
        house.step(MS + 24_000)
    assert balance(owner) == 9


@pytest.mark.usefixtures("clean_redis")
@pytest.mark.parametrize("told", ["to the first leader", "to the next leader", "to nobody"])
def test_what_was_finished_is_not_paid_back(owner: Tenant, told: str) -> None:
    clock = Clock()
    with rules(**BUSY):
        house, action = paid(owner, clock, left=500)
        over = wire.end(PROCESS, [(action.id, 500)])
        if told == "to the first leader":
            house.handle(over)
            house.step()
        house = later(clock)
        if told == "to the next leader":
            house.handle(over)
        house.handle(wire.submit(PROCESS, [], whole=True))  # its answer to hello
        for second in range(1, 14):
            house.step(MS + second * 1000)
    assert balance(owner) == 8


@pytest.mark.usefixtures("clean_redis")
def test_a_process_that_lives_goes_on_with_what_was_paid(owner: Tenant) -> None:
    clock = Clock()
    with rules(**BUSY):
        _, action = paid(owner, clock)
        hear(Told())
        house = later(clock)
        house.handle(wire.submit(PROCESS, [action], whole=True))
        told = Told()
        for second in range(1, 4):
            house.step(MS + second * 1000)
        hear(told)
        assert sum(cu for cu, _, _ in told.granted[action.id]) == 800
        house.handle(wire.end(PROCESS, [(action.id, 800)]))
        for second in range(4, 20):
            house.step(MS + second * 1000)
    assert balance(owner) == 7


@pytest.mark.usefixtures("clean_redis")
def test_a_run_that_a_worker_begins_again_is_not_paid_back(owner: Tenant) -> None:
    clock = Clock()
    with rules(**BUSY):
        paid(owner, clock, api=False)
        later(clock, *range(1, 14))
    assert balance(owner) == 8


def test_what_is_over_is_told_once() -> None:
    one = Debt("p", "t", 3, "b", False)
    debts = Debts({})
    debts.owe("x", one)
    debts.owe("free", one._replace(credits=0))
    assert debts.take() == {"x": one}
    debts.over("x")
    debts.over("x")
    debts.over("free")
    assert debts.take() == {"x": None}
    assert debts.take() == {}


def test_a_process_tells_all_that_it_holds() -> None:
    debts = Debts({name: Debt(name[0], "t", 1, "b", False) for name in ("p1", "p2", "q1")})
    debts.only("p", ["p2"])
    assert set(debts.known) == {"p2", "q1"}


def test_rounds_that_are_not_in_the_list_yet_are_added_to_it() -> None:
    row = [["x", 500, "won", 2, "p", "t", "b", True], ["y", 100, "aged", 0], ["z", 500, "won", 1]]
    assert of_row(row) == {"x": Debt("p", "t", 2, "b", True)}
    known = {"x": Debt("p", "t", 3, "b", True)}
    assert merged(known, [of_row(row)]) == {"x": Debt("p", "t", 5, "b", True)}
