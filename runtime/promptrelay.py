"""Streams that are taken up again in another process than the one that runs them: their events come through Redis.

A process asks all others for the run. The one that has it sends what a reader would get, a few pieces ahead of what was
taken, and counts as the run's reader. Both sides show signs of life; whatever is lost on the way ends the relay, and
the reader takes the run up again.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

import orjson
from redis.exceptions import RedisError

from billing.background import end
from billing.redis import aredis, patient
from runtime import promptstream
from runtime.promptstream import Heard, Mark

CALL = "prompts:relay"  # where all processes hear who looks for a run
ANSWER_S = 2.0  # within which the one that has it answers
BEAT_S = 2.0
SILENCE_S = 7.0  # after which the other side is given up
AHEAD = 8  # pieces on their way
log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Incoming:
    """A run that is heard here and goes on elsewhere."""

    token: str
    others: int = 0  # processes that have not said yet that they do not have it
    owner: str = ""
    begun: bool = False
    news: "asyncio.Queue[tuple[str, int, bytes]]" = field(default_factory=asyncio.Queue)


@dataclass(slots=True, eq=False)
class Outgoing:
    """A run of this process that is heard elsewhere."""

    token: str
    to: str
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AHEAD))
    heard: float = field(default_factory=time.monotonic)  # when the other side last said something


class Relay:
    """One for each gateway; ``listen`` runs as long as that serves."""

    def __init__(self) -> None:
        self.name = f"{CALL}:{uuid4().hex}"
        self.ready = asyncio.Event()
        self.closed = False
        self.coming: dict[str, Incoming] = {}
        self.going: dict[str, Outgoing] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        try:
            while True:
                try:
                    await self.hear()
                except (RedisError, OSError) as problem:
                    log.warning("streams are not relayed for now: %s", problem)
                self.ready.clear()
                await asyncio.sleep(1)
        finally:
            self.closed = True
            await end(list(self.tasks))

    async def hear(self) -> None:
        async with patient() as client, client.pubsub() as inbox:
            await inbox.subscribe(CALL, self.name)
            async for message in inbox.listen():
                if message["type"] == "subscribe":
                    self.ready.set()
                elif message["type"] == "message":
                    head, _, data = message["data"].partition(b"\n")
                    self.take(orjson.loads(head), data)

    async def say(self, to: str, kind: str, token: str, data: bytes = b"", **more: Any) -> int:
        """How many heard it."""
        head = orjson.dumps({"kind": kind, "token": token, "from": self.name, **more})
        return int(await aredis().publish(to, head + b"\n" + data))

    def take(self, said: dict[str, Any], data: bytes) -> None:
        kind, token = said["kind"], said["token"]
        if kind == "who":
            if said["from"] != self.name:
                self.begin(self.answered(said))
        elif (coming := self.coming.get(token)) is not None:
            if kind == "mine":
                coming.owner = said["from"]
            coming.news.put_nowait((kind, said.get("n", 0), data))
        elif (going := self.going.get(token)) is not None:
            going.heard = time.monotonic()
            if kind == "took":
                going.room.release()
            elif kind == "gone":
                going.heard = 0.0

    def begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    # -- the process that has the run ----------------------------------------------------------------

    async def answered(self, said: dict[str, Any]) -> None:
        token, to, mark = said["token"], said["from"], Mark(**said["mark"])
        heard = promptstream.find(mark)
        with suppress(RedisError, OSError):
            if heard is None:
                await self.say(to, "none", token)
                return
            going = self.going[token] = Outgoing(token, to)
            try:
                await self.say(to, "mine", token)
                await self.sent(heard, mark.after, going)
            finally:
                self.going.pop(token, None)

    async def sent(self, heard: Heard, after: int, going: Outgoing) -> None:
        """Until the run ends or the other side is silent for too long."""
        sending = self.begin(self.pieces(heard, after, going))
        try:
            while not sending.done() and time.monotonic() - going.heard < SILENCE_S:
                await self.say(going.to, "beat", going.token)
                await asyncio.wait([sending], timeout=BEAT_S / 4)
        finally:
            await end([sending] if not sending.done() else [])

    async def pieces(self, heard: Heard, after: int, going: Outgoing) -> None:
        number = 0
        with suppress(RedisError, OSError):
            async with aclosing(heard.read(after)) as pieces:
                async for piece in pieces:
                    await going.room.acquire()
                    number += 1
                    await self.say(going.to, "piece", going.token, piece, n=number)
            await self.say(going.to, "end", going.token)

    # -- the process that its reader came to ---------------------------------------------------------

    async def follow(self, mark: Mark) -> AsyncGenerator[bytes, None] | None:
        """The rest of a run that another process has; None when none does, or none can be asked."""
        coming = Incoming(uuid4().hex)
        self.coming[coming.token] = coming
        found = False
        try:
            async with asyncio.timeout(ANSWER_S):
                await self.ready.wait()
                coming.others = await self.say(CALL, "who", coming.token, mark=asdict(mark)) - 1
                found = await self.has_owner(coming)
        except (RedisError, OSError, TimeoutError):
            return None
        finally:
            if not found:
                self.coming.pop(coming.token, None)
        if not found:
            return None
        self.begin(self.keep(coming))
        return self.read(coming)

    async def has_owner(self, coming: Incoming) -> bool:
        while coming.others > 0:
            kind, _, _ = await coming.news.get()
            if kind == "mine":
                return True
            coming.others -= 1
        return False

    async def keep(self, coming: Incoming) -> None:
        """Signs of life, as long as somebody reads."""
        with suppress(RedisError, OSError):
            while coming.token in self.coming:
                await self.say(coming.owner, "beat", coming.token)
                await asyncio.sleep(BEAT_S)
                if not coming.begun:  # its reader left before the answer began
                    self.coming.pop(coming.token, None)

    async def read(self, coming: Incoming) -> AsyncGenerator[bytes, None]:
        coming.begun, number = True, 0
        try:
            with suppress(RedisError, OSError, TimeoutError):
                while True:
                    async with asyncio.timeout(SILENCE_S):
                        kind, at, data = await coming.news.get()
                    if kind == "piece" and at == number + 1:
                        number = at
                        yield data
                        await self.say(coming.owner, "took", coming.token)
                    elif kind != "beat":
                        return  # the end, or something was lost
        finally:
            self.coming.pop(coming.token, None)
            if not self.closed:
                self.begin(self.leave(coming))

    async def leave(self, coming: Incoming) -> None:
        with suppress(RedisError, OSError):
            await self.say(coming.owner, "gone", coming.token)
