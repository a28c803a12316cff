"""/api/executions: what ran, what runs, again and stop."""

from typing import Any, Literal
from uuid import UUID

from ninja import P, Query, QueryEx, Router, Status

from billing.audit import record
from billing.door import Asked, Door
from billing.errors import ApiError
from runtime import flowretry, runs
from runtime.models import Cause, State
from runtime.shown import brief

router = Router(tags=["executions"])


@router.get("/executions", auth=Door("read"))
def executions(  # noqa: PLR0913  one argument for each filter
    request: Asked,
    status: str = "",
    trigger: str = "",
    bundle: str = "",
    service: str = "",
    name: str = "",
    flow: str = "",
    cursor: str = "",
    limit: QueryEx[int, P(ge=1, le=runs.PAGE_MAX)] = runs.PAGE,
) -> dict[str, Any]:
    """Newest first; `next` is the cursor of the following page. `flow` is a name or an id."""
    one_of("status", status, State.values)
    one_of("trigger", trigger, Cause.values)
    wanted = {"status": status, "trigger": trigger, "bundle": bundle, "service": service, "name": name}
    wanted["flow"] = flow
    rows = list(runs.listed(request.who, wanted, cursor=cursor, limit=limit))
    more = str(rows[limit - 1].pk) if len(rows) > limit else None
    return {"items": [brief(run) for run in rows[:limit]], "next": more}


def one_of(name: str, value: str, known: list[str]) -> None:
    """A misspelt filter would look like an empty history."""
    if value and value not in known:
        raise ApiError(422, f"{name}: one of {', '.join(known)}.")


@router.get("/executions/{uuid:id}", auth=Door("read"))
def execution(request: Asked, id: UUID) -> dict[str, Any]:
    """Also of a run that was answered a moment ago and is not in the database yet."""
    return runs.show(request.who, id)


@router.post("/executions/{uuid:id}/retry", auth=Door("call"), response={202: dict[str, Any]})
def retry(
    request: Asked,
    id: UUID,
    begin: Literal["start", "failed"] = Query("start", alias="from"),  # type: ignore[type-arg]  # a function too
) -> Status[dict[str, Any]]:
    """The same request again; of a flow `from=failed` goes on from the step that failed, with the same data."""
    run = runs.find(request.who, id)
    fresh = flowretry.resume_from(request.who, run) if begin == "failed" else runs.retry(request.who, run)
    record(request, "execution.retry", str(id), execution=fresh)
    return Status(202, {"execution": fresh})


@router.post("/executions/{uuid:id}/cancel", auth=Door("call"), response={202: dict[str, Any]})
def cancel(request: Asked, id: UUID) -> Status[dict[str, Any]]:
    run = runs.find(request.who, id)
    runs.cancel(request.who, run)
    record(request, "execution.cancel", str(id))
    return Status(202, {"execution": str(id)})


@router.post("/executions/{uuid:id}/pause", auth=Door("call"), response={202: dict[str, Any]})
def pause(request: Asked, id: UUID) -> Status[dict[str, Any]]:
    """Hold a run: what is under way in it ends, nothing else begins. A running one has to be one of a flow."""
    return held(request, id, paused=True)


@router.post("/executions/{uuid:id}/unpause", auth=Door("call"), response={202: dict[str, Any]})
def unpause(request: Asked, id: UUID) -> Status[dict[str, Any]]:
    """Let a run go on that was paused."""
    return held(request, id, paused=False)


def held(request: Asked, id: UUID, *, paused: bool) -> Status[dict[str, Any]]:
    run = runs.find(request.who, id)
    if paused:
        runs.pause(request.who, run)
    else:
        runs.unpause(request.who, run)
    record(request, "execution.pause" if paused else "execution.unpause", str(id))
    return Status(202, {"execution": str(id), "paused": paused})
