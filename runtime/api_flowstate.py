"""What a flow did and what it keeps: `/api/flows/{id}/logs`, `stats`, `memory`."""

from typing import Any
from uuid import UUID

from ninja import P, QueryEx, Router
from ninja import Status as Answer

from billing.door import Asked, Door
from bundles.asked import author_of
from runtime import flowfigures, flowkept, flowruns, flowstore
from runtime.api_flows import flow_of
from runtime.api_logs import Limit, answer, wants_stream
from runtime.lines import Line, page
from runtime.shown import parsed
from runtime.told import Source

router = Router(tags=["flows"])
Json = dict[str, Any]


@router.get("/flows/{uuid:id}/logs", auth=Door("read"))
def flow_logs(request: Asked, id: UUID, cursor: UUID | None = None, limit: Limit = 200) -> Any:
    """The newest lines of all its runs, the oldest of them first; a stream with Accept: text/event-stream."""
    flow = flow_of(request, id)
    if wants_stream(request):
        callers = flowruns.callers(flow)

        def mine(line: Line) -> bool:
            return (line.service, line.name) in callers

        return answer(request, Source("bundle", flow.bundle_id, request.who.tenant_id), mine)
    rows = flowstore.runs_of(flow).defer("input", "output", "steps").order_by("-id")
    lines, older = page(rows.filter(pk__lt=cursor) if cursor else rows, limit)
    return {"items": [line.shown() for line in lines], "next": str(older) if older else None}


@router.get("/flows/{uuid:id}/stats", auth=Door("read"))
def flow_stats(request: Asked, id: UUID) -> Json:
    """Runs of 24 hours and of 30 days, failures and the 95th percentile of a day, compute units of 30 days."""
    flow = flow_of(request, id)
    found = flowfigures.figures(request.who.tenant_id).get((flow.bundle_id, flow.name), flowfigures.Figures())
    return {
        "runs_24h": found.day,
        "runs_30d": found.month,
        "failed_24h": found.failed,
        "p95_ms": found.p95_ms,
        "units_30d": found.units,
    }


@router.get("/flows/{uuid:id}/memory", auth=Door("read"))
def get_memory(
    request: Asked, id: UUID, after: str = "", limit: QueryEx[int, P(ge=1, le=1000)] = 200
) -> Json:
    """What the flow keeps from one run to the next, by key; `next` is the `after` of the following page."""
    flow = flow_of(request, id)
    model, entries = flowstore.model(flow), flowkept.entries(flow)
    rest = [one for one in entries if one.key > after] if after else entries
    items = [{"key": one.key, "value": parsed(one.value), "size": one.size} for one in rest[:limit]]
    more = rest[limit - 1].key if len(rest) > limit else None
    used = sum(one.size for one in entries)
    return {"items": items, "next": more, "used": used, "limit": model.memory if model else 0}


@router.delete("/flows/{uuid:id}/memory", auth=Door("write"), response={204: None})
def forget_memory(request: Asked, id: UUID) -> Answer[None]:
    """All of it, at once."""
    flowkept.forget(author_of(request), flow_of(request, id), None)
    return Answer(204, None)


@router.delete("/flows/{uuid:id}/memory/{path:key}", auth=Door("write"), response={204: None})
def forget_key(request: Asked, id: UUID, key: str) -> Answer[None]:
    flowkept.forget(author_of(request), flow_of(request, id), key)
    return Answer(204, None)
