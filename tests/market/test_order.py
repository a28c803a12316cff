"""Order inside an instance, ageing, turns between instances, the free lane, unsold slots (R6 to R9, R17, R18)."""

import math
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from market.action import CLASSES
from tests.market.stage import account, action, crowd, history, play, served

# Bidding with nothing to give but the lane: no capacity is left over.
LANE = {"threshold": 0, "slots": 1, "cuPerCredit": 1}


def test_inside_an_instance_class_goes_before_age() -> None:
    """R6."""
    given = [action("a", priority=name) for name in ("low", "normal", "high", "critical", "high")]
    result = play(*given, rounds=5)
    assert [one["doneRound"] for one in result["actions"]] == [4, 3, 1, 0, 2]


def test_age_is_the_order_of_submission_not_of_the_list() -> None:
    """R6."""
    result = play(action("a", at=1), action("a", 200, at=0), rounds=3)
    assert history(result) == [0, 0, 100]


def test_ten_full_rounds_of_waiting_raise_the_class_by_one() -> None:
    """R7: a stream of high actions holds a normal one up until it is high itself, and older."""
    stream = [action("a", at=at, priority="high") for at in range(20)]
    result = play(action("a", priority="normal"), *stream, rounds=21)
    assert result["actions"][0]["doneRound"] == 10


def test_after_thirty_rounds_every_action_is_critical() -> None:
    """R7."""
    stream = [action("a", at=at, priority="critical") for at in range(40)]
    result = play(action("a", priority="low"), *stream, rounds=41)
    assert result["actions"][0]["doneRound"] == 30


def test_who_has_been_longest_without_a_free_entry_is_next() -> None:
    """R8: class does not order between instances."""
    given = [action("a", 300, priority="critical"), action("b", 300), action("c", 300, priority="low")]
    result = play(*given, settings={**LANE, "freeLane": 1}, rounds=8)
    assert [[one[0] for one in served(result, number)] for number in range(1, 8)] == [
        [0], [1], [2], [0], [1], [2], [0],
    ]  # fmt: skip


def test_who_becomes_busy_counts_from_that_round() -> None:
    """R8: idleness earns no place before those who wait; a tie goes by R6, so b before c."""
    given = [action("a", 300), action("b", 300), action("c", 300, at=2)]
    result = play(*given, settings={**LANE, "freeLane": 1}, rounds=6)
    assert [served(result, number)[0][0] for number in range(1, 6)] == [0, 1, 0, 1, 2]


def test_the_lane_is_for_entries_that_have_waited_a_full_round() -> None:
    """R17."""
    result = play(*crowd(60), settings=LANE, rounds=3)
    assert [len(one["served"]) for one in result["rounds"]] == [0, 50, 10]
    assert {source for _, _, source in served(result, 1)} == {"aged"}


def test_the_lane_gives_an_instance_no_more_than_100() -> None:
    """R17."""
    result = play(action("a", 250), action("a", 250), settings=LANE, rounds=3)
    assert history(result) == [0, 100, 100]


def test_the_lane_serves_each_waiting_instance_before_one_twice() -> None:
    """R9 needs it: small entries of one instance do not take the lane from others."""
    given = [*(action("a", 1) for _ in range(5)), action("b", 1)]
    result = play(*given, settings={**LANE, "freeLane": 3}, rounds=2)
    assert [one[0] for one in served(result, 1)] == [0, 5, 1]


def test_a_bidder_whose_work_the_lane_has_done_pays_nothing() -> None:
    """R17: the lane is drawn before the auction, bidders' entries included."""
    rich = account("a", 5)
    result = play(
        action("a", 600), accounts=[rich], settings={"threshold": 0, "slots": 1, "cuPerCredit": 500}, rounds=2
    )
    assert result["rounds"][1]["bids"] == {}
    assert result["balances"]["a"] == 4


def test_the_lane_grows_after_a_sold_out_round_that_used_little() -> None:
    """R17: 200 winners used 100 CU each, so (100,000 - 20,000) / 100 entries are free in the next round."""
    rich = [account(f"a{number:03}", 5) for number in range(200)]
    given = [*(action(one["id"]) for one in rich), *crowd(1200)]
    result = play(*given, accounts=rich, rounds=3)
    assert len(result["rounds"][0]["winners"]) == 200
    assert len(result["rounds"][0]["served"]) == 200
    assert len(result["rounds"][1]["served"]) == 1000  # 800 of the lane, 200 unsold
    assert [source for _, _, source in served(result, 1)].count("aged") == 800


def test_without_a_lane_the_poor_wait_while_the_round_is_sold_out() -> None:
    """R17: FREE_LANE 0 is no lane at all."""
    rich = [account(f"a{number:03}", 500) for number in range(200)]
    given = [*(action(one["id"], 5_000) for one in rich), *crowd(1)]
    result = play(*given, accounts=rich, settings={"freeLane": 0}, rounds=3)
    assert history(result, 200) == [0, 0, 0]


def test_unsold_slots_are_free_for_those_who_did_not_bid() -> None:
    """R18: ten winners use 100 CU each; 990 entries of others fit."""
    rich = [account(f"a{number:03}", 5) for number in range(10)]
    given = [*(action(one["id"]) for one in rich), *crowd(1200)]
    result = play(*given, accounts=rich, settings={"freeLane": 0})
    sources = [source for _, _, source in served(result)]
    assert (sources.count("won"), sources.count("unsold")) == (10, 990)


def test_losers_wait_for_the_next_round() -> None:
    """R18: a losing action gets nothing, as all slots are sold."""
    rich = [account("a", 9), account("b", 5)]
    given = [action("a"), action("b")]
    result = play(*given, accounts=rich, settings={"threshold": 0, "slots": 1, "freeLane": 0})
    assert served(result) == [(0, 100, "won")]


@st.composite
def floods(draw: Any) -> dict[str, Any]:
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 5), st.integers(1, 250), st.integers(0, 15), st.sampled_from(CLASSES)),
            min_size=1,
            max_size=30,
        )
    )
    given = [action(f"a{who}", need, at, priority=name) for who, need, at, name in rows]
    figures = {"freeLane": draw(st.integers(1, 4)), "agingRounds": draw(st.integers(1, 4))}
    return {"actions": given, "settings": {**LANE, **figures}}


@given(floods())
@settings(max_examples=60, deadline=None)
def test_nobody_starves(flood: dict[str, Any]) -> None:
    """R9: done within 3·AGING + P·(ceil(I / LANE) + 1) rounds, with an empty wallet, whatever arrives later."""
    given, figures = flood["actions"], flood["settings"]
    result = play(*given, settings=figures, rounds=400)
    most = most_instances(given, result)
    for index, own in enumerate(given):
        waited = result["actions"][index]["doneRound"] - own["round"]
        entries = sum(math.ceil(left / 100) for left in older(given, result, index))
        bound = 3 * figures["agingRounds"] + entries * (math.ceil(most / figures["freeLane"]) + 1)
        assert waited <= bound


def older(given: list[dict[str, Any]], result: dict[str, Any], index: int) -> Iterator[int]:
    """What was left, when an action came, of those of its instance that are not younger, itself included."""
    own = given[index]
    for other, one in enumerate(given):
        if one["account"] == own["account"] and (one["round"], other) <= (own["round"], index):
            yield one["need"] - sum(history(result, other)[: own["round"]])


def most_instances(given: list[dict[str, Any]], result: dict[str, Any]) -> int:
    done = [one["doneRound"] for one in result["actions"]]
    return max(
        len({one["account"] for one, end in zip(given, done, strict=True) if one["round"] <= now <= end})
        for now in range(max(done) + 1)
    )
