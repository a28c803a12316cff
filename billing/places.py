"""So many at once, shared fairly: nobody holds more places than are left free, and those who wait take turns by owner."""

import asyncio
import time
from collections import deque

Turn = asyncio.Future[None]


class Places:
    """Places of one event loop. Whoever has no name, the platform itself, is bound by their number alone.

    One owner alone gets half of them, two get a third each, and so on: what is free is there for who comes next, since
    nobody can be made to give a place back.
    """

    __slots__ = ("busy", "held", "most", "queues")

    def __init__(self, most: int) -> None:
        self.most = most
        self.busy = 0
        self.held: dict[str, int] = {}
        self.queues: dict[str, deque[Turn]] = {}  # by owner, who is next first

    @property
    def idle(self) -> bool:
        return not (self.busy or self.queues)

    async def take(self, owner: str, deadline: float) -> None:
        """A place, at the latest at ``deadline`` (time.monotonic()), else TimeoutError."""
        if owner not in self.queues and self.may(owner):
            return self.enter(owner)
        turn: Turn = asyncio.get_running_loop().create_future()
        self.queues.setdefault(owner, deque()).append(turn)
        async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
            try:
                await turn
            except asyncio.CancelledError:
                self.give_up(owner, turn)
                raise
        if time.monotonic() >= deadline:  # nothing can be done with it any more
            self.leave(owner)
            raise TimeoutError

    def leave(self, owner: str) -> None:
        self.busy -= 1
        self.held[owner] -= 1
        if not self.held[owner]:
            del self.held[owner]
        while self.queues and self.call_next():
            """One place may let several in, since it makes the share of each larger."""

    def may(self, owner: str) -> bool:
        free = self.most - self.busy
        return free > 0 and (not owner or self.held.get(owner, 0) < free)

    def enter(self, owner: str) -> None:
        self.busy += 1
        self.held[owner] = self.held.get(owner, 0) + 1

    def call_next(self) -> bool:
        """Give a place to the first owner who may have one; it goes to the end of the row."""
        for owner, queue in self.queues.items():
            if self.may(owner):
                turn = queue.popleft()
                del self.queues[owner]
                if queue:
                    self.queues[owner] = queue
                if not turn.done():  # else whoever waited is gone, and about to say so
                    self.enter(owner)
                    turn.set_result(None)
                return True
        return False

    def give_up(self, owner: str, turn: Turn) -> None:
        """Whoever waited is gone; a place that was given in the same moment is free again."""
        if not turn.cancelled():
            return self.leave(owner)
        queue = self.queues.get(owner)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self.queues[owner]
