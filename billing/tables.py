"""Commands that may be the first ones of an installation make its tables themselves."""

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def ensure() -> None:
    """Migrate unless everything is in place; two first commands at once are held apart by the database's own locks."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)
