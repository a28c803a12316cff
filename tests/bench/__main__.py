"""`python -m tests.bench` (as `manage.py bench`): measures what issue after issue must not lose, and prints one table."""

import argparse
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.bench import (
    contended,
    curve,
    editing,
    editor,
    fullspeed,
    interceptors,
    living,
    market,
    promptload,
    single,
    streams,
    templates,
    throughput,
)
from tests.bench.house import House, furnished
from tests.bench.load import tool
from tests.bench.page import write
from tests.bench.processes import BenchFailed
from tests.bench.table import Row, as_json, text
from tests.bench.throughput import Pace

SLOW = Pace(rounds=7, seconds=2, growth_calls=100_000)
QUICK = Pace(rounds=2, seconds=1, growth_calls=20_000)
NAMES = (
    "inside",
    "start",
    "load",
    "flows",
    "editor",
    "editing",
    "alone",
    "wake",
    "growth",
    "watchers",
    "market",
    "contended",
    "interceptors",
    "templates",
    "prompts",
    "streams",
    "processes",
)
Measure = Callable[[], Iterable[Row]]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="manage.py bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short rounds, less certain figures")
    parser.add_argument("--processes", action="store_true", help="only the curve on one and two processes")
    parser.add_argument("--only", choices=NAMES, action="append", help="measure this alone; may be repeated")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument(
        "--markdown", action="store_true", help="write templates/docs/bench.md with the figures"
    )
    return parser.parse_args()


def facts(pace: Pace) -> dict[str, object]:
    """The machine and the day, without its name."""
    return {
        "cores": os.cpu_count(),
        "processor": processor(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load before": round(os.getloadavg()[0], 2),
        "rounds": f"{pace.rounds} of {pace.seconds:g} s",
        "load by": tool(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def attempt(name: str, measure: Measure) -> list[Row]:
    """Its rows; a measure that fails is a row too, and does not keep the others from being taken."""
    sys.stderr.write(f"measuring: {name} …\n")
    try:
        return list(measure())
    except (BenchFailed, OSError) as problem:
        return [Row(name, {}, error=str(problem).replace("\n", " ")[-400:])]


def of_a_house(wanted: list[str], pace: Pace, *, quick: bool) -> list[Row]:
    """What is measured on one furnished installation."""

    def all_of(house: House) -> list[Row]:
        parts: dict[str, Measure] = {
            "load": lambda: throughput.measure(house, pace),
            "flows": lambda: throughput.measure(house, pace, of_flows=True),
            "editor": lambda: editor.measure(house, 3 if quick else 7),
            "editing": lambda: editing.measure(house, 3 if quick else 7),
            "alone": lambda: fullspeed.measure(house, pace),
            "wake": lambda: [living.wake_by_run(house, 3 if quick else 10)],
            "growth": lambda: [throughput.growth(house, pace)],
            "prompts": lambda: promptload.measure(house, pace),
        }
        return [row for name, measure in parts.items() if name in wanted for row in attempt(name, measure)]

    with furnished() as house:
        return all_of(house)


def measure(wanted: list[str], pace: Pace, *, quick: bool) -> list[Row]:
    rows: list[Row] = []
    if {"load", "flows", "editor", "editing", "alone", "wake", "growth", "prompts"} & set(wanted):
        rows += attempt("an installation", lambda: of_a_house(wanted, pace, quick=quick))
    if "inside" in wanted:
        rows += attempt("inside", lambda: single.inside(3 if quick else 9, 1000 if quick else 3000))
    if "start" in wanted:
        rows += attempt("start", lambda: living.start_and_idle(1 if quick else 3))
    if "watchers" in wanted:
        rows += attempt("watchers", lambda: [single.crowd(1_000 if quick else 10_000)])
    if "market" in wanted:
        rows += attempt("market", lambda: market.measure(quick=quick))
    if "contended" in wanted:
        rows += attempt("contended", lambda: contended.measure(quick=quick))
    if "interceptors" in wanted:
        rows += attempt("interceptors", lambda: interceptors.measure(quick=quick))
    if "templates" in wanted:
        rows += attempt("templates", lambda: templates.measure(quick=quick))
    if "prompts" in wanted:
        rows += attempt("prompts inside", lambda: promptload.inside(5_000 if quick else 30_000))
    if "streams" in wanted:
        rows += attempt("streams", lambda: [streams.measure(1_000 if quick else 10_000)])
    if "processes" in wanted:
        rows += attempt("processes", lambda: curve.measure(pace))
    return rows


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that everything started is ended
    pace = QUICK if options.quick else SLOW
    known = facts(pace)
    only = [*(options.only or ()), *(("processes",) if options.processes else ())]
    rows = measure(only or list(NAMES), pace, quick=options.quick)
    sys.stdout.write((as_json(rows, known) if options.json else text(rows)) + "\n")
    if options.markdown:
        write(rows, known)
    return 1 if any(row.error for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
