"""Deleting a tenant: its rows, its keys in Redis, and its slug put to rest."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from billing import wallet
from billing.belongings import rows_of
from billing.live import touch
from billing.models import ReleasedSlug, Tenant
from billing.redis import redis
from billing.slugs import QUARANTINE_DAYS

log = logging.getLogger("priostack.audit")


def delete_tenant(tenant_id: UUID, *, by: str, address: str = "") -> str:
    """The slug that was freed. The audit log goes with the tenant; this line of the process's log stays."""
    with transaction.atomic():
        tenant = Tenant.objects.select_for_update().get(pk=tenant_id)
        until = timezone.now() + timedelta(days=QUARANTINE_DAYS)
        ReleasedSlug.objects.update_or_create(slug=tenant.slug, defaults={"until": until})
        touch(tenant_id)
        wallet.close(tenant_id, actor=by)
        for _, rows in reversed(
            list(rows_of(tenant_id))
        ):  # leaves first: one statement each, nothing collected
            rows.delete()
    forget(tenant_id)
    log.warning(
        "tenant.delete: %s (%s) was deleted by %s from %s", tenant.slug, tenant_id, by, address or "here"
    )
    return tenant.slug


def keys_of(tenant_id: UUID) -> Iterator[bytes]:
    yield from redis().scan_iter(match=f"tenant:{tenant_id}:*", count=1000)


def forget(tenant_id: UUID) -> int:
    """Remove what Redis knows of the tenant; how many keys."""
    count = 0
    batch: list[bytes] = []
    for key in keys_of(tenant_id):
        batch.append(key)
        if len(batch) == 500:
            count, batch = count + int(redis().unlink(*batch)), []
    return count + (int(redis().unlink(*batch)) if batch else 0)
