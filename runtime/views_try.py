"""The "Try it" console of an endpoint, and the short-lived key that its browser calls with."""

from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from billing import keys
from billing.access import tenant_of
from billing.audit import record
from billing.errors import ApiError
from billing.models import User
from billing.pages import page
from billing.throttle import demand
from bundles.asked import author_of, bundle_of
from bundles.definitions import checks_of, definition
from bundles.endpoints import Endpoint
from bundles.models import Bundle, Status
from bundles.service import Service
from bundles.store import newest
from runtime import tryit
from runtime.views_base import fragment

KEYS_A_MINUTE = 20


@require_safe
@page("read")
def console(request: HttpRequest, id: UUID, service: str, endpoint: str) -> HttpResponse:
    bundle = bundle_of(request, id)
    serves, calls = endpoint_of(bundle, service, endpoint)
    sent = tryit.example(serves, calls, checks_of(newest(bundle)))
    path = f"/{bundle.tenant.slug}{serves.base_path}{calls.path}"
    shown = {
        "bundle": bundle,
        "endpoint": calls,
        "path": path,
        "base": settings.BASE_URL,
        "params": [(name, sent.params.get(name, "")) for name in tryit.parameters(serves, calls)],
        "sent": sent,
        "curl": tryit.curl(tryit.address(settings.BASE_URL, path, sent), calls, sent),
        "may_call": author_of(request).who.may("call"),
        "running": bundle.live_revision is not None and bundle.status != Status.STOPPED,
        "minutes": keys.CONSOLE_MINUTES,
        "cost_url": f"{reverse('market:cost')}?{urlencode(tryit.cost(bundle.pk, serves, calls))}",
    }
    return fragment(request, "runtime/_try.html", shown, f"Try {calls.name}")


def endpoint_of(bundle: Bundle, service: str, name: str) -> tuple[Service, Endpoint]:
    for one in definition(newest(bundle)).services:
        for endpoint in one.endpoints:
            if one.name == service and endpoint.name == name:
                return one, endpoint
    raise ApiError(404)


@require_POST
@page("call")
def key(request: HttpRequest) -> HttpResponse:
    """A key that may only call and soon expires. It is never stored by the page."""
    who = author_of(request).who
    demand(f"try:{who.tenant_id}:{who.user_id}", KEYS_A_MINUTE, 60)
    token = keys.console(tenant_of(who), get_object_or_404(User, pk=who.user_id))
    record(request, "key.console", token[:9])
    return JsonResponse({"key": token, "seconds": keys.CONSOLE_MINUTES * 60})
