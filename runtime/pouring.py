"""An answer that goes to one client piece by piece: never faster than it is taken, and over when the client is gone."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import aclosing

STALL_S = 30.0  # a client that takes nothing for so long is gone
SYSTEM = 64 * 1024  # bytes that the system may hold for one client
GONE_MS = 10_000  # what was sent and not confirmed for so long never arrives


class Pour:
    """``room`` is cleared while the transport holds more than it should."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.room = asyncio.Event()
        self.room.set()
        self.task = asyncio.current_task()
        connected = transport.get_extra_info("socket")
        if connected is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SYSTEM)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_MS)

    async def run(self, head: bytes, stream: AsyncGenerator[bytes, None]) -> None:
        """Until the stream ends; cancelled by ``lost``."""
        async with aclosing(stream):
            self.transport.write(head)
            async for piece in stream:
                self.transport.write(piece)
                if not self.room.is_set():
                    await self.taken()

    async def taken(self) -> None:
        try:
            async with asyncio.timeout(STALL_S):
                await self.room.wait()
        except TimeoutError:
            self.transport.abort()
            raise asyncio.CancelledError from None

    def lost(self) -> None:
        """The client has left: whoever makes the pieces is told at once."""
        if self.task is not None:
            self.task.cancel()
