"""The curve over processes: the same calls at one edge process, then at two, each on an installation of its own."""

import os
from dataclasses import replace

from tests.bench.house import House, furnished
from tests.bench.load import Load, Place, check, fire
from tests.bench.processes import by_part, cpu_of_one
from tests.bench.table import CPU, P50, P99, Row, ends, middle
from tests.bench.throughput import RATE, Pace
from tests.bench.work import W1, W2, Work

WORKS = ((W1, "echo"), (W2, "total"))
TIMES = "× one process"


def measure(pace: Pace, most: int = 2) -> list[Row]:
    """Rows by work, then by number of processes."""
    found: dict[str, list[list[Load]]] = {}
    for count in range(1, most + 1):
        with furnished(count) as house:
            for work, module in WORKS:
                place = replace(house.place("edge", module), pid=0)  # several share the port
                found.setdefault(work.name, []).append(loads(house, place, work, pace))
    return [row for work, _ in WORKS for row in rows(work, found[work.name])]


def loads(house: House, place: Place, work: Work, pace: Pace) -> list[Load]:
    check(place, work)
    fire(place, work, 1)  # warm
    house.settle()
    return [one_round(house, place, work, pace.seconds) for _ in range(pace.rounds)]


def one_round(house: House, place: Place, work: Work, seconds: float) -> Load:
    """With the processor time of all edge processes for each call."""
    before = edges(house)
    load = fire(place, work, seconds)
    spent = edges(house) - before
    house.settle()
    return replace(load, cpu_us=spent / load.calls * 1e6)


def edges(house: House) -> float:
    return by_part(house.pid, cpu_of_one).get("edge", 0.0)


def rows(work: Work, found: list[list[Load]]) -> list[Row]:
    """`× one process` is the speed beside one process; the processor time of a call says what another core would add."""
    one = middle([load.rate for load in found[0]])
    made = []
    for count, mine in enumerate(found, 1):
        rates = [load.rate for load in mine]
        figures = {
            RATE: middle(rates),
            TIMES: middle(rates) / one,
            P50: middle([load.p50_ms for load in mine]),
            P99: middle([load.p99_ms for load in mine]),
            CPU: middle([load.cpu_us for load in mine]),
        }
        name = f"{work.name}: {count} edge process{'es' * (count > 1)}"
        note = f"{figures[TIMES]:.2f} × one process on {os.cpu_count()} cores; load, worker and stores share them"
        made.append(Row(name, figures, note=note, ends={RATE: ends(rates)}))
    return made
