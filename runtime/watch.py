"""Watching: a hub for each event loop says what is watched and hands what is published to the watchers."""

import asyncio
import logging
import time
from collections.abc import Callable
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
from redis.exceptions import RedisError

from billing.background import end
from billing.redis import aredis
from runtime.lines import Batch, Line
from runtime.logs import CHANNEL, TTL_S, WATCHED, layer

REFRESH_S = 20
PIECE = 500  # groups told in one message, watchers served before others get their turn
RUNS = "run."
MAX_QUEUED = 1000  # lines that wait for a slow watcher; older ones are dropped and counted
MAX_WATCHERS = 25_000  # on one process
MAX_OF_TENANT = 12_000
log = logging.getLogger(__name__)


class Full(Exception):
    """Too many watchers here already."""


def bundle_group(bundle: UUID) -> str:
    return f"logs.{bundle.hex}"


def run_group(execution: UUID) -> str:
    return f"{RUNS}{execution.hex}"


class Watcher:
    """A queue that never holds more than MAX_QUEUED lines; ``wake`` is called when something came in."""

    __slots__ = ("batches", "group", "queued", "skipped", "tenant", "wake")

    def __init__(self, group: str, tenant: UUID, wake: Callable[[], None]) -> None:
        self.group = group
        self.tenant = tenant
        self.wake = wake
        self.batches: list[Batch] = []
        self.queued = 0
        self.skipped = 0

    def put(self, batch: Batch, lost: int = 0) -> None:
        self.skipped += lost + batch.left_out
        self.batches.append(batch)
        self.queued += len(batch.lines)
        while self.queued > MAX_QUEUED and len(self.batches) > 1:
            self._drop(self.batches.pop(0))
        self.wake()

    def _drop(self, batch: Batch) -> None:
        self.queued -= len(batch.lines)
        self.skipped += len(batch.lines)
        if batch.status:  # how a run ended is never dropped
            self.batches.append(Batch([], status=batch.status))

    def take(self) -> tuple[list[Batch], int]:
        """All that waits, and how many lines were lost before it."""
        batches, skipped = self.batches, self.skipped
        self.batches, self.queued, self.skipped = [], 0, 0
        return batches, skipped


class Hub:
    """All watchers of one event loop, by group; one channel receives for all of them."""

    def __init__(self) -> None:
        self.groups: dict[str, set[Watcher]] = {}
        self.count = 0
        self._of_tenant: dict[UUID, int] = {}
        self._seen: dict[tuple[str, str], int] = {}  # publisher and group -> lines it has sent
        self._channel = ""
        self._changing = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    async def join(self, watcher: Watcher) -> None:
        """From here on the watcher gets what is published; Full when there are too many."""
        mine = self._of_tenant.get(watcher.tenant, 0)
        if self.count >= MAX_WATCHERS or mine >= MAX_OF_TENANT:
            raise Full
        self.count += 1
        self._of_tenant[watcher.tenant] = mine + 1
        members = self.groups.setdefault(watcher.group, set())
        members.add(watcher)
        try:
            async with self._changing:
                await self._open()
                await layer().group_add(watcher.group, self._channel)
            if len(members) == 1 or watcher.group.startswith(RUNS):  # a run tells each who comes what was
                await self._announce([watcher.group])
        except BaseException:
            await self.leave(watcher)
            raise

    async def leave(self, watcher: Watcher) -> None:
        members = self.groups.get(watcher.group, set())
        if watcher not in members:
            return
        members.remove(watcher)
        self.count -= 1
        self._of_tenant[watcher.tenant] -= 1
        if not self._of_tenant[watcher.tenant]:
            del self._of_tenant[watcher.tenant]
        if not members:
            await self._drop(watcher.group)

    async def _drop(self, group: str) -> None:
        async with self._changing:
            if self.groups.get(group):  # somebody came while we waited
                return
            self.groups.pop(group, None)
            self._seen = {key: sent for key, sent in self._seen.items() if key[1] != group}
            await layer().group_discard(group, self._channel)

    async def _open(self) -> None:
        if not self._channel:
            self._channel = await layer().new_channel("watch.")
            self._tasks = [asyncio.create_task(self._receive()), asyncio.create_task(self._refresh())]

    async def close(self) -> None:
        tasks, self._tasks, self._channel = self._tasks, [], ""
        await end(tasks)

    async def _receive(self) -> None:
        while self._channel:
            try:
                message = await layer().receive(self._channel)
            except (RedisError, OSError) as problem:
                log.warning("live logs do not arrive for now: %s", problem)
                await asyncio.sleep(1)
                continue
            lines = [Line(*fields) for fields in message["lines"]]
            batch = Batch(lines, message["left_out"], message["status"])
            await self.deliver(message["group"], batch, self._lost(message, batch.count))

    def _lost(self, message: dict[str, object], count: int) -> int:
        """How many lines of this publisher never arrived, by its own count of what it sent before."""
        key = (str(message["by"]), str(message["group"]))
        before = int(str(message["before"]))
        lost = before - self._seen.get(key, before)
        self._seen[key] = before + count
        return max(lost, 0)

    async def deliver(self, group: str, batch: Batch, lost: int = 0) -> None:
        for index, watcher in enumerate(list(self.groups.get(group, ())), 1):
            watcher.put(batch, lost)
            if index % PIECE == 0:
                await asyncio.sleep(0)

    async def _refresh(self) -> None:
        while self._channel:
            await asyncio.sleep(REFRESH_S)
            groups = list(self.groups)
            try:
                for start in range(0, len(groups), PIECE):
                    await self._announce(groups[start : start + PIECE])
                await aredis().zremrangebyscore(WATCHED, "-inf", time.time())
            except (RedisError, OSError) as problem:
                log.warning("could not say what is watched: %s", problem)

    async def _announce(self, groups: list[str]) -> None:
        until = time.time() + TTL_S
        await aredis().zadd(WATCHED, dict.fromkeys(groups, until), gt=True)
        await aredis().publish(CHANNEL, orjson.dumps(groups))


_of_loop: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running loop."""
    loop = asyncio.get_running_loop()
    found = _of_loop.get(loop)
    if found is None:
        found = _of_loop[loop] = Hub()
    return found
