"""Whether a call may execute now (ARCHITECTURE §1): the market's only word on the hot path.

While the price is 0 that is decided here, in this process, with a dictionary look-up; else the call takes a ticket
(market/client.py) and the leader's rounds decide.
"""

from dataclasses import dataclass
from functools import cache
from typing import Protocol

from market.client import Client
from market.local import GRAINS, Local


class Need(Protocol):
    """What of a contract decides: MARKET R4."""

    @property
    def compute_units(self) -> int: ...

    @property
    def compute_units_written(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Grant:
    """Execute now, within ``units`` CU."""

    units: int
    price: int = 0
    round: int | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Stand in the queue at ``position``; the grant comes with a later round."""

    position: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """Not now: 503 ``no_capacity`` or 504 ``queue_timeout`` (MARKET R29–R32)."""

    reason: str
    retry_after_s: int = 1


Decision = Grant | Wait | Refuse
MAX_ACTION_CU = 25_000
WAIT = Wait(0, 1)


class House:
    """The market as this process sees it; without a client it turns its own rounds and nobody bids."""

    def __init__(self) -> None:
        self.local = Local()
        self.client: Client | None = None
        self.waiting = 0  # calls of this process that wait for a round


house = House()


def admit(need: Need, instance: str, now: float) -> Decision:
    """At once when the instance has room in this round and nothing of it waits; ``now`` in seconds of any steady clock."""
    if not house.local.open(instance, now):
        return WAIT
    return free(limit(need))


def limit(need: Need) -> int:
    """The most CU an action may use: what its contract says is a budget, else what anything may."""
    return need.compute_units if need.compute_units_written else MAX_ACTION_CU


@cache
def free(units: int) -> Grant:
    """A grant without a price, made once for each size; there are at most MAX_ACTION_CU of them."""
    return Grant(units)


__all__ = ["GRAINS", "Decision", "Grant", "House", "Refuse", "Wait", "admit", "free", "house", "limit"]
