"""The page with everything that a tenant's callers can call."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing.pages import page
from bundles.asked import author_of
from runtime import apipage


@require_safe
@page("read")
def api(request: HttpRequest) -> HttpResponse:
    who = author_of(request).who
    told = apipage.document(UUID(str(who.tenant_id)), who.tenant)
    base = f"{settings.BASE_URL}/{who.tenant}"
    shown = {"sections": apipage.sections(told), "base": base, "tenant": who.tenant}
    return render(request, "runtime/api.html", shown)
