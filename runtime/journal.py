"""The journal: a run is written here before its answer leaves, and imported into the database in batches.

A file for each process, records of length, CRC-32 and JSON. One write(2) for each record survives the death of the
process (not of the machine); on PostgreSQL the default is `PgJournal`, which commits groups to the database itself.
"""

import asyncio
import fcntl
import logging
import os
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from django.conf import settings

from runtime.record import Record, encode

HEAD = struct.Struct("<II")
ROTATE_BYTES = 64 * 1024 * 1024
ROTATE_S = 600.0  # what was deleted or is too old to be kept shall not stand here for days
LARGEST = 64 * 1024 * 1024
log = logging.getLogger(__name__)


class JournalFull(Exception):
    """The record could not be written; the run must not be acknowledged."""


class Journal(Protocol):
    async def append(self, record: Record) -> None: ...


def folder() -> Path:
    path = Path(settings.DATA_DIR) / "journal"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


class FileJournal:
    """Appends to a file of this process; the exclusive lock tells the importer that its writer lives."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or folder()
        self.handle = -1
        self.written = 0
        self.owner = 0
        self.opened = 0.0
        self.staged: list[bytes] = []

    def open(self) -> None:
        """A new file; it is locked before it gets the name under which the importer finds it."""
        name = f"{time.time_ns()}-{os.getpid()}"
        hidden = self.home / f"{name}.new"
        handle = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        hidden.rename(self.home / f"{name}.log")
        if self.handle >= 0 and self.owner == os.getpid():
            os.close(self.handle)
        self.handle, self.written, self.owner = handle, 0, os.getpid()
        self.opened = time.monotonic()

    def aged(self) -> bool:
        """Whether its file has been written to for long enough."""
        return self.written > 0 and time.monotonic() - self.opened > ROTATE_S

    def put_aside(self) -> None:
        """Let go of an aged file, also while nothing is written: the importer removes what it has imported."""
        if self.aged() and self.owner == os.getpid():
            os.close(self.handle)
            self.handle, self.written, self.owner = -1, 0, 0

    async def tidy(self) -> None:
        while True:
            await asyncio.sleep(ROTATE_S / 10)
            self.put_aside()

    def write(self, record: Record) -> None:
        """One record, at once; JournalFull when the disk does not take it."""
        payload = encode(record)
        self.put(HEAD.pack(len(payload), zlib.crc32(payload)) + payload)

    def stage(self, payload: bytes) -> None:
        """Keep an encoded record for the next `flush`: one system call for all that came in at the same time."""
        self.staged += (HEAD.pack(len(payload), zlib.crc32(payload)), payload)

    def flush(self) -> None:
        """Write what was staged; JournalFull when the disk does not take all of it."""
        data, self.staged = b"".join(self.staged), []
        if data:
            self.put(data)

    def put(self, data: bytes) -> None:
        """All of it or nothing: what follows a torn record would never be read."""
        try:
            if self.written > ROTATE_BYTES or self.owner != os.getpid() or self.aged():
                self.open()
            count = os.write(self.handle, data)
            if count != len(data):
                self.take_back()
                raise JournalFull("the disk is full")
        except OSError as problem:
            raise JournalFull(problem.strerror or str(problem)) from problem
        self.written += count

    def take_back(self) -> None:
        """Cut off the part of a record that was written; that needs no room, as a new file would."""
        try:
            os.ftruncate(self.handle, self.written)
        except OSError:
            self.written = ROTATE_BYTES + 1  # the next record begins a new file, or is refused as well
            raise

    async def append(self, record: Record) -> None:
        self.write(record)


class PgJournal:
    """Group commit: records that arrive while one batch is being committed form the next."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Record, asyncio.Future[None]]] = []
        self.task: asyncio.Task[None] | None = None

    async def append(self, record: Record) -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self.waiting.append((record, done))
        if self.task is None or self.task.done():
            self.task = loop.create_task(self.drain())
        await done

    async def drain(self) -> None:
        while self.waiting:
            batch, self.waiting = self.waiting, []
            error = await asyncio.to_thread(commit, [record for record, _ in batch])
            for _, done in batch:
                if not done.done():
                    done.set_result(None) if error is None else done.set_exception(JournalFull(error))


def commit(records: list[Record]) -> str | None:
    """Import ``records`` now; the reason when the database does not take them."""
    from django.db import DatabaseError, close_old_connections

    from runtime.executions import absorb

    try:
        absorb(records)
    except DatabaseError as problem:
        log.warning("the history cannot be written: %s", problem)
        return "the database does not take it at the moment"
    finally:
        close_old_connections()
    return None


def read(path: Path, start: int) -> Iterator[tuple[int, bytes]]:
    """Records from ``start`` on as (position behind it, payload); ends before a torn or damaged one."""
    with path.open("rb") as file:
        file.seek(start)
        while len(head := file.read(HEAD.size)) == HEAD.size:
            length, checksum = HEAD.unpack(head)
            if length > LARGEST:
                return
            payload = file.read(length)
            if len(payload) < length or zlib.crc32(payload) != checksum:
                return
            start += HEAD.size + length
            yield start, payload


def files(home: Path | None = None) -> list[Path]:
    return sorted((home or folder()).glob("*.log"))


def position(path: Path) -> int:
    """How far ``path`` has been imported, in bytes."""
    try:
        return int(path.with_suffix(".pos").read_text() or 0)
    except (FileNotFoundError, ValueError):
        return 0


def imported(path: Path, until: int) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(str(until))
    temporary.replace(path.with_suffix(".pos"))


def orphaned(path: Path) -> bool:
    """Whether the process that wrote ``path`` is gone: its lock can be had."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def make() -> Journal:
    return PgJournal() if settings.JOURNAL == "postgres" else FileJournal()
