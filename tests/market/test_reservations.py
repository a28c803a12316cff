"""Reservations: window, pool, refund (R23 to R26)."""

from typing import Any

import pytest

from tests.market.stage import account, action, history, play, reservation, served

OPEN = {"threshold": 0, "freeLane": 0, "slots": 1}


def outcomes(*asked: dict[str, Any], **scenario: Any) -> list[Any]:
    owners = sorted({one["account"] for one in asked})
    accounts = scenario.pop("accounts", [account(name, 10, bids=False) for name in owners])
    result = play(reservations=list(asked), accounts=accounts, **scenario)
    return [one.get("error") or one["status"] for one in result["reservations"]]


def test_who_has_reserved_runs_first_and_pays_nothing_more() -> None:
    """R23: at any price, not among the winners, without moving the price."""
    owners = [account("a", 2), account("b", 1000), account("c", 80)]
    given = [action("a", 800, at=1), action("b", at=1), action("c", at=1)]
    result = play(*given, accounts=owners, reservations=[reservation("a", 1, 9, 2)], settings=OPEN, rounds=2)
    found = result["rounds"][1]
    assert (found["price"], found["winners"], list(found["bids"])) == (81, ["b"], ["b", "c"])
    assert served(result, 1)[0] == (0, 800, "reserved")
    assert result["reservations"] == [{"status": "active", "pool": 200}]
    assert result["balances"]["a"] == 0


def test_a_pool_is_500_cu_for_each_credit_and_then_the_account_is_as_others() -> None:
    """R23: it does not bid in the round that empties the pool, but in the next."""
    result = play(
        action("a", 1200, at=1),
        accounts=[account("a", 3)],
        reservations=[reservation("a", 1, 9, 2)],
        settings={**OPEN, "cuPerCredit": 500},
        rounds=3,
    )
    assert history(result) == [0, 1000, 200]
    assert [one["bids"] for one in result["rounds"]] == [{}, {}, {"a": 1}]


def test_free_compute_is_used_before_the_pool() -> None:
    """R11, R23: at price 0."""
    result = play(
        action("a", 350, at=1), accounts=[account("a", 1)], reservations=[reservation("a", 1, 9)], rounds=2
    )
    assert served(result, 1) == [(0, 100, "free"), (0, 250, "reserved")]
    assert result["reservations"][0]["pool"] == 250


def test_it_is_paid_at_once_held_and_earned_at_its_start() -> None:
    """R23, R25."""
    asked = {"accounts": [account("a", 5)], "reservations": [reservation("a", 2, 3, 4)]}
    money = [play(rounds=rounds, **asked) for rounds in (1, 3)]
    assert [(one["balances"]["a"], one["escrow"], one["revenue"]) for one in money] == [(1, 4, 0), (1, 0, 4)]


def test_windows_of_one_account_may_touch_but_not_overlap() -> None:
    """R24: half open."""
    assert outcomes(reservation("a", 1, 5), reservation("a", 5, 9)) == ["upcoming", "upcoming"]
    assert outcomes(reservation("a", 1, 5), reservation("a", 4, 9)) == ["upcoming", "overlap"]


def test_other_accounts_and_cancelled_windows_do_not_count() -> None:
    """R24."""
    assert outcomes(reservation("a", 1, 5), reservation("b", 1, 5)) == ["upcoming", "upcoming"]
    again = [reservation("a", 5, 9), reservation("a", 5, 9, at=1)]
    assert outcomes(*again, cancels=[{"reservation": 0, "at": 0}], rounds=2) == ["cancelled", "upcoming"]


@pytest.mark.parametrize(
    ("start", "end", "credits"), [(0, 5, 1), (5, 5, 1), (6, 5, 1), (1, 5, 0), (1, 5, -3)]
)
def test_a_window_lies_ahead_and_is_worth_something(start: int, end: int, credits: int) -> None:
    """R24."""
    assert outcomes(reservation("a", start, end, credits)) == ["window"]


def test_at_most_so_many_accounts_hold_one_at_an_instant() -> None:
    """R24 [A]."""
    full = [reservation("a", 1, 5), reservation("b", 5, 9), reservation("c", 4, 6), reservation("d", 2, 4)]
    found = outcomes(*full, reservation("e", 3, 6), settings={"maxReservations": 2})
    assert found == ["upcoming"] * 4 + ["sold out"]


def test_200_accounts_hold_one_and_the_next_is_refused() -> None:
    """R24 [A], the default."""
    found = outcomes(*(reservation(f"a{number:03}", 1, 5) for number in range(201)))
    assert found == ["upcoming"] * 200 + ["sold out"]


def test_what_cannot_be_paid_is_not_reserved() -> None:
    """R23."""
    found = play(accounts=[account("a", 10)], reservations=[reservation("a", 1, 5, 11)])
    assert found["reservations"] == [{"error": "insufficient"}]
    assert (found["balances"]["a"], found["escrow"]) == (10, 0)


@pytest.mark.parametrize(
    ("at", "status", "balance"), [(1, "cancelled", 10), (2, "active", 6), (3, "active", 6)]
)
def test_a_cancel_counts_only_before_the_start(at: int, status: str, balance: int) -> None:
    """R25: a full refund before, nothing from the start instant on."""
    found = play(
        accounts=[account("a", 10)],
        reservations=[reservation("a", 2, 9, 4)],
        cancels=[{"reservation": 0, "at": at}],
        rounds=4,
    )
    assert found["reservations"][0]["status"] == status
    assert found["balances"]["a"] == balance


def test_a_second_cancel_refunds_nothing_more() -> None:
    """R25."""
    twice = [{"reservation": 0, "at": 0}, {"reservation": 0, "at": 1}]
    found = play(
        accounts=[account("a", 10)], reservations=[reservation("a", 5, 9, 4)], cancels=twice, rounds=3
    )
    assert (found["balances"]["a"], found["escrow"], found["revenue"]) == (10, 0, 0)


def test_a_round_belongs_to_the_window_from_its_start_to_before_its_end() -> None:
    """R26, and R25: what is left of the pool lapses."""
    given = [action("a", 10, at=at) for at in range(5)]
    result = play(
        *given,
        accounts=[account("a", 1, bids=False)],
        reservations=[reservation("a", 1, 3)],
        settings={**OPEN, "cuPerCredit": 50},
        rounds=5,
    )
    assert [len(served(result, number)) for number in range(5)] == [0, 2, 1, 0, 0]
    assert result["reservations"] == [{"status": "ended", "pool": 0}]
