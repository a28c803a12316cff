"""How a tenant bids, and its reservations: changes that pages and REST share, each with its line in the audit log."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest

from billing.access import Principal, principal
from billing.audit import record
from billing.credits import MOST
from billing.errors import ApiError
from market import reservations
from market.models import Bidding, Reservation
from market.reservations import Refused, Wanted

# reason -> status and sentence (R24, R25)
REFUSALS = {
    "window": (422, "It has to start in the future and end after that, within a year, for 1 credit or more."),
    "overlap": (409, "It overlaps another reservation of yours; one may begin where the other ends."),
    "sold out": (409, "As many accounts as possible have reserved within this window. Choose another one."),
    "insufficient": (402, "The wallet does not hold that many credits."),
    "started": (409, "It has begun or is over: it cannot be cancelled any more, and is not refunded."),
}


def asker(request: HttpRequest) -> Principal:
    who = principal(request)
    if who is None:
        raise ApiError(401)
    return who


def bidding_of(tenant_id: UUID) -> Bidding:
    """As it is stored; without a row it does not bid."""
    return Bidding.objects.filter(pk=tenant_id).first() or Bidding(tenant_id=tenant_id)


@transaction.atomic
def set_bidding(request: HttpRequest, *, auto_bid: bool, bid_cap: int) -> Bidding:
    """0 is no cap (R21). It holds from the next round on, which reads it at its start."""
    if type(auto_bid) is not bool:
        raise ApiError(422, "auto_bid: true or false.")
    if type(bid_cap) is not int or not 0 <= bid_cap <= MOST:
        raise ApiError(422, f"bid_cap: a whole number from 0, which is no cap, to {MOST:,}.")
    given: dict[str, Any] = {"auto_bid": auto_bid, "bid_cap": bid_cap}
    row, _ = Bidding.objects.update_or_create(tenant_id=asker(request).tenant_id, defaults=given)
    record(request, "bidding.set", **given)
    return row


@transaction.atomic
def reserve(request: HttpRequest, wanted: Wanted) -> Reservation:
    who = asker(request)
    try:
        made = reservations.make(who.tenant_id, wanted, actor=who.actor)
    except Refused as refused:
        raise refusal(refused) from None
    record(request, "reservation.make", str(made.pk), credits=made.credits, window=reservations.window(made))
    return made


@transaction.atomic
def cancel(request: HttpRequest, reservation_id: UUID) -> Reservation:
    who = asker(request)
    try:
        gone = reservations.cancel(who.tenant_id, reservation_id, actor=who.actor)
    except Refused as refused:
        raise refusal(refused) from None
    if gone is None:
        raise ApiError(404)
    record(request, "reservation.cancel", str(gone.pk), credits=gone.credits)
    return gone


def refusal(refused: Refused) -> ApiError:
    status, text = REFUSALS[refused.reason]
    return ApiError(status, text, errors=[{"message": refused.reason, "hint": ""}])
