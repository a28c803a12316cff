"""Reading a tenant's ledger: balance, what was spent this month, the lines of its statement."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet, Sum

from billing import allowance
from billing.allowance import Allowance
from billing.models import Account, Leg, Tenant, Wallet
from billing.periods import month_start

KINDS = {
    "starter": "Starter credits",
    "grant": "Granted",
    "take": "Taken back",
    "purchase": "Bought",
    "round": "Paid for a round",
    "hold": "Reserved",
    "release": "Reservation cancelled",
    "refund": "Refunded",
    "closed": "Lapsed",
}
SPENDING = ("round", "hold", "release", "refund")  # what compute costs, and what of it came back
COLUMNS = ("id", "time", "kind", "amount", "balance", "note", "by")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for one


@dataclass(frozen=True, slots=True)
class Summary:
    balance: int
    escrow: int
    low_at: int
    spent_month: int
    plan: str
    executions: Allowance

    @property
    def low(self) -> bool:
        return self.balance < self.low_at


def summary(tenant: Tenant, now: datetime) -> Summary:
    """``tenant`` comes with its plan."""
    mine = Wallet.objects.filter(pk=tenant.pk).first() or Wallet(tenant=tenant)
    spent = spent_since(tenant.pk, month_start(now))
    used = allowance.of_month(tenant, now)
    return Summary(mine.balance, mine.held, mine.low_at, spent, tenant.plan.slug, used)


def spent_since(tenant_id: UUID, at: datetime) -> int:
    """Credits for rounds and reservations since then; identifiers of entries are in the order of time."""
    first = UUID(int=int(at.timestamp() * 1000) << 80)
    rows = lines(tenant_id).order_by().filter(journal_id__gte=first, journal__kind__in=SPENDING)
    return max(0, -(rows.aggregate(total=Sum("amount"))["total"] or 0))


def lines(tenant_id: UUID, *, kind: str = "", before: int | None = None) -> QuerySet[Leg]:
    """The statement, newest first, each line with the balance after it."""
    rows = Leg.objects.select_related("journal").filter(tenant=tenant_id, account=Account.WALLET)
    if kind:
        rows = rows.filter(journal__kind=kind)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return rows.order_by("-id")


def as_csv(tenant_id: UUID, *, kind: str = "") -> Iterator[str]:
    """The whole statement, line by line."""
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    for leg in lines(tenant_id, kind=kind).iterator(chunk_size=1000):
        entry = leg.journal
        row = (leg.pk, entry.at.isoformat(), entry.kind, leg.amount, leg.after, plain(entry.note))
        yield writer.writerow((*row, plain(entry.actor)))


class Echo:
    """What csv.writer wants for a file; it hands each line through."""

    def write(self, line: str) -> str:
        return line


def plain(text: str) -> str:
    """Text that a spreadsheet shows and does not compute."""
    return "'" + text if text.startswith(FORMULA) else text
