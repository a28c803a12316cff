"""The checker of the ledger: what is written down against what wallets say (R36)."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max, Sum

from billing.models import Account, Journal, Leg, Wallet

Sums = dict[UUID, dict[str, int]]


def check() -> list[str]:
    """Everything that does not add up, in words; an empty list is what it should be."""
    with one_moment():
        return [*unbalanced(), *wallets(), *statements(), *together()]


@contextmanager
def one_moment() -> Iterator[None]:
    """All readings are of one moment, whoever posts meanwhile."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost and connection.vendor == "postgresql":
            connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def unbalanced() -> Iterator[str]:
    sums = Leg.objects.order_by().values("journal").annotate(total=Sum("amount")).exclude(total=0)
    keys = dict(Journal.objects.filter(pk__in=[row["journal"] for row in sums]).values_list("pk", "key"))
    for row in sums:
        yield f"The legs of {keys[row['journal']]} sum to {row['total']}, not 0."


def wallets() -> Iterator[str]:
    """Each wallet against its legs; what a deleted tenant had must have gone."""
    owed = owned()
    for pk, balance, held in Wallet.objects.values_list("pk", "balance", "held"):
        legs = owed.pop(pk, {})
        for account, says in ((Account.WALLET, balance), (Account.ESCROW, held)):
            if says != legs.get(account, 0):
                yield f"The {account} of {pk} says {says}, its legs sum to {legs.get(account, 0)}."
            if says < 0:
                yield f"The {account} of {pk} is negative: {says}."
    for pk, legs in owed.items():
        yield from (
            f"The {account} of {pk} is gone with {total}." for account, total in legs.items() if total
        )


def owned() -> Sums:
    """What legs sum to, for each tenant's wallet and escrow."""
    found: Sums = defaultdict(dict)
    rows = Leg.objects.order_by().filter(account__in=(Account.WALLET, Account.ESCROW))
    for row in rows.values("tenant_id", "account").annotate(total=Sum("amount")):
        found[row["tenant_id"]][row["account"]] = row["total"]
    return found


def statements() -> Iterator[str]:
    """The last line of each statement says what its wallet says."""
    rows = Leg.objects.order_by().filter(account=Account.WALLET)
    last = [row["last"] for row in rows.values("tenant_id").annotate(last=Max("id"))]
    balances = dict(Wallet.objects.values_list("pk", "balance"))
    for start in range(0, len(last), 500):
        for leg in Leg.objects.filter(pk__in=last[start : start + 500]):
            if leg.tenant_id and leg.after != balances.get(leg.tenant_id, 0):
                yield f"The statement of {leg.tenant_id} ends with {leg.after}."


def together() -> Iterator[str]:
    """Σ balances + escrow + revenue = Σ purchases + grants."""
    rows = Wallet.objects.aggregate(balance=Sum("balance"), held=Sum("held"))
    sums = dict(Leg.objects.order_by().values_list("account").annotate(total=Sum("amount")))
    kept = (rows["balance"] or 0) + (rows["held"] or 0) + sums.get(Account.REVENUE, 0)
    given = -(sums.get(Account.PURCHASES, 0) + sums.get(Account.GRANTS, 0))
    if kept != given:
        yield f"Wallets, escrow and revenue hold {kept}; {given} were bought and granted."
