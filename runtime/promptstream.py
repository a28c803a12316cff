"""The answer of a prompt while it is written, as server-sent events: token, log, error, done.

A run that is heard keeps its last events, so that a reader who was cut off goes on where it was (Last-Event-ID). It
never runs far ahead of its reader, and ends when nobody has come back within one heartbeat.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import orjson

from billing.errors import ApiError
from bundles.promptstreaming import Streaming
from runtime import promptsinks, running
from runtime.call import Waist, secrets_of
from runtime.exchange import BASE, Given, Pairs
from runtime.job import Job, Outcome
from runtime.promptshelf import Shelves
from runtime.record import redact

KEPT = 64 * 1024  # bytes of events that were sent, for readers who come back
AHEAD = 64 * 1024  # bytes that a reader has not taken before the run waits for it
LEAST_AHEAD = 2 * 1024
MOST = 15_000  # streams of one process
OF_TENANT = 12_000
BUDGET = 64 * 1024 * 1024  # bytes that all streams of a process keep, and as many that they are ahead
BUDGET_OF_TENANT = 32 * 1024 * 1024
BEGIN_S = 1.0  # an answer that fails before this is no stream yet, but has its own status
KNOWN_S = 0.02
MAX_ID = 60
log = logging.getLogger(__name__)
Event = tuple[int, bytes]
_runs: "dict[str, Heard]" = {}
_count: Counter[str] = Counter()
_shelves = Shelves(BUDGET, BUDGET_OF_TENANT)
OVER = ApiError(404, "This run is not under way any more; its execution tells what came of it.")
FULL = ApiError(503, "Too many answers are being streamed.", headers={"Retry-After": "5"})


class Heard:
    """One run and what its reader has not taken yet."""

    def __init__(self, waist: Waist, job: Job, streaming: Streaming) -> None:
        self.waist, self.job, self.streaming = waist, job, streaming
        self.kept: deque[Event] = deque()  # what the reader has had, for one who comes back
        self.fresh: deque[Event] = deque()
        self.last = 0  # number of the newest event
        self.sent = self.unsent = 0  # bytes of both
        self.pending: list[str] = []
        self.size = 0
        self.ended = self.abandoned = False
        self.reader: object | None = None
        self.news, self.room = asyncio.Event(), asyncio.Event()
        self.timer: asyncio.TimerHandle | None = None
        self.orphaned: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[Outcome] | None = None

    # -- the run speaks -----------------------------------------------------------------------------

    async def token(self, text: str) -> None:
        """Gathered for an interval or up to a size; waits as long as the reader is too far behind."""
        self.pending.append(text)
        self.size += len(text.encode())
        if self.size >= self.streaming.size or not self.streaming.interval_ms:
            self.flush()
        elif self.timer is None:
            wait = self.streaming.interval_ms / 1000
            self.timer = asyncio.get_running_loop().call_later(wait, self.flush)
        while self.unsent > self.ahead() and not self.abandoned:
            self.room.clear()
            await self.room.wait()
        if self.abandoned:
            raise running.Cancelled(self.job.id)

    def ahead(self) -> int:
        """Its share, when there are many streams."""
        of_tenant = BUDGET_OF_TENANT // max(1, _count[self.job.bundle.tenant_id])
        return max(LEAST_AHEAD, min(AHEAD, of_tenant, BUDGET // max(1, len(_runs))))

    def flush(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        text, self.pending, self.size = "".join(self.pending), [], 0
        for piece in cut(text, self.streaming.size):
            self.tell("token", {"text": piece})

    def log(self, level: str, text: str) -> None:
        self.flush()
        self.tell("log", {"level": level, "text": redact(text, secrets_of(self.job))})

    def tell(self, name: str, value: Any) -> None:
        self.last += 1
        event = self.event(name, value)
        self.fresh.append((self.last, event))
        self.unsent += len(event)
        self.news.set()

    def event(self, name: str, value: Any) -> bytes:
        head = f"id: {self.job.id}:{self.last}\nevent: {name}\ndata: ".encode()
        return head + orjson.dumps(value) + b"\n\n"

    def began(self) -> None:
        """It is in the history now."""

    def over(self, task: "asyncio.Task[Outcome]") -> None:
        """The run has ended, however it did."""
        self.flush()
        if task.cancelled():
            self.tell("error", ApiError(499).body())
        elif isinstance(problem := task.exception(), ApiError):
            self.tell("error", problem.body())
        elif problem is not None:
            log.error("a streamed run ended in a fault of ours", exc_info=problem)
            self.tell("error", ApiError(500).body())
        else:
            self.told(task.result())
        self.ended = True
        self.news.set()

    @property
    def failed(self) -> bool:
        """Whether it ended without an answer."""
        task = self.task
        if task is None or not task.done():
            return False
        return task.cancelled() or task.exception() is not None or task.result().reply.status != 200

    def told(self, outcome: Outcome) -> None:
        reply = outcome.reply
        value = orjson.loads(redact(reply.body.decode("utf-8", "replace"), secrets_of(self.job)) or "null")
        if reply.status != 200:
            return self.tell("error", value)
        self.tell("done", {key: value[key] for key in ("usage", "model", "execution") if key in value})

    # -- and is heard -------------------------------------------------------------------------------

    async def read(self, after: int) -> AsyncGenerator[bytes, None]:
        """All events behind that number, and signs of life in between; a second reader ends the first."""
        me = self.reader = object()
        if self.orphaned is not None:
            self.orphaned.cancel()
        self.again(after)
        self.news.set()  # the reader before this one learns that it is none any more
        try:
            yield b"retry: 1000\n\n"
            while self.reader is me:
                if piece := self.take():
                    yield piece
                elif self.ended:
                    return
                elif not await self.heard() and self.streaming.beats:
                    yield b": still here\n\n"
        finally:
            if self.reader is me:
                self.leave(me)

    async def heard(self) -> bool:
        """Whether there is news; false when a heartbeat is due."""
        self.news.clear()
        try:
            async with asyncio.timeout(self.streaming.heartbeat_ms / 1000):
                return await self.news.wait()
        except TimeoutError:
            return False

    def again(self, after: int) -> None:
        """From there on once more, as far as it is kept."""
        events = [*self.kept, *self.fresh]
        first = events[0][0] if events else self.last + 1
        self.kept = deque(event for event in events if event[0] <= after)
        self.fresh = deque(event for event in events if event[0] > after)
        self.sent, self.unsent = (sum(len(data) for _, data in part) for part in (self.kept, self.fresh))
        self.shelve()
        if after < first - 1:
            text = f"{first - 1 - after} events are not kept any more"
            self.tell("log", {"level": "warning", "text": text})

    def take(self) -> bytes:
        """What the reader has not had, at most some; of what it has had the oldest is forgotten."""
        part: list[bytes] = []
        size = 0
        while self.fresh and size < KEPT:
            event = self.fresh.popleft()
            self.kept.append(event)
            part.append(event[1])
            size += len(event[1])
        self.unsent -= size
        self.sent += size
        while self.sent > KEPT:
            self.sent -= len(self.kept.popleft()[1])
        self.shelve()
        self.room.set()
        return b"".join(part)

    def shelve(self) -> None:
        """Keep what was sent, as far as there is room for it among all others."""
        if self.job.id in _runs:
            for run in _shelves.put(self.job.bundle.tenant_id, self.job.id, self.sent):
                _runs[run].lose()

    def lose(self) -> None:
        """Nothing that was sent is kept any more: who comes back is told how much is missing."""
        self.kept.clear()
        self.sent = 0
        _shelves.take_away(self.job.bundle.tenant_id, self.job.id)

    def leave(self, me: object | None) -> None:
        """Nobody listens: the run may wait one heartbeat for somebody to come back."""
        if self.reader is me:
            self.reader = None
            if self.ended and not self.fresh and me is not None:
                return self.forget()
            if self.orphaned is not None:
                self.orphaned.cancel()
            wait = self.streaming.heartbeat_ms / 1000
            self.orphaned = asyncio.get_running_loop().call_later(wait, self.forget)

    def forget(self) -> None:
        if _runs.pop(self.job.id, None) is None:
            return
        tenant = self.job.bundle.tenant_id
        _count[tenant] -= 1
        if not _count[tenant]:
            del _count[tenant]
        self.lose()
        self.fresh.clear()
        if not self.ended:
            self.abandoned = True
            self.room.set()
            self.stop()

    def stop(self) -> None:
        """Cancel the run. What was not begun yet, since it waits for the market, is only dropped."""
        if not running.cancel(self.job.id) and not self.job.added and self.task is not None:
            self.task.cancel()

    async def run(self) -> Outcome:
        with promptsinks.heard(self.job.id, self):
            return await self.waist.call(self.job)


def cut(text: str, size: int) -> list[str]:
    """Pieces of at most so many bytes, no character broken."""
    if len(text.encode()) <= size:
        return [text] if text else []
    pieces, data = [], text.encode()
    while data:
        end = min(size, len(data))
        while end < len(data) and end > 1 and data[end] & 0xC0 == 0x80:
            end -= 1
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end += 1
        pieces.append(data[:end].decode())
        data = data[end:]
    return pieces


def enter(heard: Heard) -> "asyncio.Task[Outcome]":
    """Its run begins; 503 when there are too many."""
    tenant = heard.job.bundle.tenant_id
    if len(_runs) >= MOST or _count[tenant] >= OF_TENANT:
        raise FULL
    _runs[heard.job.id] = heard
    _count[tenant] += 1
    heard.task = asyncio.ensure_future(heard.run())
    heard.task.add_done_callback(heard.over)
    return heard.task


async def begin(waist: Waist, job: Job, streaming: Streaming) -> Given | Outcome:
    """The stream of a new run; its outcome when it ended badly before anything was said."""
    heard = Heard(waist, job, streaming)
    task = enter(heard)
    try:
        async with asyncio.timeout(min(BEGIN_S, streaming.heartbeat_ms / 1000)):
            await heard.news.wait()
    except TimeoutError:
        pass
    except asyncio.CancelledError:
        heard.forget()
        raise
    if heard.failed:
        heard.forget()
        return await task
    heard.leave(None)
    while not (job.added or heard.ended):  # whoever is given its id must find it in the history
        await asyncio.sleep(KNOWN_S)
    return given(heard, 0)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where somebody wants to go on: behind which event of which run, who asks, at which prompt."""

    run: str
    after: int
    tenant: str
    prompt: str
    caller: str

    @classmethod
    def of(cls, written: str, **whose: str) -> "Mark":
        run, _, number = written.rpartition(":")
        if not (number.isascii() and number.isdigit() and len(number) < 10 and len(run) <= MAX_ID):
            raise OVER
        return cls(run, int(number), **whose)


def find(mark: Mark) -> Heard | None:
    """A run of this process that is this caller's."""
    heard = _runs.get(mark.run)
    if heard is None or heard.job.bundle.tenant_id != mark.tenant or heard.job.caller != mark.caller:
        return None
    return heard if heard.job.target.module == mark.prompt else None


def given(heard: Heard, after: int) -> Given:
    return stream(heard.job.id, heard.read(after))


def stream(run: str, pieces: AsyncGenerator[bytes, None]) -> Given:
    head: Pairs = [
        *BASE,
        ("x-execution-id", run),
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
    ]
    return Given(200, head, stream=pieces)
