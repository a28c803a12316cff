"""Reservations of one tenant never overlap, whoever inserts them (R24)."""

from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations

POSTGRESQL = """
ALTER TABLE market_reservation ADD CONSTRAINT reservations_do_not_overlap
    EXCLUDE USING gist (tenant_id WITH =, tstzrange("start", "end", '[)') WITH &&) WHERE (status <> 'cancelled')
"""
SQLITE = """
CREATE TRIGGER reservations_do_not_overlap BEFORE INSERT ON market_reservation
WHEN NEW.status <> 'cancelled' AND EXISTS (
    SELECT 1 FROM market_reservation
    WHERE tenant_id = NEW.tenant_id AND status <> 'cancelled' AND "start" < NEW."end" AND "end" > NEW."start"
)
BEGIN
    SELECT RAISE(ABORT, 'reservations_do_not_overlap');
END
"""


def forbid(apps, schema_editor):
    schema_editor.execute(POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE)


def allow(apps, schema_editor):
    postgres = "ALTER TABLE market_reservation DROP CONSTRAINT reservations_do_not_overlap"
    sqlite = "DROP TRIGGER reservations_do_not_overlap"
    schema_editor.execute(postgres if schema_editor.connection.vendor == "postgresql" else sqlite)


def lead(apps, schema_editor):
    apps.get_model("market", "Leadership").objects.get_or_create(id=1)


class Migration(migrations.Migration):
    dependencies = [("market", "0001_initial")]
    operations = [
        BtreeGistExtension(),  # does nothing on SQLite
        migrations.RunPython(forbid, allow),
        migrations.RunPython(lead, migrations.RunPython.noop),
    ]
