"""`manage.py reseal`: after SECRET_KEY changed, seal everything that is sealed again under the new one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import mfa, secrets
from billing.seal import Unreadable
from bundles import hooks


class Command(BaseCommand):
    help = (
        "Seal everything again under the present SECRET_KEY; afterwards SECRET_KEY_FALLBACKS may be emptied."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            kept, pushed, factors = secrets.reseal(), hooks.reseal(), mfa.reseal()
        except Unreadable as why:
            raise CommandError(f"Something sealed cannot be opened: {why}.") from None
        self.stdout.write(
            f"{kept} secrets, {pushed} secrets of push webhooks and {factors} second factors were sealed again."
        )
