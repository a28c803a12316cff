"""The spend limits of a bundle, shown and set: one place for pages and REST, with a line in the audit log."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest

from billing.access import Principal
from billing.audit import record
from billing.credits import MOST
from billing.errors import ApiError
from billing.periods import next_month
from bundles import locks
from bundles.models import Bundle
from market.models import SpendLimit
from market.spend import State, states


@dataclass(frozen=True, slots=True)
class Shown:
    """None is no limit; ``spent`` counts this calendar month (UTC), strangers included."""

    monthly_credits: int | None
    strangers_monthly: int | None
    spent: int
    spent_by_strangers: int
    resets: datetime


def bundle_of(who: Principal, id: UUID) -> Bundle:
    found = Bundle.objects.filter(pk=id, tenant_id=who.tenant_id).first()
    if found is None:
        raise ApiError(404, "No such bundle.")
    return found


def shown(bundle: Bundle, now: datetime) -> Shown:
    state: State = states([bundle.pk], now)[bundle.pk]
    spent = (state.spent, state.spent_by_strangers)
    return Shown(state.monthly, state.strangers_monthly, *spent, next_month(now))


@transaction.atomic
def put(request: HttpRequest, bundle: Bundle, monthly: int | None, strangers: int | None) -> None:
    """It holds from the next round on, which reads it at its start."""
    given = {"monthly_credits": checked(monthly), "strangers_monthly": checked(strangers)}
    locks.tenant(bundle.tenant_id)
    SpendLimit.objects.update_or_create(bundle=Bundle.objects.get(pk=bundle.pk), defaults=given)
    record(request, "bundle.spend", bundle.name, **given)


def checked(value: int | None) -> int | None:
    if value is not None and (type(value) is not int or not 0 <= value <= MOST):
        raise ApiError(422, f"A spend limit is a whole number from 0 to {MOST:,}, or nothing.")
    return value
