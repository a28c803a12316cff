"""`manage.py bench`: measures, and prints one table; becomes the bench itself, which starts what it needs."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

NAMES = (
    "inside",
    "start",
    "load",
    "flows",
    "editor",
    "alone",
    "wake",
    "growth",
    "watchers",
    "market",
    "contended",
    "interceptors",
    "processes",
)


class Command(BaseCommand):
    help = "Measure speed and size on this machine against a bare node:http server and a raw ASGI echo."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quick", action="store_true", help="short rounds, less certain figures")
        parser.add_argument("--processes", action="store_true", help="the curve on one and two processes")
        parser.add_argument("--only", choices=NAMES, action="append", help="this alone; may be repeated")
        parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
        parser.add_argument("--markdown", action="store_true", help="write templates/docs/bench.md too")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.BASE_DIR / "tests" / "bench").is_dir():
            raise CommandError("The bench is part of a checkout of the sources (tests/bench).")
        flags = [f"--{name}" for name in ("quick", "processes", "json", "markdown") if options[name]]
        flags += [part for name in options["only"] or () for part in ("--only", name)]
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, [sys.executable, "-m", "tests.bench", *flags])  # noqa: S606  no shell
