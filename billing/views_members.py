"""Settings page of members, and the page that an invitation's link opens."""

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from billing import team
from billing.access import OF_ROLE, tenant_of
from billing.door import Asked
from billing.errors import ApiError
from billing.forms import InviteForm
from billing.models import Invitation, Membership, User
from billing.pages import page
from billing.sheets import sheet


@require_http_methods(["GET", "HEAD", "POST"])
@page("admin", back="billing:members")
def members(request: Asked) -> HttpResponse:
    """POST invites; the link is shown this once, for those without a mail server."""
    form, link = InviteForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        _, link = team.invite(request, form.cleaned_data["email"], form.cleaned_data["role"])
        form = InviteForm()
    tenant = tenant_of(request.who)
    people = sheet(request, Membership.objects.select_related("user").filter(tenant=tenant), "user__email")
    shown = {
        "tab": "members",
        "sheet": people,
        "members": people.rows,
        "invitations": Invitation.objects.filter(tenant=tenant, expires__gt=timezone.now()),
        "roles": [role for role, scopes in OF_ROLE.items() if scopes <= request.who.scopes],
        "limit": tenant.plan.members,
        "full": team.is_full(tenant),
        "plan": tenant.plan,
        "form": form,
        "link": link,
    }
    return render(request, "billing/members.html", shown, status=422 if form.errors else 200)


@require_POST
@page("admin", back="billing:members")
def change(request: Asked, member_id: int) -> HttpResponse:
    member = team.set_role(request, member_id, request.POST.get("role", ""))
    messages.success(request, f"{member.user.email} is now {member.role}.")
    gave_up = member.user_id == request.who.user_id and "admin" not in OF_ROLE[member.role]
    return redirect("billing:settings" if gave_up else "billing:members")


@require_POST
@page("admin", back="billing:members")
def remove(request: Asked, member_id: int) -> HttpResponse:
    team.remove(request, member_id)
    messages.success(request, "The member is removed.")
    return redirect("billing:members")


@require_POST
@page("read", back="billing:tenant")
def leave(request: Asked) -> HttpResponse:
    mine = Membership.objects.get(tenant_id=request.who.tenant_id, user_id=request.who.user_id or 0)
    team.remove(request, mine.pk)
    messages.success(request, f"You left {request.who.tenant}.")
    return redirect("dashboard")


@require_POST
@page("admin", back="billing:members")
def withdraw(request: Asked, invitation_id: int) -> HttpResponse:
    team.withdraw(request, invitation_id)
    messages.success(request, "The invitation is withdrawn.")
    return redirect("billing:members")


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever follows the link signs in or up first; only the address that was invited can accept."""
    if not isinstance(request.user, User):
        return redirect_to_login(request.path)
    try:
        if request.method == "POST":
            joined = team.accept(request, token, request.user)
            messages.success(request, f"Welcome to {joined.tenant.slug}.")
            return redirect("dashboard")
        found = team.open_invitation(token)
    except ApiError as refused:
        return refusal(request, refused)
    theirs = found.email.lower() == request.user.email.lower()
    return render(request, "billing/invitation.html", {"invitation": found, "theirs": theirs})


def refusal(request: HttpRequest, refused: ApiError) -> HttpResponse:
    if refused.status == 404:
        raise Http404 from refused
    if refused.status == 403:
        raise PermissionDenied from refused
    messages.error(request, refused.detail)
    return redirect("dashboard")
