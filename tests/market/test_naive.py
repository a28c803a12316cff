"""The product and a naive reading of the same rules agree on everything, also on the order."""

import random
from typing import Any

import pytest

from market.action import CLASSES
from market.scenario import Scenario
from market.simulation import simulate
from tests.market.naive import model


def scenario(r: random.Random) -> dict[str, Any]:
    N = r.randrange(1, 9)
    names = [f"a{i}" for i in range(N)]
    T = r.randrange(1, 30)
    rs = [
        {
            "account": r.choice(names),
            "start": r.randrange(0, T + 3),
            "end": r.randrange(0, T + 6),
            "credits": r.randrange(0, 6),
            "at": r.randrange(T),
        }
        for _ in range(r.randrange(5))
    ]
    return {
        "settings": {
            "threshold": r.randrange(0, 25),
            "slots": r.randrange(1, 4),
            "cuPerCredit": r.choice([40, 100, 500]),
            "freeCu": r.choice([100, 100, 60]),
            "freeLane": r.randrange(0, 4),
            "agingRounds": r.randrange(1, 6),
            "tenantPressureCap": r.choice([0, 0, 3]),
            "maxReservations": r.randrange(0, 4),
            "backoffMax": r.choice([1, 4, 32]),
        },
        "accounts": [
            {
                "id": x,
                "balance": r.randrange(0, 40),
                "autoBid": r.random() < 0.7,
                "bidCap": r.choice([0, 0, 3, 5, 8]),
            }
            for x in names
        ],
        "topUps": [
            {"account": r.choice(names), "credits": r.randrange(9), "round": r.randrange(T)}
            for _ in range(r.randrange(4))
        ],
        "reservations": rs,
        "cancels": [
            {"reservation": r.randrange(len(rs)), "at": r.randrange(T)} for _ in range(r.randrange(3))
        ]
        if rs
        else [],
        "actions": [
            {
                "account": r.choice(names),
                "service": r.choice("xy"),
                "need": r.choice([r.randrange(1, 60), r.randrange(1, 900)]),
                "round": r.randrange(T),
                "contract": {
                    k: v
                    for k, v in {
                        "priority": r.choice(CLASSES),
                        "maxWaitTime": r.randrange(0, 25),
                        "fallbackBehavior": r.choice(["queue", "retry", "degrade", "fail"]),
                        "costCeiling": r.choice([None, 0, 2, 9]),
                        "autoBid": r.choice([None, True, False]),
                    }.items()
                    if r.random() < 0.6
                },
            }
            for _ in range(r.randrange(45))
        ],
        "rounds": T,
    }


@pytest.mark.parametrize("block", range(6))
def test_a_naive_reading_of_the_rules_agrees(block: int) -> None:
    """R5 to R26, R28 to R32, R36, R37: forty scenarios each."""
    for seed in range(40 * block, 40 * block + 40):
        given = scenario(random.Random(seed))
        assert simulate(Scenario.model_validate(given)) == model(given), f"seed {seed}"
