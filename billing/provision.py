"""Tenants made by the operator: with an owner, a password and a key, for command lines and the demo."""

import secrets
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction

from billing import keys
from billing.models import Membership, Role, Tenant, User
from billing.tenants import found


class AlreadyThere(Exception):
    """A tenant of this name belongs to somebody else."""


@dataclass(frozen=True, slots=True)
class Provisioned:
    """``password`` and ``api_key`` are None where one exists already: neither can be shown a second time."""

    tenant: Tenant
    owner: User
    password: str | None
    api_key: str | None
    created: bool

    def answer(self) -> dict[str, str | None]:
        return {
            "tenant": self.tenant.slug,
            "email": self.owner.email,
            "password": self.password,
            "api_key": self.api_key,
            "url": settings.BASE_URL,
        }


@transaction.atomic
def provision(
    slug: str, email: str, *, plan: str | None = None, password: str | None = None, new_key: bool = False
) -> Provisioned:
    """The tenant and its owner; a second time the same, changed in nothing unless a new key is asked for.

    ValidationError when the name cannot be used, AlreadyThere when it is somebody else's.
    """
    owner, chosen = person(email, password)
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is not None and not owns(owner, tenant):
        raise AlreadyThere(f"There is a tenant “{slug}” already, and {email} does not own it.")
    created = tenant is None
    tenant = tenant or found(slug, owner, plan=plan)
    token = (
        keys.create(tenant, "command line", scopes=keys.OPERATOR, by=owner)[1] if created or new_key else None
    )
    return Provisioned(tenant, owner, chosen, token, created)


def person(email: str, password: str | None) -> tuple[User, str | None]:
    """The person of this address; a new one gets a password, which is told."""
    address = email.strip().lower()
    known = User.objects.filter(email=address).first()
    if known is not None:
        return known, None
    chosen = password or secrets.token_urlsafe(12)
    user = User.objects.create_user(address, chosen)
    # the operator vouches for the address: it need not be confirmed by mail
    EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
    return user, chosen


def owns(user: User, tenant: Tenant) -> bool:
    return Membership.objects.filter(user=user, tenant=tenant, role=Role.OWNER).exists()
