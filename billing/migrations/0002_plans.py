"""The tiers of MARKET I; later edits in the admin win, because rows are only added here."""

from django.db import migrations

TIERS = [
    # slug, name, flows, executions, modules, memory, members
    ("free", "Free", 1, 1_000, 0, 0, 1),
    ("paid", "Paid", 10, 10_000, 0, 10, 1),
    ("pro", "Pro", None, 100_000, 10, 100, 1),
    ("enterprise", "Enterprise", None, None, None, None, None),
]
FIELDS = ("name", "flows", "executions", "modules", "memory_mb", "members")


def add(apps, schema_editor):
    plan = apps.get_model("billing", "Plan")
    for order, (slug, *values) in enumerate(TIERS):
        plan.objects.get_or_create(slug=slug, defaults={**dict(zip(FIELDS, values)), "order": order})


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
