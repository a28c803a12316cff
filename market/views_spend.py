"""The form of a bundle's spend limits, which its settings page shows by address."""

from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from billing.credits import MOST
from billing.door import Asked
from billing.errors import ApiError
from billing.pages import page
from market import spendlimits


def credits(label: str, help_text: str) -> forms.IntegerField:
    widget = forms.NumberInput(attrs={"inputmode": "numeric", "step": 1, "placeholder": "no limit"})
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=0,
        max_value=MOST,
        help_text=help_text,
        widget=widget,
        error_messages={"invalid": "A whole number of credits, or nothing."},
    )


class SpendForm(forms.Form):
    monthly_credits = credits("Credits a month", "All calls and runs of this bundle. Empty: no limit.")
    strangers_monthly = credits(
        "Of them by strangers", "Calls without a key, to endpoints with “auth: public”. Empty: no limit."
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page("read", back="bundles:list")
def spend(request: Asked, id: UUID) -> HttpResponse:
    bundle = spendlimits.bundle_of(request.who, id)
    form = SpendForm(request.POST if request.method == "POST" else None)
    saved = False
    if request.method == "POST":
        if not request.who.may("admin"):
            raise ApiError(403)
        saved = form.is_valid()
        if saved:
            given = form.cleaned_data
            spendlimits.put(request, bundle, given["monthly_credits"], given["strangers_monthly"])
    now = spendlimits.shown(bundle, timezone.now())
    if not form.is_bound:
        form = SpendForm(
            initial={"monthly_credits": now.monthly_credits, "strangers_monthly": now.strangers_monthly}
        )
    shown = {"bundle": bundle, "spend": now, "form": form, "saved": saved}
    # htmx shows no answer that is an error
    wrong = form.errors and request.headers.get("hx-request") != "true"
    return render(request, "market/_spend.html", shown, status=422 if wrong else 200)
