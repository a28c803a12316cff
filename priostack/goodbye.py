"""Deleting a tenant with everything of it: rows, Redis, and contents that nobody else needs."""

from uuid import UUID

from billing.farewell import delete_tenant
from bundles.sweep import sweep


def say_goodbye(tenant_id: UUID, *, by: str, address: str = "") -> str:
    """The slug that was freed; it rests before anybody can have it again."""
    slug = delete_tenant(tenant_id, by=by, address=address)
    sweep()
    return slug
