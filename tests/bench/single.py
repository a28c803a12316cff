"""Measures that need a process of their own: inside of one process, and ten thousand watchers on one web process."""

import json
import re
import resource
import sys

from tests.bench.house import data_dir
from tests.bench.processes import BenchFailed, clean, output
from tests.bench.table import Goal, Row, ends, middle

US = "µs"
CPU = "µs of CPU"
HELD = re.compile(r"(\d+) watchers held; (\d+) opened a second; (-?\d+) bytes each")


def told(*argv: str, seconds: float) -> str:
    """What a program of the bench prints; it gets a data directory that is removed with its group of processes."""
    with data_dir() as home:
        return output([sys.executable, "-m", *argv], clean(PRIOSTACK_DATA_DIR=str(home)), seconds)


def inside(rounds: int, calls: int) -> list[Row]:
    """One fresh call, the waist without its guest, and the wake of what was unloaded as idle."""
    found = json.loads(told("tests.bench.inside", str(rounds), str(calls), seconds=180).splitlines()[-1])
    call, waist, wake = found["call"], found["waist"], found["wake"]
    bare, again = found["bare"], found["again"]
    parts = (
        f"with a guest that costs nothing; a whole call {middle(found['with']):.1f}, its guest alone "
        f"{middle(found['guest']):.1f}, the difference {middle(waist):.1f}: they push each other out of the caches"
    )
    idle = "in-process: tenant and modules dropped, then the first call"
    return [
        Row("one fresh isolated call, 200 B", {US: middle(call)}, (Goal(US, 25),), ends={US: ends(call)}),
        Row("the waist per call", {CPU: middle(bare)}, (Goal(CPU, 30),), parts, ends={CPU: ends(bare)}),
        Row("the waist, of a head that came before", {CPU: middle(again)}, (), ends={CPU: ends(again)}),
        market(found),
        hops("messages of a node to itself", found["itself"]),
        hops("messages round a function", found["function"]),
        Row("wake of an idle bundle", {"ms": middle(wake)}, (Goal("ms", 10),), idle, ends={"ms": ends(wake)}),
    ]


def hops(name: str, found: list[float]) -> Row:
    """Of one run, with its steps."""
    unit = "messages/s"
    note = "in-process, 20,000 messages of one run, each recorded and charged"
    return Row(name, {unit: middle(found)}, (Goal(unit, 20_000, least=True),), note, ends={unit: ends(found)})


def market(found: dict[str, list[float]]) -> Row:
    """What the idle market takes of the waist."""
    steps, on, off = found["market"], middle(found["again"]), middle(found["marketless"])
    note = (
        f"admission and settlement alone; the waist of a known head is {on:.1f} with it and {off:.1f} without"
    )
    return Row(
        "an idle market, per call", {CPU: middle(steps)}, (Goal(CPU, 10),), note, ends={CPU: ends(steps)}
    )


def crowd(count: int) -> Row:
    """Idle watchers of a bundle's log, all on one web process."""
    more_files(count + 500)
    printed = told("tests.bench.watchers", str(count), seconds=420)
    match = HELD.search(printed)
    if match is None:
        raise BenchFailed(f"the watchers said: {printed[-300:]!r}")
    held, speed, each = (int(part) for part in match.groups())
    goal = (Goal("watchers held", count, least=True),)
    note = f"{each:,} bytes of the server each; {speed:,} opened a second"
    return Row(
        "idle log watchers on one web process", {"watchers held": held, "bytes each": each}, goal, note
    )


def more_files(count: int) -> None:
    """Enough sockets for this process and those it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise BenchFailed(f"{count} open files are needed, the system allows {hard} (ulimit -Hn)")
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count if hard == resource.RLIM_INFINITY else hard, hard))
