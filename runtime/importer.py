"""Brings the journal's files into the database: one importer for each data directory, in batches, idempotent."""

import fcntl
import logging
import os
import threading
from pathlib import Path

import orjson
from django.db import DatabaseError, close_old_connections

from runtime import journal
from runtime.executions import absorb_each
from runtime.record import Record

BATCH = 200  # on SQLite a round of the market waits for the end of one
PAUSE_S = 0.05
log = logging.getLogger(__name__)


def drain(home: Path | None = None) -> int:
    """Import all that lies there; the number of records. One at a time on a machine: others wait for their turn."""
    where = home or journal.folder()
    with (where / "drain.lock").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        return sum(drain_file(path) for path in journal.files(where))


def drain_file(path: Path) -> int:
    alone = journal.orphaned(path)  # asked first: a writer that ends after this is caught the next time
    start = journal.position(path)
    count = 0
    while batch := take(path, start):
        set_aside(path, absorb_each([record for _, record in batch]))
        start, count = batch[-1][0], count + len(batch)
        journal.imported(path, start)
    if alone:
        finish(path, start)
    return count


def set_aside(path: Path, refused: list[Record]) -> None:
    """What the database will never take is kept beside the journal for a person to look at."""
    if refused:
        with path.with_suffix(".refused").open("ab") as file:
            file.writelines(orjson.dumps(record) + b"\n" for record in refused)


def take(path: Path, start: int) -> list[tuple[int, Record]]:
    batch: list[tuple[int, Record]] = []
    for until, payload in journal.read(path, start):
        batch.append((until, orjson.loads(payload)))
        if len(batch) == BATCH:
            break
    return batch


def finish(path: Path, until: int) -> None:
    """Remove a file whose writer is gone; a damaged rest is kept aside for a person to look at."""
    if path.stat().st_size > until:
        log.error("journal %s is damaged at byte %d; the rest is kept as .damaged", path.name, until)
        path.rename(path.with_suffix(".damaged"))
    else:
        path.unlink()
    path.with_suffix(".pos").unlink(missing_ok=True)


def backlog() -> int:
    """Bytes that are written down and not imported yet."""
    total = 0
    for path in journal.files():
        try:
            total += path.stat().st_size - journal.position(path)
        except FileNotFoundError:  # imported and removed while we looked
            continue
    return total


def find(execution: str) -> Record | None:
    """A run that was acknowledged but not imported yet, with its end when that is known too."""
    found: Record | None = None
    needle = execution.encode()
    for path in journal.files():
        try:
            for _, payload in journal.read(path, journal.position(path)):
                if needle in payload:
                    found = merge(found, orjson.loads(payload), execution)
        except FileNotFoundError:  # imported and removed while we looked: the database has it now
            continue
    return found


def merge(found: Record | None, record: Record, execution: str) -> Record | None:
    for fired in record.get("fires", ()):
        if fired["id"] == execution:
            return {**fired, **(found or {})}
    if record["id"] != execution:
        return found
    return {**(found or {}), **record}


class Importer(threading.Thread):
    """The importing thread of a worker; ``imported`` is called after batches, to look for queued work."""

    def __init__(self) -> None:
        super().__init__(name="importer", daemon=True)
        self.ending = threading.Event()
        self.fresh = threading.Event()

    def run(self) -> None:
        lock = os.open(journal.folder() / "importer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while not self.ending.wait(PAUSE_S):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # another worker on this machine imports
                self.ending.wait(1)
                continue
            self.once()
        os.close(lock)

    def once(self) -> None:
        try:
            if drain():
                self.fresh.set()
        except (DatabaseError, OSError) as problem:  # a full disk, too: this thread must outlive it
            log.error("import of the journal waits: %s", problem)
            close_old_connections()
            self.ending.wait(1)

    def stop(self) -> None:
        self.ending.set()
        self.join(10)
