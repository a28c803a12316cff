"""One round as the leader hands it to be cleared, and what of it is found again after a leader's end."""

from collections.abc import Mapping
from typing import NamedTuple

from market.debts import Debt
from market.result import Queue, RoundResult
from market.wire import Granted


class Payer(NamedTuple):
    """Whose spend limit counts: a bundle's, and that for strangers."""

    bundle: str
    stranger: bool


class Turn(NamedTuple):
    """`ids` and `payers` are those of the waiting actions, by their number; `at` is when it starts, in ms.

    `holders` are the processes of those whose callers wait.
    """

    number: int
    at: int
    queue: Queue
    ids: Mapping[int, str]
    payers: Mapping[int, Payer]
    holders: Mapping[int, str] = {}


class Past(NamedTuple):
    """A stored round: what each action got and what became of it."""

    number: int
    price: int
    served: Mapping[str, list[Granted]]
    ended: Mapping[str, str]
    used: int | None  # as in Queue
    contended: bool
    debts: Mapping[str, Debt] = {}  # what it charged for calls


def granted(found: RoundResult, ids: Mapping[int, str]) -> list[Granted]:
    """Everything that was served, with the payment on the first grant that was won with it."""
    booked = dict(found.booked)
    sums: dict[tuple[int, str], int] = {}
    for one in found.served:
        sums[one.number, one.source] = sums.get((one.number, one.source), 0) + one.cu
    return [
        Granted(ids[number], cu, source, booked.pop(number, 0) if source == "won" else 0)
        for (number, source), cu in sums.items()
    ]


def by_id(all_granted: list[Granted]) -> dict[str, list[Granted]]:
    found: dict[str, list[Granted]] = {}
    for one in all_granted:
        found.setdefault(one.id, []).append(one)
    return found
