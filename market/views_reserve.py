"""Reserving and cancelling: a form in a dialog, and on a page of its own for browsers without JavaScript."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from billing import wallet
from billing.door import Asked
from billing.errors import ApiError
from billing.pages import page
from market import changes
from market.forms import ReserveForm, proposal

PLACES = {"window": "start", "overlap": "start", "sold out": "start", "insufficient": "credits"}


@require_http_methods(["GET", "HEAD", "POST"])
@page("write", back="market:market")
def reserve(request: Asked) -> HttpResponse:
    if request.method != "POST":
        return shown(request, ReserveForm(initial=proposal()))
    form = ReserveForm(request.POST)
    if not form.is_valid() or not made(request, form):
        return shown(request, form)
    messages.success(request, "Reserved. Until it begins it can be cancelled for a full refund.")
    where = reverse("market:market") + "#reservations"
    if request.headers.get("hx-request") == "true":
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return redirect(where)


def made(request: Asked, form: ReserveForm) -> bool:
    """A refusal stands beside the field that it is about, and the form keeps what was typed."""
    try:
        changes.reserve(request, form.wanted())
    except ApiError as refused:
        reason = refused.errors[0]["message"] if refused.errors else ""
        form.add_error(PLACES.get(reason), refused.detail)
        return False
    return True


def shown(request: Asked, form: ReserveForm) -> HttpResponse:
    tenant = request.who.tenant_id
    parts = {
        "reserve_form": form,
        "balance": wallet.balances([tenant])[tenant],
        "rate": settings.MARKET.cu_per_credit,
    }
    if request.headers.get("hx-request") == "true":  # htmx swaps only what comes with 200
        return render(request, "market/_reserve.html", parts)
    return render(request, "market/reserve.html", parts, status=422 if form.errors else 200)


@require_POST
@page("write", back="market:market")
def cancel(request: Asked, id: UUID) -> HttpResponse:
    gone = changes.cancel(request, id)
    messages.success(request, f"Cancelled: {gone.credits:,} credits are back in the wallet.")
    return redirect(reverse("market:market") + "#reservations")
