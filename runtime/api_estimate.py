"""/api/market/estimate: what a call needs and what it would cost, before it runs."""

from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from ninja import Router, Schema
from pydantic import ConfigDict, Field, StrictInt

from billing import wallet
from billing.door import Asked, Door
from billing.errors import ApiError
from bundles.contract import Contract
from bundles.definitions import definition
from bundles.models import Bundle, Revision
from market import changes, estimate
from market.admission import MAX_ACTION_CU
from market.preview import Purse, preview
from runtime.estimates import seeded

SHOWN = (1, 10, 50)  # prices of the documentation's table
router = Router(tags=["market"])


class Asking(Schema):
    """Either `units`, or `bundle` and `endpoint` (or intent); `service` where several have one of this name."""

    model_config = ConfigDict(extra="forbid")
    units: Annotated[StrictInt, Field(ge=1, le=MAX_ACTION_CU)] | None = None
    bundle: UUID | None = None
    service: str = ""
    endpoint: str = ""


class Price(Schema):
    price: int
    cu: int  # that one round brings
    credits: int
    rounds: int


class Estimate(Schema):
    need: int
    source: str  # units, contract, measured or default
    entries: list[int]
    rounds: int  # while nobody pays
    least: int  # credits; 0 when it would not bid
    most: int
    text: str
    prices: list[Price]


@router.post("/market/estimate", auth=Door("read"), response=Estimate)
def estimates(request: Asked, data: Asking) -> dict[str, Any]:
    """Rounds for nothing or credits, for this tenant's wallet and cap as they are now."""
    tenant, rules = request.who.tenant_id, settings.MARKET
    need, source, contract = asked(tenant, data)
    row = changes.bidding_of(tenant)
    purse = Purse(row.auto_bid, wallet.balances([tenant])[tenant], row.bid_cap)
    ceiling = contract.cost_ceiling if contract is not None else None
    found = preview(need, purse, rules, ceiling=ceiling, may_bid=bids(contract))
    return {
        "need": need,
        "source": source,
        "entries": estimate.split(need, rules.free_cu),
        "rounds": found.rounds,
        "least": found.least,
        "most": found.most,
        "text": found.text,
        "prices": [priced(price, need, rules.cu_per_credit) for price in SHOWN],
    }


def priced(price: int, need: int, cu_per_credit: int) -> dict[str, int]:
    """R14: at most, since a free entry may come in between."""
    rounds = estimate.count(need, price * cu_per_credit)
    return {"price": price, "cu": price * cu_per_credit, "credits": price * rounds, "rounds": rounds}


def bids(contract: Contract | None) -> bool:
    """R19, but for the toggle."""
    if contract is None:
        return True
    return contract.auto_bid is True or (contract.auto_bid is None and contract.priority != "low")


def asked(tenant: UUID, data: Asking) -> tuple[int, str, Contract | None]:
    if data.units is not None and data.bundle is None:
        return data.units, "units", None
    if data.bundle is None or data.units is not None:
        raise ApiError(422, "Say either units, or bundle and endpoint.")
    bundle = Bundle.objects.filter(tenant_id=tenant, pk=data.bundle).first()
    if bundle is None:
        raise ApiError(404)
    service, contract = called(bundle, data)
    if contract.compute_units_written:
        return contract.compute_units, "contract", contract
    measured = seeded(bundle.pk).raw(service, data.endpoint)
    need = min(estimate.need(None, measured), MAX_ACTION_CU)
    return need, "default" if measured is None else "measured", contract


def called(bundle: Bundle, data: Asking) -> tuple[str, Contract]:
    """Of the revision that runs, else of the newest."""
    number = bundle.live_revision or bundle.revision
    revision = Revision.objects.filter(bundle=bundle, number=number).first()
    services = definition(revision).services if revision else ()
    for service in services:
        if data.service in ("", service.name):
            contracts = {one.name: one.contract for one in service.intents}
            contracts |= {one.name: one.contract for one in service.endpoints}
            if data.endpoint in contracts:
                return service.name, contracts[data.endpoint]
    raise ApiError(404, "This bundle has no such endpoint or intent.")
