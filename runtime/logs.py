"""Live log lines on their way out: free when nobody watches, else one message per flush and watched thing.

Nothing here is kept: the truth is the `logs` of an execution. Who is watched is learnt from runtime/watch.py.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from secrets import token_hex
from typing import Any
from uuid import UUID

import orjson
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from billing.background import end
from billing.redis import aredis
from runtime.lines import DONE, absolute, clean, ending
from runtime.record import Record

CHANNEL = "priostack:watch"  # new watchers are told here …
WATCHED = "priostack:watched"  # … and stand here with an end time, for publishers that start later
TTL_S = 45
RESYNC_S = 20
FLUSH_S = 0.04
MAX_LINES = 500  # of one watched thing in one flush
MAX_WATCHED = 50_000
log = logging.getLogger(__name__)
Raw = tuple[int, str, str, str, str, str]


class Buffer:
    """What was said for one group of watchers since the last flush."""

    __slots__ = ("dirty", "group", "last", "left_out", "lines", "sent", "status", "until")

    def __init__(self, group: str, until: float, dirty: "set[Buffer]") -> None:
        self.group = group
        self.until = until
        self.dirty = dirty  # where a buffer with something to say is found by the flush
        self.lines: deque[Raw] = deque()
        self.left_out = 0
        self.sent = 0
        self.status: str | None = None
        self.last: dict[str, tuple[int, int]] = {}  # run -> time and number of its last line

    def add(self, line: Raw) -> None:
        if len(self.lines) < MAX_LINES:
            self.lines.append(line)
        else:
            self.left_out += 1
        self.dirty.add(self)

    def take(self, by: str) -> dict[str, Any] | None:
        """The message of this flush; popping one by one loses nothing that another thread adds meanwhile."""
        raw = [self.lines.popleft() for _ in range(len(self.lines))]
        left_out, self.left_out = self.left_out, 0
        status, self.status = self.status, None
        if not raw and not left_out and status is None:
            return None
        message = {"type": "lines", "group": self.group, "by": by, "before": self.sent}
        self.sent += len(raw) + left_out
        return message | {"lines": self.numbered(raw), "left_out": left_out, "status": status}

    def numbered(self, raw: list[Raw]) -> list[tuple[Any, ...]]:
        before, self.last = self.last, {}
        lines = []
        for at, level, service, name, execution, text in raw:
            then, n = self.last.get(execution) or before.get(execution) or (0, 0)
            n = n + 1 if then == at else 0
            self.last[execution] = (at, n)
            lines.append((at, level, service, name, hyphenated(execution), clean(text), n))
        return lines


def layer() -> Any:
    return get_channel_layer()  # type: ignore[no-untyped-call]


def hyphenated(execution: str) -> str:
    return execution if "-" in execution else str(UUID(execution))


class Publisher:
    """One for each process. ``line`` may be called from any thread; the rest belongs to one event loop."""

    def __init__(self) -> None:
        self.id = token_hex(8)
        self.watched: dict[str, Buffer] = {}  # by both spellings of the id of a bundle or a run
        self.joined: Callable[[str], None] | None = None  # told of each run that somebody begins to watch
        self._dirty: set[Buffer] = set()
        self._tasks: list[asyncio.Task[None]] = []

    def line(
        self, bundle_id: str, execution: str, level: str, text: str, at_ms: int, service: str, name: str
    ) -> None:
        watched = self.watched
        if not watched:
            return
        if bundle_id in watched:
            watched[bundle_id].add((at_ms, level, service, name, execution, text))
        if execution in watched:
            watched[execution].add((at_ms, level, service, name, execution, text))

    def finish(self, execution: str, status: str) -> None:
        """The run is over: whoever watches it is told with the next flush."""
        buffer = self.watched.get(execution)
        if buffer is not None:
            buffer.status = status
            self._dirty.add(buffer)

    def record(self, record: Record) -> None:
        """Say what a run logged and how it ended: masked and timed as its row will show it."""
        if not self.watched:
            return
        bundle, run, start = record["bundle"], record["id"], record["started"] // 1000
        where = record["service"], record["name"]
        for at, level, text in record["logs"]:
            self.line(bundle, run, level, text, absolute(at, start), *where)
        if record["status"] not in DONE:
            return
        facts = record["status"], record["http_status"], record["units_used"], record["duration_us"]
        self.line(bundle, run, *ending(*facts, record["error"]), record["completed"] // 1000, *where)
        self.finish(run, record["status"])

    def learn(self, groups: list[str], now: float) -> None:
        for group in groups:
            spelt = spellings(group)
            known = self.watched.get(spelt[0]) if spelt else None
            if known:
                known.until = now + TTL_S
            elif spelt and len(self.watched) < MAX_WATCHED:
                self.watched.update(dict.fromkeys(spelt, Buffer(group, now + TTL_S, self._dirty)))

    def forget(self, now: float) -> None:
        for key, buffer in list(self.watched.items()):
            if buffer.until < now and self.watched.get(key) is buffer:
                self.watched.pop(key, None)

    def start(self) -> None:
        """Begin to publish from the running loop."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._flush_forever())]

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        await end(tasks)
        self.watched.clear()

    async def _listen(self) -> None:
        while True:
            try:
                await self._learn_forever()
            except (RedisError, OSError) as problem:
                log.warning("who watches the logs is not known for now: %s", problem)
                await asyncio.sleep(1)

    async def _learn_forever(self) -> None:
        async with aredis().pubsub() as wire:
            await wire.subscribe(CHANNEL)
            resync = 0.0
            while True:
                now = time.time()
                if now >= resync:
                    resync = now + RESYNC_S
                    await self._resync(now)
                message = await wire.get_message(ignore_subscribe_messages=True, timeout=2.0)
                if message:
                    groups = orjson.loads(message["data"])
                    self.learn(groups, time.time())
                    self.tell_joined(groups)

    def tell_joined(self, groups: list[str]) -> None:
        for group in groups if self.joined is not None else ():
            spelt = spellings(group) if group.startswith("run.") else None
            if spelt and self.joined is not None:
                self.joined(spelt[0])

    async def _resync(self, now: float) -> None:
        members: list[Any] = await aredis().zrangebyscore(WATCHED, now, "+inf", 0, MAX_WATCHED)
        self.learn([bytes(member).decode() for member in members], now)
        self.forget(now)

    async def _flush_forever(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            if self._dirty:
                with suppress(RedisError, OSError):  # live only: what cannot be told now is in the history
                    await self.flush()

    async def flush(self) -> None:
        while self._dirty:
            buffer = self._dirty.pop()
            message = buffer.take(self.id)
            if message:
                await layer().group_send(buffer.group, message)


def spellings(group: str) -> tuple[str, str] | None:
    """Both ways to write the id in a group's name; None for what is no group of ours."""
    try:
        found = UUID(group.partition(".")[2])
    except ValueError:
        return None
    return str(found), found.hex


publisher = Publisher()
