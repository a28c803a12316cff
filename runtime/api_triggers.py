"""`/api/triggers`: starting flows by hand, pausing what starts them; webhooks are in runtime/webhooks.py."""

from typing import Any
from uuid import UUID

from ninja import Router
from ninja import Status as Answer
from pydantic import Field

from billing.audit import record
from billing.door import Asked, Door
from billing.errors import ApiError
from billing.exact import Exact
from bundles.asked import author_of
from runtime import flowstore, inject, triggers
from runtime.api_flows import flow_of, mine
from runtime.flowshown import TRIGGER, trigger

router = Router(tags=["triggers"])
Json = dict[str, Any]


class Inject(Exact):
    trigger: str = Field("", max_length=100)
    payload: Any = None
    listener: str = Field("", max_length=100)
    only: bool = False
    pinned: Json = {}
    draft: bool = False
    revision: int | None = Field(None, ge=1, lt=2**31)


class TriggerChange(Exact):
    told = TRIGGER
    enabled: bool | None = None
    rotate: bool = False
    listen: bool = False


class Pause(Exact):
    enabled: bool
    type: str = ""
    flows: list[UUID] | None = None


@router.post("/triggers/{uuid:flow_id}/inject", auth=Door("call"), response={202: Json})
def inject_run(request: Asked, flow_id: UUID, body: Inject) -> Answer[Any]:
    """Queue a run with this payload, as if `trigger` had fired; or at a node: `listener`, alone with `only`.

    `draft` runs the newest revision whether or not it is started, `revision` the one of that number; `pinned` gives
    nodes the output they shall have.
    """
    flow = flow_of(request, flow_id)
    if body.draft and body.revision:
        raise ApiError(422, "Either draft or revision.")
    wish = inject.Wish(
        body.trigger, body.payload, body.listener, body.only, body.pinned, body.draft, body.revision
    )
    run = inject.inject(request.who, flow, wish)
    record(request, "flow.inject", flow.name, flow=str(flow.pk), execution=run)
    return Answer(202, {"execution": run})


@router.put("/triggers/{uuid:flow_id}/{name}", auth=Door("write"))
def put_trigger(request: Asked, flow_id: UUID, name: str, body: TriggerChange) -> Json:
    """Pause or resume it (`enabled`), give it another token (`rotate`), wait for a test call (`listen`)."""
    flow = flow_of(request, flow_id)
    row, text = triggers.find(flow, name)
    row = triggers.change(author_of(request), flow, row, enabled=body.enabled, rotate=body.rotate)
    if body.listen:
        row = triggers.listen(row)
    return trigger(row, text, flowstore.state(flow), tokens=request.who.may("call"))


@router.put("/triggers", auth=Door("write"))
def pause_triggers(request: Asked, body: Pause) -> Json:
    """Pause or resume many at once: those of `flows` (all of the tenant unless told), or only one `type`."""
    rows = mine(request)
    if body.flows is not None:
        rows = rows.filter(pk__in=body.flows)
        if rows.count() != len(set(body.flows)):
            raise ApiError(404, "No such flow.")
    return {"changed": triggers.change_all(author_of(request), list(rows), body.type, enabled=body.enabled)}
