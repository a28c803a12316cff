"""The list of flows, and what is done with one of them as a whole: new, duplicate, start, stop, delete, favourite."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from billing.errors import ApiError
from billing.pages import page
from bundles.asked import author_of
from runtime import flowlist, flowstore
from runtime.flowasked import flow_of
from runtime.flowexamples import examples
from runtime.views_base import htmx, live

LONGEST = 100  # characters of a filter


@require_safe
@page("read")
def flow_list(request: HttpRequest) -> HttpResponse:
    who = author_of(request).who
    asked = {name: request.GET.get(name, "").strip()[:LONGEST] for name in flowlist.FIELDS}
    found = flowlist.rows(who.tenant_id, who.user_id)
    query = urlencode({name: value for name, value in asked.items() if value})
    shown = {
        "groups": flowlist.in_folders(row for row in found if flowlist.wanted(row, asked)),
        "wanted": asked,
        "query": f"{query}&" if query else "",
        "may_write": who.may("write"),
    }
    if htmx(request):
        return live(request, "runtime/_flows.html", shown)
    more = flowlist.choices(found) | {"gallery": examples() if not found else [], "seen": "first"}
    return render(request, "runtime/flows.html", shown | more)


def back(request: HttpRequest) -> HttpResponse:
    """To the page that the form stands on."""
    where = request.POST.get("next", "")
    if where.startswith("/") and url_has_allowed_host_and_scheme(where, allowed_hosts=None):
        return redirect(where)
    return redirect("runtime:flows")


@require_POST
@page("write", back="runtime:flows")
def start(request: HttpRequest, id: UUID) -> HttpResponse:
    """Runs the newest revision; with errors in it the refusal leads to them."""
    flow = flow_of(request, id)
    try:
        flowstore.start(author_of(request), flow)
    except ApiError as refused:
        messages.error(request, refused.detail or refused.title)
        return redirect("runtime:flow_yaml", flow.pk) if refused.errors else back(request)
    messages.success(request, f"“{flow.name}” starts.")
    return back(request)


@require_POST
@page("write", back="runtime:flows")
def stop(request: HttpRequest, id: UUID) -> HttpResponse:
    flow = flow_of(request, id)
    flowstore.stop(author_of(request), flow)
    messages.success(request, f"“{flow.name}” is stopped.")
    return back(request)


@require_POST
@page("write", back="runtime:flows")
def duplicate(request: HttpRequest, id: UUID) -> HttpResponse:
    flow = flow_of(request, id)
    copy = flowstore.duplicate(author_of(request), flow)
    messages.success(request, f"“{copy.name}” is a copy of “{flow.name}”.")
    return redirect("runtime:flow", copy.pk)


@require_POST
@page("write", back="runtime:flows")
def delete(request: HttpRequest, id: UUID) -> HttpResponse:
    flow = flow_of(request, id)
    flowstore.delete(author_of(request), flow)
    messages.success(request, f"“{flow.name}” is deleted.")
    return redirect("runtime:flows")


@require_POST
@page("read", back="runtime:flows")
def star(request: HttpRequest, id: UUID) -> HttpResponse:
    """Everybody has favourites of their own."""
    flow, who = flow_of(request, id), author_of(request).who
    flowstore.star(who, flow, on=not flowlist.starred(flow, who.user_id))
    return back(request)


def told(problems: Any) -> str:
    count = len(problems)
    return "a problem" if count == 1 else f"{count} problems"
