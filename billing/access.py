"""The one resolver of who is asking, for pages, REST, data plane and websockets; it denies by default."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from billing import keys
from billing.errors import ApiError
from billing.models import ApiKey, Membership, Role, Tenant, User

OF_ROLE: Mapping[str, frozenset[str]] = {
    Role.VIEWER: frozenset({"read"}),
    Role.EDITOR: frozenset({"read", "call", "write"}),
    Role.ADMIN: frozenset({"read", "call", "write", "admin"}),
    Role.OWNER: frozenset({"read", "call", "write", "admin", "owner"}),
}
PAUSED = frozenset({"read"})  # beyond the plan's number of members (R40)
OF_KEY = frozenset(keys.OPERATOR)  # whatever a key's row says, it never owns


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who acts within exactly one tenant."""

    tenant_id: UUID
    tenant: str
    actor: str
    scopes: frozenset[str]
    user_id: int | None = None
    key_id: UUID | None = None
    session: str = ""  # of a browser: its session's key, by which a logout is noticed (billing/still.py)

    def may(self, scope: str) -> bool:
        return scope in self.scopes


def of_key(key: ApiKey) -> Principal:
    return Principal(
        tenant_id=key.tenant_id,
        tenant=key.tenant.slug,
        actor=f"key:{key.prefix}",
        scopes=frozenset(key.scopes) & OF_KEY,
        key_id=key.pk,
    )


def scopes_of(membership: Membership) -> frozenset[str]:
    scopes = OF_ROLE[membership.role]
    return scopes & PAUSED if membership.paused else scopes


def of_member(membership: Membership, session: str = "") -> Principal:
    return Principal(
        tenant_id=membership.tenant_id,
        tenant=membership.tenant.slug,
        actor=membership.user.email,
        scopes=scopes_of(membership),
        user_id=membership.user_id,
        session=session,
    )


def of_token(token: str) -> Principal | None:
    key = keys.find(token)
    if key is None:
        return None
    keys.used(key)
    return of_key(key)


def of_user(user: User, session: str = "") -> Principal | None:
    """The person within the tenant last chosen, else the first joined; nobody without a membership."""
    mine = Membership.objects.select_related("tenant", "user").filter(user=user, user__is_active=True)
    chosen = mine.filter(tenant_id=user.last_tenant_id).first() if user.last_tenant_id else None
    membership = chosen or mine.first()
    return of_member(membership, session) if membership else None


def bearer(header: str) -> str | None:
    """The token of an Authorization header; None when there is no such header at all."""
    kind, _, token = header.partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def of_request(request: HttpRequest) -> Principal | None:
    """Key first: a request that carries one is judged by it alone, never helped out by a cookie."""
    header = request.headers.get("authorization")
    if header is not None:
        token = bearer(header)
        return of_token(token) if token else None
    return of_browser(getattr(request, "user", None), getattr(request, "session", None))


def require(request: HttpRequest, scope: str) -> Principal:
    """Whoever asks, when allowed to; else 401 for strangers and 403 for a role or key that is too small."""
    who = principal(request)
    if who is None:
        raise ApiError(401, "Send an API key as “Authorization: Bearer …”, or sign in.")
    if not who.may(scope):
        raise ApiError(403, f"This needs the “{scope}” permission.")
    return who


def principal(request: HttpRequest) -> Principal | None:
    """``of_request``, resolved once for a request."""
    if not hasattr(request, "_principal"):
        request._principal = of_request(request)  # type: ignore[attr-defined]
    found: Principal | None = request._principal  # type: ignore[attr-defined]
    return found


def tenant_of(who: Principal) -> Tenant:
    return Tenant.objects.get(pk=who.tenant_id)


def of_scope(scope: Mapping[str, Any]) -> Principal | None:
    """Whoever opens a websocket: the same rules, read from an ASGI scope that has a ``user``."""
    for name, value in scope.get("headers", ()):
        if name == b"authorization":
            token = bearer(value.decode("latin-1"))
            return of_token(token) if token else None
    return of_browser(scope.get("user"), scope.get("session"))


def of_browser(user: Any, session: Any) -> Principal | None:
    """A signed-in person; the session is remembered, so that whatever stays open can notice its end."""
    if not (isinstance(user, User) and user.is_authenticated):
        return None
    return of_user(user, getattr(session, "session_key", None) or "")
