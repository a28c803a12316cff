"""What the leader tells of the market: its last state, and what a tenant has waiting."""

from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import orjson

from billing.redis import redis
from market import asking, wire

FRESH_MS = 5_000  # a state older than this says nothing about now, when there was a price
QUIET = {
    "number": 0, "at": 0, "price": 0, "pressure": 0, "contended": False, "waiting": 0, "entries": 0, "bidders": 0,
    "winners": 0, "reserved": 0, "free": 0, "revenue": 0, "next": 0,
}  # fmt: skip


def state(now_ms: int) -> dict[str, Any]:
    """Nobody tells anything while nothing waits: then everything is free."""
    data = cast("bytes | None", redis().get(wire.STATE))
    known = orjson.loads(data) if data else QUIET
    if now_ms - known["at"] <= FRESH_MS:
        return dict(known)
    return {**QUIET, "number": known["number"], "at": known["at"]}


def queue(tenant_id: UUID) -> dict[str, Any] | None:
    """Its first waiting actions, and how many there are; None when nobody leads who could say."""
    found = asking.mine(str(tenant_id))
    if not found.known:
        return None
    return {"actions": found.actions, "entries": found.entries, "first": [shown(one) for one in found.lines]}


def moment(ms: int) -> datetime | None:
    return datetime.fromtimestamp(ms / 1000, UTC) if ms else None


def shown(one: wire.Standing) -> dict[str, Any]:
    bundle, _, service = one.service.partition("/")
    return {
        "execution": one.id,
        "bundle": bundle,
        "service": service,
        "need": one.need,
        "left": one.left,
        "submitted": moment(one.submitted),
        "deadline": moment(one.deadline),
        "position": one.position,
        "rounds": one.rounds,
        "spent": one.spent,
        "degraded": one.degraded,
    }
