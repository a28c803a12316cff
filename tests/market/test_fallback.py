"""What becomes of an action that is not served (R28 to R32)."""

from itertools import pairwise
from typing import Any

from tests.market.stage import account, action, history, play, served, states

# Bidding rounds that have nothing for the poor; the lane, where it is wanted, is one entry.
FULL = {"threshold": 0, "freeLane": 0, "slots": 1, "cuPerCredit": 1}


def alone(rounds: int, need: int = 100, **contract: Any) -> dict[str, Any]:
    return play(action("a", need, **contract), settings=FULL, rounds=rounds)


def test_an_action_waits_until_its_deadline_and_no_longer() -> None:
    """R28, R29: two seconds are rounds 0 and 1; 504 when round 2 begins."""
    assert states(alone(2, maxWaitTime=2)) == ["pending"]
    assert states(alone(3, maxWaitTime=2)) == ["expired"]


def test_what_waits_beyond_its_deadline_is_not_served() -> None:
    """R28: also when it was served in part; what it used is not refunded."""
    result = play(action("a", 1200, maxWaitTime=2), accounts=[account("a", 9)], rounds=4, settings={
        "threshold": 0, "freeLane": 0,
    })  # fmt: skip
    assert history(result) == [500, 500, 0, 0]
    assert result["actions"][0] == {"state": "expired", "doneRound": None, "spent": 2, "degraded": False}
    assert result["balances"]["a"] == 7


def test_retry_leaves_the_queue_for_1_2_4_rounds() -> None:
    """R30: it takes part in rounds 0, 2, 5, 10, 19."""
    found = alone(20, fallbackBehavior="retry")["rounds"]
    assert [one["round"] for one in found if one["pressure"]] == [0, 2, 5, 10, 19]


def test_retry_never_rests_longer_than_32_rounds() -> None:
    """R30."""
    found = alone(200, fallbackBehavior="retry")["rounds"]
    present = [one["round"] for one in found if one["pressure"]]
    assert [later - earlier - 1 for earlier, later in pairwise(present)] == [
        1, 2, 4, 8, 16, 32, 32, 32, 32,
    ]  # fmt: skip


def test_retry_keeps_its_age() -> None:
    """R30: back in the queue, it goes before what came while it was away."""
    settings = {**FULL, "freeLane": 1}
    given = [action("a", fallbackBehavior="retry"), *(action("a", at=at) for at in (1, 1, 1))]
    result = play(*given, settings=settings, rounds=5)
    assert [served(result, number)[0][0] for number in range(2, 5)] == [0, 1, 2]


def test_retry_expires_at_its_deadline_also_while_it_rests() -> None:
    """R30."""
    result = alone(8, fallbackBehavior="retry", maxWaitTime=7)
    assert states(result) == ["expired"]


def test_fail_has_one_allocation() -> None:
    """R31: 503 after the first round that gives it nothing."""
    assert states(alone(1, fallbackBehavior="fail")) == ["failed"]


def test_fail_that_got_something_goes_on_to_its_deadline() -> None:
    """R31."""
    result = play(action("a", 225, fallbackBehavior="fail", maxWaitTime=2), rounds=3)
    assert history(result) == [100, 100, 0]
    assert states(result) == ["failed"]
    assert states(play(action("a", 225, fallbackBehavior="fail"), rounds=3)) == ["done"]


def test_degrade_is_cut_to_one_entry_at_its_deadline() -> None:
    """R32: with one more wait; flagged."""
    result = alone(4, need=600, fallbackBehavior="degrade", maxWaitTime=3)
    assert [one["pressure"] for one in result["rounds"]] == [6, 6, 6, 1]
    assert result["actions"][0]["degraded"]
    assert states(result) == ["pending"]


def test_degrade_that_is_served_then_is_done() -> None:
    """R32."""
    result = play(action("a", 600, fallbackBehavior="degrade", maxWaitTime=3), rounds=4)
    assert history(result) == [100, 100, 100, 100]
    assert result["actions"][0] == {"state": "done", "doneRound": 3, "spent": 0, "degraded": True}


def test_a_second_miss_of_degrade_is_503() -> None:
    """R32."""
    result = alone(7, need=600, fallbackBehavior="degrade", maxWaitTime=3)
    assert states(result) == ["failed"]
    assert result["actions"][0]["degraded"]
