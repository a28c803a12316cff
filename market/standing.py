"""What of the queue is told to those who look: each tenant's own actions, the first of its line first."""

from collections.abc import Iterable

from market import estimate, wire
from market.entry import Entry
from market.register import COUNTER, Register
from market.wire import Standing

MOST = 20  # actions told of one tenant
MOST_TENANTS = 1_000


def answer(register: Register, tenants: Iterable[object], free_cu: int) -> bytes:
    wanted: dict[str, list[Entry]] = {str(tenant): [] for tenant in list(tenants)[:MOST_TENANTS]}
    for one in register.waiting.values():
        if (mine := wanted.get(one.action.account)) is not None:
            mine.append(one)
    waiting = {tenant: sums(entries, free_cu) for tenant, entries in wanted.items()}
    return wire.lines({tenant: first(entries) for tenant, entries in wanted.items()}, waiting)


def sums(entries: list[Entry], free_cu: int) -> tuple[int, int]:
    return len(entries), sum(estimate.count(one.action.left, free_cu) for one in entries)


def first(entries: list[Entry]) -> list[Standing]:
    """Those without a place yet came within this second: they are behind the others."""
    line = sorted(entries, key=lambda one: (one.place[0] or 1 << 62, one.action.number))
    return [standing(one) for one in line[:MOST]]


def standing(one: Entry) -> Standing:
    action = one.action
    position, rounds = one.place
    return Standing(
        id=one.id,
        service=action.service,
        need=action.need,
        left=action.left,
        submitted=action.number >> COUNTER,
        deadline=one.deadline,
        priority=action.priority,
        position=position,
        rounds=rounds,
        spent=action.spent,
        degraded=action.degraded,
    )
