"""Whether those who watch may still do so: key, session, membership and role are asked again and again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from billing.access import OF_ROLE, Principal
from billing.models import ApiKey, Membership

SCOPE = "read"


@dataclass(frozen=True, slots=True)
class Right:
    """Why somebody may watch: a key, or a session of a member."""

    tenant_id: UUID
    key_id: UUID | None = None
    session: str = ""


def of_watcher(who: Principal, session: Any) -> Right:
    if who.key_id is not None:
        return Right(who.tenant_id, key_id=who.key_id)
    return Right(who.tenant_id, session=str(getattr(session, "session_key", "") or ""))


def of_scope(who: Principal, scope: Mapping[str, Any]) -> Right:
    return of_watcher(who, scope.get("session"))


def of_request(who: Principal, request: HttpRequest) -> Right:
    return of_watcher(who, getattr(request, "session", None))


def still(rights: Iterable[Right]) -> set[Right]:
    """Those of ``rights`` that hold now: one query for all keys, one look at each session."""
    asked = set(rights)
    keys = {right.key_id for right in asked if right.key_id is not None}
    living = Q(expires__isnull=True) | Q(expires__gt=timezone.now())
    rows = ApiKey.objects.filter(living, pk__in=keys).values_list("pk", "tenant_id", "scopes")
    valid = {(pk, tenant) for pk, tenant, scopes in rows if SCOPE in scopes}
    return {right for right in asked if (right.key_id, right.tenant_id) in valid or by_session(right)}


def by_session(right: Right) -> bool:
    """Whether the session lives, its password still stands, and its person is a member who may read."""
    if right.key_id is not None or not right.session:
        return False
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(right.session)
    user = get_user(request)
    if not user.is_authenticated or not user.is_active:
        return False
    member = Membership.objects.filter(user_id=user.pk, tenant_id=right.tenant_id).first()
    return member is not None and SCOPE in OF_ROLE[member.role]
