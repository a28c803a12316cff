"""The pages of one flow: its editor, its text, its runs, what it keeps, its folder and tags."""

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from billing.access import Principal
from billing.errors import ApiError
from billing.pages import page
from bundles.asked import author_of
from bundles.models import Flow
from runtime import flowfigures, flowkept, flowruns, flowstore
from runtime.executions import DONE
from runtime.flowasked import flow_of
from runtime.floweditor import data_for
from runtime.flowtext import coloured
from runtime.models import Execution
from runtime.models.execution import State
from runtime.models.execution import Trigger as Cause
from runtime.views_base import htmx, live

RUN_FILTERS = ("status", "trigger", "since", "longer")
PAGE = 50


def frame(request: HttpRequest, flow: Flow, tab: str, **more: Any) -> dict[str, Any]:
    """What every page of a flow needs."""
    who = author_of(request).who
    shown = {"flow": flow, "tab": tab, "state": flowstore.state(flow)}
    return shown | {"may_write": who.may("write"), "may_call": who.may("call")} | more


@require_safe
@page("read", back="runtime:flows")
def editor(request: HttpRequest, id: UUID) -> HttpResponse:
    """``?run=`` opens that run on the canvas, ``&with=`` marks what another did differently."""
    flow, who = flow_of(request, id), author_of(request).who
    run, beside = (request.GET.get(name, "")[:40] for name in ("run", "with"))
    data = data_for(who, flow, run, beside)
    return render(request, "runtime/flow_editor.html", frame(request, flow, "canvas", editor=data))


@require_safe
@page("read", back="runtime:flows")
def yaml(request: HttpRequest, id: UUID) -> HttpResponse:
    flow = flow_of(request, id)
    language = "JSON" if flow.path.endswith(".pdflow") else "YAML"
    model = flowstore.model(flow)
    shown = frame(request, flow, "yaml", language=language, problems=model.problems if model else ())
    return render(
        request, "runtime/flow_yaml.html", shown | {"coloured": coloured(flowstore.text(flow), language)}
    )


@require_safe
@page("read", back="runtime:flows")
def flow_runs(request: HttpRequest, id: UUID) -> HttpResponse:
    flow, who = flow_of(request, id), author_of(request).who
    wanted = {name: request.GET.get(name, "").strip()[:40] for name in RUN_FILTERS}
    before = request.GET.get("before", "")
    shown = frame(request, flow, "runs", wanted=wanted, before=before) | rows(who, flow, wanted, before)
    if htmx(request):
        return live(request, "runtime/_flow_runs.html", shown)
    figures = flowfigures.figures(who.tenant_id).get((flow.bundle_id, flow.name), flowfigures.Figures())
    more = {"figures": figures, "states": State.values, "triggers": Cause.values, "spans": flowruns.SPANS}
    return render(request, "runtime/flow_runs.html", shown | more | {"seen": "first"})


def rows(who: Principal, flow: Flow, wanted: dict[str, str], before: str) -> dict[str, Any]:
    """A page of runs; a filter that is no id finds nothing."""
    found: list[Execution] = []
    with suppress(ApiError):
        found = list(flowruns.listed(who, flow, wanted, cursor=before)[: PAGE + 1])
    query = urlencode({name: value for name, value in wanted.items() if value})
    older = str(found[PAGE - 1].pk) if len(found) > PAGE else ""
    return {"runs": found[:PAGE], "older": older, "query": f"{query}&" if query else "", "done": DONE}


@require_http_methods(["GET", "HEAD", "POST"])
@page("read", back="runtime:flows")
def memory(request: HttpRequest, id: UUID) -> HttpResponse:
    flow = flow_of(request, id)
    if request.method == "POST":
        return forget(request, flow)
    model = flowstore.model(flow)
    entries = flowkept.entries(flow)
    shown = {
        "entries": entries,
        "used": sum(one.size for one in entries),
        "limit": model.memory if model else 0,
    }
    return render(request, "runtime/flow_memory.html", frame(request, flow, "memory") | shown)


def forget(request: HttpRequest, flow: Flow) -> HttpResponse:
    """One key, or all."""
    by = author_of(request)
    if not by.who.may("write"):
        raise ApiError(403)
    key = None if "all" in request.POST else request.POST.get("key", "")
    flowkept.forget(by, flow, key)
    messages.success(request, "Everything it kept is gone." if key is None else f"“{key[:80]}” is gone.")
    return redirect("runtime:flow_memory", flow.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@page("read", back="runtime:flows")
def settings(request: HttpRequest, id: UUID) -> HttpResponse:
    flow = flow_of(request, id)
    if request.method == "POST":
        return move(request, flow)
    known = Flow.objects.filter(bundle__tenant_id=flow.bundle.tenant_id).exclude(folder="")
    folders = sorted(set(known.values_list("folder", flat=True)))
    return render(request, "runtime/flow_settings.html", frame(request, flow, "settings", folders=folders))


def move(request: HttpRequest, flow: Flow) -> HttpResponse:
    by = author_of(request)
    if not by.who.may("write"):
        raise ApiError(403)
    tags = [tag.strip() for tag in request.POST.get("tags", "").split(",") if tag.strip()]
    try:
        flowstore.move(by, flow, folder=request.POST.get("folder", "").strip(), tags=tags)
    except ApiError as refused:
        messages.error(request, refused.detail or refused.title)
    else:
        messages.success(request, "Saved.")
    return redirect("runtime:flow_settings", flow.pk)
