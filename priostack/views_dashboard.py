"""The dashboard: how the tenant's bundles do, what ran lately, and where to begin while there is nothing."""

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
from market import figures as market_figures
from runtime import flowlist, runs, signals
from runtime.flowlist import Row
from runtime.patience import Patient
from runtime.signals import Usage
from runtime.views_base import htmx, live

RECENT = 8
FEW = 5
HOUR = 60  # minutes of the sparkline
DAY = 24


@require_safe
@page("read", back="landing")
def dashboard(request: HttpRequest) -> HttpResponse:
    who: Principal = request.who  # type: ignore[attr-defined]
    shown = figures(who)
    if htmx(request):
        return live(request, "_dashboard.html", shown)
    begin = {"base_url": settings.BASE_URL, "may_write": who.may("write"), "example": EXAMPLE.is_dir()}
    tiles = market_figures.tiles(who.tenant_id)
    return render(request, "dashboard.html", shown | begin | tiles | {"seen": "first"})


def day(tenant_id: UUID) -> Usage:
    return signals.usage(tenant_id, DAY)


usage_of = Patient(day)


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
        "flows": busiest(who),
    }


def busiest(who: Principal) -> list[Row]:
    """The flows that ran most within a day; those that failed come first."""
    found = flowlist.rows(who.tenant_id, who.user_id)
    return sorted(found, key=lambda row: (-row.figures.failed, -row.figures.day, row.flow.name))[:FEW]
