"""The tenants of `manage.py market demo`: made with wallets and caps, taken away again; only the ledger remembers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction

from billing import wallet
from billing.belongings import paths
from billing.ids import uuid7
from billing.models import Tenant, Wallet
from billing.redis import redis
from market import reservations
from market.models import Bidding
from market.reservations import Wanted

SLUG = "market-demo-"
PURSE = 5_000  # credits of each
CAPS = 60  # the highest one
SHOWN_CAP = 5  # of the tenant that somebody follows: the price will pass it
SHOWN_CREDITS = 200
POOL = 20  # credits of its reservation
BEFORE = "market:demo"  # how the followed tenant bid before, in Redis
FEW = 25  # tenants of one transaction
PATIENT = 40  # that do not bid


@dataclass(frozen=True, slots=True)
class Member:
    tenant_id: UUID
    cap: int  # 0: it does not bid


def cap_of(index: int) -> int:
    """Spread over 1 to CAPS, so that each newcomer moves the price a little; the first ones do not bid at all."""
    return 0 if index < PATIENT else 1 + index * 37 % CAPS


def gather(count: int) -> list[Member]:
    """A few at a time: the market goes on meanwhile, and on SQLite only one writes."""
    run = token_hex(2)
    members: list[Member] = []
    for start in range(0, count, FEW):
        with transaction.atomic():
            members += some(run, range(start, min(start + FEW, count)))
    return members


def some(run: str, indexes: Iterable[int]) -> list[Member]:
    members = [Member(uuid7(), cap_of(index)) for index in indexes]
    Tenant.objects.bulk_create(
        Tenant(id=one.tenant_id, slug=f"{SLUG}{run}-{index:03}", name=f"Demo {index:03}")
        for index, one in zip(indexes, members, strict=True)
    )
    Bidding.objects.bulk_create(
        Bidding(tenant_id=one.tenant_id, auto_bid=one.cap > 0, bid_cap=one.cap) for one in members
    )
    for one in members:
        wallet.grant(one.tenant_id, PURSE, key=f"demo:{one.tenant_id}", note="market demo", actor="demo")
    return members


@transaction.atomic
def follow(tenant: Tenant) -> None:
    """The tenant whose page is looked at bids too, up to a cap that will not always do."""
    before = Bidding.objects.filter(pk=tenant.pk).values("auto_bid", "bid_cap").first()
    key = f"demo:{token_hex(8)}"
    known = {"tenant": str(tenant.pk), "before": before, "key": key}
    redis().set(BEFORE, orjson.dumps(known))
    Bidding.objects.update_or_create(tenant=tenant, defaults={"auto_bid": True, "bid_cap": SHOWN_CAP})
    wallet.grant(tenant.pk, SHOWN_CREDITS, key=key, note="market demo", actor="demo")


def reserve(tenant: Tenant, start: datetime, seconds: int) -> datetime | None:
    """Its start; None when something of the tenant's own is in the way."""
    wanted = Wanted(start, start + timedelta(seconds=seconds), POOL)
    try:
        return reservations.make(tenant.pk, wanted, actor="demo").start
    except reservations.Refused:
        return None


def clean() -> int:
    """How many tenants went; the ledger keeps its entries, as it always does (R36)."""
    unfollow()
    ids = list(Tenant.objects.filter(slug__startswith=SLUG).values_list("pk", flat=True))
    for start in range(0, len(ids), FEW):
        with transaction.atomic():
            empty(ids[start : start + FEW])
            forget(ids[start : start + FEW])
    return len(ids)


def forget(ids: Sequence[UUID]) -> None:
    for model, path in reversed(list(paths().items())):
        rows: Any = model._default_manager.filter(**{f"{path or 'pk'}__in": ids})
        rows.delete()


def empty(ids: Iterable[UUID]) -> None:
    """What was given and not spent goes back where it came from."""
    for one in Wallet.objects.filter(pk__in=list(ids), balance__gt=0):
        wallet.take(
            one.pk, one.balance, key=f"demo:{one.pk}:back", note="end of the market demo", actor="demo"
        )


def unfollow() -> None:
    """The followed tenant bids as before, and has no more credits than before; its reservation is cancelled or lapses."""
    data = redis().get(BEFORE)
    if not isinstance(data, bytes):
        return
    known = orjson.loads(data)
    tenant_id = UUID(known["tenant"])
    if not Tenant.objects.filter(pk=tenant_id).exists():
        redis().delete(BEFORE)
        return
    with transaction.atomic():
        if known["before"] is None:
            Bidding.objects.filter(pk=tenant_id).delete()
        else:
            Bidding.objects.filter(pk=tenant_id).update(**known["before"])
        left = min(wallet.lock([tenant_id])[tenant_id].balance, SHOWN_CREDITS)
        if left:
            wallet.take(
                tenant_id, left, key=f"{known['key']}:back", note="end of the market demo", actor="demo"
            )
    redis().delete(BEFORE)
