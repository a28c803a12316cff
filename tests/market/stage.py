"""Scenarios in a line or two."""

from typing import Any

from market.scenario import Scenario
from market.simulation import simulate

BARE = {"freeLane": 0}
LONG = {"maxWaitTime": 1_000}


def account(name: str, balance: int = 0, *, bids: bool = True, cap: int = 0) -> dict[str, Any]:
    return {"id": name, "balance": balance, "autoBid": bids, "bidCap": cap}


def action(
    owner: str, need: int = 100, at: int = 0, *, service: str = "s", **contract: Any
) -> dict[str, Any]:
    return {
        "account": owner,
        "service": service,
        "need": need,
        "round": at,
        "contract": {"maxWaitTime": 1_000, **contract},
    }


def reservation(owner: str, start: int, end: int, credits: int = 1, at: int = 0) -> dict[str, Any]:
    return {"account": owner, "start": start, "end": end, "credits": credits, "at": at}


def play(*actions: dict[str, Any], rounds: int = 1, **scenario: Any) -> dict[str, Any]:
    """Accounts that are not described are poor and do not bid."""
    accounts = scenario.pop("accounts", [])
    known = {one["id"] for one in accounts}
    named = {one["account"] for one in (*actions, *scenario.get("reservations", []))}
    accounts = [*accounts, *(account(name, bids=False) for name in sorted(named - known))]
    given = {"accounts": accounts, "actions": list(actions), "rounds": rounds, **scenario}
    return simulate(Scenario.model_validate(given))


def served(result: dict[str, Any], number: int = 0) -> list[tuple[int, int, str]]:
    """What was served in a round, in order: action, CU, source."""
    return [(one["action"], one["cu"], one["source"]) for one in result["rounds"][number]["served"]]


def history(result: dict[str, Any], action: int = 0) -> list[int]:
    """What an action got in each round."""
    return [
        sum(one["cu"] for one in found["served"] if one["action"] == action) for found in result["rounds"]
    ]


def states(result: dict[str, Any]) -> list[str]:
    return [one["state"] for one in result["actions"]]


def crowd(size: int, **contract: Any) -> list[dict[str, Any]]:
    """One-entry actions of so many accounts that pay nothing."""
    return [action(f"z{number:05}", **contract) for number in range(size)]
