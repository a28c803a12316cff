"""Estimates, buffer, entries, and when bidding starts (R1, R4, R5, R10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.estimate import buffered, count, need, split
from tests.market.stage import account, action, crowd, history, play, served


@pytest.mark.parametrize(("raw", "with_buffer"), [(204, 225), (100, 110), (1, 2), (0, 0), (225, 248)])
def test_a_measured_need_has_ten_per_cent_on_top_rounded_up(raw: int, with_buffer: int) -> None:
    """R4."""
    assert need(None, raw) == buffered(raw) == with_buffer


def test_a_written_need_is_taken_as_it_is_and_nothing_is_a_hundred() -> None:
    """R4: what is written is a budget already."""
    assert need(200, 500) == 200
    assert need(None, None) == 100


def test_225_is_100_and_100_and_25() -> None:
    """R5."""
    assert split(225) == [100, 100, 25]
    assert count(225, 100) == 3


@given(st.integers(1, 10**6), st.integers(1, 1000))
def test_entries_make_up_the_need_and_only_the_last_is_smaller(need: int, size: int) -> None:
    """R5."""
    if need // size > 5000:
        need = need % 5000 + 1
    entries = split(need, size)
    assert sum(entries) == need
    assert len(entries) == count(need, size)
    assert set(entries[:-1]) <= {size}


def test_free_of_charge_an_instance_has_100_a_round() -> None:
    """R1, and the table of the documentation: 225 CU are three rounds at price 0."""
    result = play(action("a", 225), action("a", 50, service="other"), rounds=3)
    assert history(result) == [100, 100, 25]
    assert history(result, 1) == [50, 0, 0]
    assert [one["doneRound"] for one in result["actions"]] == [2, 0]


def test_small_entries_share_a_round_while_they_fit() -> None:
    """R5: an entry is never split, and nothing overtakes the head of the line."""
    result = play(
        action("a", 30), action("a", 70), action("a", 60), action("a", 50), action("a", 40), rounds=3
    )
    assert [history(result, number).index(cu) for number, cu in enumerate((30, 70, 60, 50, 40))] == [
        0, 0, 1, 2, 2,
    ]  # fmt: skip


def test_1000_entries_are_free_and_1001_are_not() -> None:
    """R10: more than the threshold."""
    assert play(*crowd(1000))["rounds"][0]["price"] == 0
    found = play(*crowd(1001))["rounds"][0]
    assert (found["price"], found["pressure"]) == (1, 1001)


def test_entries_count_and_not_actions() -> None:
    """R10."""
    assert play(action("a", 100_000))["rounds"][0]["price"] == 0
    assert play(action("a", 100_001))["rounds"][0]["price"] == 1


def test_one_account_counts_for_at_most_the_pressure_cap() -> None:
    """R10 [A]."""
    found = play(action("a", 100_001), action("b"), settings={"tenantPressureCap": 250})["rounds"][0]
    assert (found["price"], found["pressure"]) == (0, 251)


def test_who_backs_off_does_not_count() -> None:
    """R10: entries in retry back-off are no pressure."""
    settings = {"threshold": 1, "freeLane": 0, "slots": 1, "cuPerCredit": 1}
    result = play(
        action("a", 300, fallbackBehavior="retry"),
        accounts=[account("a", bids=False)],
        settings=settings,
        rounds=3,
    )
    assert [one["pressure"] for one in result["rounds"]] == [3, 0, 3]
    assert served(result, 1) == []
