"""The journal of the part of a process that answers pages and REST: made when it is first needed."""

import os

from django.conf import settings

from runtime.journal import FileJournal, Journal, JournalFull, commit
from runtime.record import Record

_made: dict[int, Journal] = {}


class Direct:
    """Straight into the database: for PostgreSQL, where REST's few records need no batch."""

    async def append(self, record: Record) -> None:
        import asyncio

        error = await asyncio.to_thread(commit, [record])
        if error:
            raise JournalFull(error)


def outbox() -> Journal:
    pid = os.getpid()
    if pid not in _made:
        _made[pid] = Direct() if settings.JOURNAL == "postgres" else FileJournal()
    return _made[pid]
