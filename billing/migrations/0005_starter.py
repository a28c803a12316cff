"""Starter credits of the tiers, and a wallet with them for every tenant that is there already."""

from django.db import migrations
from django.utils import timezone

from billing.ids import uuid7

STARTER = {"free": 50, "paid": 500, "pro": 2_000, "enterprise": 10_000}


def credits(apps, schema_editor):
    plan = apps.get_model("billing", "Plan")
    for slug, starter in STARTER.items():
        plan.objects.filter(slug=slug, starter_credits=0).update(starter_credits=starter)


def wallets(apps, schema_editor):
    """The same entries as billing.wallet.open_for makes; it is not called, because code may change later."""
    tenant, wallet, journal, leg = (apps.get_model("billing", n) for n in ("Tenant", "Wallet", "Journal", "Leg"))
    for row in tenant.objects.select_related("plan").filter(wallet=None).iterator():
        amount = row.plan.starter_credits
        wallet.objects.create(tenant=row, balance=amount)
        if not amount:
            continue
        entry = journal.objects.create(
            id=uuid7(), key=f"starter:{row.pk}", kind="starter", at=timezone.now(), note=row.plan.name
        )
        leg.objects.create(journal=entry, account="wallet", tenant=row, amount=amount, after=amount)
        leg.objects.create(journal=entry, account="grants", tenant=row, amount=-amount)


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_wallets")]
    operations = [
        migrations.RunPython(credits, migrations.RunPython.noop),
        migrations.RunPython(wallets, migrations.RunPython.noop),
    ]
