"""What one reader was told: the recorded lines first, then the live ones, none twice, none forgotten."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async

from billing.access import Principal
from billing.errors import ApiError
from bundles.models import Bundle
from runtime import flowlive, runs
from runtime.lines import DONE, Batch, Line, Mark, after, clean, milliseconds, of_run, recent
from runtime.models import Execution
from runtime.watch import bundle_group, run_group

HISTORY = 100
RESUMED = 1000  # lines that a reconnecting reader may have missed and still gets
GATHER_S = 0.02
OVERLAP_S = 2.0  # for so long a recorded line may come again as a live one
NOTHING: frozenset[tuple[str, str, str]] = frozenset()
PATIENCE = 20  # tenths of a second until the row of a run is there that just began or ended elsewhere


@dataclass(frozen=True, slots=True)
class Source:
    """A bundle or a run whose lines are read."""

    kind: str  # bundle, run
    id: UUID
    tenant_id: UUID

    @property
    def group(self) -> str:
        return bundle_group(self.id) if self.kind == "bundle" else run_group(self.id)


def find(who: Principal, kind: str, wanted: UUID) -> Source | None:
    """What ``who`` may read, or None; a run that was just acknowledged is imported from the journal first."""
    if kind == "bundle":
        found = Bundle.objects.filter(pk=wanted, tenant_id=who.tenant_id).exists()
    else:
        found = is_run(who, wanted)
    return Source(kind, wanted, who.tenant_id) if found else None


def is_run(who: Principal, wanted: UUID) -> bool:
    try:
        runs.find(who, wanted)
    except ApiError:
        return False
    return True


_reads: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[UUID, asyncio.Task[Batch]]]" = WeakKeyDictionary()


async def shared(bundle: UUID) -> Batch:
    """The recent lines, read after this moment; whoever asks at nearly the same time shares one reading."""
    reads = _reads.setdefault(asyncio.get_running_loop(), {})
    if bundle not in reads:
        reads[bundle] = asyncio.create_task(read_soon(bundle, reads))
    return await asyncio.shield(reads[bundle])


async def read_soon(bundle: UUID, reads: dict[UUID, "asyncio.Task[Batch]"]) -> Batch:
    await asyncio.sleep(GATHER_S)
    del reads[bundle]  # who comes from here on might miss a line with this reading
    return Batch(await database_sync_to_async(recent)(bundle, HISTORY))


def run_of(source: Source) -> Execution:
    return Execution.objects.get(pk=source.id)


def steps_of(run: Execution) -> list[Line]:
    """The steps of a run that is parked: nobody else could tell them."""
    if run.status != "waiting":
        return []
    start, where = milliseconds(run.started or run.created), (run.service, run.name, str(run.pk))
    known = [(start + step["at_us"] // 1000, flowlive.line(step, [])) for step in run.steps if "node" in step]
    return [Line(at, "step", *where, clean(text), n) for n, (at, text) in enumerate(known)]


class Told:
    """One reader's memory; small, and empty for the watcher of a bundle once the overlap is over."""

    __slots__ = ("_live", "_old", "_until", "mark", "source")

    def __init__(self, source: Source, mark: Mark | None = None) -> None:
        self.source = source
        self.mark = mark
        self._old: frozenset[tuple[str, str, str]] = NOTHING
        self._until = 0.0
        self._live: Counter[tuple[str, str, str]] | None = Counter() if source.kind == "run" else None

    async def history(self) -> tuple[Batch, str | None]:
        """The recorded lines after the mark, and how the run ended when it has."""
        if self.source.kind == "bundle" and self.mark is None:
            batch, status = await shared(self.source.id), None
        else:
            batch, status = await database_sync_to_async(self.read)()
        self._old = batch.said
        self._until = time.monotonic() + OVERLAP_S
        if self._live is not None:
            self._live.update(line.said for line in batch.lines)
        return batch, status

    def read(self) -> tuple[Batch, str | None]:
        if self.source.kind == "run":
            run = run_of(self.source)
            lines = [*steps_of(run), *of_run(run)]
            return Batch(after(lines, self.mark)), run.status if run.status in DONE else None
        since = self.mark.at if self.mark else 0
        return Batch(after(recent(self.source.id, RESUMED, after_ms=since), self.mark)), None

    def settle(self, now: float) -> None:
        """Forget what can no longer come twice."""
        if self._old and now > self._until:
            self._old = NOTHING

    def fresh(self, batch: Batch) -> Batch:
        """``batch`` without what was told already; the same object when all of it is new."""
        lines = batch.lines
        if self._old:
            self.settle(time.monotonic())
            lines = [line for line in lines if line.said not in self._old]
        if self.mark is not None and self.source.kind == "run":
            lines = after(lines, self.mark)
        if self._live is not None:
            told = self._live  # the steps of a run are told again to everybody when somebody else joins
            lines = [line for line in lines if line.level != "step" or not told[line.said]]
            told.update(line.said for line in lines)
        return batch if len(lines) == len(batch.lines) else Batch(lines, batch.left_out, batch.status)

    async def rest(self) -> list[Line]:
        """Lines of the ended run that never came live, from its row; none for a bundle."""
        if self._live is None:
            return []
        for _ in range(PATIENCE):
            run = await database_sync_to_async(run_of)(self.source)
            if run.status in DONE:
                return self.missing(run)
            await asyncio.sleep(0.1)
        return []

    def missing(self, run: Execution) -> list[Line]:
        told = Counter(self._live or {})
        lines = []
        for line in after(of_run(run), self.mark):
            if told[line.said] > 0:
                told[line.said] -= 1
            else:
                lines.append(line)
        return lines
