"""A stored round read again: as the result it was, and as what a new leader has to know of it."""

from dataclasses import replace
from typing import Any, Protocol, cast

from market import fallback
from market.action import Action
from market.debts import of_row
from market.fallback import Ending
from market.result import Queue, RoundResult, Served, Source
from market.rules import Settings
from market.turn import Past, Turn, by_id
from market.wire import Granted

FREE = ("free", "aged", "unsold")


class Row(Protocol):
    """A market.models.Round."""

    number: int
    price: int
    pressure: int
    winners: int
    bids: Any
    won: Any
    served: Any
    ended: Any


def past(row: Row, rules: Settings) -> Past:
    served, contended = by_id([Granted(*one[:4]) for one in row.served]), row.pressure > rules.threshold
    return Past(
        row.number, row.price, served, dict(row.ended), used(row, rules), contended, of_row(row.served)
    )


def used(row: Row, rules: Settings) -> int | None:
    """CU that winners and reserved used, if it was sold out (R17)."""
    if row.winners < rules.slots or not row.price:
        return None
    cus: list[int] = [cu for _, cu, source, *_ in row.served if source in ("won", "reserved")]
    return sum(cus)


def again(turn: Turn, row: Row, rules: Settings) -> RoundResult:
    """What the first try of this very round decided."""
    numbers = {id: number for number, id in turn.ids.items()}
    served = [
        (numbers[id], cu, source, charged) for id, cu, source, charged, *_ in row.served if id in numbers
    ]
    found = RoundResult(
        turn.number,
        row.price,
        row.pressure,
        Queue(used=used(row, rules)),
        bids=dict(row.bids),
        winners=tuple(row.won),
        booked={number: charged for number, _, _, charged in served if charged},
        served=tuple(Served(number, cu, cast(Source, source)) for number, cu, source, _ in served),
        ended={numbers[id]: cast(Ending, fate) for id, fate in row.ended if id in numbers},
    )
    return closed(found, turn, rules)


def closed(found: RoundResult, turn: Turn, rules: Settings) -> RoundResult:
    """The queue after it, as the clearing leaves it."""
    got: dict[int, int] = {}
    for one in found.served:
        got[one.number] = got.get(one.number, 0) + one.cu
    changed, ended, kept = {}, dict(found.ended), []
    for action in turn.queue.actions:
        after = outcome(found, action, got.get(action.number, 0), rules)
        if after is not action:
            changed[action.number] = after
        if not after.left:
            ended[action.number] = "done"
        if action.number not in ended:
            kept.append(after)
    free = {one.number for one in found.served if one.source in FREE}
    since = dict(turn.queue.since)
    for action in turn.queue.actions:
        if action.number in free or action.instance not in since:
            since[action.instance] = found.number
    since = {instance: since[instance] for instance in {one.instance for one in kept}}
    queue = Queue(tuple(kept), since, found.queue.used)
    return replace(found, queue=queue, changed=changed, ended=ended)


def outcome(found: RoundResult, action: Action, cu: int, rules: Settings) -> Action:
    if cu:
        return action.after(action.left - cu, found.booked.get(action.number, 0))
    if action.fallback != "retry" or action.wake > found.number:
        return action
    fate = fallback.missed(action, found.number, rules.backoff_max)
    return fate if isinstance(fate, Action) else action
