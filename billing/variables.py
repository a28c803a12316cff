"""The tenant's variables: plain values for its flows, seen and changed by whoever may edit."""

import json
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.errors import ApiError
from billing.live import touch
from billing.models import Tenant, Variable
from billing.secrets import NAME

LONGEST = 32 * 1024  # bytes of one value as JSON
MOST = 500  # of one tenant


def put(tenant: Tenant, name: str, value: Any) -> Variable:
    """Keep ``value``, which is any JSON, under ``name``."""
    check(name, value)
    with transaction.atomic():
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        mine = Variable.objects.filter(tenant=tenant)
        if not mine.filter(name=name).exists() and mine.count() >= MOST:
            raise ApiError(429, f"A tenant keeps at most {MOST} variables.", headers={"Retry-After": "3600"})
        variable, _ = Variable.objects.update_or_create(tenant=tenant, name=name, defaults={"value": value})
        touch(tenant.pk)
    return variable


def check(name: str, value: Any) -> None:
    if not NAME.fullmatch(name) or "-" in name or "." in name:
        raise ApiError(422, "A variable's name has letters, digits and “_”, and starts with a letter.")
    try:
        text = json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        raise ApiError(422, "A variable's value is any JSON.") from None
    if len(text) > LONGEST or "\\u0000" in text:
        raise ApiError(422, f"A variable's value has at most {LONGEST} bytes as JSON, without NUL.")


@transaction.atomic
def delete(tenant_id: UUID, name: str) -> bool:
    count, _ = Variable.objects.filter(tenant_id=tenant_id, name=name).delete()
    if count:
        touch(tenant_id)
    return count > 0


def values(tenant_id: UUID) -> dict[str, Any]:
    """What `vars` is, without the bundle's own."""
    return dict(Variable.objects.filter(tenant_id=tenant_id).values_list("name", "value"))
