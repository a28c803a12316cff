"""The rows behind a plan's allowance: executions of a month, leased in blocks, and test runs of a day (R39)."""

import math
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from billing.errors import ApiError
from billing.models import ExecutionQuota, Plan, Tenant
from billing.periods import day, month, next_day, next_month

BLOCK = 500  # executions that a process leases at once, at most
TEST_RUNS = 100  # of one tenant in a day


class UsedUp(Exception):
    """All executions of this month are taken."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Allowance:
    """``limit`` is None when the plan has none: then nothing is counted."""

    used: int
    limit: int | None
    resets: datetime


def block(limit: int, left: int) -> int:
    """How many to lease: at most 1 % of the limit, and ever fewer near its end, so that no process sits on them."""
    return min(left, max(1, min(BLOCK, limit // 100, left // 8)))


def lease(tenant_id: UUID, now: datetime) -> int | None:
    """So many more executions belong to the caller; None when nobody counts, UsedUp when there are none."""
    limit = limit_of(tenant_id)
    if limit is None:  # found out without the lock of a writer
        return None
    with transaction.atomic():
        row = counted(tenant_id, month(now))
        left = limit - row.taken
        if left <= 0:
            raise UsedUp(limit)
        count = block(limit, left)
        ExecutionQuota.objects.filter(pk=row.pk).update(taken=F("taken") + count)
    return count


def limit_of(tenant_id: UUID) -> int | None:
    """A tenant that is gone has no plan, and nobody serves its calls."""
    return Plan.objects.filter(tenant=tenant_id).values_list("executions", flat=True).first()


def counted(tenant_id: UUID, period: str) -> ExecutionQuota:
    """The row, locked."""
    rows = ExecutionQuota.objects.select_for_update().filter(tenant=tenant_id, period=period)
    found = rows.first()
    if found is None:
        fresh = ExecutionQuota(tenant_id=tenant_id, period=period)
        ExecutionQuota.objects.bulk_create([fresh], ignore_conflicts=True)
        found = rows.get()
    return found


def give_back(tenant_id: UUID, period: str, count: int) -> None:
    rows = ExecutionQuota.objects.filter(tenant=tenant_id, period=period, taken__gte=count)
    rows.update(taken=F("taken") - count)


def of_month(tenant: Tenant, now: datetime) -> Allowance:
    row = ExecutionQuota.objects.filter(tenant=tenant, period=month(now)).first()
    return Allowance(row.taken if row else 0, tenant.plan.executions, next_month(now))


@transaction.atomic
def test_run(tenant_id: UUID, now: datetime) -> None:
    """One run of the editor or of declared tests; ApiError 429 after the day's last one."""
    row = counted(tenant_id, day(now))
    if row.taken >= TEST_RUNS:
        wait = max(1, math.ceil((next_day(now) - now).total_seconds()))
        text = f"The {TEST_RUNS} test runs of today (UTC) are used up."
        raise ApiError(429, text, headers={"Retry-After": str(wait)})
    ExecutionQuota.objects.filter(pk=row.pk).update(taken=F("taken") + 1)


def tidy(now: datetime) -> int:
    """Days and months that are over long ago."""
    months = ExecutionQuota.objects.filter(period__lt=f"{now.year - 2}")
    days = ExecutionQuota.objects.filter(
        period__contains="-", period__regex=r"^.{10}$", period__lt=month(now)
    )
    return months.delete()[0] + days.delete()[0]
