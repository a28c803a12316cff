"""`manage.py reseal`: after SECRET_KEY changed, seal all secrets again under the new one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.seal import Unreadable
from billing.secrets import reseal


class Command(BaseCommand):
    help = (
        "Seal all secrets again under the present SECRET_KEY; afterwards SECRET_KEY_FALLBACKS may be emptied."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = reseal()
        except Unreadable as why:
            raise CommandError(f"A secret cannot be opened: {why}.") from None
        self.stdout.write(f"{count} secrets were sealed again.")
