"""`manage.py market simulate FILE`: a dry run of the market; JSON in, JSON out."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from market.scenario import MAX_BODY, Refused, read
from market.simulation import simulate


class Command(BaseCommand):
    help = "Play a scenario by the rules of the market, without touching anything."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verb = verbs.add_parser("simulate", help="play a scenario and print what happens")
        verb.add_argument("file", help="a JSON file, or - for the standard input")

    def handle(self, *args: Any, **options: Any) -> None:
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
