"""Asking for a bundle to run or to stop; the runtime's task does what the row then says."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from billing.errors import ApiError
from billing.live import touch
from bundles import locks, wake
from bundles.author import Somebody, author
from bundles.definitions import definition
from bundles.flowrows import organisms
from bundles.models import Bundle, Revision, Status
from bundles.routes import Route, conflicts, routes_of

START = "runtime.start"
ACTIVE = (Status.STARTING, Status.RUNNING)


@dataclass(frozen=True, slots=True)
class Claim:
    """A route that two bundles of a tenant want."""

    method: str
    path: str
    other: str


def ask_run(somebody: Somebody, bundle: Bundle, *, wakes: bool = True, flow: str = "") -> Bundle:
    """Status → starting; 422 while the newest revision has errors, 409 when another bundle has a route of it.

    For the sake of one ``flow``, errors of other flows do not count: these stay as they ran before.

    What already runs goes on running its live revision until the new one is up. Without ``wakes`` no worker is told:
    the caller starts it, and if he never does, it is found as one that has been starting for long.
    """
    with transaction.atomic():
        locks.tenant(bundle.tenant_id)
        bundle.refresh_from_db()
        revision = bundle.revisions.get(number=bundle.revision)
        _check_errors(revision, flow)
        _check_routes(bundle, revision)
        author(somebody, bundle.tenant).record("bundle.run", bundle.name, revision=revision.number)
        starting = {"status": Status.STARTING, "status_note": "", "updated": timezone.now()}
        Bundle.objects.filter(pk=bundle.pk).update(**starting)
        if wakes:
            wake.later(START, str(bundle.pk))
    bundle.refresh_from_db()
    return bundle


def ask_stop(somebody: Somebody, bundle: Bundle) -> Bundle:
    """Nothing of it answers any more; stopping what is stopped changes nothing."""
    with transaction.atomic():
        locks.tenant(bundle.tenant_id)
        stopped: dict[str, Any] = {
            "status": Status.STOPPED,
            "status_note": "",
            "live_revision": None,
            "live_modules": {},
            "updated": timezone.now(),
        }
        if Bundle.objects.filter(pk=bundle.pk).exclude(status=Status.STOPPED).update(**stopped):
            author(somebody, bundle.tenant).record("bundle.stop", bundle.name)
            touch(bundle.tenant_id)
    bundle.refresh_from_db()
    return bundle


def _check_errors(revision: Revision, flow: str) -> None:
    """A faulty prompt hinders nobody else: its problems are those with a code."""
    idle = idle_files(revision, flow)
    errors = [
        problem
        for problem in revision.problems
        if problem["severity"] == "error" and problem["file"] not in idle and "code" not in problem
    ]
    if errors:
        raise ApiError(422, f"Revision {revision.number} has errors; mend them first.", errors=errors)


def idle_files(revision: Revision, flow: str = "") -> set[str]:
    """The files that only stopped flows are read from: what is wrong in them hinders nobody.

    With ``flow`` those that only others than this one are read from.
    """
    found = organisms(definition(revision))
    stopped = set(revision.bundle.flows.filter(stopped=True).values_list("name", flat=True))
    if flow:
        stopped = found.keys() - {flow}
    idle = {path for name in stopped & found.keys() for path in found[name].sources}
    return idle - {path for name in found.keys() - stopped for path in found[name].sources}


def _check_routes(bundle: Bundle, revision: Revision) -> None:
    taken = claims(bundle, revision)
    if taken:
        text = "; ".join(f"{claim.method} {claim.path} is served by “{claim.other}”" for claim in taken[:3])
        text += f"; and {len(taken) - 3} more" if len(taken) > 3 else ""
        raise ApiError(409, f"Another running bundle has the same routes: {text}. Stop it first.")


def claims(bundle: Bundle, revision: Revision) -> list[Claim]:
    """The routes of this revision that a running bundle of the tenant serves already."""
    others = Bundle.objects.filter(tenant_id=bundle.tenant_id, status__in=ACTIVE).exclude(pk=bundle.pk)
    known = [route for other in others for route in _serving(other)]
    mine = list(_routes(revision, bundle.name))
    found = conflicts([*known, *mine])
    return [Claim(two.method, two.path, one.owner) for one, two in found if two.owner == bundle.name]


def _serving(bundle: Bundle) -> Iterable[Route]:
    """A starting bundle counts with the revision that is starting, a running one with the live one."""
    numbers = {bundle.live_revision, bundle.revision if bundle.status == Status.STARTING else None}
    for revision in bundle.revisions.filter(number__in=[number for number in numbers if number]):
        yield from _routes(revision, bundle.name)


def _routes(revision: Revision, owner: str) -> Iterable[Route]:
    for service in definition(revision).services:
        yield from routes_of(service, owner)
