"""Logs at the REST door: JSON pages, or server-sent events for who asks for text/event-stream."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, StreamingHttpResponse
from ninja import P, QueryEx, Router

from billing.door import Asked, Door
from billing.errors import ApiError
from runtime import runs
from runtime.lines import Line, Mark, of_run, page, runs_of
from runtime.sse import crowded, stream
from runtime.told import Source, find

Limit = QueryEx[int, P(ge=1, le=1000)]
router = Router(tags=["logs"])


@router.get("/executions/{uuid:id}/logs", auth=Door("read"))
def run_logs(request: Asked, id: UUID, cursor: int = 0, limit: Limit = 200) -> Any:
    """Lines of one run, oldest first. As a stream it ends with the event `end` and the status of the run."""
    run = runs.find(request.who, id)
    if wants_stream(request):
        return answer(request, Source("run", id, request.who.tenant_id))
    lines = of_run(run)
    start = max(cursor, 0)
    until = start + limit
    shown = [line.shown() for line in lines[start:until]]
    return {"items": shown, "next": str(until) if until < len(lines) else None}


@router.get("/bundles/{uuid:id}/logs", auth=Door("read"))
def bundle_logs(request: Asked, id: UUID, cursor: UUID | None = None, limit: Limit = 200) -> Any:
    """The newest lines of a bundle, the oldest of them first; `next` leads to older ones, in whole runs."""
    source = find(request.who, "bundle", id)
    if source is None:
        raise ApiError(404, "No such bundle.")
    if wants_stream(request):
        return answer(request, source)
    rows = runs_of(id)
    lines, older = page(rows.filter(pk__lt=cursor) if cursor else rows, limit)
    return {"items": [line.shown() for line in lines], "next": str(older) if older else None}


def wants_stream(request: HttpRequest) -> bool:
    return "text/event-stream" in request.headers.get("accept", "")


def answer(
    request: Asked, source: Source, keep: Callable[[Line], bool] | None = None
) -> StreamingHttpResponse:
    mark = mark_of(request, source)
    if crowded(source.tenant_id):
        raise ApiError(429, "Too many streams are open; use the websocket.", headers={"Retry-After": "5"})
    events = stream(source, request.who, mark, keep)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(events, content_type="text/event-stream", headers=headers)


def mark_of(request: HttpRequest, source: Source) -> Mark | None:
    """Where the client left off; a mark of another stream is never a place in this one."""
    text = request.headers.get("last-event-id", "")
    if not text:
        return None
    mark = Mark.parse(text)
    if mark is None or mark.stream != source.id.hex:
        raise ApiError(422, "Last-Event-ID is not an id of this stream.")
    return mark
