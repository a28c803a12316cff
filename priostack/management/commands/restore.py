"""`manage.py restore FILE [--force]`: brings an installation back; stop the servers first."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from redis.exceptions import RedisError

from priostack.memory_on import memory_on
from priostack.restore import CannotRestore, restore


class Command(BaseCommand):
    help = "Bring back what `backup` wrote, on SQLite or PostgreSQL alike. Stop the servers first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="replace whatever is here")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with memory_on():
                done = restore(options["file"], force=options["force"])
        except CannotRestore as why:
            raise CommandError(str(why)) from None
        except (OSError, RedisError) as problem:
            raise CommandError(f"The backup could not be read: {problem}") from None
        self.stdout.write("{rows} rows, {files} files, {keys} keys are back.".format(**done))
        if not done["secrets_readable"]:
            self.stderr.write(
                "Secrets cannot be read: set SECRET_KEY, or SECRET_KEY_FALLBACKS, to the key of then."
            )
