"""Members of a tenant: invite, accept, change a role, remove; an owner always stays, the plan bounds them."""

import logging
from functools import partial
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from billing import tiers
from billing.access import OF_ROLE, Principal, of_member, principal
from billing.audit import address, record, write
from billing.errors import ApiError
from billing.keys import digest, new_token
from billing.live import touch
from billing.models import ApiKey, Invitation, Membership, Role, Tenant, User
from billing.models.member import a_week_from_now
from billing.throttle import demand

log = logging.getLogger(__name__)


def lock(tenant_id: UUID) -> Tenant:
    """Counting members and changing them happens one after the other within a tenant."""
    return (
        Tenant.objects.select_for_update(of=("self",), no_key=True).select_related("plan").get(pk=tenant_id)
    )


def asker(request: HttpRequest) -> Principal:
    who = principal(request)
    if who is None:
        raise ApiError(401)
    return who


@transaction.atomic
def invite(request: HttpRequest, email: str, role: str) -> tuple[Invitation, str]:
    """An invitation and its link, which is mailed and cannot be shown again."""
    who = asker(request)
    wanted = checked_email(email)
    may_give(who, role)
    demand(f"invite:{who.tenant_id}", 30, 3600)
    tenant = lock(who.tenant_id)
    if Membership.objects.filter(tenant=tenant, user__email=wanted).exists():
        raise ApiError(409, f"{wanted} is a member already.")
    waiting = (
        Invitation.objects.filter(tenant=tenant, expires__gt=timezone.now()).exclude(email=wanted).count()
    )
    check_room(tenant, waiting)
    token = new_token()
    fields = {"role": role, "digest": digest(token), "expires": a_week_from_now()}
    invitation, _ = Invitation.objects.update_or_create(tenant=tenant, email=wanted, defaults=fields)
    record(request, "member.invite", wanted, role=role)
    link = settings.BASE_URL + reverse("billing:invitation", args=[token])
    transaction.on_commit(partial(send, wanted, tenant.slug, who.actor, link))
    return invitation, link


def checked_email(email: str) -> str:
    wanted = email.strip().lower()
    try:
        validate_email(wanted)
    except ValidationError:
        raise ApiError(422, "email: this is not an e-mail address.") from None
    return wanted


def is_full(tenant: Tenant) -> bool:
    """Whether the plan has no room for another member, open invitations included."""
    limit = tenant.plan.members
    waiting = Invitation.objects.filter(tenant=tenant, expires__gt=timezone.now()).count()
    return limit is not None and Membership.objects.filter(tenant=tenant).count() + waiting >= limit


def check_room(tenant: Tenant, waiting: int = 0) -> None:
    limit = tenant.plan.members
    if limit is not None and Membership.objects.filter(tenant=tenant).count() + waiting >= limit:
        members = "1 member" if limit == 1 else f"{limit} members"
        counted = ", open invitations included" if waiting else ""
        text = (
            f"The plan {tenant.plan} has room for {members}{counted}. Whoever runs this server can change it."
        )
        raise ApiError(429, text, headers={"Retry-After": "86400"})


def send(email: str, tenant: str, by: str, link: str) -> None:
    body = render_to_string("billing/email/invitation.txt", {"tenant": tenant, "by": by, "link": link})
    try:
        send_mail(f"Invitation to {tenant} on PrioStack", body, None, [email])
    except (SMTPException, OSError) as problem:  # the link is on the inviter's screen all the same
        log.warning("an invitation could not be mailed: %s", problem)


def open_invitation(token: str) -> Invitation:
    found = Invitation.objects.select_related("tenant").filter(digest=digest(token)).first()
    if found is None or found.expires <= timezone.now():
        raise ApiError(404)
    return found


@transaction.atomic
def accept(request: HttpRequest, token: str, user: User) -> Membership:
    """Only the person invited, only once, only while the plan has room."""
    invitation = open_invitation(token)
    if user.email.lower() != invitation.email.lower():
        raise ApiError(403, f"This invitation is for {invitation.email}.")
    tenant = lock(invitation.tenant_id)
    if Membership.objects.filter(tenant=tenant, user=user).exists():
        raise ApiError(409, "You are a member already.")
    check_room(tenant)
    if not Invitation.objects.filter(pk=invitation.pk, digest=digest(token)).delete()[0]:
        raise ApiError(404)
    membership = Membership.objects.create(tenant=tenant, user=user, role=invitation.role)
    User.objects.filter(pk=user.pk).update(last_tenant=tenant)
    write(of_member(membership), "member.join", user.email, address(request), role=invitation.role)
    return membership


@transaction.atomic
def withdraw(request: HttpRequest, invitation_id: int) -> None:
    mine = Invitation.objects.filter(tenant_id=asker(request).tenant_id, pk=invitation_id)
    invitation = mine.first()
    if invitation is None:
        raise ApiError(404)
    mine.delete()
    record(request, "member.withdraw", invitation.email)


@transaction.atomic
def set_role(request: HttpRequest, membership_id: int, role: str) -> Membership:
    who = asker(request)
    lock(who.tenant_id)
    membership = member(who, membership_id)
    may_give(who, role)
    may_change(who, membership)
    if membership.role == Role.OWNER and role != Role.OWNER:
        keep_an_owner(membership)
    before, membership.role = membership.role, role
    membership.save(update_fields=["role"])
    tiers.members(
        Tenant.objects.select_related("plan").get(pk=who.tenant_id)
    )  # another may be the first owner
    record(request, "member.role", membership.user.email, before=before, after=role)
    touch(who.tenant_id)
    return membership


@transaction.atomic
def remove(request: HttpRequest, membership_id: int) -> None:
    """An admin removes others; everybody may leave."""
    who = asker(request)
    lock(who.tenant_id)
    membership = member(who, membership_id)
    if membership.user_id != who.user_id:
        may_change(who, membership)
    if membership.role == Role.OWNER:
        keep_an_owner(membership)
    ApiKey.objects.filter(tenant_id=who.tenant_id, created_by=membership.user_id, console=True).delete()
    User.objects.filter(pk=membership.user_id, last_tenant_id=who.tenant_id).update(last_tenant=None)
    record(request, "member.remove", membership.user.email, role=membership.role)
    membership.delete()
    tiers.members(Tenant.objects.select_related("plan").get(pk=who.tenant_id))
    touch(who.tenant_id)


def member(who: Principal, membership_id: int) -> Membership:
    found = (
        Membership.objects.select_related("user").filter(tenant_id=who.tenant_id, pk=membership_id).first()
    )
    if found is None:
        raise ApiError(404)
    return found


def may_give(who: Principal, role: str) -> None:
    if role not in OF_ROLE:
        raise ApiError(422, f"role: one of {', '.join(OF_ROLE)}.")
    if not who.may("admin") or not OF_ROLE[role] <= who.scopes:
        raise ApiError(403, f"You may not make somebody {role}.")


def may_change(who: Principal, membership: Membership) -> None:
    if not who.may("admin") or not OF_ROLE[membership.role] <= who.scopes:
        raise ApiError(403, f"You may not change an {membership.role}.")


def keep_an_owner(membership: Membership) -> None:
    others = Membership.objects.filter(tenant_id=membership.tenant_id, role=Role.OWNER).exclude(
        pk=membership.pk
    )
    if not others.exists():
        raise ApiError(409, "This is the last owner; make somebody else an owner first.")
