"""`/api/bundles/{id}/spend`: the most that a bundle may spend in a month."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.utils import timezone
from ninja import Router, Schema
from pydantic import ConfigDict, Field, StrictInt

from billing.credits import MOST
from billing.door import Asked, Door
from market import spendlimits

router = Router(tags=["market"])
Limit = Annotated[StrictInt, Field(ge=0, le=MOST)] | None


class SpendIn(Schema):
    model_config = ConfigDict(extra="forbid")
    monthly_credits: Limit
    strangers_monthly: Limit


class SpendOut(Schema):
    monthly_credits: int | None
    strangers_monthly: int | None
    spent: int
    spent_by_strangers: int
    resets: datetime


@router.get("/bundles/{uuid:id}/spend", auth=Door("read"), response=SpendOut)
def spend(request: Asked, id: UUID) -> Any:
    """Limits of a calendar month (UTC), null for none, and what was spent in this one."""
    return spendlimits.shown(spendlimits.bundle_of(request.who, id), timezone.now())


@router.put("/bundles/{uuid:id}/spend", auth=Door("admin"), response=SpendOut)
def put_spend(request: Asked, id: UUID, data: SpendIn) -> Any:
    """At the limit calls go on without bidding. `strangers_monthly` is for calls without a key to `auth: public`."""
    bundle = spendlimits.bundle_of(request.who, id)
    spendlimits.put(request, bundle, data.monthly_credits, data.strangers_monthly)
    return spendlimits.shown(bundle, timezone.now())
