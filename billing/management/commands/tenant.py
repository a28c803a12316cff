"""`manage.py tenant SLUG --email E [--plan P] [--new-key] [--json]`: a tenant, its owner and a key."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from billing import tables, tiers
from billing.models import Plan
from billing.provision import AlreadyThere, Provisioned, provision


class Command(BaseCommand):
    help = "Make a tenant with an owner, a password and an API key. Run again, only --plan changes something."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the first part of the tenant's addresses: a–z, 0–9 and hyphens")
        parser.add_argument("--email", required=True, help="the owner's e-mail address")
        parser.add_argument("--plan", help="a plan's slug, such as pro; also changes the plan of a tenant")
        parser.add_argument("--new-key", action="store_true", help="make another key if the tenant is there")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        tables.ensure()
        plan = options["plan"]
        try:
            validate_email(options["email"])
            if plan and not Plan.objects.filter(slug=plan).exists():
                raise CommandError(
                    f"There is no plan {plan!r}: {', '.join(Plan.objects.values_list('slug', flat=True))}"
                )
            made = provision(options["slug"], options["email"], plan=plan, new_key=options["new_key"])
        except ValidationError as wrong:
            raise CommandError(" ".join(wrong.messages)) from None
        except AlreadyThere as other:
            raise CommandError(str(other)) from None
        if plan and not made.created:
            self.put_on(made, Plan.objects.get(slug=plan))
        self.tell(made, as_json=options["json"])

    def put_on(self, made: Provisioned, plan: Plan) -> None:
        for line in tiers.change(made.tenant.pk, plan, actor="command line"):
            self.stderr.write(line)

    def tell(self, made: Provisioned, *, as_json: bool) -> None:
        if not made.created:
            self.stderr.write(
                f"The tenant {made.tenant.slug} is there already; its password and keys stay as they are."
            )
        if as_json:
            self.stdout.write(json.dumps(made.answer()))
            return
        for name, value in made.answer().items():
            self.stdout.write(f"{name:9} {value if value is not None else '(unchanged)'}")
