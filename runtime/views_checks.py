"""The declared tests of a bundle's newest revision: a button, and what came of them."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from billing.errors import ApiError
from billing.pages import page
from bundles.asked import author_of, bundle_of
from runtime.api_checks import asked, summary
from runtime.views_base import fragment


@require_http_methods(["GET", "HEAD", "POST"])
@page("read", back="bundles:list")
def tests(request: HttpRequest, id: UUID) -> HttpResponse:
    bundle = bundle_of(request, id)
    may_call = author_of(request).who.may("call")
    shown = {"bundle": bundle, "may_call": may_call}
    if request.method == "POST":
        if not may_call:
            raise ApiError(403)
        shown |= summary(asked(request, bundle))
    return fragment(request, "runtime/_tests.html", shown, "Tests")
