"""Starting a flow by hand: with a payload at a trigger or a node, live or as it was saved last."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from billing import allowance
from billing.access import Principal
from billing.errors import ApiError
from billing.quota import quota
from bundles.flowmodel import Flow as Model
from bundles.models import Flow
from runtime import flowqueue, flowstore, runs, triggers
from runtime.flowqueue import Start


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for; a payload alone goes to the manual trigger, else to where the flow begins."""

    trigger: str = ""
    payload: Any = None
    listener: str = ""
    only: bool = False
    pinned: Mapping[str, Any] | None = None
    draft: bool = False
    revision: int | None = None


def inject(who: Principal, flow: Flow, wish: Wish) -> str:
    """The id of the run, which is in the journal when this returns."""
    model, revision = pinned(flow, wish.revision) if wish.revision else chosen(flow, draft=wish.draft)
    start = Start.of(flow, place(flow, model, wish), revision)
    more = {"only": wish.only, "pinned": dict(wish.pinned or {})}
    told = flowqueue.values(
        "INJECT", wish.trigger or "manual", **({"flow": more} if any(more.values()) else {})
    )
    cause = "test" if wish.draft or any(more.values()) else "manual"
    record = flowqueue.queued(start, cause, told, wish.payload) | {"caller": who.actor}
    if cause == "test":
        allowance.test_run(who.tenant_id, timezone.now())
    else:
        quota.demand(str(who.tenant_id))
    runs.write([record])
    return str(record["id"])


def chosen(flow: Flow, *, draft: bool) -> tuple[Model, int]:
    """The flow as it runs, or as it was saved last, with the number of that revision."""
    model = flowstore.model(flow) if draft else None if flow.stopped else triggers.live_model(flow)
    number = flow.bundle.revision if draft else flow.bundle.live_revision
    if model is None or number is None:
        raise ApiError(409, "The flow is not running: start it first.")
    if model.has_errors:
        raise ApiError(422, "The flow has errors; mend them first.", errors=flowstore.errors_of(model))
    return model, number


def pinned(flow: Flow, number: int) -> tuple[Model, int]:
    """The flow as it was in this revision of its bundle. What is stopped answers in none."""
    chosen(flow, draft=False)
    revision = flow.bundle.revisions.filter(number=number).first()
    model = triggers.meaning(flow, revision)
    if model is None:
        raise ApiError(422, f"There is no revision {number} with the flow “{flow.name}”.")
    if model.has_errors:
        raise ApiError(422, f"In revision {number} the flow has errors.", errors=flowstore.errors_of(model))
    return model, number


def place(flow: Flow, model: Model, wish: Wish) -> str:
    """The listener that gets the payload."""
    if wish.listener:
        found = model.listener(wish.listener)
        if found is None:
            raise ApiError(422, f"The flow has no node “{wish.listener}”.")
        return found.name
    if wish.trigger:
        known = {one.name.lower(): one for one in model.triggers}
        if wish.trigger.lower() not in known:
            raise ApiError(422, f"The flow has no trigger “{wish.trigger}”.")
        return known[wish.trigger.lower()].to
    manual = next((one.to for one in model.triggers if one.type == "manual" and one.to), "")
    return manual or model.entry
