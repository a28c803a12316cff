"""Settings pages about the person, the tenant and its audit log."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing import changes, tenants
from billing.access import tenant_of
from billing.door import Asked
from billing.errors import ApiError
from billing.forms import FoundForm, RenameForm
from billing.models import Membership, User
from billing.pages import page
from billing.sessions import end_all
from billing.throttle import demand
from billing.trail import trail

PAGE = 50


@require_safe
@login_required
def account(request: HttpRequest) -> HttpResponse:
    return render(request, "billing/account.html", {"tab": "account"})


@require_POST
@login_required
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    if isinstance(request.user, User):
        end_all(request.user)
    return redirect("account_login")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def found_tenant(request: HttpRequest) -> HttpResponse:
    """Where somebody without a tenant is sent; a second tenant can be founded here too."""
    form = FoundForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and isinstance(request.user, User):
        try:
            demand(f"found:{request.user.pk}", 5, 3600)
            made = tenants.found(form.cleaned_data["tenant"], request.user)
        except IntegrityError:
            form.add_error("tenant", "This name was taken a moment ago.")
        except ApiError as refused:
            form.add_error(None, refused.detail)
        else:
            messages.success(request, f"Your APIs will answer at /{made.slug}/…")
            return redirect("dashboard")
    return render(request, "billing/found.html", {"form": form}, status=200 if not form.errors else 422)


@require_http_methods(["GET", "HEAD", "POST"])
@page("read", back="billing:tenant")
def tenant(request: Asked) -> HttpResponse:
    """GET shows it; POST with ``tenant`` switches to another one, with ``name`` renames this one."""
    if request.method == "POST" and "tenant" in request.POST:
        return switch(request)
    mine = tenant_of(request.who)
    form = RenameForm(request.POST or None, initial={"name": mine.name})
    if request.method == "POST":
        if not request.who.may("admin"):
            raise PermissionDenied
        if form.is_valid():
            changes.rename_tenant(request, form.cleaned_data["name"])
            messages.success(request, "Saved.")
            return redirect("billing:tenant")
    return render(request, "billing/tenant.html", {"tab": "tenant", "tenant": mine, "form": form})


@require_POST
@login_required
def switch(request: HttpRequest) -> HttpResponse:
    """Only to a tenant of one's own; any other is as absent as one that does not exist."""
    mine = Membership.objects.filter(
        user_id=request.user.pk or 0, tenant__slug=request.POST.get("tenant", "")
    ).first()
    if mine is None:
        raise Http404
    User.objects.filter(pk=mine.user_id).update(last_tenant=mine.tenant_id)
    return redirect("dashboard")


@require_safe
@page("admin", back="billing:audit")
def audit(request: Asked) -> HttpResponse:
    action, actor = request.GET.get("action", ""), request.GET.get("actor", "")
    before = cursor(request.GET.get("before", ""))
    rows = list(trail(request.who.tenant_id, action=action, actor=actor, before=before)[: PAGE + 1])
    older = str(rows[PAGE - 1].pk) if len(rows) > PAGE else ""
    kept = urlencode({name: text for name, text in (("action", action), ("actor", actor)) if text})
    shown = {
        "rows": rows[:PAGE],
        "older": older,
        "query": kept + "&" if kept else "",
        "first": before is None,
    }
    name = "billing/_audit.html" if request.headers.get("hx-request") == "true" else "billing/audit.html"
    return render(request, name, {**shown, "tab": "audit", "action": action, "actor": actor})


def cursor(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404 from None
