"""`/api/flows`: flows as texts with a canvas; start, stop, and how they do."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import P, QueryEx, Router
from ninja import Status as Answer
from pydantic import Field

from billing.door import Asked, Door
from billing.errors import ApiError
from billing.exact import Exact
from bundles.asked import author_of, bundle_of, expected
from bundles.models import Flow
from runtime import flowstore
from runtime.flowchange import MAX_FILES, Change, beside
from runtime.flowshown import FLOW, bodies, body

router = Router(tags=["flows"])
Json = dict[str, Any]


class NewFlow(Exact):
    told = FLOW
    name: str = ""
    organism_yaml: str = ""
    canvas_state: Json | None = None
    description: str | None = None
    bundle: str | None = None
    folder: str | None = None
    tags: list[str] | None = None


class FlowChange(Exact):
    told = FLOW
    name: str | None = None
    organism_yaml: str | None = None
    canvas_state: Json | None = None
    description: str | None = None
    folder: str | None = None
    tags: list[str] | None = None
    message: str = Field("", max_length=300)
    files: dict[str, str] = Field(default_factory=dict, max_length=MAX_FILES)


def mine(request: HttpRequest) -> "QuerySet[Flow]":
    rows = Flow.objects.select_related("bundle__tenant__plan")
    return rows.filter(bundle__tenant_id=author_of(request).who.tenant_id)


def flow_of(request: HttpRequest, id: UUID) -> Flow:
    """The tenant's flow; what belongs to others is as absent as what never was."""
    found = mine(request).filter(pk=id).first()
    if found is None:
        raise ApiError(404, "No such flow.")
    return found


def shown(request: HttpRequest, response: HttpResponse, flow: Flow) -> Json:
    response["ETag"] = f'"{flow.bundle.revision}"'
    return body(flow, tokens=author_of(request).who.may("call"))


@router.get("/flows", auth=Door("read"))
def list_flows(
    request: Asked,
    bundle: str = "",
    folder: str | None = None,
    tag: str = "",
    q: str = "",
    cursor: UUID | None = None,
    limit: QueryEx[int, P(ge=1, le=100)] = 50,
) -> Json:
    """The tenant's flows by name; `next` is the cursor of the following page."""
    rows = mine(request)
    if bundle:
        rows = rows.filter(bundle=bundle_of(request, bundle))
    if folder is not None:
        rows = rows.filter(folder=folder)
    if q:
        rows = rows.filter(Q(name__icontains=q) | Q(description__icontains=q) | Q(folder__icontains=q))
    if cursor is not None:
        last = flow_of(request, cursor)
        rows = rows.filter(Q(name__gt=last.name) | Q(name=last.name, pk__gt=last.pk))
    page = [flow for flow in rows.order_by("name", "pk") if not tag or tag in flow.tags][: limit + 1]
    tokens = request.who.may("call")
    more = str(page[limit - 1].pk) if len(page) > limit else None
    return {"items": bodies(page[:limit], tokens=tokens), "next": more}


@router.post("/flows", auth=Door("write"), response={201: Json})
def create_flow(request: Asked, response: HttpResponse, body: NewFlow) -> Answer[Any]:
    """A new flow, stopped; also with problems, which the answer lists. Without `bundle` it lives in `default`."""
    change = Change(
        description=body.description, folder=body.folder, tags=body.tags, canvas=body.canvas_state
    )
    where = bundle_of(request, body.bundle) if body.bundle else None
    flow = flowstore.create(
        author_of(request), name=body.name, text=body.organism_yaml, bundle=where, change=change
    )
    return Answer(201, shown(request, response, flow))


@router.get("/flows/{uuid:id}", auth=Door("read"))
def get_flow(request: Asked, response: HttpResponse, id: UUID) -> Json:
    """The newest text with its problems and triggers; the ETag is the revision."""
    return shown(request, response, flow_of(request, id))


@router.put("/flows/{uuid:id}", auth=Door("write"))
def put_flow(request: Asked, response: HttpResponse, id: UUID, body: FlowChange) -> Json:
    """Save what is given. Text, name and files (base64 of wasm/NAME.ts and wasm/NAME.wasm, one revision with the text)
    need If-Match; 412 carries the text of now and of the revision named."""
    flow = flow_of(request, id)
    change = Change(
        text=body.organism_yaml,
        name=body.name,
        description=body.description,
        folder=body.folder,
        tags=body.tags,
        canvas=body.canvas_state,
        message=body.message,
        files=beside(body.files) if body.files else None,
    )
    at = expected(request, flow.bundle) if "if-match" in request.headers else None
    return shown(request, response, flowstore.save(author_of(request), flow, change, expected=at))


@router.delete("/flows/{uuid:id}", auth=Door("write"), response={204: None})
def delete_flow(request: Asked, id: UUID) -> Answer[None]:
    """Its file goes in a new revision; triggers, memory and waiting runs go with it."""
    flowstore.delete(author_of(request), flow_of(request, id))
    return Answer(204, None)


@router.post("/flows/{uuid:id}/duplicate", auth=Door("write"), response={201: Json})
def duplicate_flow(request: Asked, response: HttpResponse, id: UUID, name: str = "") -> Answer[Any]:
    """A copy beside it, stopped, with tokens of its own; `name` when it is not to be called -copy."""
    copy = flowstore.duplicate(author_of(request), flow_of(request, id), name)
    return Answer(201, shown(request, response, copy))


@router.post("/flows/{uuid:id}/start", auth=Door("write"), response={202: Json})
def start_flow(request: Asked, id: UUID) -> Answer[Any]:
    """Serve the newest text; poll status. 422 with the problems while there are errors."""
    return Answer(202, flowstore.status(flowstore.start(author_of(request), flow_of(request, id))))


@router.post("/flows/{uuid:id}/stop", auth=Door("write"), response={202: Json})
def stop_flow(request: Asked, id: UUID) -> Answer[Any]:
    return Answer(202, flowstore.status(flowstore.stop(author_of(request), flow_of(request, id))))


@router.get("/flows/{uuid:id}/status", auth=Door("read"))
def flow_status(request: Asked, id: UUID) -> Json:
    return flowstore.status(flow_of(request, id))
