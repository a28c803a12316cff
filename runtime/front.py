"""The data plane's own HTTP/1.1 server: one parser, one loop, no hop between threads.

An ASGI server spends two to three times what it costs to parse and answer here (templates/docs/bench.md), and
hands on a decoded path. Parsing is llhttp's (httptools), strict; limits and time-outs are ours. Calls that wait
for nothing are answered as their bytes arrive; everything else becomes a task. TLS and HTTP/2 belong to the
reverse proxy in front.
"""

import asyncio
import logging
import time
from email.utils import formatdate

from billing.background import end
from billing.errors import ApiError
from runtime.connection import Connection, Head
from runtime.exchange import Given, problem
from runtime.gateway import Gateway
from runtime.reply import packed

SWEEP_S = 1.0
GRACE_S = 10.0
MAX_CONNECTIONS = 20_000
TOO_MANY = ApiError(503, "Too many connections.", headers={"Retry-After": "1"})
log = logging.getLogger(__name__)


class Front:
    """The server of one process."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.connections: set[Connection] = set()
        self.ending = False
        self.date, self.now = dated(), time.monotonic()
        self.batch: list[tuple[Connection, bytes | Given, bool]] = []

    def opened(self, connection: Connection) -> None:
        self.connections.add(connection)
        if len(self.connections) > MAX_CONNECTIONS:
            connection.refuse(TOO_MANY)

    def fault(self, fault: Exception) -> Given:
        log.error("a request ended in a fault of ours", exc_info=fault)
        return problem(ApiError(500))

    def again(self, head: Head, body: bytes) -> bytes | Given | None:
        gateway, hot = self.gateway, head.hot
        if hot is None or not hot.valid(gateway.tenants.get(hot.live.slug)):
            hot = head.hot = gateway.heat(head.asked)
        return hot.again(gateway, body, self.date) if hot is not None else None

    def reply(self, connection: Connection, given: bytes | Given, *, keep: bool) -> None:
        """Answers leave together, after everything that they tell of is in the journal."""
        if not self.batch:
            asyncio.get_running_loop().call_soon(self.flush)
        self.batch.append((connection, given, keep))

    def flush(self) -> None:
        """One write to the journal for all calls that this turn of the loop has answered, then their answers."""
        batch, self.batch = self.batch, []
        if not batch:
            return
        refusal = self.unwritten()
        for connection, given, keep in batch:
            given = refusal or given
            if isinstance(given, Given):
                given, keep = self.pack(given, keep=keep)
            connection.write(given, keep=keep)

    def unwritten(self) -> Given | None:
        """Why nothing may be acknowledged, when the journal could not be written."""
        try:
            if self.gateway.waist is not None:
                self.gateway.waist.flush()
        except ApiError as error:
            return problem(error)
        return None

    def pack(self, given: Given, *, keep: bool) -> tuple[bytes, bool]:
        try:
            return packed(given, self.date, close=not keep), keep
        except ValueError as fault:
            return packed(self.fault(fault), self.date, close=True), False

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """Start to answer; other processes may listen on the same port."""
        await self.gateway.start()
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: Connection(self), host, port, backlog=2048, reuse_port=True)

    async def serve(self, host: str, port: int, until: asyncio.Event) -> None:
        """Answer until the event is set, then let what is under way end."""
        listening = await self.listen(host, port)
        sweeper = asyncio.create_task(self.sweep())
        await until.wait()
        listening.close()
        await self.drain()
        await end([sweeper])
        await self.gateway.stop()

    async def sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.date, self.now = dated(), time.monotonic()
            for connection in list(self.connections):
                connection.expire(self.now)

    async def drain(self) -> None:
        """What is being answered gets a while; who sends nothing is told at once that nobody listens any more."""
        self.ending = True
        until = time.monotonic() + GRACE_S
        while time.monotonic() < until and any(one.requests for one in self.connections):
            await asyncio.sleep(0.02)
        self.flush()
        for connection in list(self.connections):
            connection.close()


def dated() -> bytes:
    return f"date: {formatdate(usegmt=True)}\r\n".encode()
