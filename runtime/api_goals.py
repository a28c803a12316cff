"""/api/goals: the state of every goal of the tenant's bundles."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from ninja import P, QueryEx, Router

from billing.door import Asked, Door
from runtime import goals as evaluated
from runtime.models import GoalState
from runtime.shown import stamp

PAGE = 100
router = Router(tags=["goals"])


@router.get("/goals", auth=Door("read"))
def goals(
    request: Asked, bundle: UUID | None = None, cursor: int = 0, limit: QueryEx[int, P(ge=1, le=500)] = PAGE
) -> dict[str, Any]:
    """In the order in which they were first seen; `next` is the cursor of the following page."""
    if not cursor:
        evaluated.begin(request.who.tenant_id, timezone.now())
    rows = GoalState.objects.filter(bundle__tenant_id=request.who.tenant_id, pk__gt=cursor).order_by("pk")
    if bundle:
        rows = rows.filter(bundle_id=bundle)
    found = list(rows.select_related("bundle")[: limit + 1])
    more = str(found[limit - 1].pk) if len(found) > limit else None
    return {"items": [shown(row) for row in found[:limit]], "next": more}


def shown(row: GoalState) -> dict[str, Any]:
    return {
        "bundle": str(row.bundle_id),
        "service": row.service,
        "goal": row.goal,
        "metric": row.metric,
        "state": row.state,
        "value": row.value,
        "target": row.target,
        "at": stamp(row.at),
        "history": row.history,
    }
