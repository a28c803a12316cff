"""The triggers of a flow: addresses and test calls of webhooks, the next times of schedules, on and off."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods

from billing.errors import ApiError
from billing.pages import page
from bundles.asked import author_of
from bundles.author import Author
from bundles.flow import Trigger as Written
from bundles.models import Flow
from runtime import flowlist, schedules, triggers
from runtime.flowasked import flow_of
from runtime.models import Trigger
from runtime.views_base import htmx, live
from runtime.views_flow import frame

TIMES = 5  # of a schedule that are shown
SCOPES = {"listen": "call", "enable": "write", "disable": "write", "rotate": "write"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A trigger as its card shows it: the row and what the file says."""

    row: Trigger
    text: Written
    flow: Flow
    now: datetime

    @property
    def name(self) -> str:
        return self.text.name

    @property
    def type(self) -> str:
        return self.text.type

    @property
    def slug(self) -> str:
        return slugify(self.name) or str(self.row.pk)

    @property
    def icon(self) -> str:
        return flowlist.ICONS[self.text.type]

    @property
    def template(self) -> str:
        return f"runtime/_trigger_{self.text.type}.html"

    @property
    def enabled(self) -> bool:
        return self.row.enabled and self.text.enabled

    @property
    def to(self) -> str:
        return self.text.to

    @property
    def url(self) -> str:
        return triggers.url(self.row)

    @property
    def test_url(self) -> str:
        return f"{self.url}/test"

    @property
    def curl(self) -> str:
        return f"curl -H 'Content-Type: application/json' -d '{{}}' {self.url}"

    @property
    def when(self) -> str:
        return flowlist.says(self.text)

    @property
    def next(self) -> list[datetime]:
        return schedules.upcoming(schedules.plan_of(self.text), self.now, TIMES) if self.row.next_at else []

    @property
    def listening(self) -> bool:
        return triggers.listening(self.row, self.now)


@require_http_methods(["GET", "HEAD", "POST"])
@page("read", back="runtime:flows")
def flow_triggers(request: HttpRequest, id: UUID) -> HttpResponse:
    flow = flow_of(request, id)
    if request.method == "POST":
        return changed(request, flow)
    found = shown_of(flow)
    if htmx(request):
        return heard(request, flow, found)
    return render(
        request, "runtime/flow_triggers.html", frame(request, flow, "triggers", triggers=found, seen="")
    )


def shown_of(flow: Flow) -> list[Shown]:
    now, said = timezone.now(), triggers.written(triggers.meanings(flow))
    return [Shown(row, said[name], flow, now) for name, row in triggers.rows(flow).items()]


def heard(request: HttpRequest, flow: Flow, found: list[Shown]) -> HttpResponse:
    """The part that waits for a test call, asked again and again."""
    wanted = request.GET.get("listen", "")
    one = next((one for one in found if one.name == wanted), None)
    if one is None:
        raise ApiError(404)
    return live(request, "runtime/_trigger_listen.html", frame(request, flow, "triggers", trigger=one))


def changed(request: HttpRequest, flow: Flow) -> HttpResponse:
    by, verb = author_of(request), request.POST.get("do", "")
    if not by.who.may(SCOPES.get(verb, "write")):
        raise ApiError(403)
    if verb not in SCOPES:
        raise ApiError(422, "There is nothing to do.")
    row, _ = triggers.find(flow, request.POST.get("trigger", ""))
    messages.success(request, done(by, flow, row, verb))
    return redirect("runtime:flow_triggers", flow.pk)


def done(by: Author, flow: Flow, row: Trigger, verb: str) -> str:
    """Do it; the sentence that says so."""
    if verb == "listen":
        triggers.listen(row)
        return f"“{row.name}” listens for a test call."
    if verb == "rotate":
        triggers.change(by, flow, row, rotate=True)
        return f"“{row.name}” has a new address."
    triggers.change(by, flow, row, enabled=verb == "enable")
    return f"“{row.name}” is {'on' if verb == 'enable' else 'off'}."
