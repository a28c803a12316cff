"""What is done with several runs of a flow: again, stop, compare two."""

from typing import Any, get_args
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from billing.access import Principal
from billing.audit import record
from billing.errors import ApiError
from billing.pages import page
from bundles.asked import author_of
from bundles.models import Flow
from runtime import runs
from runtime.flowasked import flow_of
from runtime.flowdiff import pairs
from runtime.flowmany import Outcome, Verb, every
from runtime.runs import as_uuid
from runtime.views_flow import frame

WORDS = {"retry": "queued again", "failed": "going on from where it failed", "cancel": "asked to stop"}


@require_POST
@page("read", back="runtime:flows")
def many(request: HttpRequest, id: UUID) -> HttpResponse:
    """`do` with the runs that were ticked; comparing only leads to another page."""
    flow, verb = flow_of(request, id), request.POST.get("do", "")
    try:
        chosen = [as_uuid(text) for text in request.POST.getlist("run")]
        if verb == "compare":
            return redirect(two(flow, chosen))
        tell(request, acted(request, flow, chosen, verb), verb)
    except ApiError as refused:
        if refused.status == 403:
            raise
        messages.error(request, refused.detail or refused.title)
    return redirect("runtime:flow_runs", flow.pk)


def two(flow: Flow, chosen: list[UUID]) -> str:
    if len(chosen) != 2:
        raise ApiError(422, "Choose two runs to compare.")
    older, newer = sorted(chosen)  # ids begin with their time
    return f"{reverse('runtime:flow_compare', args=[flow.pk])}?a={older}&b={newer}"


def acted(request: HttpRequest, flow: Flow, chosen: list[UUID], verb: str) -> list[Outcome]:
    who = author_of(request).who
    if not who.may("call"):
        raise ApiError(403)
    known: dict[str, Verb] = {name: name for name in get_args(Verb)}
    if verb not in known:
        raise ApiError(422, "There is nothing of that name to do.")
    return every(who, flow, chosen, known[verb])


def tell(request: HttpRequest, outcomes: list[Outcome], verb: str) -> None:
    made = [outcome for outcome in outcomes if outcome.made]
    for outcome in made:
        action = "execution.cancel" if verb == "cancel" else "execution.retry"
        record(request, action, str(outcome.run), execution=outcome.made)
    if made:
        messages.success(request, f"{len(made)} run{'' if len(made) == 1 else 's'} {WORDS[verb]}.")
    refused = [outcome.error for outcome in outcomes if outcome.error]
    if refused:
        more = f", and {len(refused) - 1} more" if len(refused) > 1 else ""
        messages.error(request, f"Not done for {len(refused)}: {refused[0]}{more}")


@require_safe
@page("read", back="runtime:flows")
def compare(request: HttpRequest, id: UUID) -> HttpResponse:
    flow, who = flow_of(request, id), author_of(request).who
    one, other = (run_of(who, flow, request.GET.get(name, "")) for name in ("a", "b"))
    found = pairs(one["steps"], other["steps"])
    shown = {
        "one": one,
        "two": other,
        "sides": (one, other),
        "pairs": found,
        "differing": sum(bool(pair.differs) for pair in found),
    }
    return render(request, "runtime/flow_compare.html", frame(request, flow, "runs", **shown))


def run_of(who: Principal, flow: Flow, text: str) -> dict[str, Any]:
    run = runs.show(who, as_uuid(text))
    target = f"flow:{flow.name}"
    own = run["target"] == target or run["target"].startswith(f"{target}:")
    if not own or run["bundle"] != str(flow.bundle_id):
        raise ApiError(404, "No such run of this flow.")
    return run
