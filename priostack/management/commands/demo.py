"""`manage.py demo [--json]`: the demo tenant with its login, key and running bundle; repeating it changes nothing."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import tables
from billing.errors import ApiError
from billing.provision import AlreadyThere
from priostack.demo import demo


class Command(BaseCommand):
    help = "Make the demo tenant with a login, an API key and the e-commerce bundle running."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        tables.ensure()
        try:
            known = demo()
        except (ApiError, AlreadyThere) as refused:
            raise CommandError(str(refused)) from None
        if options["json"]:
            self.stdout.write(json.dumps(known))
            return
        for name, value in known.items():
            self.stdout.write(f"{name:9}{value}")
