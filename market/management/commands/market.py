"""`manage.py market`: dry runs of the market, of a scenario or of a whole population; and a crowd for the real one."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import tables
from market import crowd, demo
from market.fairness import play
from market.fairnesstable import lines
from market.population import Population
from market.scenario import MAX_BODY, Refused, read
from market.simulation import simulate


def whole(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 100_000_000:
        raise ValueError(text)
    return number


def share(text: str) -> float:
    number = float(text)
    if not 0.01 <= number <= 100:
        raise ValueError(text)
    return number


def length(tenants: int) -> int:
    """Rounds of a day in which so many have something to do."""
    return max(Population().rounds, tenants // 1000)


POPULATION = {
    "tenants": (whole, "how many there are"),
    "rush": (whole, "rounds of a rush; three times as many lie between two"),
    "peak": (share, "load of a rush, as a multiple of the capacity"),
    "patience": (whole, "rounds that an action waits at most"),
    "machines": (whole, "machines of 1,000 entries a round"),
    "overcommit": (share, "how much more the market sells than the machines can do"),
    "pressure_cap": (whole, "entries that one account counts for at most"),
    "seed": (whole, "another number is another day"),
}


class Command(BaseCommand):
    help = "Play a scenario by the rules of the market without touching anything, or crowd the real one."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verb = verbs.add_parser("simulate", help="play a scenario and print what happens")
        verb.add_argument("file", help="a JSON file, or - for the standard input")
        verb = verbs.add_parser("population", help="a day of many tenants, beside other ways to serve them")
        for name, (kind, text) in POPULATION.items():
            default = getattr(Population(), name)
            verb.add_argument(
                f"--{name.replace('_', '-')}", type=kind, metavar="N", default=default, help=text
            )
        verb.add_argument(
            "--rounds", type=whole, metavar="N", help="rounds of the day (200, or one for 1000 tenants)"
        )
        verb.add_argument("--json", action="store_true", help="JSON instead of the table")
        verb = verbs.add_parser("demo", help="crowd the running market, to be followed at /market")
        verb.add_argument("--tenant", default="demo", help="whose page is looked at (demo)")
        verb.add_argument(
            "--tenants", type=whole, metavar="N", default=400, help="how many want compute (400)"
        )
        verb.add_argument("--seconds", type=whole, metavar="N", default=90, help="how long (90)")
        verb.add_argument("--clean", action="store_true", help="only take away what earlier demos made")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "population":
            self.population(options)
        elif options["verb"] == "demo":
            self.demo(options)
        else:
            self.simulate(options)

    def population(self, options: dict[str, Any]) -> None:
        given = {name: options[name] for name in POPULATION}
        told = play(Population(rounds=options["rounds"] or length(options["tenants"]), **given))
        self.stdout.write(json.dumps(told) if options["json"] else "\n".join(lines(told)))

    def demo(self, options: dict[str, Any]) -> None:
        tables.ensure()
        if options["clean"]:
            self.stdout.write(f"{crowd.clean()} demo tenants are gone.")
            return
        try:
            demo.demo(options["tenant"], options["tenants"], options["seconds"], self.stdout.write)
        except demo.Absent as absent:
            raise CommandError(str(absent)) from None

    def simulate(self, options: dict[str, Any]) -> None:
        try:
            scenario = read(contents(options["file"]))
        except Refused as refused:
            raise CommandError(str(refused)) from None
        except OSError as problem:
            raise CommandError(f"{options['file']}: {problem.strerror}") from None
        self.stdout.write(json.dumps(simulate(scenario), ensure_ascii=False, separators=(",", ":")))


def contents(file: str) -> bytes:
    """One byte more than allowed is enough to refuse it."""
    if file == "-":
        return sys.stdin.buffer.read(MAX_BODY + 1)
    with Path(file).open("rb") as source:
        return source.read(MAX_BODY + 1)
