"""Founding a tenant."""

from django.db import transaction

from billing import wallet
from billing.models import Membership, Role, Tenant, User


@transaction.atomic
def found(slug: str, owner: User, *, plan: str | None = None) -> Tenant:
    """A new tenant with its owner; ValidationError when the slug cannot be used, IntegrityError if taken."""
    tenant = Tenant(slug=slug, **({"plan_id": plan} if plan else {}))
    tenant.full_clean(exclude=["plan"], validate_unique=False)
    tenant.save(force_insert=True)
    Membership.objects.create(tenant=tenant, user=owner, role=Role.OWNER)
    User.objects.filter(pk=owner.pk).update(last_tenant=tenant)
    wallet.open_for(tenant)
    return tenant
