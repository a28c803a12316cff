"""The wallet: balance, statement, its CSV, the threshold of the notice, executions of the plan."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from billing import changes, statement
from billing.access import tenant_of
from billing.door import Asked
from billing.errors import ApiError
from billing.forms import ThresholdForm
from billing.pages import page
from billing.statement import KINDS

PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@page("read", back="billing:wallet")
def wallet(request: Asked) -> HttpResponse:
    """POST sets the threshold."""
    form = ThresholdForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if not request.who.may("admin"):
            raise ApiError(403)
        if form.is_valid():
            changes.set_low_at(request, form.cleaned_data["low_at"])
            messages.success(request, "Saved.")
            return redirect("billing:wallet")
    summary = statement.summary(tenant_of(request.who), timezone.now())
    if not form.is_bound:
        form.initial["low_at"] = summary.low_at
    shown = {"wallet": summary, "form": form, "share": share(summary)} | listed(request)
    partial = request.headers.get("hx-request") == "true" and request.method == "GET"
    name = "billing/_statement.html" if partial else "billing/wallet.html"
    return render(request, name, shown, status=422 if form.errors else 200)


def share(summary: statement.Summary) -> int | None:
    """How much of the month's executions is used, in percent."""
    limit = summary.executions.limit
    return None if not limit else min(100, 100 * summary.executions.used // limit)


def listed(request: Asked) -> dict[str, Any]:
    kind, before = wanted(request), request.GET.get("before", "")
    if before and not (before.isdecimal() and len(before) < 19):
        raise Http404
    found = statement.lines(request.who.tenant_id, kind=kind, before=int(before) if before else None)
    rows = list(found[: PAGE + 1])
    return {
        "rows": [(leg, KINDS.get(leg.journal.kind, leg.journal.kind)) for leg in rows[:PAGE]],
        "older": str(rows[PAGE - 1].pk) if len(rows) > PAGE else "",
        "query": f"kind={kind}&" if kind else "",
        "kind": kind,
        "kinds": KINDS,
        "first": not before,
    }


def wanted(request: Asked) -> str:
    kind = request.GET.get("kind", "")
    if kind and kind not in KINDS:
        raise Http404
    return kind


@require_safe
@page("read", back="billing:wallet")
def entries_csv(request: Asked) -> StreamingHttpResponse:
    lines = statement.as_csv(request.who.tenant_id, kind=wanted(request))
    name = f"{request.who.tenant}-wallet-{timezone.now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


@require_safe
@page("read")
def low(request: Asked) -> HttpResponse:
    """The banner of other pages; nothing while the balance is high enough."""
    summary = statement.summary(tenant_of(request.who), timezone.now())
    if not summary.low:
        return HttpResponse(status=204)
    return render(request, "billing/_low.html", {"wallet": summary})
