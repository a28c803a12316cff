"""A fragment of the tab Contracts: what the interceptors of a bundle did, and the sandbox's slot pool."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from billing.pages import page
from runtime import interceptorfigures
from runtime.views_base import fragment
from runtime.views_logs import bundle_of


@require_safe
@page("read")
def interceptors(request: HttpRequest, id: UUID) -> HttpResponse:
    bundle = bundle_of(request, id)
    told = interceptorfigures.of_bundle(bundle, now())
    tiles = [(name, figure(name, value)) for name, value in told["dashboard"].items()]
    pool = [(name, figure(name, value)) for name, value in told["pool"].items()]
    shown = {"bundle": bundle, "rows": told["interceptors"], "tiles": tiles, "pool": pool}
    return fragment(request, "runtime/_interceptors.html", shown, "Interceptors")


def figure(name: str, value: float) -> str:
    """With its unit: rates are shares, times milliseconds."""
    if name.endswith("Rate") or name == "utilization":
        return f"{100 * value:.1f} %"
    if name.endswith("Time"):
        return f"{value:,.2f} ms"
    return f"{value:,.1f}" if name == "requestsPerSecond" else f"{int(value):,}"
