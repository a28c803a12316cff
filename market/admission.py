"""Whether a call may execute now (ARCHITECTURE §1): the market's only word on the hot path."""

from dataclasses import dataclass
from functools import cache
from typing import Protocol


class Need(Protocol):
    """What of a contract decides: MARKET R4."""

    @property
    def compute_units(self) -> int: ...

    @property
    def compute_units_written(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Grant:
    """Execute now, with ``units`` CU for this round at ``price`` credits; ``round`` None is first come, first served."""

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


def admit(need: Need, tenant: str, now: float) -> Decision:
    """First come, first served: everything is granted at once, free, up to what the contract asks."""
    return free(need.compute_units if need.compute_units_written else MAX_ACTION_CU)


@cache
def free(units: int) -> Grant:
    """A grant without a price, made once for each size; there are at most MAX_ACTION_CU of them."""
    return Grant(units)
