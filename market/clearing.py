"""One round: who is served, from what, at which price; without clock, chance, input or output (R37)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from market import bids, estimate, fallback, pricing, reservation
from market.account import Account
from market.action import Action, Instance
from market.fallback import Ending
from market.reservation import Reservation
from market.result import Queue, RoundResult
from market.robin import share
from market.rules import Settings
from market.workbench import Workbench


def clear(
    now: int,
    pending: Queue,
    accounts: Mapping[str, Account],
    reservations: Iterable[Reservation],
    settings: Settings,
) -> RoundResult:
    """Round `now`, from what waits at its start; nothing that is given is changed."""
    ended: dict[int, Ending] = {}
    alive = at_deadlines(now, pending.actions, settings.free_cu, ended)
    since = busy(now, alive, pending.since)
    present = [action for action in alive if action.wake <= now]
    pressed = pressure(present, settings)
    bench = Workbench(present, now, settings, since=since)
    held = reservation.usable(reservations, now)
    if pressed > settings.threshold:
        found = auction(bench, accounts, held, lane(pending, settings))
    else:
        found = free_round(bench, held)
    found = replace(found, pressure=pressed, served=tuple(bench.served))
    return closed(found, alive, bench, ended)


def at_deadlines(now: int, actions: Iterable[Action], free_cu: int, ended: dict[int, Ending]) -> list[Action]:
    """Those who go on; a deadline that is reached comes before the round (R28)."""
    alive = []
    for action in actions:
        if action.deadline > now:
            alive.append(action)
        elif isinstance(fate := fallback.overdue(action, free_cu), str):
            ended[action.number] = fate
        else:
            alive.append(fate)
    return alive


def busy(now: int, alive: Iterable[Action], before: Mapping[Instance, int]) -> dict[Instance, int]:
    """An instance that becomes busy counts from this round (R8)."""
    return {instance: before.get(instance, now) for instance in {action.instance for action in alive}}


def pressure(present: Iterable[Action], settings: Settings) -> int:
    """Waiting entries of all accounts, of each at most so many as may count (R10)."""
    free_cu, most = settings.free_cu, settings.tenant_pressure_cap
    if not most:
        return sum(estimate.count(action.left, free_cu) for action in present)
    counts: dict[str, int] = {}
    for action in present:
        counts[action.account] = counts.get(action.account, 0) + estimate.count(action.left, free_cu)
    return sum(min(count, most) for count in counts.values())


def lane(pending: Queue, settings: Settings) -> int:
    """Free entries before the auction; more after a sold-out round that did not use what it bought (R17)."""
    if not settings.free_lane or pending.used is None:
        return settings.free_lane
    return max(settings.free_lane, (settings.capacity - pending.used) // settings.free_cu)


def free_round(bench: Workbench, held: Mapping[str, Reservation]) -> RoundResult:
    """Everybody's 100 CU, then the pools (R11)."""
    share(bench, bench.line, "free")
    return RoundResult(bench.now, 0, 0, Queue(), drawn=draw(bench, held))


def draw(bench: Workbench, held: Mapping[str, Reservation]) -> dict[int, int]:
    """What reserved accounts take from their pools (R23); accounts in the order of their ids."""
    taken = {
        held[account].key: bench.spend(bench.of(account), held[account].pool, "reserved")
        for account in sorted(held)
    }
    return {key: cu for key, cu in taken.items() if cu}


def auction(
    bench: Workbench, accounts: Mapping[str, Account], held: Mapping[str, Reservation], entries: int
) -> RoundResult:
    """Reserved accounts, the free lane, the winners, and what stays unsold (R12 to R18, R23)."""
    drawn = draw(bench, held)
    share(bench, [one for one in bench.line if one.submitted < bench.now], "aged", entries=entries)
    waiting = {name: own for name, own in bench.waiting().items() if name not in held}
    offered = bids.collect(waiting, accounts)
    price = pricing.clearing_price(offered.values(), bench.settings.slots)
    won = pricing.winners(offered, price, bench.settings.slots, ranks(bench, waiting, offered, price))
    booked = grant(bench, waiting, won, price)
    sold_out = len(won) >= bench.settings.slots
    if not sold_out:
        unsold(bench, offered)
    used = bench.used("won", "reserved") if sold_out else None
    return RoundResult(bench.now, price, 0, Queue(used=used), offered, tuple(won), booked, drawn)


def ranks(
    bench: Workbench, waiting: Mapping[str, list[Action]], offered: Mapping[str, int], price: int
) -> dict[str, int]:
    """Where the lead actions of those who are just at the price stand: class, then age (R13)."""
    return {
        account: bench.rank[bids.lead(waiting[account], price).number]
        for account in pricing.tied(offered, price)
    }


def grant(
    bench: Workbench, waiting: Mapping[str, list[Action]], won: Iterable[str], price: int
) -> dict[int, int]:
    """Each winner's compute goes to its lead action, then to its others; the payment is the lead's (R16, R20)."""
    booked = {}
    for account in won:
        first = bids.lead(waiting[account], price)
        others = (action for action in waiting[account] if action is not first)
        bench.spend([first, *others], price * bench.settings.cu_per_credit, "won")
        booked[first.number] = price
    return booked


def unsold(bench: Workbench, offered: Mapping[str, int]) -> None:
    """Capacity that nobody bought is free for those who did not bid (R18)."""
    rest = bench.settings.capacity - bench.used("won", "reserved", "aged")
    others = [action for action in bench.line if action.account not in offered]
    share(bench, others, "unsold", entries=max(0, rest) // bench.settings.free_cu)


def closed(
    found: RoundResult, alive: Iterable[Action], bench: Workbench, ended: dict[int, Ending]
) -> RoundResult:
    """The queue after the round: what is done or given up is gone from it."""
    changed: dict[int, Action] = {}
    kept = []
    for action in alive:
        after, fate = outcome(found, action, bench)
        if after is not action or after.degraded:
            changed[action.number] = after
        if fate:
            ended[action.number] = fate
        else:
            kept.append(after)
    since = {instance: bench.since[instance] for instance in {one.instance for one in kept}}
    queue = Queue(tuple(kept), since, found.queue.used)
    return replace(found, queue=queue, ended=ended, changed=changed)


def outcome(found: RoundResult, action: Action, bench: Workbench) -> tuple[Action, Ending | None]:
    left = bench.left.get(action.number)
    if left is None:
        return action, None  # in its back-off
    if left < action.left:
        after = action.after(left, found.booked.get(action.number, 0))
        return after, None if left else "done"
    if action.fallback == "queue":
        return action, None
    fate = fallback.missed(action, bench.now, bench.settings.backoff_max)
    return (action, fate) if isinstance(fate, str) else (fate, None)
