"""Rounds and the database: what a round decides and what it costs are written in one transaction, once for each number.

A round is fenced by the leader's term and number: of two leaders only the later one writes, and no number twice.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from billing import plain, wallet, writing
from market import clearing, past, reservations, spend
from market.account import Account
from market.action import Action
from market.leading import Refund, Sums
from market.models import Leadership, Round, SpendLimit
from market.reservation import Reservation
from market.result import Queue, RoundResult
from market.turn import Payer, Turn, granted
from market.wire import Granted

CHUNK = 500
FEW = 500  # limits that are looked up at once, whoever bids
DETAILS = timedelta(hours=1)  # for which a round remembers what each action got
BIDDING = "SELECT tenant_id, bid_cap FROM market_bidding WHERE auto_bid AND tenant_id IN ({keys})"
COLUMNS = [field.name for field in Round._meta.concrete_fields if not field.primary_key]


class Deposed(Exception):
    """Somebody else leads by now."""


def clear(turn: Turn, term: int) -> RoundResult:
    """One bidding round, or a free one that draws from pools: decided, charged and written, all of it or nothing.

    A second try of the same number in the same term tells what the first one did.
    """
    with writing.first(), transaction.atomic():
        if not fenced(turn.number, term):
            return past.again(turn, stored(turn.number, term), settings.MARKET)
        accounts, held = parties(turn)
        queue = limited(turn, accounts)
        found = clearing.clear(turn.number, queue, accounts, held, settings.MARKET)
        if queue is not turn.queue:
            found = unlimited(found, turn)
        charge(turn, found)
        reservations.draw(found.drawn)
        write(turn, found, term)
    return found


def limited(turn: Turn, accounts: Mapping[str, Account]) -> Queue:
    """What a bundle may still spend this month is a ceiling beside the contract's."""
    bidding = [action for action in turn.queue.actions if action.may_bid(accounts[action.account].auto_bid)]
    known = askers({turn.payers[action.number] for action in bidding})
    rest = spend.remaining(known.values(), moment(turn.at)) if known else {}
    left = {payer: rest[asked] for payer, asked in known.items()}
    if all(one is None for one in left.values()):
        return turn.queue
    actions = tuple(below(one, left.get(turn.payers[one.number])) for one in turn.queue.actions)
    return replace(turn.queue, actions=actions)


def askers(payers: Iterable[Payer]) -> dict[Payer, spend.Asked]:
    """Those whose bundles have limits; few have, the others cost no more than this question."""
    some = SpendLimit.objects.values_list("pk", flat=True)
    limits = set(some[: FEW + 1])
    found = {payer: asked for payer in payers if (asked := asker(payer))}
    if len(limits) > FEW:
        ids = sorted({bundle for bundle, _ in found.values()})
        limits = {one for part in chunks(ids) for one in some.filter(pk__in=part)}
    return {payer: asked for payer, asked in found.items() if asked[0] in limits}


def asker(payer: Payer) -> spend.Asked | None:
    bundle = identifier(payer.bundle)
    return (bundle, payer.stranger) if bundle else None


def below(action: Action, left: int | None) -> Action:
    if left is None or (action.ceiling is not None and action.ceiling - action.spent <= left):
        return action
    return action._replace(ceiling=action.spent + left)


def unlimited(found: RoundResult, turn: Turn) -> RoundResult:
    """Their contracts' ceilings again: a bundle's limit may be another one in the next round."""
    ceilings = {action.number: action.ceiling for action in turn.queue.actions}
    changed = {number: one._replace(ceiling=ceilings[number]) for number, one in found.changed.items()}
    return replace(found, changed=changed)


def charge(turn: Turn, found: RoundResult) -> None:
    if not found.winners:
        return
    winners = [UUID(account) for account in found.winners]
    wallet.charge_all(f"round:{turn.number}", found.price, winners, f"round {turn.number}")
    booked = [(asker(turn.payers[number]), credits) for number, credits in found.booked.items()]
    charges = [spend.Charge(*payer, credits) for payer, credits in booked if payer]
    spend.spent(charges, moment(turn.at))


def settle(turn: Turn, term: int) -> RoundResult | None:
    """After a transaction of unknown end: its result; None when it was not written, which now it never will be."""
    with writing.first(), transaction.atomic():
        if fenced(turn.number, term):
            return None
        return past.again(turn, stored(turn.number, term), settings.MARKET)


def calm(turn: Turn, held: Iterable[Reservation]) -> RoundResult:
    """A free round, without the database; if it draws from a pool, `clear` has to decide it instead."""
    return clearing.clear(turn.number, turn.queue, {}, held, settings.MARKET)


def fenced(number: int, term: int) -> bool:
    """Compare and set; no other leader's round can begin before this transaction ends."""
    return Leadership.objects.filter(term=term, number__lt=number).update(number=number) == 1


def stored(number: int, term: int) -> Round:
    found = Round.objects.filter(number=number, term=term).first()
    if found is None or not Leadership.objects.filter(term=term, number=number).exists():
        raise Deposed(f"round {number} is not for the leader of term {term} to turn")
    return found


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def parties(turn: Turn) -> tuple[dict[str, Account], list[Reservation]]:
    """Who may bid, with what; and whose pools hold. Wallets are locked before reservations, here as everywhere."""
    waiting = {action.account for action in turn.queue.actions}
    tenants = [found for account in sorted(waiting) if (found := identifier(account)) is not None]
    at = moment(turn.at)
    rows = {tenant: cap for some in chunks(tenants) for tenant, cap in bidding(some)}
    reserved = reservations.holders(at, tenants)
    wallets = wallet.funds([one for one in tenants if one in rows or one in reserved])
    accounts = {account: Account(account) for account in waiting}
    for one, cap in rows.items():
        accounts[str(one)] = Account(str(one), wallets[one].balance, True, cap)
    held = reservations.locked(at, reserved, turn.number) if reserved else []
    return accounts, held


def identifier(account: str) -> UUID | None:
    try:
        return UUID(account)
    except ValueError:
        return None


def chunks(tenants: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(tenants), CHUNK):
        yield tenants[start : start + CHUNK]


def bidding(tenants: Sequence[UUID]) -> Iterable[tuple[UUID, int]]:
    return ((tenant, cap) for tenant, (cap,) in plain.rows(BIDDING, tenants).items())


def write(turn: Turn, found: RoundResult, term: int) -> None:
    """Over the sums of its second, should a clock that was put back have written those before."""
    row = row_of(turn, found, term)
    Round.objects.bulk_create([row], update_conflicts=True, unique_fields=["number"], update_fields=COLUMNS)


def row_of(turn: Turn, found: RoundResult, term: int) -> Round:
    given, paid = granted(found, turn.ids), holders(turn, found)
    return Round(
        number=turn.number,
        at=moment(turn.at),
        price=found.price,
        pressure=found.pressure,
        bidders=len(found.bids),
        winners=len(found.winners),
        reserved=len(found.drawn),
        free_entries=sum(one.source in past.FREE for one in found.served),
        revenue=found.revenue,
        cu_used=sum(one.cu for one in found.served),
        term=term,
        bids=dict(found.bids),
        won=list(found.winners),
        drawn=drawn(turn, found),
        served=[[*one, *paid.get(one.id, ())] if one.charged else list(one) for one in given],
        ended=[[turn.ids[number], fate] for number, fate in found.ended.items() if fate != "done"],
    )


def holders(turn: Turn, found: RoundResult) -> dict[str, tuple[str, str, str, bool]]:
    """Who has to be paid back if its process goes with its leader: process, tenant, bundle, whether a stranger."""
    accounts = {
        action.number: action.account for action in turn.queue.actions if action.number in found.booked
    }
    return {
        turn.ids[number]: (turn.holders[number], account, *turn.payers[number])
        for number, account in accounts.items()
        if number in turn.holders
    }


def drawn(turn: Turn, found: RoundResult) -> dict[str, int]:
    """For receipts: the CU that each account took from its pool."""
    if not found.drawn:
        return {}
    accounts = {action.number: action.account for action in turn.queue.actions}
    sums: Counter[str] = Counter()
    for one in found.served:
        if one.source == "reserved":
            sums[accounts[one.number]] += one.cu
    return dict(sums)


def note(sums: Sums, term: int) -> None:
    """A second of free rounds; added to its stored round, when it had one (R38)."""
    if not (sums.entries or sums.pressure):
        return
    row, made = Round.objects.get_or_create(
        number=sums.number,
        defaults={
            "at": moment(sums.at),
            "pressure": sums.pressure,
            "free_entries": sums.entries,
            "cu_used": sums.cu,
            "term": term,
        },
    )
    if not made:
        Round.objects.filter(pk=row.pk).update(
            free_entries=F("free_entries") + sums.entries, cu_used=F("cu_used") + sums.cu
        )


def refund(gone: Refund) -> bool:
    """Once for each action (R22)."""
    tenant = identifier(gone.tenant)
    if tenant is None:
        return False
    note = f"{gone.id} was lost with the process that ran it"
    with transaction.atomic():
        if not wallet.refund(tenant, gone.credits, key=f"refund:{gone.id}", note=note):
            return False
        if (bundle := identifier(gone.payer.bundle)) is not None:
            spend.unspent(spend.Charge(bundle, gone.payer.stranger, gone.credits), timezone.now())
    return True


def before(ids: Iterable[str], since: int) -> dict[str, list[Granted]]:
    """What actions were granted in stored rounds from this number on, for those that start anew."""
    wanted = set(ids)
    found: dict[str, list[Granted]] = {id: [] for id in wanted}
    for served in Round.objects.filter(number__gte=since).values_list("served", flat=True).iterator(50):
        for one in served:
            if one[0] in wanted:
                found[one[0]].append(Granted(*one[:4]))
    return found


def tidy(now: datetime) -> None:
    """What each action got is forgotten soon, the round itself after the retention."""
    old = Round.objects.filter(at__range=(now - 3 * DETAILS, now - DETAILS)).exclude(served=[], ended=[])
    Round.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:CHUNK])).update(served=[], ended=[])
    gone = Round.objects.filter(at__lt=now - timedelta(days=settings.RETENTION_DAYS))
    Round.objects.filter(pk__in=list(gone.values_list("pk", flat=True)[:CHUNK])).delete()
