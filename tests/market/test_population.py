"""A small population through the whole simulation: nothing is lost, the same seed is the same day, the figures add up."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from market.action import Action
from market.discipline import FirstCome, Market, RoundRobin
from market.fairness import DISCIPLINES, Waits, jain, play, waited
from market.fairness import Figures as Day
from market.fairnesstable import lines
from market.management.commands.market import length
from market.population import Population

SMALL = Population(tenants=300, rounds=24, rush=6, seed=7)


def an_action(number: int, account: str, need: int, now: int = 0) -> Action:
    return Action(number, account, "a", need, need, now, 10**6, 10**6)


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return play(SMALL)


def test_everybody_serves_all_that_was_submitted(told: dict[str, Any]) -> None:
    submitted = sum(map(len, SMALL.day()))
    for name, one in told["disciplines"].items():
        assert (one["actions"], one["expired"], one["left"]) == (submitted, 0, 0), name
        assert sum(waits["actions"] for waits in one["classes"].values()) == submitted
        assert 0 < one["jain"] <= 1
        assert 0 < one["capacity_used"] <= 1
    assert told["disciplines"].keys() == DISCIPLINES.keys()


def test_the_same_seed_is_the_same_day_and_another_is_another(told: dict[str, Any]) -> None:
    again = play(SMALL)
    for one in (*told["disciplines"].values(), *again["disciplines"].values()):
        one.pop("seconds", None)
    assert again == told
    assert list(SMALL.day()) != list(Population(tenants=300, rounds=24, rush=6, seed=8).day())


def test_the_market_sells_and_winners_wait_less_than_others(told: dict[str, Any]) -> None:
    market = told["disciplines"]["market"]
    assert market["bidding_rounds"] > 0
    assert market["revenue"] > 0
    assert market["sources"]["won"]["mean"] < market["mean"]
    assert market["classes"]["critical"]["mean"] < market["classes"]["low"]["mean"]


def test_a_quiet_day_has_no_price_and_nobody_waits() -> None:
    quiet = play(Population(tenants=300, rounds=12, rush=100, seed=7))
    market = quiet["disciplines"]["market"]
    assert (market["revenue"], market["bidding_rounds"], market["longest"]) == (0, 0, 0)


def test_first_come_lets_a_giant_block_everybody_and_round_robin_does_not() -> None:
    giant, small = an_action(0, "1", 250_000), an_action(1, "2", 30)
    line, turns = FirstCome(SMALL), RoundRobin(SMALL)
    assert line.round(0, [giant, small]) == []
    assert [one.action.number for one in turns.round(0, [giant, small])] == [1]
    assert [one.action.number for now in (1, 2) for one in line.round(now, [])] == [0, 1]
    assert (line.waiting(), turns.waiting()) == (0, 1)


def test_while_nobody_bids_rounds_are_short_and_a_large_action_waits_for_none() -> None:
    market = Market(SMALL)
    done = market.round(0, [an_action(0, "1", 2_000)])
    assert [one.action.number for one in done] == [0]
    assert market.used == 2_000


def test_who_gives_up_is_counted() -> None:
    hurried = play(Population(tenants=300, rounds=24, rush=6, seed=7, patience=2))
    market = hurried["disciplines"]["market"]
    assert market["expired"] > 0
    assert market["actions"] + market["expired"] == sum(map(len, SMALL.day()))
    assert any("gave up" in line for line in lines(hurried))


def test_the_figures_are_right() -> None:
    found = waited(Waits({0: 98, 10: 1, 30: 1}))
    assert (found["mean"], found["p50"], found["p99"], found["longest"]) == (0.4, 0, 10, 30)
    day = Day(2)
    day.count[0], day.rounds[0], day.count[1], day.rounds[1] = 1, 1, 1, 3
    assert jain(day) == pytest.approx((1 + 1 / 3) ** 2 / (2 * (1 + 1 / 9)))


def test_more_tenants_have_a_longer_day() -> None:
    assert (length(100), length(1_000_000)) == (200, 1_000)


def test_the_command_prints_a_table_or_json() -> None:
    options = ("market", "population", "--tenants", "200", "--rounds", "8", "--rush", "2", "--seed", "3")
    table, answer = StringIO(), StringIO()
    call_command(*options, stdout=table)
    call_command(*options, "--json", stdout=answer)
    assert "round robin" in table.getvalue()
    assert json.loads(answer.getvalue())["population"]["tenants"] == 200


@pytest.mark.parametrize(
    "wrong", [("--tenants", "0"), ("--peak", "nan"), ("--rounds", "-1"), ("--seed", "x")]
)
def test_nonsense_is_refused(wrong: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        call_command("market", "population", *wrong)
