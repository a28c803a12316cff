"""A websocket that only tells: plain ASGI and one coroutine that waits; what its client sends has limits."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from billing.access import Principal

MAX_FRAME = 4096
MAX_FRAMES = 60  # that a client may send in a minute; none of them is needed
PING_S = 25
UNKNOWN, FORBIDDEN, ABSENT, ENDED, FLOOD, LARGE, FULL = 4401, 4403, 4404, 1000, 1008, 1009, 1013
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Peer(ABC):
    """The other side of one socket. A task for sending lives only while there is something to send."""

    __slots__ = ("_frames", "_minute", "_send", "closed", "main", "quiet", "sending", "who")

    def __init__(self, send: Send, who: Principal) -> None:
        self._send = send
        self.who = who
        self.sending: asyncio.Task[None] | None = None
        self.main: asyncio.Task[Any] | None = None
        self.closed = False
        self.quiet = time.monotonic()
        self._frames = 0
        self._minute = 0

    def wake(self) -> None:
        if self.sending is None and self.main is not None and not self.closed:
            self.sending = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        try:
            await self.rest()
        except (OSError, RuntimeError):  # the server's ways to say that the other side is gone
            self.stop()
        finally:
            self.sending = None

    @abstractmethod
    async def rest(self) -> None:
        """Send what has gathered, until there is nothing more."""

    async def data(self, value: dict[str, Any]) -> None:
        await self.text(orjson.dumps(value).decode())

    async def text(self, text: str) -> None:
        if not self.closed:
            self.quiet = time.monotonic()
            await self._send({"type": "websocket.send", "text": text})

    async def ping(self, now: float) -> None:
        """A sign of life after a silence, and the only way to notice a peer that vanished."""
        if now - self.quiet >= PING_S and self.sending is None:
            await self.data({"ping": int(time.time())})

    async def close(self, code: int) -> None:
        if not self.closed:
            self.closed = True
            await self._send({"type": "websocket.close", "code": code})
            self.stop()

    def stop(self) -> None:
        """End the coroutine that waits for the client; servers differ in whether closing wakes it."""
        self.closed = True
        if self.main is not None and self.main is not asyncio.current_task():
            self.main.cancel()

    async def listen(self, receive: Receive) -> None:
        """Until the client leaves. What it sends means nothing, but has limits."""
        while not self.closed:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self.closed = True
                return
            size = len(message.get("text") or message.get("bytes") or "")
            if size > MAX_FRAME:
                await self.close(LARGE)
            elif self._too_many():
                await self.close(FLOOD)

    def _too_many(self) -> bool:
        minute = int(time.monotonic() / 60)
        self._frames = self._frames + 1 if minute == self._minute else 1
        self._minute = minute
        return self._frames > MAX_FRAMES
