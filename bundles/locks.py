"""All locks of this floor: a tenant's row first, then the contents in the storage."""

from uuid import UUID

from django.db import connection

from billing.models import Tenant

BLOBS = 0x5053_B10B  # any number of our own, the same in every process


def tenant(pk: UUID) -> Tenant:
    """The tenant's row, locked until the transaction ends (SQLite locks the whole database instead)."""
    return Tenant.objects.select_for_update(of=("self",), no_key=True).select_related("plan").get(pk=pk)


def keep_blobs() -> None:
    """Hold off the sweeper until this transaction ends; many writers may hold it at once."""
    _advisory("pg_advisory_xact_lock_shared")


def sweep_blobs() -> None:
    """Hold off every writer of contents until this transaction ends."""
    _advisory("pg_advisory_xact_lock")


def _advisory(function: str) -> None:
    if connection.vendor != "postgresql":  # a writing transaction on SQLite is alone anyway
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [BLOBS])
