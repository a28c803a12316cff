"""Starts everything; manage.py takes a short cut to the same function."""

import sys
from argparse import Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from priostack.up import arguments, up


class Command(BaseCommand):
    help = "Start Valkey, server, worker and clock, and keep them running until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        code = up(Namespace(**options))
        if code:
            sys.exit(code)
