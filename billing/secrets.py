"""The tenant's secrets: written by people, opened only for the runtime, never shown again."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.db import transaction

from billing.errors import ApiError
from billing.hosts import covers, normal_all
from billing.live import touch
from billing.models import Secret, Tenant
from billing.seal import is_stale, seal, unseal

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
LONGEST = 32 * 1024
MOST = 200  # of one tenant


class Shown(TypedDict):
    name: str
    hosts: list[str]
    updated: datetime


@dataclass(frozen=True, slots=True)
class Bound:
    """An opened secret and the hosts it may travel to; its value stays out of every repr."""

    value: bytes
    hosts: tuple[str, ...]

    def may_go(self, host: str) -> bool:
        return covers(self.hosts, host)

    def __repr__(self) -> str:
        return f"Bound(hosts={self.hosts})"


def put(tenant: Tenant, name: str, value: bytes, hosts: Iterable[str]) -> Secret:
    """Keep ``value`` under ``name``, in place of an older one."""
    allowed = checked(name, value, hosts)
    with transaction.atomic():
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        mine = Secret.objects.filter(tenant=tenant)
        if not mine.filter(name=name).exists() and mine.count() >= MOST:
            raise ApiError(429, f"A tenant keeps at most {MOST} secrets.", headers={"Retry-After": "3600"})
        fields = {"sealed": seal(value, place(tenant.pk, name)), "hosts": allowed}
        secret, _ = Secret.objects.update_or_create(tenant=tenant, name=name, defaults=fields)
        touch(tenant.pk)
    return secret


def checked(name: str, value: bytes, hosts: Iterable[str]) -> list[str]:
    if not NAME.fullmatch(name):
        raise ApiError(
            422, "A secret's name has letters, digits, “_”, “.” and “-”, and starts with a letter."
        )
    if not 0 < len(value) <= LONGEST:
        raise ApiError(422, f"A secret's value has between 1 and {LONGEST} bytes.")
    try:
        return normal_all(hosts)
    except ValueError as wrong:
        raise ApiError(422, f"hosts: {wrong}.") from None


def names(tenant_id: UUID) -> list[Shown]:
    """All that anybody may see of them."""
    rows = Secret.objects.filter(tenant_id=tenant_id).values("name", "hosts", "updated")
    return [Shown(name=row["name"], hosts=row["hosts"], updated=row["updated"]) for row in rows]


@transaction.atomic
def delete(tenant_id: UUID, name: str) -> bool:
    count, _ = Secret.objects.filter(tenant_id=tenant_id, name=name).delete()
    if count:
        touch(tenant_id)
    return count > 0


def bound(tenant_id: UUID, wanted: Iterable[str]) -> dict[str, Bound]:
    """The opened ones of ``wanted`` that exist, with the hosts they are bound to."""
    rows = Secret.objects.filter(tenant_id=tenant_id, name__in=list(wanted))
    return {row.name: Bound(unseal(row.sealed, place(tenant_id, row.name)), tuple(row.hosts)) for row in rows}


def open_for(tenant_id: UUID, names: Iterable[str]) -> dict[str, bytes]:
    """Only the values; whoever sends one somewhere must ask ``bound`` instead and check the host."""
    return {name: found.value for name, found in bound(tenant_id, names).items()}


def reseal() -> int:
    """Seal again, under the newest key, whatever waits for it; how many did."""
    stale = [row for row in Secret.objects.all() if is_stale(row.sealed)]
    for row in stale:
        where = place(row.tenant_id, row.name)
        fresh = seal(unseal(row.sealed, where), where)
        # compared and set: a value put meanwhile is already under the newest key
        Secret.objects.filter(pk=row.pk, sealed=row.sealed).update(sealed=fresh)
    return len(stale)


def place(tenant_id: UUID, name: str) -> str:
    return f"secret:{tenant_id}:{name}"
