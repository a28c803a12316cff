"""The price of a round and its winners (R12 to R16)."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.pricing import clearing_price, winners
from tests.market.stage import account, action, play, served

SMALL = {"threshold": 0, "freeLane": 0}


def ticked(caps: list[int], slots: int) -> int:
    """The story of R12 and R13 as it is told: everybody raises by one until few enough remain."""
    price = 1
    while sum(cap >= price for cap in caps) > slots and sum(cap > price for cap in caps) >= slots:
        price += 1
    return price


@given(st.lists(st.integers(1, 30), max_size=60), st.integers(1, 20))
@settings(max_examples=300)
def test_the_closed_form_is_where_the_clock_stops(caps: list[int], slots: int) -> None:
    """R13."""
    assert clearing_price(caps, slots) == ticked(caps, slots)


@given(st.lists(st.integers(1, 12), max_size=40), st.integers(1, 10))
def test_exactly_the_smaller_of_bidders_and_slots_win_and_nobody_below_the_price(
    caps: list[int], slots: int
) -> None:
    """R13: also when many have the same cap."""
    bids = {f"a{number:02}": cap for number, cap in enumerate(caps)}
    price = clearing_price(bids.values(), slots)
    won = winners(bids, price, slots, dict.fromkeys(bids, 0))
    assert len(won) == min(len(caps), slots)
    assert won == sorted(won)
    assert all(bids[name] >= price for name in won)
    assert all(bids[name] <= price for name in set(bids) - set(won))


def test_up_to_200_bidders_pay_one_credit() -> None:
    """R12."""
    assert clearing_price([50] * 200, 200) == 1
    assert clearing_price([], 200) == 1


def test_the_clock_stops_one_above_the_first_who_left() -> None:
    """R12, R13."""
    assert clearing_price([50] * 200 + [9], 200) == 10
    assert clearing_price([50] * 201, 200) == 50


@pytest.mark.parametrize(("price", "cu"), [(1, 500), (10, 5_000), (50, 25_000)])
def test_a_winner_gets_500_cu_for_each_credit(price: int, cu: int) -> None:
    """R14, and the table of the documentation: 225 CU cost 1, 10 or 50 credits, and one round."""
    rivals = [account("a", 100), account("b", price - 1)]
    given = [action("a", 225), action("a", 500_000), action("b")]
    result = play(*given, accounts=rivals, settings={**SMALL, "slots": 1})
    assert result["rounds"][0]["price"] == price
    assert result["rounds"][0]["charged"] == {"a": price}
    assert served(result) == [(0, 225, "won"), (1, cu - 225, "won")]
    assert result["actions"][0] == {"state": "done", "doneRound": 0, "spent": price, "degraded": False}


def test_a_cap_of_50_is_in_at_50() -> None:
    """R12: the price is 50 because somebody leaves at 50."""
    rivals = [account("a", 1000, cap=50), account("b", 1000, cap=49)]
    found = play(action("a"), action("b"), accounts=rivals, settings={**SMALL, "slots": 1})["rounds"][0]
    assert (found["price"], found["winners"]) == (50, ["a"])


def test_a_cap_of_50_is_out_at_51() -> None:
    """R12."""
    rivals = [account("a", 1000, cap=50), account("b", 1000, cap=60)]
    found = play(action("a"), action("b"), accounts=rivals, settings={**SMALL, "slots": 1})["rounds"][0]
    assert (found["price"], found["winners"]) == (51, ["b"])


def test_ties_go_by_class_then_age_then_id() -> None:
    """R13."""
    rivals = [account(name, 5) for name in "abcd"]
    given = [action("d"), action("c"), action("b", priority="high"), action("a")]
    found = play(*given, accounts=rivals, settings={**SMALL, "slots": 2})["rounds"][0]
    assert (found["price"], found["winners"]) == (5, ["b", "d"])
    assert winners({"b": 5, "a": 5}, 5, 1, {"a": 3, "b": 3}) == ["a"]


def test_an_account_bids_and_pays_once_a_round() -> None:
    """R15: whatever it has waiting, in whichever service."""
    given = [action("a", service=name) for name in "xyz"]
    result = play(*given, accounts=[account("a", 10)], settings=SMALL)
    assert result["rounds"][0]["charged"] == {"a": 1}
    assert len(served(result)) == 3
    assert result["balances"] == {"a": 9}


def test_the_grant_serves_the_lead_first_then_the_others_in_order() -> None:
    """R16: also those that may not bid; the limit of 100 CU does not hold."""
    given = [
        action("a", 150, priority="critical", autoBid=False),
        action("a", 250, priority="normal"),
        action("a", 300, priority="high", costCeiling=0),
    ]
    result = play(*given, accounts=[account("a", 10)], settings=SMALL)
    assert served(result) == [(1, 250, "won"), (0, 150, "won"), (2, 100, "won")]
    assert [one["spent"] for one in result["actions"]] == [0, 1, 0]


def test_what_is_left_of_a_grant_lapses() -> None:
    """R16: no carry-over, no refund."""
    result = play(action("a"), action("a", at=1), accounts=[account("a", 10)], settings=SMALL, rounds=2)
    assert result["balances"] == {"a": 8}
    assert result["revenue"] == 2


def test_an_action_larger_than_the_grant_is_served_in_part() -> None:
    """R16."""
    result = play(action("a", 1200), accounts=[account("a", 10)], settings=SMALL, rounds=3)
    assert [served(result, number) for number in range(3)] == [
        [(0, 500, "won")], [(0, 500, "won")], [(0, 200, "won")],
    ]  # fmt: skip
    assert result["actions"][0]["spent"] == 3


def test_the_closed_form_is_much_faster_than_the_clock() -> None:
    """MARKET §J, for 20,000 bidders."""
    caps = [1 + number * 7919 % 997 for number in range(20_000)]
    spent = []
    for price in (clearing_price, ticked):
        start = time.process_time()
        found = price(caps, 200)
        spent.append(time.process_time() - start)
    assert found == clearing_price(caps, 200)
    assert spent[0] * 10 < spent[1]
