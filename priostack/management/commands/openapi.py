"""`manage.py openapi [FILE]`: writes the description of the REST API, which a test compares."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from priostack.api import api


class Command(BaseCommand):
    help = "Write the OpenAPI description of the REST API to FILE, or print it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        text = json.dumps(api.get_openapi_schema(), indent=1, default=str, ensure_ascii=False) + "\n"
        if options["file"] is None:
            self.stdout.write(text)
        else:
            options["file"].write_text(text, encoding="utf-8")
