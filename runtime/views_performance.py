"""A fragment of the tab Contracts: how the calls of a bundle do under their contracts."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from billing.pages import page
from runtime import performance
from runtime.views_base import fragment
from runtime.views_logs import bundle_of

SPANS = {"1": "Today", "7": "7 days", "30": "30 days"}
FIELDS = ("priority", "computeUnits", "maxWaitTime", "fallbackBehavior", "costCeiling")


@require_safe
@page("read")
def contract_performance(request: HttpRequest, id: UUID) -> HttpResponse:
    bundle = bundle_of(request, id)
    days = request.GET.get("days", "7")
    days = days if days in SPANS else "7"
    told = performance.of_bundle(bundle, now(), int(days))
    groups = [(one["name"], [line(call) for call in one["calls"]], one["goals"]) for one in told["services"]]
    if told["flows"]:
        groups.append(("Flows", [line(flow) for flow in told["flows"]], []))
    shown = {"bundle": bundle, "days": days, "spans": SPANS, "groups": groups, "told": told}
    return fragment(request, "runtime/_performance.html", shown, "Performance of contracts")


def line(call: dict[str, Any]) -> dict[str, Any]:
    """With the contract in a few words, and the bar: used beside estimated compute, the larger one is the whole."""
    used, expected = call["used"]["p95"], call["need"]
    whole = max(used, expected, 1)
    terms = [
        f"{call['contract'][name]['value']}" for name in FIELDS if call["contract"][name]["value"] is not None
    ]
    terms[1] += " CU"
    if len(terms) == len(FIELDS):
        terms[-1] = f"at most {terms[-1]} credits"
    bar = {"used": 100 * used / whole, "need": 100 * expected / whole}
    return {**call, "terms": terms, "bar": bar, "refusals": sum(call["refused"].values())}
