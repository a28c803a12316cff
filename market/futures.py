"""Reservations that the platform makes by itself for scheduled runs (R27). Times are seconds."""

from collections.abc import Iterable
from dataclasses import dataclass

from market.reservation import Reservation

SHORTEST_S = 60


@dataclass(frozen=True, slots=True)
class Terms:
    """What a contract says about futures, and what was spent on them in this calendar month (UTC)."""

    enabled: bool = False
    horizon_s: int = 3_600
    budget: int = 0
    spent: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """A scheduled trigger that is still to come."""

    at: int
    need: int
    expected_s: int = 0


def reservation(
    run: Run, account: str, terms: Terms, *, now: int, toggle: bool, cu_per_credit: int = 500
) -> Reservation | None:
    """What to reserve for this run; nothing without the toggle, a budget that lasts, or inside no horizon."""
    credits = -(-run.need // cu_per_credit)
    wanted = terms.enabled and toggle and now < run.at <= now + terms.horizon_s
    if not wanted or terms.spent + credits > terms.budget:
        return None
    return Reservation(0, account, run.at, run.at + max(SHORTEST_S, run.expected_s), credits)


def covered(run: Run, account: str, made: Iterable[Reservation]) -> bool:
    """Whether a window of the account, however it came about, already holds when the run begins."""
    return any(one.account == account and one.active(run.at) for one in made)
