"""Ending the wait of a run: by its address, which alone is the proof; the first answer counts."""

import time
from typing import Any
from uuid import UUID

from django.utils import timezone

from billing.errors import ApiError
from bundles.models import Flow
from runtime import executions, flowkeep, flowlinks, importer
from runtime.models import Execution

PATIENCE_S = 5.0  # a run that was just parked may not be in the database yet
LOOK_S = 0.1
ABSENT = "There is nothing that waits here."


def waiting(flow_id: UUID, execution: UUID, token: str) -> tuple[Flow, str]:
    """The flow and the node that waits with this token; 404 alike for all that is wrong."""
    flow = Flow.objects.select_related("bundle__tenant").filter(pk=flow_id).first()
    found = flowkeep.waits(str(flow.bundle.tenant_id), str(flow.pk), str(execution)) if flow else {}
    node = flowkeep.of_token(found, token)
    if flow is None or node is None:
        raise ApiError(404, ABSENT)
    return flow, node


def resume(flow: Flow, execution: UUID, token: str, payload: Any) -> None:
    """Keep the answer and wake the run; 409 when somebody was faster."""
    if not flowkeep.give(str(flow.bundle.tenant_id), str(flow.pk), str(execution), token, payload):
        raise ApiError(409, "It was answered before.")
    limit = time.monotonic() + PATIENCE_S
    while not woken(flow, execution, token) and time.monotonic() < limit:
        time.sleep(LOOK_S)


def woken(flow: Flow, execution: UUID, token: str) -> bool:
    """Whether the run is on its way, or has heard the answer; false while it is still being parked."""
    if token not in flowkeep.waits(str(flow.bundle.tenant_id), str(flow.pk), str(execution)):
        return True
    if executions.wake_one(execution, timezone.now()):
        return True
    importer.drain()
    run = Execution.objects.filter(pk=execution).values_list("status", flat=True).first()
    return (
        run in executions.DONE
        or run == "queued"
        or Execution.objects.filter(pk=execution, paused=True).exists()
    )


def addresses(run: Execution) -> list[dict[str, str]]:
    """Where the waits of a run can be ended: the node and the address of each."""
    if run.status not in ("running", "waiting") or not run.target.startswith("flow:"):
        return []
    flow = Flow.objects.filter(bundle_id=run.bundle_id, name=run.target.split(":")[1]).first()
    if flow is None:
        return []
    found = flowkeep.waits(str(run.tenant_id), str(flow.pk), str(run.pk))
    start = flowlinks.start(str(flow.pk), str(run.pk))
    return [{"node": node, "url": f"{start}{token}"} for token, node in found.items()]
