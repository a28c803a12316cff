"""/api/bundles/{id}/contracts: each call's contract, and how it does under it."""

from typing import Any
from uuid import UUID

from django.utils.timezone import now
from ninja import Router

from billing.door import Asked, Door
from runtime import bundle_verbs as verbs
from runtime import performance

MOST_DAYS = 31
router = Router(tags=["bundles"])


@router.get("/bundles/{uuid:id}/contracts", auth=Door("read"))
def contracts(request: Asked, id: UUID, days: int = 7) -> dict[str, Any]:
    """Of the last `days`, today included, in UTC: by service, call, goal, flow and function."""
    bundle = verbs.bundle_of(request.who, id)
    return performance.of_bundle(bundle, now(), min(max(days, 1), MOST_DAYS))
