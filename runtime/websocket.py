"""One watching websocket of a log: the history first, then what its watcher gets."""

import asyncio

from billing.access import Principal
from billing.websocket import (
    ABSENT,
    ENDED,
    FLOOD,
    FORBIDDEN,
    FULL,
    LARGE,
    MAX_FRAME,
    MAX_FRAMES,
    PING_S,
    UNKNOWN,
    Peer,
    Receive,
    Send,
)
from runtime.lines import Batch
from runtime.told import Source, Told
from runtime.watch import Watcher

__all__ = [
    "ABSENT",
    "ENDED",
    "FLOOD",
    "FORBIDDEN",
    "FULL",
    "LARGE",
    "MAX_FRAME",
    "MAX_FRAMES",
    "PING_S",
    "UNKNOWN",
    "Receive",
    "Send",
    "Socket",
]


class Socket(Peer):
    """Sends what its watcher gets."""

    __slots__ = ("told", "watcher")

    def __init__(self, send: Send, source: Source, who: Principal) -> None:
        super().__init__(send, who)
        self.told = Told(source)
        self.watcher = Watcher(source.group, source.tenant_id, self.wake)

    async def begin(self, lines: Batch, status: str | None) -> None:
        """Send the history; from here on live lines follow."""
        await self.text(lines.json)
        self.main = asyncio.current_task()
        if status:
            await self.end(status)
        elif self.watcher.batches:
            self.wake()

    async def rest(self) -> None:
        while self.watcher.batches and not self.closed:
            batches, skipped = self.watcher.take()
            if skipped:
                await self.data({"skipped": skipped})
            for batch in batches:
                await self._batch(self.told.fresh(batch))

    async def _batch(self, batch: Batch) -> None:
        if batch.lines:
            await self.text(batch.json)
        if batch.status and self.told.source.kind == "run":
            rest = await self.told.rest()
            if rest:
                await self.text(Batch(rest).json)
            await self.end(batch.status)

    async def end(self, status: str) -> None:
        await self.data({"status": status})
        await self.close(ENDED)
