"""What the market's pages and sockets show of now, in the same words everywhere."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from billing import wallet
from bundles.models import Bundle
from market import asking, changes
from market.action import CLASSES
from market.asking import Mine
from market.client import LOST_S
from market.preview import Purse, count
from market.wire import Message, Standing

NAMES = (
    "number", "waiting", "entries", "pressure", "bidders", "winners", "reserved", "free", "revenue",
)  # fmt: skip


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def public(state: Message, now: int) -> dict[str, Any]:
    """The state as everybody may see it, with its words; a price nothing was heard of for long is none any more."""
    fresh = bool(state) and now - state["at"] <= LOST_S * 1000
    bidding = bool(state.get("contended")) and fresh
    shown: dict[str, Any] = {name: state.get(name, 0) if fresh else 0 for name in NAMES}
    shown |= {
        "price": state["price"] if bidding else 0,
        "bidding": bidding,
        "lost": bool(state.get("contended")) and not fresh,
        "at": state.get("at", 0),
        "now": now,
        "round_ms": round(settings.ROUND_SECONDS * 1000),
        "threshold": settings.MARKET.threshold,
        "slots": settings.MARKET.slots,
    }
    return shown | words(shown)


def words(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What the page says of it; a socket sends the same words."""
    price, bidding = shown["price"], shown["bidding"]
    sold = "sold out" if shown["winners"] >= shown["slots"] else f"of {shown['slots']:,} slots"
    seconds = shown["round_ms"] / 1000
    return {
        "tone": "paid" if bidding else "free",
        "price_text": count(price, "credit") if price else "free",
        "price_note": price_note(shown),
        "entries_text": f"{shown['entries']:,}",
        "filled": min(shown["entries"], shown["threshold"]),
        "waiting_note": f"{count(shown['waiting'], 'call')}; bidding above {shown['threshold']:,}",
        "next_text": f"within {seconds:g} s" if bidding else "at once",
        "round_note": f"round {shown['number']:,}" if shown["number"] else "no round was needed yet",
        "bids_text": f"{shown['bidders']:,} · {shown['winners']:,}",
        "bids_note": f"{sold}; {shown['reserved']:,} reserved",
    }


def price_note(shown: Mapping[str, Any]) -> str:
    if shown["lost"]:
        return "nobody leads the rounds: calls run as they come"
    if not shown["bidding"]:
        return "everybody runs for nothing"
    if not shown["price"]:
        return "bidding begins with the next round"
    return f"a round, for {shown['price'] * settings.MARKET.cu_per_credit:,} CU"


def purse(tenant_id: UUID) -> Purse:
    mine = changes.bidding_of(tenant_id)
    return Purse(mine.auto_bid, wallet.balances([tenant_id])[tenant_id], mine.bid_cap)


@dataclass(frozen=True, slots=True)
class Line:
    """An action that waits, for people."""

    standing: Standing
    bundle_id: UUID | None
    bundle: str
    service: str

    @property
    def priority(self) -> str:
        return CLASSES[self.standing.priority]

    @property
    def done(self) -> int:
        return self.standing.need - self.standing.left

    @property
    def seconds(self) -> int:
        """Until nothing more is waited for."""
        return max(0, (self.standing.deadline - now_ms()) // 1000)

    @property
    def since(self) -> int:
        return max(0, (now_ms() - self.standing.submitted) // 1000)


def lines(tenant_id: UUID, mine: Mine) -> list[Line]:
    """With the names of the tenant's own bundles."""
    split = [(one, *one.service.rpartition("/")[::2]) for one in mine.lines]
    ids = {found for _, text, _ in split if (found := identifier(text))}
    names = dict(Bundle.objects.filter(tenant_id=tenant_id, pk__in=ids).values_list("pk", "name"))
    shown = []
    for one, text, service in split:
        found = identifier(text)
        known = found if found in names else None
        shown.append(Line(one, known, names.get(known, "") if known else "", service))
    return shown


def identifier(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def mine(tenant_id: UUID, shown: Mapping[str, Any]) -> Mine:
    """What waits; nobody is asked when nothing of anybody waits, or when nobody leads."""
    if shown["lost"]:
        return asking.UNKNOWN
    return asking.mine(str(tenant_id)) if shown["waiting"] else Mine()


def tiles(tenant_id: UUID) -> dict[str, Any]:
    """For the dashboard."""
    shown = public(asking.state(), now_ms())
    return {"market": shown, "purse": purse(tenant_id), "mine": mine(tenant_id, shown)}
