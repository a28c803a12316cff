"""`/api/wallet`: what a tenant has to spend, and the lines of its statement."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.utils import timezone
from ninja import Field, Router, Schema

from billing import changes, credits, statement
from billing.door import Asked, Door
from billing.exact import Exact
from billing.models import Leg, Tenant

router = Router()
Kind = Literal["starter", "grant", "take", "purchase", "round", "hold", "release", "refund", "closed"]


class Executions(Schema):
    used: int
    limit: int | None
    resets: datetime


class WalletShown(Schema):
    balance: int
    escrow: int
    low_at: int
    spent_month: int
    plan: str
    executions: Executions


class Threshold(Exact):
    low_at: Annotated[int, Field(strict=True, ge=0, le=credits.MOST)]


class Line(Schema):
    id: int
    at: datetime
    kind: str
    amount: int
    balance: int | None
    note: str
    by: str

    @staticmethod
    def resolve_at(leg: Leg) -> datetime:
        return leg.journal.at

    @staticmethod
    def resolve_kind(leg: Leg) -> str:
        return leg.journal.kind

    @staticmethod
    def resolve_balance(leg: Leg) -> int | None:
        return leg.after

    @staticmethod
    def resolve_note(leg: Leg) -> str:
        return leg.journal.note

    @staticmethod
    def resolve_by(leg: Leg) -> str:
        return leg.journal.actor


class Lines(Schema):
    items: list[Line]
    next: str | None


def mine(request: Asked) -> Tenant:
    return Tenant.objects.select_related("plan").get(pk=request.who.tenant_id)


@router.get("/wallet", auth=Door("read"), response=WalletShown)
def wallet(request: Asked) -> Any:
    """Credits to spend and held for reservations, what was spent in this month (UTC), executions of the plan."""
    return statement.summary(mine(request), timezone.now())


@router.put("/wallet", auth=Door("admin"), response=WalletShown)
def put_wallet(request: Asked, data: Threshold) -> Any:
    """Below `low_at` credits the owners are told, once."""
    changes.set_low_at(request, data.low_at)
    return statement.summary(mine(request), timezone.now())


@router.get("/wallet/entries", auth=Door("read"), response=Lines)
def entries(
    request: Asked,
    cursor: Annotated[int, Field(ge=0, lt=2**63)] | None = None,
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
    kind: Kind | None = None,
) -> dict[str, Any]:
    """The statement, newest first; `balance` is what there was afterwards."""
    rows = list(statement.lines(request.who.tenant_id, kind=kind or "", before=cursor)[: limit + 1])
    more = len(rows) > limit
    return {"items": rows[:limit], "next": str(rows[limit - 1].pk) if more else None}
