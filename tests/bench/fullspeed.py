"""One service alone on an idle engine: as fast as without a market, and long calls up to what rounds allow (R2, R3)."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.bench.house import House, allow
from tests.bench.load import Load, Place, check, fire
from tests.bench.processes import clean, free_ports, request, running, until
from tests.bench.table import CPU, P50, P99, Goal, Row, ends, middle, ratios
from tests.bench.throughput import RATE, Pace
from tests.bench.work import W1, Work

TIMES, UNITS = "× without a market", "CU/s"
LONG = 90  # CU of a long call: with the ten per cent on top it is one entry
MOST = 200 * LONG  # CU/s of one instance: an entry in each round of 5 ms


def measure(house: House, pace: Pace) -> list[Row]:
    with marketless(house) as port:
        mine = house.place("with", "echo")
        other = replace(mine, name="without", port=port, pid=0)
        return [beside(house, mine, other, pace), long(house, pace)]


@contextmanager
def marketless(house: House) -> Iterator[int]:
    """The port of an edge process of the same installation that has no market."""
    port = free_ports()
    argv = [sys.executable, "-m", "tests.bench.nomarket", "--port", str(port)]
    env = clean(PRIOSTACK_DATA_DIR=str(house.home), **allow(house.upstream))
    with running(argv, env):
        until(lambda: request(port, "GET", "/healthz")[0], "the edge without a market answers")
        yield port


def beside(house: House, mine: Place, other: Place, pace: Pace) -> Row:
    """In turns, each beginning every other time."""
    found: dict[str, list[Load]] = {"with": [], "without": []}
    for place in (mine, other):
        check(place, W1)
        fire(place, W1, 1)  # warm
    house.settle()
    for number in range(pace.rounds):
        for place in (mine, other) if number % 2 else (other, mine):
            found[place.name].append(fire(place, W1, pace.seconds))
            house.settle()
    rates, bare = ([load.rate for load in found[name]] for name in ("with", "without"))
    each = ratios(rates, bare)
    note = f"{middle(rates):,.0f} calls/s with the market, {middle(bare):,.0f} without"
    figures = {TIMES: middle(each), RATE: middle(rates), CPU: middle([one.cpu_us for one in found["with"]])}
    goal = (Goal(TIMES, 0.9, least=True),)
    return Row("one service alone, W1", figures, goal, note, ends={TIMES: ends(each)})


def long(house: House, pace: Pace) -> Row:
    """Calls of a function that computes: what rounds of 5 ms allow is its full speed."""
    body = json.dumps({"n": LONG * 100_000}).encode()
    burning = Work(f"{LONG} CU", "/spin", body, None)
    place = house.place("long", "spin")
    fire(place, burning, 1)
    house.settle()
    loads = []
    for _ in range(pace.rounds):
        loads.append(fire(place, burning, pace.seconds))
        house.settle()
    rates = [load.rate * LONG for load in loads]
    waits = {P50: middle([one.p50_ms for one in loads]), P99: middle([one.p99_ms for one in loads])}
    note = f"on 32 connections; {MOST:,} CU/s are one such call in each round of 5 ms"
    goal = (Goal(UNITS, 0.8 * MOST, least=True),)
    name = f"  calls of {LONG} CU"
    return Row(name, {UNITS: middle(rates), **waits}, goal, note, ends={UNITS: ends(rates)})
