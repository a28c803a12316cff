"""`manage.py tenant_delete SLUG --yes`: deletes a tenant with everything of it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.models import Tenant
from priostack.goodbye import say_goodbye
from priostack.memory_on import memory_on


class Command(BaseCommand):
    help = "Delete a tenant: rows, memory, contents that nobody else needs. Its name then rests for 90 days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["slug"]
        tenant = Tenant.objects.filter(slug=slug).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {slug!r}.")
        if not options["yes"] and input(f"Type {slug} to delete it with all its data: ").strip() != slug:
            raise CommandError("Nothing was deleted.")
        with memory_on():
            say_goodbye(tenant.pk, by="command line")
        self.stdout.write(f"The tenant {slug} is deleted.")
