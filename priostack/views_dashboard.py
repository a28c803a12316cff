"""The dashboard: how the tenant's bundles do, what ran lately, and where to begin while there is nothing."""

import time
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing.access import Principal
from billing.pages import page
from bundles.models import Bundle, Status
from bundles.views import EXAMPLE
from runtime import runs, signals
from runtime.signals import Usage
from runtime.views_base import htmx, live

RECENT = 8
HOUR = 60  # minutes of the sparkline
DAY = 24
SLOW_S = 0.1
PATIENCE = 30  # figures are kept for so many times as long as they took
MOST_KEPT = 1000
_kept: dict[UUID, tuple[float, Usage]] = {}


@require_safe
@page("read", back="landing")
def dashboard(request: HttpRequest) -> HttpResponse:
    who: Principal = request.who  # type: ignore[attr-defined]
    shown = figures(who)
    if htmx(request):
        return live(request, "_dashboard.html", shown)
    begin = {"base_url": settings.BASE_URL, "may_write": who.may("write"), "example": EXAMPLE.is_dir()}
    return render(request, "dashboard.html", shown | begin | {"seen": "first"})


def usage_of(tenant_id: UUID) -> Usage:
    """Figures that took long are shown for a while, so that watchers never keep the database busy."""
    until, known = _kept.get(tenant_id, (0.0, None))
    began = time.monotonic()
    if known is not None and until > began:
        return known
    found = signals.usage(tenant_id, DAY)
    spent = time.monotonic() - began
    if len(_kept) > MOST_KEPT:
        _kept.clear()
    if spent > SLOW_S:
        _kept[tenant_id] = (time.monotonic() + spent * PATIENCE, found)
    return found


def figures(who: Principal) -> dict[str, Any]:
    bundles = list(Bundle.objects.filter(tenant_id=who.tenant_id).order_by("name"))
    usage = usage_of(who.tenant_id)
    hour = usage.series[-HOUR:]
    return {
        "bundles": bundles,
        "running": sum(bundle.status == Status.RUNNING for bundle in bundles),
        "usage": usage,
        "rate": 100 * usage.errors / usage.calls if usage.calls else None,
        "minutes": [calls for _, calls, _ in hour],
        "hour": sum(calls for _, calls, _ in hour),
        "peak": max(calls for _, calls, _ in hour),
        "runs": runs.of_tenant(who)[:RECENT],
    }
