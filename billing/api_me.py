"""`/api/me`: who this key or session is, and what it may do."""

from ninja import Router, Schema

from billing.access import tenant_of
from billing.door import Asked, Door
from billing.models import Membership

router = Router()


class Me(Schema):
    tenant: str
    tenant_name: str
    plan: str
    actor: str
    scopes: list[str]
    role: str | None


@router.get("/me", auth=Door("read"), response=Me)
def me(request: Asked) -> Me:
    """Who is asking."""
    who = request.who
    tenant = tenant_of(who)
    membership = (
        Membership.objects.filter(tenant=tenant, user_id=who.user_id).first() if who.user_id else None
    )
    return Me(
        tenant=tenant.slug,
        tenant_name=tenant.name,
        plan=tenant.plan.slug,
        actor=who.actor,
        scopes=sorted(who.scopes),
        role=membership.role if membership else None,
    )
