"""Fragments of a bundle's page: the live log, and the goals."""

from itertools import groupby
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.timezone import now

from billing.access import Principal, principal
from billing.errors import ApiError
from billing.pages import page
from bundles.models import Bundle
from runtime import measure, signals
from runtime.lines import recent
from runtime.models import GoalState
from runtime.views_base import fragment

SHOWN = 100
UNITS = {"%": "fraction", "ms": "ms"}
HOUR = 3600


def bundle_of(request: HttpRequest, id: UUID) -> Bundle:
    who: Principal | None = principal(request)
    if who is None:
        raise ApiError(404)
    return get_object_or_404(Bundle, pk=id, tenant_id=who.tenant_id)


@page("read")
def log(request: HttpRequest, id: UUID) -> HttpResponse:
    bundle = bundle_of(request, id)
    lines = [line.shown() for line in recent(bundle.pk, SHOWN)]
    return fragment(request, "runtime/_log.html", {"bundle": bundle, "lines": lines}, "Live log")


@page("read")
def goals(request: HttpRequest, id: UUID) -> HttpResponse:
    bundle = bundle_of(request, id)
    rows = GoalState.objects.filter(bundle=bundle).order_by("service", "goal", "metric")
    services = [
        (name, [shown(row) for row in group]) for name, group in groupby(rows, lambda row: row.service)
    ]
    failures = [row for row in signals.failures(bundle, HOUR, now()) if row["errors"]]
    found = {"bundle": bundle, "services": services, "failures": failures[:10]}
    return fragment(request, "runtime/_goals.html", found, "Goals")


def shown(row: GoalState) -> dict[str, Any]:
    """A metric for people: the value in the unit of its target."""
    unit = UNITS.get(row.target.rsplit(" ", 1)[-1], "")
    value = None if row.value is None else measure.shown(row.value, unit)
    return {"row": row, "value": value, "values": [point[1] for point in row.history]}
