"""`/api/audit`: who changed what, newest first."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Field, Router, Schema

from billing.door import Asked, Door
from billing.trail import trail

router = Router()


class Entry(Schema):
    id: UUID
    at: datetime
    actor: str
    action: str
    target: str
    detail: dict[str, Any]
    address: str


class Entries(Schema):
    items: list[Entry]
    next: str | None


@router.get("/audit", auth=Door("admin"), response=Entries)
def list_audit(
    request: Asked,
    cursor: UUID | None = None,
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
    action: str = "",
    actor: str = "",
) -> dict[str, Any]:
    """A page of the audit log; `next` is the cursor of the page after it, null at the end."""
    rows = list(trail(request.who.tenant_id, action=action, actor=actor, before=cursor)[: limit + 1])
    more = len(rows) > limit
    return {"items": rows[:limit], "next": str(rows[limit - 1].pk) if more else None}
