"""Verbs on running bundles that need the runtime: state, and firing a sensor from outside."""

from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync

from billing.access import Principal
from billing.errors import ApiError
from bundles.models import Bundle
from runtime import ask, runs, sensors
from runtime.deploy import ready

MAX_PAYLOAD = 1_000_000  # bytes as JSON; a request to a function has 1 MiB


def too_large() -> ApiError:
    return ApiError(413, f"The payload of a sensor has at most {MAX_PAYLOAD:,} bytes.")


def bundle_of(who: Principal, pk: UUID) -> Bundle:
    found = Bundle.objects.select_related("tenant").filter(pk=pk, tenant_id=who.tenant_id).first()
    if found is None:
        raise ApiError(404, "No such bundle.")
    return found


def status(bundle: Bundle) -> dict[str, Any]:
    return {
        "status": bundle.status,
        "revision": bundle.revision,
        "live_revision": bundle.live_revision,
        "note": bundle.status_note,
    }


def fire(who: Principal, bundle: Bundle, sensor: str, payload: Any) -> dict[str, Any]:
    """Queue the intents that listen; they are in the journal before this returns."""
    if bundle.live_revision is None:
        raise ApiError(409, "The bundle is not running: run it first.")
    live = async_to_sync(ready)(bundle, bundle.tenant)
    if live is None:
        raise ApiError(409, "The bundle's live revision is gone: run it again.")
    if not (live.intents(sensor) or live.starts(sensor)):
        known = sorted(live.sensors())
        raise ApiError(
            404,
            f"Nothing listens to “{sensor[:80]}”; sensors of this bundle: {', '.join(known) or 'none'}.",
        )
    if len(ask.encoded(payload)) > MAX_PAYLOAD:  # its runs are kept whole until they begin
        raise too_large()
    fired = async_to_sync(sensors.fire)(live, sensor, payload, caller=who.actor)
    runs.write(fired.queued)
    return {"executions": [record["id"] for record in fired.queued], "skipped": fired.skipped}
