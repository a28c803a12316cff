"""/api/market: what it costs now, what it cost, and how far one's own tenant goes."""

import time
from datetime import datetime
from typing import Annotated, Any

from django.conf import settings
from ninja import P, QueryEx, Router, Schema
from pydantic import ConfigDict, Field, StrictBool, StrictInt

from billing import wallet
from billing.credits import MOST
from billing.door import Asked, Door
from market import changes, look, receipts
from market.models import Bidding, Round

PAGE = 50
PAGE_MAX = 200
router = Router(tags=["market"])
Credits = Annotated[StrictInt, Field(ge=0, le=MOST)]


class BiddingIn(Schema):
    model_config = ConfigDict(extra="forbid")
    autoBid: StrictBool
    bidCap: Credits = 0


class BiddingOut(Schema):
    autoBid: bool
    bidCap: int  # 0 is no cap


class MarketOut(Schema):
    """The last round, and what one's own tenant has in it; `queue` is null when nobody leads the rounds."""

    number: int
    at: datetime | None  # null before the first round
    next: datetime | None  # null while nothing waits: then calls run at once
    price: int
    contended: bool
    pressure: int
    waiting: int
    entries: int
    bidders: int
    winners: int
    reserved: int
    free: int
    revenue: int
    threshold: int
    slots: int
    cuPerCredit: int
    roundSeconds: float
    balance: int
    autoBid: bool
    bidCap: int
    queue: dict[str, Any] | None


class RoundOut(Schema):
    number: int
    at: datetime
    price: int
    pressure: int
    bidders: int
    winners: int
    reserved: int
    freeEntries: int
    revenue: int
    cuUsed: int
    mine: dict[str, Any] | None  # the receipt of one's own tenant


class RoundsOut(Schema):
    items: list[RoundOut]
    next: str | None = None


@router.get("/market", auth=Door("read"), response=MarketOut)
def market(request: Asked) -> dict[str, Any]:
    """The price now, how much waits, and one's own place in the queue."""
    tenant, rules = request.who.tenant_id, settings.MARKET
    state = look.state(time.time_ns() // 1_000_000)
    return {
        **state,
        "at": look.moment(state["at"]),
        "next": look.moment(state["next"]),
        **bidding(changes.bidding_of(tenant)),
        "threshold": rules.threshold,
        "slots": rules.slots,
        "cuPerCredit": rules.cu_per_credit,
        "roundSeconds": settings.ROUND_SECONDS,
        "balance": wallet.balances([tenant])[tenant],
        "queue": look.queue(tenant),
    }


@router.get("/market/rounds", auth=Door("read"), response=RoundsOut)
def rounds(
    request: Asked, cursor: int | None = None, limit: QueryEx[int, P(ge=1, le=PAGE_MAX)] = PAGE
) -> dict[str, Any]:
    """Newest first, with a receipt where the tenant bid or drew from its pool; `next` is the next page's cursor."""
    rows = Round.objects.defer("served", "ended")
    if cursor is not None:
        rows = rows.filter(number__lt=min(cursor, 1 << 62))
    found = list(rows[: limit + 1])
    more = str(found[limit - 1].number) if len(found) > limit else None
    return {"items": [shown(row, str(request.who.tenant_id)) for row in found[:limit]], "next": more}


def shown(row: Round, tenant: str) -> dict[str, Any]:
    mine = receipts.receipt(row, tenant, settings.MARKET.cu_per_credit)
    return {
        "number": row.number,
        "at": row.at,
        "price": row.price,
        "pressure": row.pressure,
        "bidders": row.bidders,
        "winners": row.winners,
        "reserved": row.reserved,
        "freeEntries": row.free_entries,
        "revenue": row.revenue,
        "cuUsed": row.cu_used,
        "mine": mine.data() if mine else None,
    }


@router.get("/market/settings", auth=Door("read"), response=BiddingOut)
def read_settings(request: Asked) -> dict[str, Any]:
    return bidding(changes.bidding_of(request.who.tenant_id))


@router.put("/market/settings", auth=Door("admin"), response=BiddingOut)
def write_settings(request: Asked, data: BiddingIn) -> dict[str, Any]:
    """Without a cap (0) one round can spend the whole wallet. It holds from the next round on."""
    return bidding(changes.set_bidding(request, auto_bid=data.autoBid, bid_cap=data.bidCap))


def bidding(row: Bidding) -> dict[str, Any]:
    return {"autoBid": row.auto_bid, "bidCap": row.bid_cap}
