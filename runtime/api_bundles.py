"""/api/bundles/{id}/run, stop, status, sensors: the runtime's side of a bundle."""

from typing import Any
from uuid import UUID

import orjson
from ninja import Router, Status

from billing.audit import record
from billing.door import Asked, Door
from billing.errors import ApiError
from bundles import deploy
from runtime import bundle_verbs as verbs
from runtime import deploy as starting

router = Router(tags=["bundles"])


@router.post("/bundles/{uuid:id}/run", auth=Door("write"), response={202: dict[str, Any]})
def run(request: Asked, id: UUID) -> Status[dict[str, Any]]:
    """Start the newest revision; poll status. 422 while it has errors, 409 when its routes are taken."""
    return Status(202, verbs.status(starting.run(request.who, verbs.bundle_of(request.who, id))))


@router.post("/bundles/{uuid:id}/stop", auth=Door("write"), response={202: dict[str, Any]})
def stop(request: Asked, id: UUID) -> Status[dict[str, Any]]:
    return Status(202, verbs.status(deploy.ask_stop(request.who, verbs.bundle_of(request.who, id))))


@router.get("/bundles/{uuid:id}/status", auth=Door("read"))
def status(request: Asked, id: UUID) -> dict[str, Any]:
    return verbs.status(verbs.bundle_of(request.who, id))


@router.post("/bundles/{uuid:id}/sensors/{sensor}", auth=Door("call"), response={202: dict[str, Any]})
def fire(request: Asked, id: UUID, sensor: str) -> Status[dict[str, Any]]:
    """The body is the payload (JSON or nothing); 202 with the runs that were queued and the intents held back."""
    bundle = verbs.bundle_of(request.who, id)
    if len(request.body) > verbs.MAX_PAYLOAD:
        raise verbs.too_large()
    try:
        payload = orjson.loads(request.body) if request.body.strip() else None
    except orjson.JSONDecodeError as problem:
        place = {"line": problem.lineno, "column": problem.colno, "message": problem.msg}
        raise ApiError(400, "The payload is not JSON.", errors=[place]) from None
    fired = verbs.fire(request.who, bundle, sensor, payload)
    record(request, "sensor.fire", f"{bundle.name}:{sensor}"[:300], executions=len(fired["executions"]))
    return Status(202, fired)
