"""What an idle market costs a call: its two steps alone, and the way of a call with and without them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bundles.contract import seal
from market.admission import Grant, admit, free, house, limit
from market.local import Local
from runtime import call

SERVICES = 50  # that take turns
FUEL = 6_000  # of a short call


def steps(calls: int) -> float:
    """µs for admission and settlement of a call, with the name of its instance."""
    need, spend, now = seal({}), house.local.spend, time.perf_counter
    began = time.process_time()
    for number in range(calls):
        instance = f"bench/{number % SERVICES}"
        if not isinstance(admit(need, instance, now()), Grant):
            raise SystemExit("an idle market lets a short call wait")
        spend(instance, FUEL)
    return (time.process_time() - began) / calls * 1e6


@contextmanager
def off() -> Iterator[None]:
    """A process without a market: everything may run, and nothing is booked."""
    kept = call.admit, Local.open, Local.spend
    call.admit, Local.open, Local.spend = unasked, always, nothing  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        call.admit, Local.open, Local.spend = kept  # type: ignore[method-assign]


def unasked(need: Any, instance: str, now: float) -> Grant:
    return free(limit(need))


def always(local: Local, instance: str, now: float) -> bool:
    return True


def nothing(local: Local, instance: str, grains: int) -> None:
    pass


def without(way: Callable[[int], float], calls: int) -> float:
    """The same way of a call, without the market."""
    with off():
        return way(calls)
