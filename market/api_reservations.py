"""/api/reservations: windows of compute, paid in advance."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import P, QueryEx, Router, Schema, Status
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, StrictInt

from billing.credits import MOST
from billing.door import Asked, Door
from market import changes, localtimes
from market.models import Reservation
from market.reservations import Wanted

PAGE = 50
PAGE_MAX = 200
router = Router(tags=["market"])


def written(value: Any) -> Any:
    """A number would be taken for seconds since 1970."""
    if not isinstance(value, str):
        raise ValueError("a time such as 2027-03-01T10:00:00+01:00 is needed")
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(written), AfterValidator(localtimes.utc)]


class ReservationIn(Schema):
    """Times have an offset, or Z: an hour may come twice in a year."""

    model_config = ConfigDict(extra="forbid")
    start: Instant
    end: Instant
    credits: Annotated[StrictInt, Field(ge=1, le=MOST)]


class ReservationOut(Schema):
    id: UUID
    start: datetime
    end: datetime
    credits: int
    pool: int  # CU that are left
    status: str
    origin: str  # hand, or futures: made for a scheduled run
    bundle: UUID | None
    created: datetime


class ReservationsOut(Schema):
    items: list[ReservationOut]
    next: str | None = None


@router.get("/reservations", auth=Door("read"), response=ReservationsOut)
def reservations(
    request: Asked, cursor: UUID | None = None, limit: QueryEx[int, P(ge=1, le=PAGE_MAX)] = PAGE
) -> dict[str, Any]:
    """Those made last come first; `next` is the following page's cursor."""
    rows = Reservation.objects.filter(tenant_id=request.who.tenant_id).order_by("-pk")
    if cursor is not None:
        rows = rows.filter(pk__lt=cursor)
    found = list(rows[: limit + 1])
    more = str(found[limit - 1].pk) if len(found) > limit else None
    return {"items": [shown(row) for row in found[:limit]], "next": more}


@router.post("/reservations", auth=Door("write"), response={201: ReservationOut})
def reserve(request: Asked, data: ReservationIn) -> Status[dict[str, Any]]:
    """Its credits leave the wallet at once: 402 when there are too few, 409 when the window is taken."""
    wanted = Wanted(data.start, data.end, data.credits)
    return Status(201, shown(changes.reserve(request, wanted)))


@router.delete("/reservations/{uuid:id}", auth=Door("write"), response=ReservationOut)
def cancel(request: Asked, id: UUID) -> dict[str, Any]:
    """Before it starts, with a full refund; 409 afterwards."""
    return shown(changes.cancel(request, id))


def shown(row: Reservation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "start": row.start,
        "end": row.end,
        "credits": row.credits,
        "pool": row.pool,
        "status": row.status,
        "origin": row.origin,
        "bundle": row.bundle_id,
        "created": row.created,
    }
