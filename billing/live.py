"""Telling every data plane that something of a tenant changed: the row is the truth, a message only wakes."""

import logging
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import F
from redis.exceptions import RedisError

from billing.models import Tenant
from billing.redis import redis

CHANNEL = "priostack:changed"
log = logging.getLogger(__name__)


def touch(tenant_id: UUID) -> None:
    """Raise the tenant's version in this transaction and wake the data planes once it is committed."""
    Tenant.objects.filter(pk=tenant_id).update(version=F("version") + 1)
    transaction.on_commit(partial(wake, tenant_id))


def wake(tenant_id: UUID) -> None:
    try:
        redis().publish(CHANNEL, str(tenant_id))
    except RedisError as problem:  # the version in the row is noticed within seconds all the same
        log.warning("could not wake the data planes: %s", problem)
