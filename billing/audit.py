"""Writing the audit log, in the transaction of the change it tells of."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from billing.access import Principal, principal
from billing.models import AuditEntry


def address(request: HttpRequest) -> str:
    """The caller's address; X-Forwarded-For counts only when a configured proxy sent it."""
    peer = str(request.META.get("REMOTE_ADDR", ""))
    forwarded = request.headers.get("x-forwarded-for", "")
    if peer in settings.FORWARDED_ALLOW and forwarded:
        return forwarded.rsplit(",", 1)[-1].strip()[:45]
    return peer[:45]


def record(request: HttpRequest, action: str, target: str = "", **detail: Any) -> None:
    """``action`` is noun.verb; ``target`` names the thing; details must not hold secrets."""
    who = principal(request)
    write(who, action, target, address(request), **detail)


def write(who: Principal | None, action: str, target: str = "", where: str = "", **detail: Any) -> None:
    AuditEntry.objects.create(
        tenant_id=who.tenant_id if who else None,
        actor=who.actor if who else "anonymous",
        action=action,
        target=kept(target[:300]),
        detail=kept(detail),
        address=where,
    )


def kept(value: Any) -> Any:
    """What somebody sent as a name is told of, too; PostgreSQL keeps no NUL, so it is shown as one."""
    if isinstance(value, str):
        return value.replace("\0", "\u2400")
    if isinstance(value, dict):
        return {kept(name): kept(one) for name, one in value.items()}
    return [kept(one) for one in value] if isinstance(value, list | tuple) else value
