"""Webhooks of flows that are just being started for the first time: taken on, and run as soon as that is done."""

import hmac
from dataclasses import dataclass

from billing.errors import ApiError
from bundles.definitions import served
from bundles.models import Flow, Revision, Status
from runtime.flowqueue import SERVICE, Start
from runtime.liveflow import Hook, hook, keys_of
from runtime.models import Execution, Trigger

MOST = 1000  # runs of one flow that may wait for its start


@dataclass(frozen=True, slots=True)
class Waking:
    """What a request needs that comes too early."""

    flow_id: str
    start: Start
    hook: Hook


def waking(flow_id: str, token: bytes) -> Waking | None:
    """The webhook of a flow whose bundle is starting and has nothing live yet. Blocking."""
    rows = Trigger.objects.select_related("flow__bundle__tenant").filter(
        flow_id=flow_id,
        type="webhook",
        enabled=True,
        flow__stopped=False,
        flow__bundle__status=Status.STARTING,
        flow__bundle__live_revision__isnull=True,
    )
    same = [row for row in rows if hmac.compare_digest(row.token.encode(), token)]
    return taken(same[0]) if same else None


def taken(row: Trigger) -> Waking | None:
    flow = row.flow
    number = flow.bundle.revision
    revision = Revision.objects.get(bundle=flow.bundle, number=number)
    model = served(revision).organisms.get(flow.name)
    written = {one.name: one for one in model.triggers} if model and not model.has_errors else {}
    if model is None or row.name not in written or not written[row.name].enabled:
        return None
    refuse_crowd(flow)
    found = hook(row, written[row.name], keys_of(flow.bundle.tenant_id, [model]))
    return Waking(str(flow.pk), Start.of(flow, found.to, number), found)


def refuse_crowd(flow: Flow) -> None:
    queued = Execution.objects.filter(bundle=flow.bundle, service=SERVICE, name=flow.name, status="queued")
    if queued.count() >= MOST:
        text = f"The flow is starting and {MOST} calls wait for it."
        raise ApiError(503, text, headers={"Retry-After": "5"})
