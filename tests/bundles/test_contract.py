"""Contracts: composed field by field (R33), several goals at one endpoint (R34), sources told."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles import contract, values
from bundles.contract import ATTRIBUTES, CONTRACT_FIELDS, DEFAULTS, PRIORITIES, Terms
from bundles.values import Mapping, Report


def read(text: str) -> tuple[Terms, Report]:
    root = values.parse(text.encode(), file="a.yaml").root
    assert isinstance(root, Mapping)
    report = Report()
    return contract.read(root, report, source="goal x"), report


def terms(source: str, **written: Any) -> Terms:
    return {name: (value, source) for name, value in written.items()}


def test_the_defaults_are_those_of_the_documentation() -> None:
    """R33: they are filled in last."""
    sealed = contract.seal({})
    assert (sealed.priority, sealed.compute_units, sealed.max_wait_ms) == ("normal", 100, 30_000)
    assert (sealed.futures_enabled, sealed.fallback, sealed.cost_ceiling) == (False, "queue", None)
    assert sealed.auto_bid is None
    assert not sealed.compute_units_written
    assert set(sealed.sources.values()) == {"default"}


def test_every_field_of_the_documentation_reads() -> None:
    found, report = read(
        "priority: critical\ncomputeUnits: 500\nmaxWaitTime: 1s\nfuturesEnabled: true\n"
        "fallbackBehavior: retry\n"
        "costCeiling: 10\nautoBid: false\nfuturesHorizon: 1h\nfuturesBudget: 20\n"
    )
    assert not report.problems()
    assert {name: value for name, (value, _) in found.items()} == {
        "priority": "critical", "compute_units": 500, "max_wait_ms": 1000, "futures_enabled": True,
        "fallback": "retry", "cost_ceiling": 10, "auto_bid": False, "futures_horizon_ms": 3_600_000,
        "futures_budget": 20,
    }  # fmt: skip


def test_every_field_has_an_attribute_and_a_default() -> None:
    assert ATTRIBUTES.keys() == CONTRACT_FIELDS.keys()
    assert set(ATTRIBUTES.values()) == set(DEFAULTS)


@pytest.mark.parametrize(
    "text",
    [
        "prioritty: high",
        "priority: urgent",
        "computeUnits: 0",
        "computeUnits: -5",
        "computeUnits: 25001",
        "computeUnits: 1.5",
        "computeUnits: 99999999999999999999",
        "costCeiling: -1",
        "costCeiling: unlimited",
        "futuresBudget: -20",
        "futuresBudget: 2.5",
        "maxWaitTime: 30",
        "maxWaitTime: -1s",
        "fallbackBehavior: explode",
        "autoBid: maybe",
        "futuresEnabled: 1",
    ],
)
def test_an_unknown_field_or_value_is_an_error_with_its_line(text: str) -> None:
    """R33, R35."""
    found, report = read("x-note: mine\n" + text)
    assert found == {}
    assert [(p.severity, p.line) for p in report.problems()] == [("error", 2)]


def test_the_inner_one_wins_field_by_field_also_when_it_loosens() -> None:
    """R33."""
    sealed = contract.seal(
        contract.compose(
            terms("bundle", priority="critical", futures_enabled=True),
            terms("service api", priority="high", max_wait_ms=10_000),
            terms("goal slow", max_wait_ms=60_000),
        )
    )
    assert (sealed.priority, sealed.max_wait_ms, sealed.futures_enabled) == ("high", 60_000, True)
    assert sealed.sources["priority"] == "service api"
    assert sealed.sources["max_wait_ms"] == "goal slow"
    assert sealed.sources["futures_enabled"] == "bundle"
    assert sealed.sources["fallback"] == "default"


def test_a_written_default_still_counts_as_written() -> None:
    sealed = contract.seal(terms("goal x", compute_units=100))
    assert sealed.compute_units_written


def test_several_goals_make_the_contract_of_the_seed() -> None:
    """R34."""
    payment = contract.seal(
        contract.combine(
            [
                terms("goal a", priority="critical", compute_units=200, max_wait_ms=2000,
                      futures_enabled=True, fallback="fail", cost_ceiling=10),
                terms("goal b", priority="critical", compute_units=100, max_wait_ms=1000),
            ]
        )
    )  # fmt: skip
    assert (payment.priority, payment.compute_units, payment.max_wait_ms) == ("critical", 200, 1000)
    assert (payment.fallback, payment.cost_ceiling) == ("fail", 10)
    assert payment.sources["max_wait_ms"] == "goal b"


def test_the_highest_priority_goal_that_states_it_chooses_the_fallback() -> None:
    """R34."""
    goals = [
        terms("a", priority="normal", fallback="queue", futures_budget=1),
        terms("b", priority="critical"),
        terms("c", priority="high", fallback="degrade"),
        terms("d", priority="high", fallback="fail", futures_budget=2),
    ]
    sealed = contract.seal(contract.combine(goals))
    assert (sealed.priority, sealed.fallback, sealed.futures_budget) == ("critical", "degrade", 2)


def test_one_goal_that_will_not_bid_is_enough() -> None:
    sealed = contract.seal(contract.combine([terms("a", auto_bid=True), terms("b", auto_bid=False)]))
    assert sealed.auto_bid is False
    assert contract.seal(contract.combine([terms("a", auto_bid=True), terms("b")])).auto_bid is True


WRITTEN = st.fixed_dictionaries(
    {},
    optional={
        "priority": st.sampled_from(PRIORITIES),
        "compute_units": st.integers(1, 25_000),
        "max_wait_ms": st.integers(0, 10**6),
        "futures_enabled": st.booleans(),
        "fallback": st.sampled_from(contract.FALLBACKS),
        "cost_ceiling": st.integers(0, 100),
        "auto_bid": st.booleans(),
        "futures_horizon_ms": st.integers(0, 10**6),
        "futures_budget": st.integers(0, 100),
    },
)


@settings(deadline=None)
@given(WRITTEN, WRITTEN, WRITTEN)
def test_composition_is_a_shallow_override(one: Any, two: Any, three: Any) -> None:
    sealed = contract.seal(contract.compose(terms("1", **one), terms("2", **two), terms("3", **three)))
    expected = {**DEFAULTS, **one, **two, **three}
    assert {name: getattr(sealed, name) for name in DEFAULTS} == expected
    for name, source in sealed.sources.items():
        layers = {"1": one, "2": two, "3": three, "default": DEFAULTS}
        assert layers[source][name] == expected[name]


@settings(deadline=None)
@given(st.lists(WRITTEN, min_size=1, max_size=4))
def test_combined_goals_are_never_weaker_than_one_of_them(goals: list[Any]) -> None:
    combined = contract.seal(contract.combine([terms(str(n), **goal) for n, goal in enumerate(goals)]))
    for goal in goals:
        rank = PRIORITIES.index(goal.get("priority", "low"))
        assert PRIORITIES.index(combined.priority) >= rank or "priority" not in goal
        assert combined.compute_units >= goal.get("compute_units", 0)
        assert combined.max_wait_ms <= goal.get("max_wait_ms", 10**9)
        assert combined.cost_ceiling is None or combined.cost_ceiling <= goal.get("cost_ceiling", 10**9)
        assert not (goal.get("auto_bid") is False and combined.auto_bid)


@settings(deadline=None)
@given(WRITTEN)
def test_one_goal_combined_is_itself(goal: Any) -> None:
    assert contract.combine([terms("g", **goal)]) == terms("g", **goal)


def test_what_is_used_up_is_what_was_written_or_the_most_that_a_call_may_have() -> None:
    assert "contract's 7 compute units" in contract.seal(terms("g", compute_units=7)).used_up
    assert "25000 compute units" in contract.seal({}).used_up
