"""Changes to keys, secrets and the tenant that pages and REST share, each with its line in the audit log."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from billing import keys, secrets, thrift, variables
from billing.access import principal, tenant_of
from billing.audit import record
from billing.errors import ApiError
from billing.models import ApiKey, Secret, Tenant, User, Variable
from billing.throttle import demand

MOST_KEYS = 200  # of one tenant
KEYS_A_MINUTE = 30


def my_tenant(request: HttpRequest) -> Tenant:
    who = principal(request)
    if who is None:
        raise ApiError(401)
    return tenant_of(who)


@transaction.atomic
def issue_key(
    request: HttpRequest, name: str, *, scopes: Iterable[str] = keys.SCOPES, expires: datetime | None = None
) -> tuple[ApiKey, str]:
    tenant = my_tenant(request)
    demand(f"keys:{tenant.pk}", KEYS_A_MINUTE, 60)
    title, granted, end = name.strip(), wanted(scopes), future(expires)
    if not (0 < len(title) <= 100 and title.isprintable()):
        raise ApiError(422, "name: between 1 and 100 characters.")
    if ApiKey.objects.filter(tenant=tenant, console=False).count() >= MOST_KEYS:
        raise ApiError(429, f"A tenant has at most {MOST_KEYS} keys.", headers={"Retry-After": "3600"})
    by = request.user if isinstance(request.user, User) else None
    key, token = keys.create(tenant, title, scopes=granted, expires=end, by=by)
    record(request, "key.create", key.prefix, name=title, scopes=list(granted))
    return key, token


def wanted(scopes: Iterable[str]) -> tuple[str, ...]:
    asked = set(scopes)
    if not asked or not asked <= set(keys.SCOPES):
        raise ApiError(422, f"scopes: one or more of {', '.join(keys.SCOPES)}.")
    return tuple(scope for scope in keys.SCOPES if scope in asked)


def future(expires: datetime | None) -> datetime | None:
    if expires is None:
        return None
    end = expires if expires.tzinfo else expires.replace(tzinfo=UTC)
    if end <= timezone.now():
        raise ApiError(422, "expires: this time is past.")
    return end


@transaction.atomic
def revoke_key(request: HttpRequest, key_id: UUID) -> None:
    key = keys.revoke(my_tenant(request).pk, key_id)
    if key is None:
        raise ApiError(404)
    record(request, "key.revoke", key.prefix, name=key.name)


@transaction.atomic
def put_secret(request: HttpRequest, name: str, value: str, hosts: Iterable[str]) -> Secret:
    secret = secrets.put(my_tenant(request), name, value.encode(), hosts)
    record(request, "secret.put", name, hosts=secret.hosts)
    return secret


@transaction.atomic
def delete_secret(request: HttpRequest, name: str) -> None:
    if not secrets.delete(my_tenant(request).pk, name):
        raise ApiError(404)
    record(request, "secret.delete", name)


@transaction.atomic
def rename_tenant(request: HttpRequest, name: str) -> None:
    """Its name for people; the slug is part of addresses and stays."""
    title = name.strip()
    if len(title) > 100 or not title.isprintable():
        raise ApiError(422, "name: at most 100 characters, without line breaks.")
    Tenant.objects.filter(pk=my_tenant(request).pk).update(name=title)
    record(request, "tenant.rename", title)


@transaction.atomic
def set_low_at(request: HttpRequest, low_at: int) -> None:
    """The balance below which the owners are told."""
    thrift.set_threshold(my_tenant(request).pk, low_at)
    record(request, "wallet.low_at", str(low_at))


@transaction.atomic
def put_variable(request: HttpRequest, name: str, value: Any) -> Variable:
    variable = variables.put(my_tenant(request), name, value)
    record(request, "variable.put", name)
    return variable


@transaction.atomic
def delete_variable(request: HttpRequest, name: str) -> None:
    if not variables.delete(my_tenant(request).pk, name):
        raise ApiError(404, f"There is no variable {name[:100]}.")
    record(request, "variable.delete", name[:100])
