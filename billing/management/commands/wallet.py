"""`manage.py wallet grant|take TENANT CREDITS --reason R`, `wallet show TENANT`, `wallet check`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from billing import tables, wallet
from billing.ids import uuid7_text
from billing.models import AuditEntry, Tenant, Wallet

ACTOR = "command line"


class Command(BaseCommand):
    help = "Give a tenant credits or take some back, show its balance, check the ledger of all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        for verb, what in (("grant", "give credits"), ("take", "take credits back")):
            one = verbs.add_parser(verb, help=what)
            one.add_argument("tenant", help="its slug")
            one.add_argument("credits", help="a whole number above 0")
            one.add_argument("--reason", required=True, help="why; it stands in the tenant's statement")
        verbs.add_parser("show", help="balance and escrow").add_argument("tenant", help="its slug")
        verbs.add_parser("check", help="compare wallets with the ledger; exit code 1 when they differ")

    def handle(self, *args: Any, **options: Any) -> None:
        tables.ensure()
        if options["verb"] == "check":
            return self.check_ledger()
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']!r}.")
        if options["verb"] != "show":
            self.adjust(tenant, options)
        mine = Wallet.objects.filter(pk=tenant.pk).first() or Wallet(tenant=tenant)
        self.stdout.write(f"{tenant.slug}: {mine.balance} credits, {mine.held} reserved")

    def check_ledger(self) -> None:
        problems = wallet.check()
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise CommandError(f"{len(problems)} things do not add up.")
        self.stdout.write("The ledger adds up.")

    def adjust(self, tenant: Tenant, options: dict[str, Any]) -> None:
        act = wallet.grant if options["verb"] == "grant" else wallet.take
        try:
            with transaction.atomic():
                amount = whole(options["credits"])
                act(tenant.pk, amount, key=f"command:{uuid7_text()}", note=options["reason"], actor=ACTOR)
                AuditEntry.objects.create(
                    tenant=tenant,
                    actor=ACTOR,
                    action=f"wallet.{options['verb']}",
                    target=str(amount),
                    detail={"reason": options["reason"]},
                )
        except (ValueError, wallet.Insufficient) as refused:
            raise CommandError(str(refused)) from None


def whole(text: str) -> int:
    """Digits only: int() would also take “1_000”, “ 5 ” and digits of other scripts."""
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20):
        raise ValueError(f"credits: a whole number is needed, not {text[:40]!r}.")
    return int(text)
