"""Whole scenarios: credits are conserved, nobody is overdrawn, and the same input is the same answer (R36, R37)."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.account import Account
from market.action import CLASSES, FALLBACKS, Action
from market.clearing import clear
from market.result import Queue
from market.rules import Settings
from market.scenario import Refused, Scenario, read
from market.simulation import simulate
from tests.market.stage import account, action, play

NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
ROUNDS = st.integers(0, 11)
CONTRACTS = st.fixed_dictionaries(
    {},
    optional={
        "priority": st.sampled_from(CLASSES),
        "maxWaitTime": st.integers(0, 12),
        "fallbackBehavior": st.sampled_from(FALLBACKS),
        "costCeiling": st.none() | st.integers(0, 9),
        "autoBid": st.none() | st.booleans(),
    },
)
ACTIONS = st.fixed_dictionaries(
    {
        "account": NAMES,
        "service": st.sampled_from("xy"),
        "need": st.integers(1, 700),
        "round": ROUNDS,
        "contract": CONTRACTS,
    }
)
ACCOUNTS = st.tuples(
    *(
        st.fixed_dictionaries(
            {
                "id": st.just(name),
                "balance": st.integers(0, 20),
                "autoBid": st.booleans(),
                "bidCap": st.integers(0, 9),
            }
        )
        for name in "abcdef"
    )
).map(list)
RESERVATIONS = st.fixed_dictionaries(
    {
        "account": NAMES,
        "start": st.integers(0, 12),
        "end": st.integers(0, 14),
        "credits": st.integers(0, 9),
        "at": ROUNDS,
    }
)
FIGURES = st.fixed_dictionaries(
    {
        "threshold": st.integers(0, 12),
        "slots": st.integers(1, 3),
        "cuPerCredit": st.sampled_from([30, 100, 500]),
        "freeLane": st.integers(0, 2),
        "agingRounds": st.integers(1, 4),
        "tenantPressureCap": st.integers(0, 4),
        "maxReservations": st.integers(0, 3),
    }
)


@st.composite
def scenarios(draw: Any) -> dict[str, Any]:
    asked = draw(st.lists(RESERVATIONS, max_size=5))
    cancels = st.fixed_dictionaries({"reservation": st.integers(0, len(asked) - 1), "at": ROUNDS})
    top_ups = st.fixed_dictionaries({"account": NAMES, "credits": st.integers(0, 9), "round": ROUNDS})
    return {
        "settings": draw(FIGURES),
        "accounts": draw(ACCOUNTS),
        "topUps": draw(st.lists(top_ups, max_size=4)),
        "reservations": asked,
        "cancels": draw(st.lists(cancels, max_size=3)) if asked else [],
        "actions": draw(st.lists(ACTIONS, max_size=25)),
        "rounds": 12,
    }


def played(scenario: dict[str, Any]) -> dict[str, Any]:
    return simulate(Scenario.model_validate(scenario))


@given(scenarios())
@settings(max_examples=150, deadline=None)
def test_credits_are_conserved_and_nobody_is_overdrawn(scenario: dict[str, Any]) -> None:
    """R36, R22."""
    result = played(scenario)
    came_in = sum(one["balance"] for one in scenario["accounts"]) + sum(
        one["credits"] for one in scenario["topUps"]
    )
    assert sum(result["balances"].values()) + result["escrow"] + result["revenue"] == came_in
    assert min(*result["balances"].values(), result["escrow"], result["revenue"]) >= 0


@given(scenarios())
@settings(max_examples=150, deadline=None)
def test_every_round_has_one_price_that_no_winner_capped_below(scenario: dict[str, Any]) -> None:
    """R12 to R15, R21: uniform price, at most as many winners as slots, all within their caps."""
    caps = {one["id"]: one["bidCap"] for one in scenario["accounts"]}
    for found in played(scenario)["rounds"]:
        assert (found["price"] > 0) == (found["pressure"] > scenario["settings"]["threshold"])
        assert found["charged"] == dict.fromkeys(found["winners"], found["price"])
        assert len(found["winners"]) == min(len(found["bids"]), scenario["settings"]["slots"])
        assert all(found["bids"][name] >= found["price"] for name in found["winners"])
        assert all(not caps[name] or cap <= caps[name] for name, cap in found["bids"].items())


@given(scenarios())
@settings(max_examples=150, deadline=None)
def test_nobody_is_served_more_than_asked_nor_more_than_granted(scenario: dict[str, Any]) -> None:
    """R1, R14, R17, R20: free CU of an instance, grants, needs and ceilings are limits."""
    result = played(scenario)
    total = [0] * len(scenario["actions"])
    for found in result["rounds"]:
        free: dict[tuple[str, str], int] = {}
        won: dict[str, int] = {}
        for one in found["served"]:
            own = scenario["actions"][one["action"]]
            total[one["action"]] += one["cu"]
            if one["source"] in {"free", "aged", "unsold"}:
                key = own["account"], own["service"]
                free[key] = free.get(key, 0) + one["cu"]
            elif one["source"] == "won":
                won[own["account"]] = won.get(own["account"], 0) + one["cu"]
        assert all(cu <= 100 for cu in free.values())
        most = found["price"] * scenario["settings"]["cuPerCredit"]
        assert all(0 < cu <= most for cu in won.values())
        assert sorted(won) == found["winners"]
    for own, fate, cu in zip(scenario["actions"], result["actions"], total, strict=True):
        assert cu <= own["need"]
        assert (fate["state"] != "done") or cu == own["need"] or fate["degraded"]
        assert fate["spent"] <= (own["contract"].get("costCeiling") or 10**9)


@given(scenarios())
@settings(max_examples=80, deadline=None)
def test_the_same_scenario_has_the_same_answer(scenario: dict[str, Any]) -> None:
    """R37, down to the byte."""
    assert json.dumps(played(scenario)) == json.dumps(played(json.loads(json.dumps(scenario))))


@given(scenarios(), st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_the_order_of_the_accounts_does_not_matter(scenario: dict[str, Any], chance: Any) -> None:
    """R37: only submissions have an order."""
    other = {**scenario, "accounts": chance.sample(scenario["accounts"], len(scenario["accounts"]))}
    assert played(other) == played(scenario)


def test_within_a_round_money_comes_before_reservations_and_these_before_the_clearing() -> None:
    found = play(
        action("a"),
        accounts=[account("a")],
        topUps=[{"account": "a", "credits": 3, "round": 0}],
        reservations=[{"account": "a", "start": 2, "end": 3, "credits": 3}],
        cancels=[{"reservation": 0, "at": 0}],
        settings={"threshold": 0, "freeLane": 0, "slots": 1},
    )
    assert found["reservations"] == [{"status": "cancelled", "pool": 0}]
    assert found["rounds"][0]["charged"] == {"a": 1}


def test_the_example_of_the_documentation_is_true() -> None:
    found = play(
        action("ann", 225, service="shop"),
        action("ben", 225, service="shop", priority="high", maxWaitTime=10),
        accounts=[account("ann", 100, cap=50), account("ben", 9)],
        settings={"threshold": 2, "slots": 1, "freeLane": 0},
        rounds=4,
    )
    assert [one["charged"] for one in found["rounds"]] == [{"ann": 10}, {"ben": 1}, {}, {}]
    assert found["balances"] == {"ann": 90, "ben": 8}


def test_clearing_changes_nothing_that_it_was_given() -> None:
    """R37: the same call twice is the same answer."""
    waiting = Queue((Action(0, "a", "s", 300, 300, 0, 9, 9), Action(1, "b", "s", 30, 30, 0, 9, 9)))
    accounts = {"a": Account("a", 9, True), "b": Account("b")}
    first = clear(1, waiting, accounts, (), Settings(threshold=1))
    assert first == clear(1, waiting, accounts, (), Settings(threshold=1))
    assert waiting.actions[0].left == 300
    assert dict(waiting.since) == {}


def test_a_round_of_10000_actions_finds_its_200_winners() -> None:
    """How long that takes is measured by ``make bench``."""
    accounts = {f"a{n:04}": Account(f"a{n:04}", n % 97, True, n % 51) for n in range(2_000)}
    actions = [
        Action(n, f"a{n % 2000:04}", f"s{n % 3}", 1 + n % 600, 1 + n % 600, n % 20, 99, 99, n % 4)
        for n in range(10_000)
    ]
    found = clear(20, Queue(tuple(actions)), accounts, (), Settings())
    assert len(found.winners) == 200


# -- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({}, "rounds"),
        ({"rounds": -1}, "rounds"),
        ({"rounds": True}, "rounds"),
        ({"rounds": 1.0}, "rounds"),
        ({"rounds": "1"}, "rounds"),
        ({"rounds": 10_001}, "rounds"),
        ({"rounds": 1, "colour": 1}, "colour"),
        ({"rounds": 1, "settings": {"slots": 0}}, "settings.slots"),
        ({"rounds": 1, "settings": {"free_lane": 1}}, "settings.free_lane"),
        ({"rounds": 1, "accounts": [{"id": ""}]}, "accounts.0.id"),
        ({"rounds": 1, "accounts": [{"id": "a", "balance": -1}]}, "accounts.0.balance"),
        ({"rounds": 1, "accounts": [{"id": "a", "balance": 10**13}]}, "accounts.0.balance"),
        ({"rounds": 1, "accounts": [{"id": "a"}, {"id": "a"}]}, "accounts.1.id"),
        ({"rounds": 1, "actions": [{"account": "x", "service": "s", "need": 1}]}, "actions.0.account"),
        ({"rounds": 1, "actions": [{"account": "x", "service": "s", "need": 0}]}, "actions.0.need"),
        ({"rounds": 1, "actions": [{"account": "x", "service": "s", "need": 1.5}]}, "actions.0.need"),
        ({"rounds": 1, "cancels": [{"reservation": 0}]}, "cancels.0.reservation"),
        ({"rounds": 1, "topUps": [{"account": "x", "credits": -1}]}, "topUps.0.credits"),
        ({"rounds": 1, "actions": [{}] * 20_001}, "actions"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(wrong: dict[str, Any], path: str) -> None:
    with pytest.raises(Refused) as refused:
        read(json.dumps(wrong).encode())
    assert path in [where for where, _ in refused.value.problems]


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b'{"rounds": NaN}', b"\xff", b'{"rounds":' + b"9" * 5_000 + b"}"]
)
def test_what_is_no_scenario_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        read(data)


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(Refused, match="bytes"):
        read(b" " * (4 * 1024 * 1024 + 1))
