"""Where an action stands in the queue, and in how many rounds it is likely to be done."""

from collections import defaultdict
from collections.abc import Collection, Iterator

from market import estimate
from market.action import Action, Instance
from market.order import ordered
from market.result import RoundResult
from market.rules import Settings

FREE = ("free", "aged", "unsold")


def per_round(last: RoundResult | None, rules: Settings) -> int | None:
    """Free entries that a round has for all; None while the price is 0, when each instance has its own."""
    if last is None or last.pressure <= rules.threshold:
        return None
    return max(1, rules.free_lane, sum(one.source in FREE for one in last.served))


def places(
    waiting: Collection[Action], now: int, rules: Settings, entries: int | None
) -> Iterator[tuple[int, int, int]]:
    """Number of the action, position from 1, rounds: of an action that pays nothing, its back-off included."""
    before: defaultdict[Instance, int] = defaultdict(int)
    instances = len({action.instance for action in waiting})
    slow = 1 if entries is None else -(-instances // entries)
    for position, action in enumerate(ordered(waiting, now, rules.aging_rounds), start=1):
        before[action.instance] += estimate.count(action.left, rules.free_cu)
        yield action.number, position, before[action.instance] * slow + max(0, action.wake - now)
