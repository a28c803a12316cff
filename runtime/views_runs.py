"""The list of runs with its filters, and the page of one run with Retry and Cancel."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from billing.access import Principal
from billing.audit import record
from billing.errors import ApiError
from billing.pages import page
from bundles.asked import author_of
from bundles.definitions import definition
from bundles.endpoints import Endpoint
from bundles.intents import Intent
from bundles.models import Bundle, Flow, Revision
from bundles.service import Service
from runtime import flowretry, resume, runs
from runtime.executions import DONE
from runtime.flowsteps import timeline
from runtime.models import Cause, Execution
from runtime.models.execution import State
from runtime.views_base import htmx, live

FILTERS = ("status", "trigger", "bundle", "service", "name")
PAGE = 50
FIRED = 50


@require_safe
@page("read")
def run_list(request: HttpRequest) -> HttpResponse:
    who = author_of(request).who
    wanted = {name: request.GET.get(name, "").strip()[:100] for name in FILTERS}
    before = request.GET.get("before", "")
    shown = rows(who, wanted, before) | {"wanted": wanted, "before": before}
    if htmx(request):
        return live(request, "runtime/_runs.html", shown)
    return render(request, "runtime/runs.html", shown | choices(who) | {"seen": "first"})


def rows(who: Principal, wanted: dict[str, str], before: str) -> dict[str, Any]:
    """A page of runs; a filter that is no id finds nothing."""
    try:
        found = list(runs.listed(who, wanted, cursor=before, limit=PAGE).select_related("bundle"))
    except ApiError:
        found = []
    query = urlencode({name: value for name, value in wanted.items() if value})
    older = str(found[PAGE - 1].pk) if len(found) > PAGE else ""
    return {"runs": found[:PAGE], "older": older, "query": f"{query}&" if query else ""}


def choices(who: Principal) -> dict[str, Any]:
    """What the filters offer: names come from the newest revisions."""
    bundles = Bundle.objects.filter(tenant_id=who.tenant_id).order_by("name")
    newest = Revision.objects.filter(bundle__in=bundles, number=F("bundle__revision"))
    services = [service for revision in newest for service in definition(revision).services]
    names = {part.name for service in services for part in parts_of(service)}
    return {
        "bundles": [(str(bundle.pk), str(bundle)) for bundle in bundles],
        "services": sorted({service.name for service in services}),
        "names": sorted(names),
        "states": State.values,
        "triggers": Cause.values,
    }


@require_safe
@page("read", back="runtime:runs")
def run_detail(request: HttpRequest, id: UUID) -> HttpResponse:
    who = author_of(request).who
    run = runs.show(who, id)
    shown = {
        "run": run,
        "bundle": Bundle.objects.filter(pk=run["bundle"], tenant_id=who.tenant_id).first(),
        "over": run["status"] in DONE,
        "may_call": who.may("call"),
        "polled": htmx(request),
        "fired": fired(who, id),
        "parent": parent(who, run["parent"]),
        "place": place(run) if run["error"] else None,
        "timeline": timeline(run["steps"]),
        "flow": flow_in(who, run),
        "pausable": run["status"] != "running" or run["target"].startswith("flow:"),
    } | choices_of(who, id, run)
    if htmx(request):
        return live(request, "runtime/_run.html", shown)
    return render(request, "runtime/run.html", shown | {"seen": "first"})


def choices_of(who: Principal, pk: UUID, run: dict[str, Any]) -> dict[str, Any]:
    """What can be done with a flow's run: go on from the step that failed, or end what it waits for."""
    if not run["target"].startswith("flow:") or not who.may("call"):
        return {}
    row = runs.of_tenant(who).filter(pk=pk).first()
    if row is None or run["status"] in ("success", "queued", "running"):
        return {}
    resumable = row.status in DONE and flowretry.is_kept(row)
    return {"resumable": resumable, "waits": resume.addresses(row)}


def flow_in(who: Principal, run: dict[str, Any]) -> Flow | None:
    """The flow that a run called, as long as there is one of that name."""
    kind, _, name = run["target"].partition(":")
    if kind != "flow":
        return None
    mine = Flow.objects.filter(bundle_id=run["bundle"], bundle__tenant_id=who.tenant_id)
    return mine.filter(name=name.partition(":")[0]).first()


def place(run: dict[str, Any]) -> Endpoint | Intent | None:
    """Where the revision that ran says what was called."""
    revision = Revision.objects.filter(bundle_id=run["bundle"], number=run["revision"]).first()
    if revision is None:
        return None
    services = [one for one in definition(revision).services if one.name == run["service"]]
    parts = [part for one in services for part in parts_of(one)]
    return next((part for part in parts if part.name == run["name"]), None)


def fired(who: Principal, pk: UUID) -> list[Execution]:
    """Sorted and filtered here: asked for both, SQLite would walk through all runs of the tenant."""
    found = Execution.objects.filter(parent=pk).order_by()[:FIRED]
    return sorted((run for run in found if run.tenant_id == who.tenant_id), key=attrgetter("pk"))


def parts_of(service: Service) -> list[Endpoint | Intent]:
    return [*service.endpoints, *service.intents]


def parent(who: Principal, pk: str | None) -> Execution | None:
    return runs.of_tenant(who).filter(pk=pk).first() if pk else None


@require_POST
@page("call", back="runtime:runs")
def retry(request: HttpRequest, id: UUID) -> HttpResponse:
    """Queues the same request again and goes to the new run."""
    return anew(request, id, runs.retry, "Queued again as this run.")


@require_POST
@page("call", back="runtime:runs")
def go_on(request: HttpRequest, id: UUID) -> HttpResponse:
    """A run of its own that begins where this one failed."""
    return anew(request, id, flowretry.resume_from, "It goes on from the step that failed, as this run.")


def anew(
    request: HttpRequest, id: UUID, verb: Callable[[Principal, Execution], str], words: str
) -> HttpResponse:
    who = author_of(request).who
    run = runs.find(who, id)
    try:
        fresh = verb(who, run)
    except ApiError as refused:
        return back(request, id, refused)
    record(request, "execution.retry", str(id), execution=fresh)
    messages.success(request, words)
    return redirect("runtime:run_detail", fresh)


@require_POST
@page("call", back="runtime:runs")
def cancel(request: HttpRequest, id: UUID) -> HttpResponse:
    who = author_of(request).who
    run = runs.find(who, id)
    try:
        runs.cancel(who, run)
    except ApiError as refused:
        return back(request, id, refused)
    record(request, "execution.cancel", str(id))
    messages.success(request, "Asked to stop.")
    return redirect("runtime:run_detail", id)


@require_POST
@page("call", back="runtime:runs")
def pause(request: HttpRequest, id: UUID) -> HttpResponse:
    """Holds the run, or lets it go on with ``off``."""
    who = author_of(request).who
    run, off = runs.find(who, id), "off" in request.POST
    try:
        (runs.unpause if off else runs.pause)(who, run)
    except ApiError as refused:
        return back(request, id, refused)
    record(request, "execution.unpause" if off else "execution.pause", str(id))
    messages.success(
        request, "It goes on." if off else "Paused: what is under way ends, nothing else begins."
    )
    return redirect("runtime:run_detail", id)


def back(request: HttpRequest, id: UUID, refused: ApiError) -> HttpResponse:
    messages.error(request, refused.detail or refused.title)
    return redirect("runtime:run_detail", id)
