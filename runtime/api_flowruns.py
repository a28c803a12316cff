"""`/api/flows/{id}/runs`: several runs of a flow again, or stopped."""

from typing import Any, Literal
from uuid import UUID

from ninja import Router, Status
from pydantic import Field

from billing.audit import record
from billing.door import Asked, Door
from billing.exact import Exact
from runtime.api_flows import flow_of
from runtime.flowmany import MOST, Outcome, Verb, every

router = Router(tags=["flows"])


class Several(Exact):
    executions: list[UUID] = Field(min_length=1, max_length=MOST)


class Again(Several):
    begin: Literal["start", "failed"] = Field("start", alias="from")


def done(request: Asked, id: UUID, ids: list[UUID], verb: Verb) -> Status[dict[str, Any]]:
    found = every(request.who, flow_of(request, id), ids, verb)
    for outcome in found:
        if outcome.made:
            told(request, outcome, verb)
    return Status(202, {"items": [shown(outcome, verb) for outcome in found]})


def told(request: Asked, outcome: Outcome, verb: Verb) -> None:
    if verb == "cancel":
        record(request, "execution.cancel", str(outcome.run))
    else:
        record(request, "execution.retry", str(outcome.run), execution=outcome.made)


def shown(outcome: Outcome, verb: Verb) -> dict[str, str]:
    if outcome.error:
        return {"run": str(outcome.run), "error": outcome.error}
    return {"run": str(outcome.run)} | ({} if verb == "cancel" else {"execution": outcome.made})


@router.post("/flows/{uuid:id}/runs/retry", auth=Door("call"), response={202: dict[str, Any]})
def retry_runs(request: Asked, id: UUID, body: Again) -> Status[dict[str, Any]]:
    """Each of these runs again, from its start or `from` its failed step; `items` names the new run, or why not."""
    return done(request, id, body.executions, "failed" if body.begin == "failed" else "retry")


@router.post("/flows/{uuid:id}/runs/cancel", auth=Door("call"), response={202: dict[str, Any]})
def cancel_runs(request: Asked, id: UUID, body: Several) -> Status[dict[str, Any]]:
    """Stop each of these runs; `items` says why one was not."""
    return done(request, id, body.executions, "cancel")
