"""Making and recognising API keys: 256 random bits, so a plain SHA-256 at rest is enough and fast."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from billing.live import touch
from billing.models import ApiKey, Tenant, User

SCOPES = ("read", "call", "write")
# The key that the operator's command line hands out with a tenant also manages keys and secrets (ARCHITECTURE §6);
# nobody can make such a key through a page or REST.
OPERATOR = (*SCOPES, "admin")
CONSOLE_MINUTES = 15
NOTE_USE_EVERY = timedelta(minutes=1)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    return "ps_" + secrets.token_urlsafe(32)


def create(
    tenant: Tenant,
    name: str,
    *,
    scopes: tuple[str, ...] = SCOPES,
    expires: datetime | None = None,
    by: User | None = None,
    token: str = "",
) -> tuple[ApiKey, str]:
    """A new key and its token, which is not kept and cannot be shown again; ``token``: the operator chose it."""
    token = token or new_token()
    key = ApiKey.objects.create(
        tenant=tenant,
        name=name,
        prefix=token[:9],
        digest=digest(token),
        scopes=list(scopes),
        expires=expires and expires.astimezone(UTC),
        created_by=by,
    )
    touch(tenant.pk)
    return key, token


def console(tenant: Tenant, user: User) -> str:
    """A short-lived key that may only call, for the "Try it" console of a page."""
    end = timezone.now() + timedelta(minutes=CONSOLE_MINUTES)
    key, token = create(tenant, "Try it", scopes=("call",), expires=end, by=user)
    ApiKey.objects.filter(pk=key.pk).update(console=True)
    return token


def revoke(tenant_id: UUID, key_id: UUID) -> ApiKey | None:
    """The key, gone; None when the tenant has no such key."""
    with transaction.atomic():
        key = ApiKey.objects.filter(tenant_id=tenant_id, pk=key_id).first()
        if key is not None:
            ApiKey.objects.filter(pk=key_id).delete()
            touch(tenant_id)
    return key


def used(key: ApiKey) -> None:
    """Note the use of ``key``, at most once a minute, so that reading does not become writing."""
    if key.last_used is None or timezone.now() - key.last_used > NOTE_USE_EVERY:
        used_all([key.pk])


def used_all(key_ids: Iterable[UUID]) -> None:
    """The same for keys that a data plane has seen; it may tell so whenever it likes."""
    now = timezone.now()
    due = Q(last_used=None) | Q(last_used__lt=now - NOTE_USE_EVERY)
    ApiKey.objects.filter(due, pk__in=list(key_ids)).update(last_used=now)


def find(token: str) -> ApiKey | None:
    """The living key of ``token``; the digest is looked up by a unique index: no secret is compared."""
    key = ApiKey.objects.select_related("tenant").filter(digest=digest(token)).first()
    if key is None or (key.expires is not None and key.expires <= timezone.now()):
        return None
    return key
