"""Logs as server-sent events: the same source as the websockets, with ids to resume from."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from uuid import UUID

from channels.db import database_sync_to_async

from billing.access import Principal
from billing.still import still
from runtime.lines import DONE, Batch, Line, Mark, event, note
from runtime.models import Execution
from runtime.told import Source, Told
from runtime.watch import Full, Watcher, hub

CHECK_S = 2.0  # how often permission and, for a run, its end are looked at
HEART_S = 15.0
# Django keeps a thread for each response that streams; whoever wants thousands of readers uses the websockets.
MAX_STREAMS = 200
MAX_OF_TENANT = 50
_open: Counter[UUID] = Counter()


def crowded(tenant: UUID) -> bool:
    """Whether this process has no room for another stream of ``tenant``."""
    return _open[tenant] >= MAX_OF_TENANT or _open.total() >= MAX_STREAMS


async def stream(
    source: Source, who: Principal, mark: Mark | None, keep: Callable[[Line], bool] | None = None
) -> AsyncIterator[bytes]:
    """Until the run ends, the permission ends or the reader leaves; only lines that ``keep`` wants."""
    reader = Reader(source, who, mark)
    reader.keep = keep
    _open[source.tenant_id] += 1
    try:
        await hub().join(reader.watcher)
        async for piece in reader.events():
            yield piece
    except Full:
        yield note("full", {"detail": "Too many are watching. Try again later."})
    finally:
        _open[source.tenant_id] -= 1
        await asyncio.shield(hub().leave(reader.watcher))


class Reader:
    """One open stream."""

    def __init__(self, source: Source, who: Principal, mark: Mark | None) -> None:
        self.who = who
        self.source = source
        self.told = Told(source, mark)
        self.arrived = asyncio.Event()
        self.watcher = Watcher(source.group, source.tenant_id, self.arrived.set)
        self.status: str | None = None
        self.keep: Callable[[Line], bool] | None = None

    async def events(self) -> AsyncIterator[bytes]:
        batch, self.status = await self.told.history()
        yield b"retry: 2000\n\n" + self.encoded(batch.lines)
        spoke = checked = time.monotonic()
        while self.status is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.arrived.wait(), CHECK_S)
            if piece := self.piece():
                spoke = time.monotonic()
                yield piece
            now = time.monotonic()
            if now - checked >= CHECK_S:
                checked = now
                if not await database_sync_to_async(self.holds)():
                    return
            if now - spoke >= HEART_S:
                spoke = now
                yield b": still here\n\n"
        yield self.encoded(await self.told.rest()) + note("end", {"status": self.status})

    def piece(self) -> bytes:
        """All that came in since the last one."""
        self.arrived.clear()
        batches, skipped = self.watcher.take()
        parts = [note("skipped", {"skipped": skipped})] if skipped else []
        for batch in batches:
            parts.append(self.encoded(self.told.fresh(batch).lines))
            self.ended(batch)
        return b"".join(parts)

    def ended(self, batch: Batch) -> None:
        if self.source.kind == "run" and batch.status:
            self.status = batch.status

    def encoded(self, lines: list[Line]) -> bytes:
        wanted = filter(self.keep, lines) if self.keep is not None else lines
        return b"".join(event(self.source.id.hex, line) for line in wanted)

    def holds(self) -> bool:
        """Whether the reader may go on; notices on the way that a run ended where nobody published it."""
        if self.source.kind == "run":
            rows = Execution.objects.filter(pk=self.source.id, status__in=DONE)
            self.status = rows.values_list("status", flat=True).first()
        return still(self.who)
