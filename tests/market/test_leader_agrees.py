"""The running market decides as the simulation does, with real wallets, rounds and reservations (R37)."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import wallet
from market.action import CLASSES, FALLBACKS
from market.scenario import Scenario
from market.simulation import simulate
from tests.market.running import Played, rules

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
NAMES = "abcdef"


@st.composite
def scenarios(draw: Any) -> dict[str, Any]:
    owner, small = st.sampled_from(NAMES), st.integers(0, 12)
    contract = st.fixed_dictionaries(
        {
            "priority": st.sampled_from(CLASSES),
            "maxWaitTime": st.integers(0, 12),
            "fallbackBehavior": st.sampled_from(FALLBACKS),
            "costCeiling": st.none() | st.integers(0, 9),
            "autoBid": st.none() | st.booleans(),
        }
    )
    action = st.fixed_dictionaries(
        {
            "account": owner,
            "service": st.sampled_from("st"),
            "need": st.integers(1, 420),
            "round": small,
            "contract": contract,
        }
    )
    account = [
        {
            "id": name,
            "balance": draw(st.integers(0, 60)),
            "autoBid": draw(st.booleans()),
            "bidCap": draw(st.integers(0, 20)),
        }
        for name in NAMES
    ]
    top_up = st.fixed_dictionaries({"account": owner, "credits": small, "round": small})
    reservation = st.fixed_dictionaries(
        {"account": owner, "start": small, "end": small, "credits": st.integers(0, 4), "at": small}
    )
    asked = draw(st.lists(reservation, max_size=4))
    cancel = st.fixed_dictionaries({"reservation": st.integers(0, max(0, len(asked) - 1)), "at": small})
    return {
        "settings": {
            "threshold": draw(st.integers(0, 8)),
            "slots": draw(st.integers(1, 4)),
            "cuPerCredit": draw(st.sampled_from([60, 100, 500])),
            "freeLane": draw(st.integers(0, 3)),
            "agingRounds": draw(st.integers(1, 5)),
            "tenantPressureCap": draw(st.sampled_from([0, 0, 3])),
            "maxReservations": draw(st.sampled_from([1, 200])),
            "backoffMax": draw(st.sampled_from([1, 4, 32])),
        },
        "accounts": account,
        "topUps": draw(st.lists(top_up, max_size=4)),
        "reservations": asked,
        "cancels": draw(st.lists(cancel, max_size=2)) if asked else [],
        "actions": draw(st.lists(action, min_size=1, max_size=25)),
        "rounds": 16,
    }


def expected(scenario: Scenario) -> dict[str, Any]:
    """The simulation's result in the form of `Played.result`."""
    result = simulate(scenario)
    rounds = []
    for one in result["rounds"]:
        sums: dict[tuple[int, str], int] = {}
        for served in one["served"]:
            key = served["action"], served["source"]
            sums[key] = sums.get(key, 0) + served["cu"]
        rounds.append(
            {
                "price": one["price"],
                "bids": one["bids"],
                "winners": sorted(one["winners"]),
                "served": sorted((*key, cu) for key, cu in sums.items()),
            }
        )
    return {"rounds": rounds, "actions": result["actions"], "balances": result["balances"]} | {
        "escrow": result["escrow"]
    }


@given(scenarios())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_running_market_and_the_simulation_agree(given: dict[str, Any]) -> None:
    agree(given)


def agree(given: dict[str, Any]) -> None:
    scenario = Scenario.model_validate(given)
    with rules(**scenario.settings.model_dump()), transaction.atomic():
        played = Played(scenario).play()
        faults = wallet.check()
        transaction.set_rollback(True)  # the next example begins with empty tables
    assert faults == []
    played.pop("pools")
    wanted = expected(scenario)
    for number, (mine, theirs) in enumerate(zip(played["rounds"], wanted["rounds"], strict=True)):
        assert mine == theirs, number
    assert played == wanted


def low(service: str, number: int, wait: int, fallback: str) -> dict[str, Any]:
    terms = {"priority": "low", "maxWaitTime": wait, "fallbackBehavior": fallback}
    return {"account": "a", "service": service, "need": 1, "round": number, "contract": terms}


def test_who_was_idle_between_two_rounds_has_no_older_turn() -> None:
    """One that gave up while nothing else waited left its instance the turn of before (found by the test above)."""
    waited = [low("s", 0, 0, "queue"), low("t", 0, 2, "retry")]
    agree(
        {
            "settings": {"threshold": 0, "slots": 1, "cuPerCredit": 60, "freeLane": 1, "agingRounds": 1}
            | {"maxReservations": 1, "backoffMax": 1},
            "accounts": [{"id": "a", "balance": 0, "autoBid": False, "bidCap": 0}],
            "actions": [*waited, low("s", 3, 2, "queue"), low("t", 3, 2, "queue")],
            "rounds": 8,
        }
    )
