"""The other sides of many streams, in one loop: a model that writes slowly, and readers that only count what they hear."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress

AT_ONCE = 400  # readers that are connecting
TOKEN = b'data: {"id":"1","model":"slow","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


class Model:
    """Answers whoever asks with a word now and then, and never ends by itself."""

    def __init__(self, pause: float) -> None:
        self.pause = pause
        self.busy = 0

    async def listen(self) -> int:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=2048)
        return int(self.server.sockets[0].getsockname()[1])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
        self.busy += 1
        gone = asyncio.ensure_future(reader.read())
        try:
            writer.write(HEAD)
            while not gone.done():
                writer.write(TOKEN)
                await asyncio.wait([gone], timeout=self.pause)
        finally:
            self.busy -= 1
            gone.cancel()
            writer.close()


class Reader(asyncio.Protocol):
    """One stream: its status, when it last heard something, and whether that was a word."""

    __slots__ = ("began", "closed", "heard", "opened", "said", "transport", "words")

    def __init__(self, said: bytes, opened: "asyncio.Future[bool]") -> None:
        self.said, self.opened = said, opened
        self.heard = 0.0
        self.words = 0
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(self.said)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.heard = time.monotonic()
        self.words += data.count(b"event: token")
        if not self.opened.done():
            self.opened.set_result(data.startswith(b"HTTP/1.1 200 "))

    def connection_lost(self, reason: Exception | None) -> None:
        self.closed = True
        if not self.opened.done():
            self.opened.set_result(False)


async def reading(port: int, said: bytes, count: int) -> list[Reader]:
    """So many readers whose streams have begun."""
    loop, turn = asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)

    async def one() -> Reader:
        async with turn:
            _, reader = await loop.create_connection(
                lambda: Reader(said, loop.create_future()), "127.0.0.1", port
            )
            await asyncio.wait_for(reader.opened, 60)
            return reader

    return await asyncio.gather(*(one() for _ in range(count)))


def alive(readers: Iterable[Reader], since: float) -> int:
    """How many are open and have heard something since then."""
    return sum(not one.closed and one.heard >= since and one.opened.result() for one in readers)
