"""`/api/members` and `/api/invitations`: for admins of the tenant."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from ninja import Router, Schema, Status

from billing import team
from billing.door import Asked, Door
from billing.exact import Exact
from billing.models import Invitation, Membership

router = Router()


class NewRole(Exact):
    role: str


class Member(Schema):
    id: int
    email: str
    role: str
    created: datetime

    @staticmethod
    def resolve_email(member: Membership) -> str:
        return member.user.email


class Members(Schema):
    items: list[Member]
    next: str | None = None


class NewInvitation(Exact):
    email: str
    role: str = "viewer"


class Invited(Schema):
    id: int
    email: str
    role: str
    expires: datetime


class MadeInvitation(Invited):
    url: str


class Invitations(Schema):
    items: list[Invited]
    next: str | None = None


@router.get("/members", auth=Door("admin"), response=Members)
def list_members(request: Asked) -> dict[str, Any]:
    mine = Membership.objects.select_related("user").filter(tenant_id=request.who.tenant_id)
    return {"items": list(mine), "next": None}


@router.patch("/members/{int:member_id}", auth=Door("admin"), response=Member)
def change_member(request: Asked, member_id: int, data: NewRole) -> Any:
    """Give a member another role; the last owner stays one."""
    return team.set_role(request, member_id, data.role)


@router.delete("/members/{int:member_id}", auth=Door("admin"), response={204: None})
def remove_member(request: Asked, member_id: int) -> Status[None]:
    team.remove(request, member_id)
    return Status(204, None)


@router.get("/invitations", auth=Door("admin"), response=Invitations)
def list_invitations(request: Asked) -> dict[str, Any]:
    """Invitations that wait to be accepted."""
    mine = Invitation.objects.filter(tenant_id=request.who.tenant_id, expires__gt=timezone.now()).order_by(
        "pk"
    )
    return {"items": list(mine), "next": None}


@router.post("/invitations", auth=Door("admin"), response={201: MadeInvitation})
def invite(request: Asked, data: NewInvitation) -> Status[Any]:
    """Invite somebody by e-mail; `url` is the link that is mailed, shown this once."""
    invitation, url = team.invite(request, data.email, data.role)
    return Status(201, {**Invited.from_orm(invitation).dict(), "url": url})


@router.delete("/invitations/{int:invitation_id}", auth=Door("admin"), response={204: None})
def withdraw(request: Asked, invitation_id: int) -> Status[None]:
    team.withdraw(request, invitation_id)
    return Status(204, None)
