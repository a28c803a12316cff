"""Limits of what bundles spend in a month, and the count of it; within the transaction of a round.

The round holds the lock of the account's wallet, so whatever is read here stays true until it is charged.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.db.transaction import TransactionManagementError

from billing import plain
from billing.periods import month
from market.models import Spend, SpendLimit

CHUNK = 500
LIVING = "SELECT id FROM bundles_bundle WHERE id IN ({keys}) ORDER BY id"
ADD = """
INSERT INTO market_spend (bundle_id, month, credits, strangers) VALUES {rows}
ON CONFLICT (bundle_id, month) DO UPDATE
SET credits = market_spend.credits + excluded.credits, strangers = market_spend.strangers + excluded.strangers
"""
Asked = tuple[UUID, bool]  # a bundle, and whether a stranger calls


class Charge(NamedTuple):
    """Credits that were booked on an action of this bundle."""

    bundle_id: UUID
    stranger: bool
    credits: int


@dataclass(frozen=True, slots=True)
class State:
    """A bundle's limits and what it spent this month; None is no limit."""

    monthly: int | None = None
    strangers_monthly: int | None = None
    spent: int = 0
    spent_by_strangers: int = 0

    def left(self, stranger: bool) -> int | None:
        """Credits that may still be spent on a call; as a ceiling of an action, beside its contract's."""
        caps = [self.monthly - self.spent] if self.monthly is not None else []
        if stranger and self.strangers_monthly is not None:
            caps.append(self.strangers_monthly - self.spent_by_strangers)
        return max(0, min(caps)) if caps else None


def states(bundle_ids: Iterable[UUID], now: datetime) -> dict[UUID, State]:
    ids = sorted(set(bundle_ids))
    limits: dict[UUID, SpendLimit] = {}
    spends: dict[UUID, Spend] = {}
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        limits |= {row.pk: row for row in SpendLimit.objects.filter(pk__in=some)}
        rows = Spend.objects.filter(bundle__in=some, month=month(now))
        spends |= {row.bundle_id: row for row in rows}
    return {one: state(limits.get(one), spends.get(one)) for one in ids}


def state(limit: SpendLimit | None, spend: Spend | None) -> State:
    return State(
        limit.monthly_credits if limit else None,
        limit.strangers_monthly if limit else None,
        spend.credits if spend else 0,
        spend.strangers if spend else 0,
    )


def remaining(asked: Iterable[Asked], now: datetime) -> dict[Asked, int | None]:
    """What may still be spent for each pair of a bundle and whether a stranger calls; None is no limit."""
    wanted = set(asked)
    known = states((bundle_id for bundle_id, _ in wanted), now)
    return {(bundle_id, stranger): known[bundle_id].left(stranger) for bundle_id, stranger in wanted}


def spent(charges: Sequence[Charge], now: datetime) -> None:
    """Count what a round booked; call it once, in the round's transaction."""
    if not connection.in_atomic_block:
        raise TransactionManagementError("What is spent is counted within the transaction of its round.")
    everybody: Counter[UUID] = Counter()
    strangers: Counter[UUID] = Counter()
    for charge in charges:
        everybody[charge.bundle_id] += charge.credits
        strangers[charge.bundle_id] += charge.credits if charge.stranger else 0
    ids = sorted(everybody)
    for start in range(0, len(ids), CHUNK):
        count(ids[start : start + CHUNK], everybody, strangers, month(now))


def count(ids: Sequence[UUID], everybody: Counter[UUID], strangers: Counter[UUID], when: str) -> None:
    """One statement that adds: a round has little time."""
    living = list(plain.rows(LIVING, ids))  # one may be deleted by now
    if not living:
        return
    values: list[Any] = []
    for one, id in zip(living, plain.all_kept(living), strict=True):
        values += (id, when, everybody[one], strangers[one])
    with connection.cursor() as cursor:
        cursor.execute(ADD.format(rows=", ".join(["(%s, %s, %s, %s)"] * len(living))), values)


def unspent(charge: Charge, at: datetime) -> None:
    """A charge was refunded: it counts no more in the month in which it was made."""
    by_strangers = charge.credits if charge.stranger else 0
    with transaction.atomic():
        Spend.objects.filter(
            bundle=charge.bundle_id, month=month(at), credits__gte=charge.credits, strangers__gte=by_strangers
        ).update(credits=F("credits") - charge.credits, strangers=F("strangers") - by_strangers)
