"""Reservations: made, cancelled, begun, drawn from, over; each step with its credits (R23 to R26).

Locks are taken in one order everywhere: wallets, then reservations.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from billing import wallet
from billing.credits import MOST
from market import reservation as rule
from market.models import Origin, Reservation, Status

MAKING = (
    4_204_001  # PostgreSQL's lock of whoever makes one: how many hold at an instant must not change meanwhile
)
AT_ONCE = 200
FARTHEST = timedelta(days=366)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATELY = timedelta(minutes=10)
MOST_TOLD = 20
LIVE = (Status.UPCOMING, Status.ACTIVE)


class Refused(Exception):
    """`reason` is window, overlap, sold out, insufficient or started; nothing was changed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Wanted:
    start: datetime
    end: datetime
    credits: int
    origin: str = Origin.HAND
    bundle_id: UUID | None = None


def instant(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def now_there() -> datetime:
    """The database's clock, because several machines ask; SQLite has that of this one."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found


@transaction.atomic
def make(tenant_id: UUID, wanted: Wanted, *, now: datetime | None = None, actor: str = "") -> Reservation:
    """Paid at once: the credits become a pool, in escrow until the window begins (R23, R24)."""
    if type(wanted.credits) is not int or not 0 < wanted.credits <= MOST:
        raise Refused("window")
    one_by_one()
    balance = wallet.lock([tenant_id])[tenant_id].balance
    moment = now or now_there()
    if reason := refusal(tenant_id, wanted, moment, balance):
        raise Refused(reason)
    made = inserted(tenant_id, wanted)
    wallet.hold(tenant_id, wanted.credits, key=f"reservation:{made.pk}:open", note=window(made), actor=actor)
    return made


def one_by_one() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MAKING])


def refusal(tenant_id: UUID, wanted: Wanted, now: datetime, balance: int) -> str | None:
    if wanted.end > now + FARTHEST or wanted.end <= wanted.start:
        return "window"
    met = Reservation.objects.filter(start__lt=wanted.end, end__gt=wanted.start).exclude(
        status=Status.CANCELLED
    )
    others = [
        rule.Reservation(0, str(owner), instant(start), instant(end), 1)
        for owner, start, end in met.values_list("tenant_id", "start", "end")
    ]
    asked = rule.Reservation(0, str(tenant_id), instant(wanted.start), instant(wanted.end), wanted.credits)
    most = settings.MARKET.max_reservations
    return rule.refusal(asked, others, instant(now), balance=balance, most=most)


def inserted(tenant_id: UUID, wanted: Wanted) -> Reservation:
    try:
        with transaction.atomic():
            return Reservation.objects.create(
                tenant_id=tenant_id,
                start=wanted.start,
                end=wanted.end,
                credits=wanted.credits,
                pool=wanted.credits * settings.MARKET.cu_per_credit,
                origin=wanted.origin,
                bundle_id=wanted.bundle_id,
            )
    except IntegrityError as problem:
        if "reservations_do_not_overlap" in str(problem):
            raise Refused("overlap") from None
        raise


def window(made: Reservation) -> str:
    return (
        f"{made.start.astimezone(UTC):%Y-%m-%d %H:%M:%S} to {made.end.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    )


@transaction.atomic
def cancel(tenant_id: UUID, id: UUID, *, now: datetime | None = None, actor: str = "") -> Reservation | None:
    """Before its start, with a full refund (R25); None when the tenant has no such reservation."""
    found = Reservation.objects.filter(tenant_id=tenant_id, pk=id).first()
    if found is None:
        return None
    wallet.lock([tenant_id])
    moment = now or now_there()
    mine = Reservation.objects.filter(pk=id, status=Status.UPCOMING, start__gt=moment)
    if mine.update(status=Status.CANCELLED, pool=0) != 1:
        raise Refused("started")
    wallet.release(tenant_id, found.credits, key=f"reservation:{id}:cancel", note=window(found), actor=actor)
    found.refresh_from_db()
    return found


def pass_time(now: datetime | None = None) -> int:
    """Begin and end what is due; how many rows changed. Anybody may do it at any time."""
    moment = now or now_there()
    due = Reservation.objects.filter(status=Status.UPCOMING, start__lte=moment).order_by("pk")
    changed = 0
    while some := list(due[:AT_ONCE]):
        with transaction.atomic():
            wallet.lock(one.tenant_id for one in some)
            changed += begin(some)
    over = Reservation.objects.filter(status=Status.ACTIVE, end__lte=moment)
    return changed + over.update(status=Status.ENDED)


def begin(some: Iterable[Reservation]) -> int:
    """What was held becomes revenue (R25); their wallets are locked."""
    count = 0
    for one in some:
        mine = Reservation.objects.filter(pk=one.pk, status=Status.UPCOMING)
        if mine.update(status=Status.ACTIVE) == 1:
            count += 1
            key = f"reservation:{one.pk}:start"
            wallet.earn(one.credits, key=key, tenant_id=one.tenant_id, note=window(one))
    return count


def holding(at: datetime) -> QuerySet[Reservation]:
    """Those whose window is now and whose pool is not empty."""
    return Reservation.objects.filter(start__lte=at, end__gt=at, pool__gt=0, status__in=LIVE)


def holders(at: datetime, tenants: Sequence[UUID]) -> set[UUID]:
    """Of these tenants; there are few holders, so they are not looked for one by one."""
    return set(holding(at).values_list("tenant_id", flat=True)) & set(tenants)


def standing(tenants: Iterable[UUID]) -> dict[UUID, list[dict[str, object]]]:
    """Of each tenant those that are not over, and the last that were: how they stand, the next to begin first."""
    some = Reservation.objects.filter(tenant_id__in=list(tenants), end__gt=timezone.now() - LATELY)
    found: dict[UUID, list[dict[str, object]]] = {}
    for id, owner, status, pool in some.order_by("start").values_list("pk", "tenant_id", "status", "pool"):
        mine = found.setdefault(owner, [])
        if len(mine) < MOST_TOLD:
            mine.append({"id": str(id), "status": status, "pool": pool})
    return found


def around(at: datetime) -> list[tuple[int, int, rule.Reservation]]:
    """For the free rounds of the next second, which only have to know whether somebody would draw: from, to (ms)."""
    near = Reservation.objects.filter(
        start__lte=at + timedelta(seconds=2), end__gt=at, pool__gt=0, status__in=LIVE
    )
    return [(instant(one.start) // 1000, instant(one.end) // 1000, as_of_round(one, 0)) for one in near]


def locked(at: datetime, tenants: Iterable[UUID], number: int) -> list[rule.Reservation]:
    """For a round that draws; what begins with it begins in its transaction."""
    rows = list(
        holding(at).filter(tenant_id__in=list(tenants)).select_for_update(of=("self",)).order_by("pk")
    )
    begin(one for one in rows if one.status == Status.UPCOMING)
    return [as_of_round(one, number) for one in rows]


def as_of_round(one: Reservation, number: int) -> rule.Reservation:
    """Its window holds for this round; that has been looked up by the time of its start (R26)."""
    return rule.Reservation(one.pk.int, str(one.tenant_id), number, number + 1, one.credits, one.pool)


def draw(drawn: Mapping[int, int]) -> None:
    for key, cu in drawn.items():
        Reservation.objects.filter(pk=UUID(int=key)).update(pool=F("pool") - cu)
