"""Figures of a simulated day: waits by class and by what served, how evenly tenants were served, revenue."""

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from time import perf_counter
from typing import Any

from market.action import CLASSES
from market.discipline import Discipline, Done, FirstCome, Market, RoundRobin
from market.population import Population

DISCIPLINES: Mapping[str, type[FirstCome] | type[RoundRobin] | type[Market]] = {
    "market": Market,
    "round robin": RoundRobin,
    "first come": FirstCome,
}
MOST_EXTRA = 1_000  # rounds after the day, in which what still waits is served
Waits = Counter[int]


class Figures:
    """Of one discipline, while the day goes on. A wait of 0 is: done in the round of its submission."""

    def __init__(self, tenants: int) -> None:
        self.waits: dict[str, Waits] = {name: Counter() for name in CLASSES}
        self.sources: dict[str, Waits] = {}
        self.count = array("q", bytes(8 * tenants))  # finished actions of each tenant
        self.rounds = array("q", bytes(8 * tenants))  # rounds that they took together
        self.expired = self.busy = self.most_used = 0

    def add(self, one: Done, now: int) -> None:
        if one.source == "expired":
            self.expired += 1
            return
        wait = now - one.action.submitted
        self.waits[CLASSES[one.action.priority]][wait] += 1
        self.sources.setdefault(one.source, Counter())[wait] += 1
        tenant = int(one.action.account)
        self.count[tenant] += 1
        self.rounds[tenant] += wait + 1

    def used(self, cu: int) -> None:
        self.busy += cu
        self.most_used = max(self.most_used, cu)


def play(population: Population) -> dict[str, Any]:
    """The same day under each discipline."""
    told = {name: one_day(population, make(population)) for name, make in DISCIPLINES.items()}
    return {"population": asdict(population), "disciplines": told}


def one_day(population: Population, queue: Discipline) -> dict[str, Any]:
    began = perf_counter()
    figures, now = Figures(population.tenants), 0
    for now, arrived in enumerate(population.day()):
        turn(figures, queue, now, arrived)
    end = now + MOST_EXTRA
    while queue.waiting() and now < end:
        now += 1
        turn(figures, queue, now, [])
    capacity = population.capacity
    return told(figures, queue) | {
        "capacity_used": round(figures.busy / (capacity * (now + 1)), 4),
        "busiest_round": round(figures.most_used / capacity, 4),
        "seconds": round(perf_counter() - began, 1),
    }


def turn(figures: Figures, queue: Discipline, now: int, arrived: Any) -> None:
    for one in queue.round(now, arrived):
        figures.add(one, now)
    figures.used(queue.used)


def told(figures: Figures, queue: Discipline) -> dict[str, Any]:
    all_waits = sum(figures.waits.values(), Waits())
    found = {
        **waited(all_waits),
        "jain": round(jain(figures), 4),
        "active_tenants": sum(map(bool, figures.count)),
        "revenue": queue.revenue,
        "expired": figures.expired,
        "left": queue.waiting(),
        "classes": {name: waited(waits) for name, waits in reversed(figures.waits.items())},
        "sources": {name: waited(waits) for name, waits in sorted(figures.sources.items())},
    }
    if isinstance(queue, Market):
        found |= {"bidding_rounds": queue.bidding, "highest_price": queue.dearest}
    return found


def waited(waits: Waits) -> dict[str, Any]:
    """Mean and percentiles in rounds."""
    count = waits.total()
    if not count:
        return {"actions": 0, "mean": 0.0, "p50": 0, "p95": 0, "p99": 0, "longest": 0}
    mean = sum(wait * many for wait, many in waits.items()) / count
    p50, p95, p99 = (percentile(waits, count, share) for share in (50, 95, 99))
    return {
        "actions": count,
        "mean": round(mean, 2),
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "longest": max(waits),
    }


def percentile(waits: Waits, count: int, share: int) -> int:
    """The smallest wait that is not exceeded by `share` of 100."""
    wanted, seen = -(-count * share // 100), 0
    for wait in sorted(waits):
        seen += waits[wait]
        if seen >= wanted:
            return wait
    return 0


def jain(figures: Figures) -> float:
    """Jain's index of the tenants' speeds: actions for each round that they took; 1 is: all the same."""
    pairs = zip(figures.count, figures.rounds, strict=True)
    speeds = [count / rounds for count, rounds in pairs if count]
    squares = sum(speed * speed for speed in speeds)
    return sum(speeds) ** 2 / (len(speeds) * squares) if squares else 1.0
