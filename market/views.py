"""The market page: the price and its past, what of one's own waits, how to bid; and its live part."""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from billing import wallet
from billing.door import Asked
from billing.pages import page
from market import asking, changes, figures, history
from market.chart import Chart, chart
from market.forms import BiddingForm, ReserveForm, proposal
from market.history import Point
from market.models import Reservation
from market.preview import preview
from market.receipts import Receipt

RECEIPTS = 12
ROWS = 40
RESERVATIONS = 20
MOST_CU = 25_000


@require_safe
@page("read")
def market(request: Asked) -> HttpResponse:
    form = BiddingForm(initial=bid_of(request))
    return render(request, "market/market.html", whole(request, form))


@require_safe
@page("read")
def live(request: Asked) -> HttpResponse:
    """The part that changes with each round, for a page that follows the market."""
    return render(request, "market/_live.html", changing(request) | {"alone": True})


@require_POST
@page("admin", back="market:market")
def bidding(request: Asked) -> HttpResponse:
    form = BiddingForm(request.POST)
    if not form.is_valid():
        return render(request, "market/market.html", whole(request, form), status=422)
    given = form.cleaned_data
    changes.set_bidding(request, auto_bid=given["auto_bid"], bid_cap=given["bid_cap"])
    messages.success(request, "Saved. It holds from the next round on.")
    return redirect("market:market")


def bid_of(request: Asked) -> dict[str, Any]:
    mine = changes.bidding_of(request.who.tenant_id)
    return {"auto_bid": mine.auto_bid, "bid_cap": mine.bid_cap}


def whole(request: Asked, form: BiddingForm) -> dict[str, Any]:
    tenant = request.who.tenant_id
    return changing(request) | {
        "bidding_form": form,
        "unlimited": form["auto_bid"].value() and str(form["bid_cap"].value()) == "0",
        "reserve_form": ReserveForm(initial=proposal()),
        "reservations": reservations(tenant),
        "may_bid": request.who.may("admin"),
        "may_reserve": request.who.may("write"),
        "rate": settings.MARKET.cu_per_credit,
        "example": preview(248, figures.purse(tenant), settings.MARKET),
    }


def reservations(tenant_id: Any) -> list[Reservation]:
    """What is to come or holds first, then the last ones that are over."""
    rows = Reservation.objects.filter(tenant_id=tenant_id).select_related("bundle")
    now = timezone.now()
    open_ones = rows.filter(end__gt=now).exclude(status="cancelled").order_by("start")[:RESERVATIONS]
    over = (rows.filter(end__lte=now) | rows.filter(status="cancelled")).order_by("-start")[:5]
    return [*open_ones, *over]


def changing(request: Asked) -> dict[str, Any]:
    tenant = request.who.tenant_id
    span = request.GET.get("span", "")
    span = span if span in history.SPANS else "2m"
    now = figures.now_ms()
    shown = figures.public(asking.state(), now)
    mine = figures.mine(tenant, shown)
    found = points(span, history.newest())
    return {
        "market": shown,
        "mine": mine,
        "lines": figures.lines(tenant, mine),
        "balance": wallet.balances([tenant])[tenant],
        "receipts": receipts(request),
        "span": span,
        "spans": history.NAMES,
        "span_name": history.NAMES[span],
        "price_chart": chart([point.price for point in found]),
        "pressure_chart": pressed(found, shown["threshold"]),
        "winners_chart": chart([point.winners for point in found]),
        "begin": found[0].when,
        "step": history.step(span),
        "open_reservations": Reservation.objects.filter(tenant_id=tenant, status="active"),
        "rows": [point for point in reversed(found) if point.rounds][:ROWS],
    }


def pressed(found: list[Point], threshold: int) -> Chart:
    return chart([point.pressure for point in found], limit=threshold)


def receipts(request: Asked) -> list[Receipt]:
    return history.receipts(request.who.tenant_id, RECEIPTS)


@lru_cache(maxsize=8)
def points(span: str, last: int) -> list[Point]:
    """The same for everybody; worked out once a round."""
    return history.points(span, last)


@require_safe
@page("read")
def cost(request: Asked) -> HttpResponse:
    """A cost preview: `cu`, and of the contract `ceiling` and whether it may `bid`."""
    need = whole_number(request, "cu", 100, MOST_CU)
    ceiling = whole_number(request, "ceiling", -1, 10**12)
    found = preview(
        max(1, need),
        figures.purse(request.who.tenant_id),
        settings.MARKET,
        ceiling=None if ceiling < 0 else ceiling,
        may_bid=request.GET.get("bid", "") != "never",
    )
    shown = {"preview": found, "market": figures.public(asking.state(), figures.now_ms())}
    if request.headers.get("hx-request") == "true":
        return render(request, "market/_cost.html", shown)
    return render(request, "market/cost.html", shown)


def whole_number(request: HttpRequest, name: str, otherwise: int, most: int) -> int:
    """What is no number counts as not given."""
    text = request.GET.get(name, "")
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 15 else otherwise


@require_safe
@page("read")
def tiles(request: Asked) -> HttpResponse:
    """The dashboard's."""
    return render(request, "market/_tiles.html", figures.tiles(request.who.tenant_id))
