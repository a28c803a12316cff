"""Fragments of a bundle's page: its prompts, and the console that compiles and runs one."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from billing import keys
from billing.errors import ApiError
from billing.pages import page
from bundles.asked import author_of, bundle_of
from bundles.models import Status
from bundles.store import newest
from runtime import promptpage, tryit
from runtime.views_base import fragment


@require_safe
@page("read")
def prompts(request: HttpRequest, id: UUID) -> HttpResponse:
    bundle = bundle_of(request, id)
    rows = promptpage.all_of(bundle, newest(bundle))
    return fragment(request, "runtime/_prompts.html", {"bundle": bundle, "rows": rows}, "Prompts")


@require_safe
@page("read")
def console(request: HttpRequest, id: UUID, prompt: str) -> HttpResponse:
    """404 for a prompt that the newest revision does not have."""
    bundle = bundle_of(request, id)
    revision = newest(bundle)
    one = next((row for row in promptpage.all_of(bundle, revision) if row.live.id == prompt), None)
    if one is None:
        raise ApiError(404)
    body = promptpage.example(revision, one.live)
    shown = {
        "bundle": bundle,
        "one": one,
        "body": body,
        "base": settings.BASE_URL,
        "curl": tryit.curl(settings.BASE_URL + one.path, one.live.endpoint, tryit.Example(body=body)),
        "may_call": author_of(request).who.may("call"),
        "running": bundle.live_revision is not None and bundle.status != Status.STOPPED,
        "minutes": keys.CONSOLE_MINUTES,
    }
    return fragment(request, "runtime/_try_prompt.html", shown, f"Try {one.live.id}")
