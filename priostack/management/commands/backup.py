"""`manage.py backup FILE`: everything of this installation in one archive."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from redis.exceptions import RedisError

from priostack.backup import backup
from priostack.memory_on import memory_on


class Command(BaseCommand):
    help = "Write all rows, files and memory of this installation to FILE. Keep SECRET_KEY apart."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with memory_on():
                counts = backup(options["file"])
        except (OSError, RedisError) as problem:
            raise CommandError(f"The backup could not be written: {problem}") from None
        self.stdout.write(
            "{file}: {rows} rows, {files} files, {keys} keys".format(**counts, file=options["file"])
        )
