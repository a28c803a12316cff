"""Who has to be told of a low balance is found at once; written entries cannot be rewritten, not even past Django.

On SQLite a migration that remakes one of these two tables has to make its trigger again.
"""

from django.db import migrations, models

TABLES = ("billing_journal", "billing_leg")
POSTGRESQL = """
CREATE FUNCTION billing_append_only() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END
$$ LANGUAGE plpgsql
"""
TRIGGER = {
    "postgresql": "CREATE TRIGGER {0}_stays BEFORE UPDATE ON {0} FOR EACH ROW EXECUTE FUNCTION billing_append_only()",
    "sqlite": "CREATE TRIGGER {0}_stays BEFORE UPDATE ON {0} BEGIN SELECT RAISE(ABORT, '{0} is append-only'); END",
}


def forbid(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, params=None)
    for table in TABLES:
        schema_editor.execute(TRIGGER[vendor].format(table))


def allow(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for table in TABLES:
        schema_editor.execute(f"DROP TRIGGER {table}_stays" + (f" ON {table}" if vendor == "postgresql" else ""))
    if vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION billing_append_only()")


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_starter")]
    operations = [
        migrations.AddIndex(
            model_name="wallet",
            index=models.Index(
                condition=models.Q(("balance__lt", models.F("low_at")), ("warned", None)),
                fields=["tenant"],
                name="wallets_to_tell",
            ),
        ),
        migrations.AddIndex(
            model_name="wallet",
            index=models.Index(
                condition=models.Q(("warned", None), _negated=True), fields=["tenant"], name="wallets_told"
            ),
        ),
        migrations.RunPython(forbid, allow),
    ]
