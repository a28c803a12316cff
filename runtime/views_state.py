"""Fragments of a bundle's page: its state with Run and Stop, and firing a sensor by hand."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.audit import record
from billing.errors import ApiError
from billing.pages import page
from bundles import deploy
from bundles.asked import author_of, bundle_of
from bundles.bundle import Definition
from bundles.definitions import checks_of, definition
from bundles.models import Bundle, Status
from bundles.store import newest
from runtime import bundle_verbs as verbs
from runtime import deploy as starting
from runtime.views_base import fragment, htmx


@require_safe
@page("read")
def status(request: HttpRequest, id: UUID) -> HttpResponse:
    return state(request, bundle_of(request, id))


def state(request: HttpRequest, bundle: Bundle, error: ApiError | None = None) -> HttpResponse:
    """The badge; it asks again for as long as the bundle is starting."""
    newer = bundle.live_revision not in (None, bundle.revision)
    shown = {"bundle": bundle, "newer": newer, "error": error, "fresh": "fresh" in request.GET}
    return render(request, "runtime/_status.html", shown)


@require_POST
@page("write", back="bundles:list")
def run(request: HttpRequest, id: UUID) -> HttpResponse:
    return change(request, bundle_of(request, id), starting.run)


@require_POST
@page("write", back="bundles:list")
def stop(request: HttpRequest, id: UUID) -> HttpResponse:
    return change(request, bundle_of(request, id), deploy.ask_stop)


def change(request: HttpRequest, bundle: Bundle, verb: Callable[[Any, Bundle], Bundle]) -> HttpResponse:
    """Do it and show the state that follows, or why it was refused; 200 either way, else htmx shows nothing."""
    error = None
    try:
        bundle = verb(author_of(request), bundle)
    except ApiError as refused:
        error = refused
        bundle.refresh_from_db()
    if htmx(request):
        return state(request, bundle, error)
    if error is not None:
        messages.error(request, error.detail)
        return redirect("bundles:problems" if error.errors else "bundles:detail", bundle.pk)
    messages.success(request, f"“{bundle}” is {bundle.status}.")
    return redirect("bundles:detail", bundle.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@page("read")
def fire(request: HttpRequest, id: UUID, sensor: str = "") -> HttpResponse:
    """A form with a payload; sent, the runs that were queued and the intents that were held back."""
    bundle = bundle_of(request, id)
    sensor = sensor or request.POST.get("sensor", "") or request.GET.get("sensor", "")
    shown: dict[str, Any] = {
        "bundle": bundle,
        "sensor": sensor[:200],
        "may_call": author_of(request).who.may("call"),
        "running": bundle.live_revision is not None and bundle.status != Status.STOPPED,
    }
    if request.method == "POST":
        shown |= fired(request, bundle, sensor)
    else:
        shown["payload"] = example(bundle, sensor)
    return fragment(request, "runtime/_fire.html", shown, f"Fire {sensor[:80]}")


def fired(request: HttpRequest, bundle: Bundle, sensor: str) -> dict[str, Any]:
    who = author_of(request).who
    if not who.may("call"):
        raise ApiError(403)
    text = request.POST.get("payload", "")
    try:
        done = verbs.fire(who, bundle, sensor, read_payload(text))
    except ApiError as refused:
        return {"payload": text, "error": refused.detail}
    record(request, "sensor.fire", f"{bundle.name}:{sensor}"[:300], executions=len(done["executions"]))
    return {"payload": text, "fired": done}


def read_payload(text: str) -> Any:
    if len(text) > verbs.MAX_PAYLOAD:
        raise verbs.too_large()
    try:
        return orjson.loads(text) if text.strip() else None
    except orjson.JSONDecodeError as problem:
        raise ApiError(
            400, f"The payload is not JSON: line {problem.lineno}, column {problem.colno}: {problem.msg}."
        ) from None


def example(bundle: Bundle, sensor: str) -> str:
    """The payload of a declared test of this sensor, else an empty object."""
    revision = newest(bundle)
    if not known(definition(revision), sensor):
        raise ApiError(404, "No intent and no flow waits for this sensor.")
    found = next((c.payload for c in checks_of(revision).checks if c.sensor == sensor), None)
    return orjson.dumps({} if found is None else found, option=orjson.OPT_INDENT_2).decode()


def known(found: Definition, sensor: str) -> bool:
    intents = any(intent.when_sensor == sensor for service in found.services for intent in service.intents)
    return intents or any(one.sensor == sensor for flow in found.organisms.values() for one in flow.triggers)
