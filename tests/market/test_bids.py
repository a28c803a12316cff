"""Who bids, how high, and what is paid (R19 to R22)."""

from typing import Any

import pytest

from tests.market.stage import account, action, play

OPEN = {"threshold": 0, "freeLane": 0, "slots": 1}


def bids(*actions: dict[str, Any], **owner: Any) -> dict[str, int]:
    result = play(*actions, accounts=[account("a", **{"balance": 100, **owner})], settings=OPEN)
    found: dict[str, int] = result["rounds"][0]["bids"]
    return found


@pytest.mark.parametrize(
    ("toggle", "auto_bid", "priority", "bidding"),
    [
        (True, None, "normal", True),
        (True, None, "low", False),
        (True, True, "low", True),
        (True, False, "critical", False),
        (False, True, "critical", False),
        (False, None, "high", False),
    ],
)
def test_who_may_bid(toggle: bool, auto_bid: bool | None, priority: str, bidding: bool) -> None:
    """R19."""
    found = bids(action("a", autoBid=auto_bid, priority=priority), bids=toggle)
    assert bool(found) is bidding


def test_age_does_not_make_a_low_action_spend() -> None:
    """R19: the written priority counts."""
    rich = [account("a", 100), account("b", 100)]
    given = [action("a", priority="low"), action("b", 500_000)]
    result = play(*given, accounts=rich, settings=OPEN, rounds=35)
    assert result["balances"]["a"] == 100


def test_the_cap_is_the_smallest_of_wallet_bid_cap_and_ceiling() -> None:
    """R21."""
    assert bids(action("a")) == {"a": 100}
    assert bids(action("a"), cap=40) == {"a": 40}
    assert bids(action("a", costCeiling=7), cap=40) == {"a": 7}
    assert bids(action("a"), balance=3, cap=40) == {"a": 3}


def test_the_largest_ceiling_of_those_that_may_bid_counts() -> None:
    """R21."""
    assert bids(action("a", costCeiling=3), action("a", costCeiling=9)) == {"a": 9}
    assert bids(action("a", costCeiling=3), action("a", costCeiling=9, autoBid=False)) == {"a": 3}
    assert bids(action("a", costCeiling=3), action("a")) == {"a": 100}


def test_nothing_to_spend_is_no_bid() -> None:
    """R20, R21: a ceiling of 0 never bids, an empty wallet neither."""
    assert bids(action("a", costCeiling=0)) == {}
    assert bids(action("a"), balance=0) == {}


def test_the_ceiling_is_for_the_whole_action() -> None:
    """R20: 2,000 CU with a ceiling of 2 win two rounds and no third."""
    result = play(action("a", 2_000, costCeiling=2), accounts=[account("a", 100)], settings=OPEN, rounds=5)
    assert [one["bids"] for one in result["rounds"]] == [{"a": 2}, {"a": 1}, {}, {}, {}]
    assert result["actions"][0]["spent"] == 2
    assert result["balances"]["a"] == 98


def test_the_payment_is_booked_on_the_first_whose_ceiling_allows_it() -> None:
    """R20."""
    rich = [account("a", 100), account("b", 5)]
    given = [action("a", priority="high", costCeiling=4), action("a", costCeiling=20), action("b")]
    result = play(*given, accounts=rich, settings=OPEN)
    assert result["rounds"][0]["price"] == 6
    assert [one["spent"] for one in result["actions"]] == [0, 6, 0]


def test_credits_that_come_before_a_round_count_in_it() -> None:
    """R21: caps are read at the start of the round."""
    result = play(
        action("a", 100_000),
        accounts=[account("a")],
        topUps=[{"account": "a", "credits": 4, "round": 1}],
        settings=OPEN,
        rounds=3,
    )
    assert [one["bids"] for one in result["rounds"]] == [{}, {"a": 4}, {"a": 3}]


def test_a_wallet_is_spent_to_zero_and_no_further() -> None:
    """R22."""
    result = play(action("a", 10_000), accounts=[account("a", 3)], settings=OPEN, rounds=6)
    assert [one["charged"] for one in result["rounds"]] == [{"a": 1}] * 3 + [{}] * 3
    assert result["balances"]["a"] == 0
