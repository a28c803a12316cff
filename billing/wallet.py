"""The only writer of wallets: every change is an entry of the ledger, made once for its key (R22, R36).

All of it happens in the caller's transaction. Rows are locked in one helper, ordered by their key.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from billing import plain, reckoning
from billing.credits import checked
from billing.models import Account, Journal, Tenant, Wallet
from billing.models.ledger import OWNED
from billing.models.wallet import MOST as FULL

CHUNK = 500  # rows of one statement
FUNDS = "SELECT tenant_id, balance, held FROM billing_wallet WHERE tenant_id IN ({keys}) ORDER BY tenant_id"
PAY = "UPDATE billing_wallet SET balance = balance - %s WHERE balance >= %s AND tenant_id IN ({keys})"
INSERT = "INSERT INTO billing_leg (journal_id, account, tenant_id, amount, after) VALUES "
Owner = tuple[str, UUID | None]  # an account, and whose it is
Entry = tuple[str, UUID | None, int]  # the same, with an amount and its sign


class Insufficient(Exception):
    """A wallet or what is held for its owner does not have that much; nothing was changed."""

    def __init__(self, tenant_id: UUID, needed: int, there: int) -> None:
        super().__init__(f"{needed:,} credits are needed, {there:,} are there.")
        self.tenant_id, self.needed, self.there = tenant_id, needed, there


class Gone(Exception):
    """The tenant was deleted; there is no wallet for it any more."""


class Moves(NamedTuple):
    balance: int
    held: int


def lock(tenant_ids: Iterable[UUID]) -> dict[UUID, Wallet]:
    """The wallets, locked until the transaction ends and made where missing; always in the same order.

    A tenant that was deleted has none.
    """
    in_transaction()
    found: dict[UUID, Wallet] = {}
    for some in chunks(sorted(set(tenant_ids))):
        found |= locked(some)
        missing = [tenant_id for tenant_id in some if tenant_id not in found]
        if missing:
            living = Tenant.objects.filter(pk__in=missing).values_list("pk", flat=True)
            now = timezone.now()  # empty from the start, so nobody is told that it became so
            fresh = [Wallet(tenant_id=one, warned=now) for one in living]
            Wallet.objects.bulk_create(fresh, ignore_conflicts=True)
            found |= locked(some)
    return found


def every(tenant_ids: Iterable[UUID]) -> dict[UUID, Wallet]:
    """``lock``; Gone unless all of them are there."""
    wanted = set(tenant_ids)
    found = lock(wanted)
    gone = sorted(wanted - set(found))
    if gone:
        raise Gone(f"There is no tenant {gone[0]}.")
    return found


def locked(some: Sequence[UUID]) -> dict[UUID, Wallet]:
    rows = Wallet.objects.select_for_update().filter(pk__in=some).order_by("pk")
    return {wallet.pk: wallet for wallet in rows}


def chunks(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def post(key: str, kind: str, legs: Sequence[Entry], *, note: str = "", actor: str = "") -> bool:
    """Write one event down and move its credits; False when this key was posted before, and nothing is done.

    Insufficient when a wallet, or what is held for a tenant, would become negative.
    """
    moves = summed(checked_legs(legs))
    wallets = every(moves)
    if not affordable(key, wallets, moves):
        return False
    journal = begun(key, kind, note=note, actor=actor)
    if journal is None:
        return False
    after = {tenant_id: moved(wallets[tenant_id], moves[tenant_id]) for tenant_id in sorted(moves)}
    write(journal, legs, after)
    return True


def funds(ids: Sequence[UUID]) -> dict[UUID, Moves]:
    """Balance and escrow of wallets, which are locked; ``ids`` in their order."""
    in_transaction()
    found: dict[UUID, Moves] = {}
    for some in chunks(ids):
        found |= {pk: Moves(*both) for pk, both in plain.rows(FUNDS + plain.locking(), some).items()}
    if len(found) < len(ids):
        found = {pk: Moves(wallet.balance, wallet.held) for pk, wallet in every(ids).items()}
    return found


def affordable(key: str, wallets: Mapping[UUID, "Wallet | Moves"], moves: dict[UUID, Moves]) -> bool:
    """Insufficient before anything is written; False when the event is an old one, which was paid then."""
    for tenant_id in sorted(moves):
        there, move = wallets[tenant_id], moves[tenant_id]
        for has, moved in ((there.balance, move.balance), (there.held, move.held)):
            if has + moved < 0:
                if Journal.objects.filter(key=key).exists():
                    return False
                raise Insufficient(tenant_id, -moved, has)
            if has + moved > FULL:
                raise ValueError(f"credits: a wallet holds at most {FULL:,}.")
    return True


def checked_legs(legs: Sequence[Entry]) -> Sequence[Entry]:
    for account, tenant_id, amount in legs:
        checked(abs(amount) if type(amount) is int else amount)
        if Account(account) in OWNED and tenant_id is None:
            raise ValueError(f"{account}: whose?")
    if len(legs) < 2 or sum(leg[2] for leg in legs) != 0:
        raise ValueError("The legs of an entry sum to 0.")
    return legs


def summed(legs: Sequence[Entry]) -> dict[UUID, Moves]:
    """What changes in each wallet's row."""
    found: dict[UUID, Moves] = defaultdict(lambda: Moves(0, 0))
    for account, tenant_id, amount in legs:
        if tenant_id is not None and account == Account.WALLET:
            found[tenant_id] = found[tenant_id]._replace(balance=found[tenant_id].balance + amount)
        elif tenant_id is not None and account == Account.ESCROW:
            found[tenant_id] = found[tenant_id]._replace(held=found[tenant_id].held + amount)
    return dict(found)


def begun(key: str, kind: str, *, note: str, actor: str) -> Journal | None:
    """The event's row; None when its key is there. Who comes at the same moment waits for the other's end."""
    if not (0 < len(key) <= 200):
        raise ValueError("key: between 1 and 200 characters.")
    journal = Journal(key=key, kind=kind[:20], note=note[:500], actor=actor[:200])
    Journal.objects.bulk_create([journal], ignore_conflicts=True)
    return journal if Journal.objects.filter(pk=journal.pk).exists() else None


def moved(wallet: Wallet, move: Moves) -> int:
    """The balance afterwards. The row is locked; the condition holds where locks are unknown."""
    balance, held = wallet.balance + move.balance, wallet.held + move.held
    rows = Wallet.objects.filter(pk=wallet.pk, balance=wallet.balance, held=wallet.held)
    warned = None if balance >= wallet.low_at else wallet.warned  # high again: the next fall is told again
    if rows.update(balance=balance, held=held, warned=warned) != 1:
        raise TransactionManagementError("A wallet changed although it was locked.")
    wallet.balance, wallet.held = balance, held
    return balance


def write(journal: Journal, legs: Sequence[Entry], after: dict[UUID, int]) -> None:
    """The legs in one statement for each CHUNK; objects for each of 200 winners cost more than the rows."""
    event = plain.kept(journal.pk)
    owners = sorted({one for _, one, _ in legs if one})
    known: dict[UUID | None, Any] = {None: None, **dict(zip(owners, plain.all_kept(owners), strict=True))}
    rows = [
        (
            event,
            str(account),
            known[one],
            amount,
            after.get(one) if one and account == Account.WALLET else None,
        )
        for account, one, amount in legs
    ]
    with connection.cursor() as cursor:
        for start in range(0, len(rows), CHUNK):
            some = rows[start : start + CHUNK]
            values = ", ".join(["(%s, %s, %s, %s, %s)"] * len(some))
            cursor.execute(INSERT + values, [value for row in some for value in row])


def in_transaction() -> None:
    if not connection.in_atomic_block:
        raise TransactionManagementError("Credits move within a transaction.")


def move(
    key: str, kind: str, credits: int, *, source: Owner, target: Owner, note: str = "", actor: str = ""
) -> bool:
    """Credits go from one account to another, in a transaction of its own or within the caller's."""
    amount = checked(credits)
    with transaction.atomic():
        return post(key, kind, [(*source, -amount), (*target, amount)], note=note, actor=actor)


def grant(tenant_id: UUID, credits: int, *, key: str, note: str, actor: str = "") -> bool:
    """The operator gives credits, for a reason."""
    given, to = (Account.GRANTS, tenant_id), (Account.WALLET, tenant_id)
    return move(key, "grant", credits, source=given, target=to, note=reason(note), actor=actor)


def take(tenant_id: UUID, credits: int, *, key: str, note: str, actor: str = "") -> bool:
    """The operator takes credits back, for a reason; never more than there are."""
    mine, back = (Account.WALLET, tenant_id), (Account.GRANTS, tenant_id)
    return move(key, "take", credits, source=mine, target=back, note=reason(note), actor=actor)


def reason(note: str) -> str:
    if not note.strip():
        raise ValueError("reason: say why, it is written down.")
    return note.strip()


def purchase(tenant_id: UUID, credits: int, *, key: str, note: str = "", actor: str = "") -> bool:
    """Credits that were paid for."""
    paid, to = (Account.PURCHASES, tenant_id), (Account.WALLET, tenant_id)
    return move(key, "purchase", credits, source=paid, target=to, note=note, actor=actor)


def open_for(tenant: Tenant) -> bool:
    """A wallet with the plan's starter credits; once in a tenant's life."""
    credits, to = tenant.plan.starter_credits, (Account.WALLET, tenant.pk)
    with transaction.atomic():
        lock([tenant.pk])
        return credits > 0 and move(
            f"starter:{tenant.pk}",
            "starter",
            credits,
            source=(Account.GRANTS, tenant.pk),
            target=to,
            note=tenant.plan.name,
        )


def charge_all(key: str, price: int, tenant_ids: Iterable[UUID], note: str = "") -> bool:
    """All winners of a round pay the same price, or nobody does; one statement for all wallets (R14, R22)."""
    checked(price, "price")
    ids = sorted(set(tenant_ids))
    there = funds(ids)
    if not affordable(key, there, dict.fromkeys(ids, Moves(-price, 0))):
        return False
    journal = begun(key, "round", note=note, actor="")
    if journal is None:
        return False
    paid = sum(plain.change(PAY, [price, price], some) for some in chunks(ids))
    if paid != len(ids):
        raise TransactionManagementError("A wallet changed although it was locked.")
    if ids:
        after = {tenant_id: there[tenant_id].balance - price for tenant_id in ids}
        legs: list[Entry] = [(Account.WALLET, tenant_id, -price) for tenant_id in ids]
        write(journal, [*legs, (Account.REVENUE, None, price * len(ids))], after)
    return True


def hold(tenant_id: UUID, credits: int, *, key: str, note: str = "", actor: str = "") -> bool:
    """From the wallet into escrow: a reservation was made."""
    mine, held = (Account.WALLET, tenant_id), (Account.ESCROW, tenant_id)
    return move(key, "hold", credits, source=mine, target=held, note=note, actor=actor)


def release(tenant_id: UUID, credits: int, *, key: str, note: str = "", actor: str = "") -> bool:
    """From escrow back into the wallet: a reservation was cancelled."""
    held, mine = (Account.ESCROW, tenant_id), (Account.WALLET, tenant_id)
    return move(key, "release", credits, source=held, target=mine, note=note, actor=actor)


def earn(credits: int, *, key: str, tenant_id: UUID, note: str = "") -> bool:
    """What was held becomes revenue: a reservation's window began (R25)."""
    held = (Account.ESCROW, tenant_id)
    return move(key, "earn", credits, source=held, target=(Account.REVENUE, None), note=note)


def refund(tenant_id: UUID, credits: int, *, key: str, note: str) -> bool:
    """A charge is reversed: the platform, not the tenant's code, was at fault (R22)."""
    mine = (Account.WALLET, tenant_id)
    return move(key, "refund", credits, source=(Account.REVENUE, None), target=mine, note=reason(note))


def close(tenant_id: UUID, *, actor: str = "") -> bool:
    """A tenant goes: what it has left lapses. Its entries stay."""
    with transaction.atomic():
        mine = lock([tenant_id])[tenant_id]
        owned = ((Account.WALLET, mine.balance), (Account.ESCROW, mine.held))
        legs: list[Entry] = [(account, tenant_id, -amount) for account, amount in owned if amount]
        lapsed = mine.balance + mine.held
        if not lapsed:
            return False
        return post(f"closed:{tenant_id}", "closed", [*legs, (Account.REVENUE, None, lapsed)], actor=actor)


def balances(tenant_ids: Iterable[UUID]) -> dict[UUID, int]:
    """What each has to spend; 0 for one without a wallet."""
    ids = list(set(tenant_ids))
    found = dict.fromkeys(ids, 0)
    for some in chunks(ids):
        found |= dict(Wallet.objects.filter(pk__in=some).values_list("pk", "balance"))
    return found


def check() -> list[str]:
    """What does not add up, in words (billing/reckoning.py)."""
    return reckoning.check()
