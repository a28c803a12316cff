"""What one reader was told: the recorded lines first, then the live ones, none twice, none forgotten."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from channels.db import database_sync_to_async

from billing.access import Principal
from billing.errors import ApiError
from bundles.models import Bundle
from runtime import runs
from runtime.lines import DONE, Batch, Line, Mark, after, of_run, recent
from runtime.models import Execution
from runtime.watch import bundle_group, run_group

HISTORY = 100
RESUMED = 1000  # lines that a reconnecting reader may have missed and still gets
OVERLAP_S = 2.0  # for so long a recorded line may come again as a live one
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


def run_of(source: Source) -> Execution:
    return Execution.objects.get(pk=source.id)


class Told:
    """One reader's memory; small, and empty for the watcher of a bundle once the overlap is over."""

    __slots__ = ("_live", "_old", "_until", "mark", "source")

    def __init__(self, source: Source, mark: Mark | None = None) -> None:
        self.source = source
        self.mark = mark
        self._old: set[tuple[str, str, str]] = set()
        self._until = 0.0
        self._live: Counter[tuple[str, str, str]] | None = Counter() if source.kind == "run" else None

    def history(self) -> tuple[list[Line], str | None]:
        """The recorded lines after the mark, and how the run ended when it has. Reads the database."""
        status = None
        if self.source.kind == "run":
            run = run_of(self.source)
            lines = after(of_run(run), self.mark)
            status = run.status if run.status in DONE else None
        else:
            count, since = (RESUMED, self.mark.at) if self.mark else (HISTORY, 0)
            lines = after(recent(self.source.id, count, after_ms=since), self.mark)
        self._old = {line.said for line in lines}
        self._until = time.monotonic() + OVERLAP_S
        if self._live is not None:
            self._live.update(line.said for line in lines)
        return lines, status

    def fresh(self, batch: Batch) -> Batch:
        """``batch`` without what was told already; the same object when all of it is new."""
        lines = batch.lines
        if self._old:
            if time.monotonic() > self._until:
                self._old = set()
            lines = [line for line in lines if line.said not in self._old]
        if self.mark is not None and self.source.kind == "run":
            lines = after(lines, self.mark)
        if self._live is not None:
            self._live.update(line.said for line in lines)
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
