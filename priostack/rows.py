"""All rows of the installation as JSON lines, independent of the database engine."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any

from django.apps import apps
from django.core import serializers
from django.core.management.color import no_style
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

LEFT_OUT = {"sessions.session"}  # everybody signs in again
BATCH = 500


class Exact(DjangoJSONEncoder):
    """Django's own cuts times to milliseconds."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


def tables() -> list[type[Model]]:
    """Every table that is kept, in a fixed order."""
    models = (model for model in apps.get_models() if model._meta.managed and not model._meta.proxy)
    return [model for model in models if model._meta.label_lower not in LEFT_OUT]


def migrations() -> list[str]:
    """What the database looks like: rows fit only where this is the same."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


@contextmanager
def one_moment() -> Iterator[None]:
    """Reads inside see the database as it was at one moment; nobody who writes has to wait."""
    if connection.vendor == "postgresql":
        with transaction.atomic():
            connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    connection.ensure_connection()
    if connection.in_atomic_block:
        yield
        return
    connection.cursor().execute("BEGIN DEFERRED")  # Django's own would take SQLite's only write lock
    try:
        yield
    finally:
        connection.cursor().execute("ROLLBACK")


def dump(model: type[Model]) -> Iterator[bytes]:
    for row in model._base_manager.order_by("pk").iterator(chunk_size=BATCH):
        line = serializers.serialize("jsonl", [row], cls=Exact).strip()
        yield line.encode() + b"\n"


def is_empty() -> bool:
    return not any(apps.get_model(name).objects.exists() for name in ("billing.Tenant", "billing.User"))


def clear() -> None:
    """Remove all rows; constraints are looked at when the transaction ends."""
    with connection.constraint_checks_disabled():
        for model in reversed(tables()):
            model._base_manager.all()._raw_delete(connection.alias)


def load(lines: Iterable[bytes]) -> int:
    """Put rows back exactly as they were, without what saving usually does; how many."""
    count = 0
    for line in lines:
        for row in serializers.deserialize("jsonl", line.decode()):
            row.save(force_insert=True)
            count += 1
    return count


def renumber() -> None:
    """PostgreSQL counts on after the highest number that was put back."""
    statements = connection.ops.sequence_reset_sql(no_style(), tables())
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def write_json(file: IO[bytes], value: Any) -> None:
    file.write(json.dumps(value).encode() + b"\n")
