"""Changing a tenant's plan: nothing is deleted; what exceeds the new one is read-only or stopped, newest first (R40)."""

import logging
from collections.abc import Callable
from functools import partial
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from billing.live import touch
from billing.models import AuditEntry, Membership, Plan, Role, Tenant

Enforcer = Callable[[Tenant], list[str]]
_enforcers: list[Enforcer] = []
log = logging.getLogger(__name__)


def enforced_by(enforcer: Enforcer) -> None:
    """What a floor above this one does to bring a tenant within its plan; it says in words what it stopped."""
    if enforcer not in _enforcers:
        _enforcers.append(enforcer)


@transaction.atomic
def change(tenant_id: UUID, plan: Plan, *, actor: str, address: str = "") -> list[str]:
    """Put the tenant on a plan, and say what had to be stopped; the owners are told."""
    tenant = locked(tenant_id)
    if tenant.plan == plan:
        return []
    before, tenant.plan = tenant.plan, plan
    Tenant.objects.filter(pk=tenant.pk).update(plan=plan)
    AuditEntry.objects.create(
        tenant=tenant,
        actor=actor,
        action="tenant.plan",
        target=plan.slug,
        detail={"before": before.slug},
        address=address,
    )
    return apply(tenant)


@transaction.atomic
def apply_all(plan: Plan) -> int:
    """The limits of a plan were edited: every tenant that has it; how many had something stopped."""
    tenants = Tenant.objects.filter(plan=plan).order_by("pk").values_list("pk", flat=True)
    return sum(bool(apply(locked(tenant_id))) for tenant_id in tenants)


def locked(tenant_id: UUID) -> Tenant:
    return (
        Tenant.objects.select_for_update(of=("self",), no_key=True).select_related("plan").get(pk=tenant_id)
    )


def apply(tenant: Tenant) -> list[str]:
    """Bring the tenant, whose row is locked, within its plan; and let go on what fits again."""
    stopped = members(tenant)
    for enforcer in _enforcers:
        stopped += enforcer(tenant)
    touch(tenant.pk)
    if stopped:
        transaction.on_commit(partial(tell, tenant, stopped))
    return stopped


def members(tenant: Tenant) -> list[str]:
    """Members beyond the limit may only read; the first owner always stays one."""
    rows = list(Membership.objects.select_related("user").filter(tenant=tenant).order_by("created", "pk"))
    first = next((row for row in rows if row.role == Role.OWNER), None)
    rows.sort(key=lambda row: row is not first)
    limit = len(rows) if tenant.plan.members is None else max(1, tenant.plan.members)
    Membership.objects.filter(pk__in=[row.pk for row in rows[:limit]], paused=True).update(paused=False)
    over = [row for row in rows[limit:] if not row.paused]
    Membership.objects.filter(pk__in=[row.pk for row in over]).update(paused=True)
    return [f"{row.user.email} may only read: the plan has room for {limit}." for row in over]


def tell(tenant: Tenant, stopped: list[str]) -> None:
    owners = Membership.objects.filter(tenant=tenant, role=Role.OWNER, user__is_active=True)
    link = settings.BASE_URL + reverse("billing:tenant")
    body = render_to_string(
        "billing/email/plan.txt", {"tenant": tenant, "plan": tenant.plan, "stopped": stopped, "link": link}
    )
    try:
        to = list(owners.values_list("user__email", flat=True))
        send_mail(f"{tenant.slug} is now on the plan {tenant.plan}", body, None, to)
    except (SMTPException, OSError) as problem:  # the pages show what is stopped all the same
        log.warning("a change of plan could not be told: %s", problem)
