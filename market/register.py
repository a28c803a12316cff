"""The actions that the leader knows, and the processes that hold them; a process is the truth for its own."""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

from market import fallback
from market.action import Action
from market.entry import UNKNOWN, Entry, entry
from market.wire import GONE_S, Waiting

COUNTER = 20  # bits that tell actions of one millisecond apart


class Register:
    """`waiting` holds what still needs compute, by number; `entries` also what is at work with what it got."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.waiting: dict[int, Entry] = {}
        self.heard: dict[str, int] = {}  # process -> when
        self._deadlines: list[tuple[int, int]] = []
        self._count = 0

    def add(self, process: str, told: Waiting, now: int) -> Entry:
        added = entry(process, told, self._number(min(told.submitted, now)))
        self.entries[added.id] = added
        self.place(added)
        return added

    def _number(self, submitted: int) -> int:
        """The older one is smaller, whichever process holds it and whoever leads (R6)."""
        while True:
            self._count = (self._count + 1) % (1 << COUNTER)
            number = (submitted << COUNTER) + self._count
            if number not in self.waiting:
                return number

    def place(self, one: Entry) -> None:
        """Into the queue, when it still needs something."""
        if one.action.left:
            self.waiting[one.action.number] = one
            heappush(self._deadlines, (one.deadline, one.action.number))

    def extend(self, one: Entry, need: int, left: int) -> None:
        """It needs more than it was thought to; it keeps its age."""
        if need > one.action.need and not one.action.left:
            one.action = one.action._replace(need=need, left=left)
            self.place(one)

    def update(self, one: Entry, action: Action) -> None:
        one.action = action
        if not action.left:
            self.waiting.pop(action.number, None)

    def remove(self, id: str) -> Entry | None:
        gone = self.entries.pop(id, None)
        if gone is not None:
            self.waiting.pop(gone.action.number, None)
        return gone

    def overdue(self, now: int, free_cu: int) -> Iterator[tuple[Entry, str]]:
        """Those whose deadline is here: "failed", "expired", or "degraded", which goes on (R28, R32)."""
        while self._deadlines and self._deadlines[0][0] <= now:
            deadline, number = heappop(self._deadlines)
            one = self.waiting.get(number)
            if one is None or one.deadline != deadline:
                continue
            fate = fallback.overdue(one.action, free_cu)
            if isinstance(fate, str):
                self.remove(one.id)
                yield one, fate
            else:
                one.action = replace_deadline(fate, one.action)
                one.deadline = max(deadline + one.max_wait, now + 1)
                heappush(self._deadlines, (one.deadline, number))
                yield one, "degraded"

    def next_deadline(self) -> int | None:
        while self._deadlines:
            deadline, number = self._deadlines[0]
            one = self.waiting.get(number)
            if one is not None and one.deadline == deadline:
                return deadline
            heappop(self._deadlines)
        return None

    def silent(self, now: int) -> list[str]:
        """Processes that were not heard of for too long."""
        return [process for process, heard in self.heard.items() if now - heard > GONE_S * 1000]

    def leave(self, process: str) -> list[Entry]:
        """A process is gone, and what it held with it."""
        self.heard.pop(process, None)
        held = [one for one in self.entries.values() if one.process == process]
        for one in held:
            self.remove(one.id)
        return held


def replace_deadline(fate: Action, before: Action) -> Action:
    return fate._replace(deadline=before.deadline)


def arrived(actions: Iterable[Entry], number: int, seconds_ms: int) -> None:
    """An action belongs to the first round that it takes part in, unless it is older than its leader."""
    for one in actions:
        if one.action.submitted == UNKNOWN:
            submitted = one.action.number >> COUNTER
            one.action = one.action._replace(submitted=min(number, -(-submitted // seconds_ms)))
