"""What the leader knows of an action that a process holds: its place in the queue, and what it was granted."""

from dataclasses import dataclass, field

from market.action import Action
from market.wire import Granted, Waiting

FOREVER = 1 << 62  # the clearing sees no deadline: the leader ends actions at theirs, to the millisecond
UNKNOWN = -1  # the round it comes to first is the one it was submitted in


@dataclass(slots=True)
class Entry:
    """Times are Unix milliseconds here, and rounds inside of `action`."""

    id: str
    process: str
    action: Action
    deadline: int
    max_wait: int
    bundle: str
    api: bool
    stranger: bool = False
    asof: int = 0
    place: tuple[int, int] = (0, 0)  # in the queue, and rounds to wait, as of the last second
    given: list[tuple[int, int, Granted]] = field(default_factory=list)  # when, in which round, what

    def grant(self, granted: Granted, number: int, now: int) -> None:
        self.asof = number
        self.given.append((now, number, granted))


def entry(process: str, told: Waiting, number: int) -> Entry:
    """`number` is its place in the order of submission."""
    action = Action(
        number=number,
        account=told.tenant,
        service=told.service,
        need=told.need,
        left=told.left,
        submitted=UNKNOWN,
        deadline=FOREVER,
        max_wait=0,
        priority=told.priority,
        fallback=told.fallback,
        ceiling=told.ceiling,
        auto_bid=told.auto_bid,
        spent=told.spent,
        degraded=told.degraded,
    )
    deadline = told.deadline + (told.max_wait if told.degraded else 0)
    return Entry(
        told.id,
        process,
        action,
        deadline,
        told.max_wait,
        told.bundle,
        told.api,
        told.stranger,
        told.asof,
    )
