"""An action that a process holds in the shared queue: what it was granted so far, and what became of it."""

import asyncio
from typing import Literal

from market.wire import Granted, Waiting

Ending = Literal["failed", "expired"]
REASONS = {"failed": "no_capacity", "expired": "queue_timeout"}


class Denied(Exception):
    """It will not be served (R29 to R32): `reason` is no_capacity or queue_timeout."""

    def __init__(self, reason: str, price: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.price = reason, price
        self.partly: object = None  # what it had done by then, for whoever writes that down


class Ticket:
    """`allowed` counts CU, those included that it had before it came here."""

    __slots__ = (
        "_changed",
        "_waits",
        "action",
        "allowed",
        "backoffs",
        "charged",
        "degraded",
        "ending",
        "entered",
        "heard",
        "loose",
        "lost_at",
        "place",
        "price",
        "round",
        "rounds",
        "waited",
    )

    def __init__(self, action: Waiting, allowed: int, entered: float) -> None:
        self.action, self.allowed, self.entered = action, allowed, entered
        self._changed = False
        self._waits: list[asyncio.Future[bool]] = []  # parts of one run may wait side by side
        self.charged = self.price = self.rounds = self.backoffs = 0
        self.round: int | None = None
        self.degraded = self.loose = (
            False  # loose: nobody leads the market, so it waits for its process alone
        )
        self.ending: Ending | None = None
        self.lost_at = 0
        self.place: tuple[int, int] | None = None  # in the queue, and the rounds that it will take
        self.heard: set[tuple[int, str]] = set()  # rounds that gave it something, and from which source
        self.waited = 0.0

    def grant(self, given: Granted, number: int, price: int) -> None:
        self.allowed += given.cu
        self.charged += given.charged
        self.price, self.round = price, number
        self.rounds += 1
        self.heard.add((number, given.source))
        left = max(0, self.action.left - given.cu)
        self.action = self.action._replace(left=left, asof=number, spent=self.action.spent + given.charged)
        self.change()

    @property
    def sources(self) -> set[str]:
        """Where its compute came from."""
        return {source for _, source in self.heard}

    def end(self, ending: Ending, price: int) -> None:
        self.ending, self.lost_at = ending, price
        self.change()

    def degrade(self) -> None:
        """What is left is cut to one entry (R32)."""
        self.degraded = True
        self.action = self.action._replace(left=min(self.action.left, 100), degraded=True)

    def change(self) -> None:
        """Whoever waits for it looks again."""
        self._changed = True
        for waits in self._waits:
            if not waits.done():
                waits.set_result(True)

    async def more(self, patience: float) -> None:
        """Until something has changed; Denied when it ended, or when nobody said anything for too long."""
        if not self._changed and not await self._told(patience):
            raise Denied("queue_timeout", self.price)
        self._changed = False
        if self.ending is not None:
            raise Denied(REASONS[self.ending], self.lost_at)

    async def _told(self, patience: float) -> bool:
        """A plain future and timer: thousands wait at once, and asyncio.timeout costs ten times as much."""
        loop = asyncio.get_running_loop()
        waits: asyncio.Future[bool] = loop.create_future()
        timer = loop.call_later(patience, give_up, waits)
        self._waits.append(waits)
        try:
            return await waits
        finally:
            timer.cancel()
            self._waits.remove(waits)


def give_up(waits: "asyncio.Future[bool]") -> None:
    if not waits.done():
        waits.set_result(False)
