"""Books reservations for scheduled runs that are still to come, within what their contracts allow (R27)."""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Sum

from billing.credits import MOST
from market import futures, reservations
from market.models import Bidding, Origin, Reservation, Status
from market.reservations import Refused, Wanted, instant

SECOND = 1_000_000
log = logging.getLogger(__name__)


class Upcoming(NamedTuple):
    """A run that a schedule will start. `horizon_s` and `budget` are its contract's."""

    tenant_id: UUID
    bundle_id: UUID
    at: datetime
    need: int
    expected_s: int
    horizon_s: int
    budget: int


def book(runs: Iterable[Upcoming], now: datetime) -> int:
    """How many reservations were made. A run that a window covers already, however it came about, needs none."""
    wanted = sorted((run for run in runs if run.budget > 0), key=lambda run: run.at)
    bidding = Bidding.objects.filter(tenant_id__in={run.tenant_id for run in wanted}, auto_bid=True)
    toggles = set(bidding.values_list("pk", flat=True))
    spent = spent_this_month({run.bundle_id for run in wanted}, now)
    made = 0
    for run in wanted:
        if run.tenant_id in toggles and (credits := booked(run, spent.get(run.bundle_id, 0), now)):
            spent[run.bundle_id] = spent.get(run.bundle_id, 0) + credits
            made += 1
    return made


def spent_this_month(bundles: Iterable[UUID], now: datetime) -> dict[UUID, int]:
    """Of the bundle as a whole, in the calendar month (UTC) in which the credits left the wallet."""
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = Reservation.objects.filter(origin=Origin.FUTURES, bundle_id__in=set(bundles), created__gte=month)
    kept = rows.exclude(status=Status.CANCELLED).order_by().values("bundle_id").annotate(total=Sum("credits"))
    return {row["bundle_id"]: row["total"] for row in kept}


def booked(run: Upcoming, spent: int, now: datetime) -> int:
    """The credits that it took; 0 when nothing was or could be booked."""
    asked = futures.reservation(
        futures.Run(instant(run.at) // SECOND, run.need, run.expected_s),
        str(run.tenant_id),
        futures.Terms(True, run.horizon_s, run.budget, spent),
        now=instant(now) // SECOND,
        toggle=True,
        cu_per_credit=settings.MARKET.cu_per_credit,
    )
    if asked is None or not 0 < asked.credits <= MOST or covered(run):
        return 0
    start, end = (datetime.fromtimestamp(second, UTC) for second in (asked.start, asked.end))
    try:
        reservations.make(
            run.tenant_id,
            Wanted(start, end, asked.credits, Origin.FUTURES, run.bundle_id),
            now=now,
            actor="futures",
        )
    except Refused as refused:
        log.info("nothing is reserved for bundle %s at %s: %s", run.bundle_id, run.at, refused.reason)
        return 0
    return asked.credits


def covered(run: Upcoming) -> bool:
    """Also by one that its owner cancelled: it is not made again."""
    same = Reservation.objects.filter(tenant_id=run.tenant_id, start__lte=run.at, end__gt=run.at)
    cancelled = same.filter(status=Status.CANCELLED, origin=Origin.FUTURES, bundle_id=run.bundle_id)
    return same.exclude(status=Status.CANCELLED).exists() or cancelled.exists()
