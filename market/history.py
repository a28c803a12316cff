"""The rounds of the past as pages show them: of everybody for the charts, and one account's receipts."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import BigIntegerField, Count, F, Max, Q, QuerySet, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from market.models import Round
from market.receipts import Receipt, receipt

POINTS = 120  # of a chart
LOOKED_AT = 3_600  # rounds, back from the newest, in which an account's receipts are looked for
SPANS = {"2m": 120, "1h": 3_600, "1d": 86_400}  # seconds
NAMES = {"2m": "2 minutes", "1h": "hour", "1d": "day"}
DETAILS = ("number", "at", "price", "winners", "bids", "won", "drawn")


@dataclass(frozen=True, slots=True)
class Point:
    """Some rounds, one after the other, from `number` on: the highest figures of them, the sums of what was sold."""

    number: int
    price: int = 0
    pressure: int = 0
    bidders: int = 0
    winners: int = 0
    reserved: int = 0
    free: int = 0
    revenue: int = 0
    rounds: int = 0  # that were stored

    @property
    def when(self) -> datetime:
        return datetime.fromtimestamp(self.number * settings.ROUND_SECONDS, UTC)


def current() -> int:
    return int(time.time() / settings.ROUND_SECONDS)


def newest() -> int:
    """Where charts end: the last stored round if it is of just now, for this second's may still be under way."""
    now, last = current(), Round.objects.order_by("-number").values_list("number", flat=True).first()
    return last if last is not None and 0 <= now - last <= 2 else now


def step(span: str) -> int:
    """Rounds of one point."""
    return max(1, round(SPANS[span] / settings.ROUND_SECONDS / POINTS))


def points(span: str, last: int) -> list[Point]:
    """`last` is the newest round of the chart; where nothing was stored nothing waited."""
    size = step(span)
    newest = last // size
    oldest = newest - POINTS + 1
    rows = Round.objects.filter(number__gte=oldest * size, number__lt=(newest + 1) * size)
    found = {row["bucket"]: row for row in summed(rows, size)}
    return [point(bucket, size, found.get(bucket, {})) for bucket in range(oldest, newest + 1)]


def summed(rows: QuerySet[Round], size: int) -> Iterable[Mapping[str, int]]:
    # The remainder is taken off first: databases differ in how they round a division.
    bucket = Cast((F("number") - F("number") % size) / size, BigIntegerField())
    found: Iterable[Any] = (
        rows.order_by()
        .annotate(bucket=bucket)
        .values("bucket")
        .annotate(
            top_price=Max("price"),
            top_pressure=Max("pressure"),
            top_bidders=Max("bidders"),
            top_winners=Max("winners"),
            top_reserved=Max("reserved"),
            sum_free=Sum("free_entries"),
            sum_revenue=Sum("revenue"),
            stored=Count("number"),
        )
    )
    return found


def point(bucket: int, size: int, row: Mapping[str, int]) -> Point:
    if not row:
        return Point(bucket * size)
    return Point(
        bucket * size,
        row["top_price"],
        row["top_pressure"],
        row["top_bidders"],
        row["top_winners"],
        row["top_reserved"],
        row["sum_free"],
        row["sum_revenue"],
        row["stored"],
    )


def receipts(tenant_id: UUID, count: int, *, before: int | None = None) -> list[Receipt]:
    """Newest first; rounds that an account did not take part in have none."""
    newest = Round.objects.order_by("-number").values_list("number", flat=True).first()
    if newest is None:
        return []
    top = newest + 1 if before is None else min(before, newest + 1)
    rows = Round.objects.filter(number__lt=top, number__gte=newest - LOOKED_AT)
    rows = rows.filter(Q(bidders__gt=0) | Q(reserved__gt=0)).order_by("-number").only(*DETAILS)
    took_part = rows.annotate(cap=KT(f"bids__{tenant_id}"), pool=KT(f"drawn__{tenant_id}"))
    found = took_part.filter(Q(cap__isnull=False) | Q(pool__isnull=False))[:count]
    return [one for row in found if (one := of(row, tenant_id))]


def of(row: Round, tenant_id: UUID) -> Receipt | None:
    return receipt(row, str(tenant_id), settings.MARKET.cu_per_credit)


def rounds_between(after: int, upto: int, most: int) -> list[Round]:
    """Rounds somebody bid in or drew from, for those who follow the market live; oldest first."""
    rows = Round.objects.filter(number__gt=after, number__lte=upto)
    rows = rows.filter(Q(bidders__gt=0) | Q(reserved__gt=0)).order_by("-number").only(*DETAILS)
    return list(rows[:most])[::-1]
