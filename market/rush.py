"""What a crowd of tenants wants at once: actions over the wire that calls use, handed in again when done."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from billing.ids import uuid7
from market.client import Client
from market.crowd import Member
from market.local import Local
from market.ticket import Denied, Ticket
from market.wire import Waiting

AT_ONCE = 2  # actions that each bidder has in the queue
PATIENT = 10  # of those who do not bid: enough that bidding goes on
NEED = 225  # CU, the figure of the documentation
PATIENCE_MS = 30_000
FIRST = 0.45  # of the crowd is there from the beginning
FULL_AT = 0.6  # of the time until the last one has come
SHOWN = "demo"


@dataclass
class Tally:
    """What became of the actions."""

    done: int = 0
    expired: int = 0
    sources: Counter[str] = field(default_factory=Counter)


class Rush:
    """`followed` is the tenant somebody looks at; it keeps one action in the queue."""

    def __init__(self, members: Sequence[Member], followed: UUID | None, seconds: float) -> None:
        self.members, self.followed, self.seconds = members, followed, seconds
        self.client = Client(Local())
        self.tally, self.mine = Tally(), Tally()
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self, until: asyncio.Event) -> None:
        """Until the time is over, or somebody says stop; then nothing of it waits any more."""
        await self.client.start()
        try:
            first = max(1, int(len(self.members) * FIRST))
            for one in self.members[:first]:
                self._come(one.tenant_id, AT_ONCE if one.cap else PATIENT, self.tally)
            if self.followed is not None:
                self._come(self.followed, 2, self.mine)
            await self._others(self.members[first:], until)
        finally:
            await self._go()

    async def _others(self, later: Sequence[Member], until: asyncio.Event) -> None:
        """They come one after the other, so that the price climbs."""
        began = time.monotonic()
        pause = self.seconds * FULL_AT / max(1, len(later))
        come = 0
        while not until.is_set() and (passed := time.monotonic() - began) < self.seconds:
            due = min(len(later), int(passed / pause))
            for one in later[come:due]:
                self._come(one.tenant_id, AT_ONCE if one.cap else PATIENT, self.tally)
            come = due
            await asyncio.sleep(0.2)

    def _come(self, tenant: UUID, count: int, tally: Tally) -> None:
        self._tasks += [asyncio.create_task(self._again(tenant, tally)) for _ in range(count)]

    async def _again(self, tenant: UUID, tally: Tally) -> None:
        while True:
            try:
                ticket = self.client.enter(self._action(tenant), 0)
            except Denied:
                await asyncio.sleep(1)
                continue
            try:
                await self._served(ticket)
                tally.done += 1
            except Denied:
                tally.expired += 1
            finally:
                tally.sources.update(ticket.sources)
                self.client.leave(ticket, ticket.allowed)

    async def _served(self, ticket: Ticket) -> None:
        while ticket.action.left > 0 and not ticket.loose:
            await ticket.more(PATIENCE_MS / 1000 + 3)
            self.client.rests(ticket.action.id)
        await asyncio.sleep(0.02 if not ticket.loose else 1.0)  # it works with what it got

    def _action(self, tenant: UUID) -> Waiting:
        now = time.time_ns() // 1_000_000
        return Waiting(
            id=str(uuid7()),
            tenant=str(tenant),
            service=f"{SHOWN}/jobs",
            need=NEED,
            left=NEED,
            submitted=now,
            deadline=now + PATIENCE_MS,
            max_wait=PATIENCE_MS,
            priority=1,
            fallback="queue",
            ceiling=None,
            auto_bid=None,
            bundle=SHOWN,
        )

    async def _go(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0.1)  # the leader is told that they are over
        await self.client.stop()
