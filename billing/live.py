"""Telling every data plane that something of a tenant changed: the row is the truth, a message only wakes."""

import logging
from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import F
from redis.exceptions import RedisError

from billing.models import Tenant
from billing.redis import redis

CHANNEL = "priostack:changed"
Forget = Callable[[str], None]
_here: list[Forget] = []
log = logging.getLogger(__name__)


def touch(tenant_id: UUID) -> None:
    """Raise the tenant's version in this transaction and wake the data planes once it is committed."""
    Tenant.objects.filter(pk=tenant_id).update(version=F("version") + 1)
    transaction.on_commit(partial(wake, tenant_id))


def listen_here(forget: Forget) -> None:
    """A data plane in this process: it is told before whoever made the change gets an answer."""
    _here.append(forget)


def leave(forget: Forget) -> None:
    _here.remove(forget)


def wake(tenant_id: UUID) -> None:
    for forget in tuple(_here):
        forget(str(tenant_id))
    try:
        redis().publish(CHANNEL, str(tenant_id))
    except RedisError as problem:  # the version in the row is noticed within seconds all the same
        log.warning("could not wake the data planes: %s", problem)
