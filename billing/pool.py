"""Connections of one event loop to vetted addresses, kept open between requests: how asynchronous code goes out.

A name is resolved and judged by billing/destination.py whenever a connection is opened, and the connection goes to
the address that was judged. Nothing is connected to in any other way. A request costs 26 µs of CPU; with httpx it
was 1,130 under 32 connections, with aiohttp 60 before any guard.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from billing.body import EgressFailed
from billing.connection import Answer, Connection
from billing.destination import Destination
from billing.gate import Gate
from billing.places import Places

IDLE_S = 4.0  # shorter than the usual 5 s after which servers hang up
OLDEST_S = 60.0  # so that an address is judged anew now and then
MOST_TO_ONE = 200  # at once; one tenant alone gets half of them, see billing/places.py
MOST = 1_000
MOST_ADDRESSES = 4  # of one name that are tried
REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
TOO_SLOW = "the other side takes too long"

Origin = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to one origin; `headers` are checked, `deadline` is on time.monotonic()."""

    method: str
    place: Destination
    headers: dict[str, str]
    content: bytes
    deadline: float
    max_bytes: int
    tenant: str = ""  # on whose behalf; the platform's own requests have nobody to share with

    def packed(self) -> bytes:
        head = f"{self.method} {self.place.target} HTTP/1.1\r\nhost: {self.place.authority}\r\n"
        for name, value in self.headers.items():
            head += f"{name}: {value}\r\n"
        if self.content or self.method in ("POST", "PUT", "PATCH"):
            head += f"content-length: {len(self.content)}\r\n"
        return f"{head}accept-encoding: gzip\r\n\r\n".encode("latin-1") + self.content

    @property
    def origin(self) -> Origin:
        return self.place.scheme, self.place.host, self.place.port

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again when a kept connection turns out to be dead."""
        return self.method in REPEATABLE or any(name.lower() == "idempotency-key" for name in self.headers)


class Pool:
    """The way out of one event loop."""

    def __init__(self, gate: Gate, tls: ssl.SSLContext) -> None:
        self.gate, self.tls = gate, tls
        self.resting: dict[Origin, list[Connection]] = {}
        self.all = Places(MOST)
        self.to: dict[Origin, Places] = {}
        self.swept: set[Origin] = set()

    async def whole(self, ask: Ask) -> tuple[Answer, bytes]:
        """The answer with its body; what may be repeated is asked again when a kept connection turns out to be dead."""
        while True:
            answer = Answer(ask.max_bytes)
            connection, alarm = await self.begin(ask, answer)
            try:
                return answer, await answer.whole()
            except EgressFailed:
                if connection.heard or connection.uses < 2 or not ask.repeatable or overdue(ask):
                    raise
            finally:
                self.end(ask, answer, connection, alarm)

    @asynccontextmanager
    async def stream(self, ask: Ask) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        """The answer as soon as its headers are here, and its body piece by piece."""
        answer = Answer(ask.max_bytes, streamed=True)
        connection, alarm = await self.begin(ask, answer)
        try:
            await answer.head()
            yield answer, connection.pieces(answer)
        finally:
            self.end(ask, answer, connection, alarm)

    async def begin(self, ask: Ask, answer: Answer) -> tuple[Connection, asyncio.TimerHandle]:
        """Send `ask` on a connection that fails at the deadline; `end` must follow."""
        await self.enter(ask)
        try:
            connection = self.rested(ask.origin) or await self.open(ask)
            left = ask.deadline - time.monotonic()
            alarm = asyncio.get_running_loop().call_later(left, connection.fail, TOO_SLOW)
            connection.ask(ask.packed(), answer, head_only=ask.method == "HEAD")
        except BaseException:
            self.leave(ask)
            raise
        return connection, alarm

    def end(self, ask: Ask, answer: Answer, connection: Connection, alarm: asyncio.TimerHandle) -> None:
        """The connection rests until it is needed again, unless it is half read."""
        alarm.cancel()
        self.rest(ask.origin, connection, answer)
        self.leave(ask)

    # -- places -------------------------------------------------------------------------------------

    async def enter(self, ask: Ask) -> None:
        """A place among all requests, and among those to this origin; each tenant has its share of both."""
        try:
            await self.all.take(ask.tenant, ask.deadline)
        except TimeoutError:
            raise EgressFailed("too many requests to the outside at present") from None
        there = self.to.get(ask.origin)
        if there is None:
            there = self.to[ask.origin] = Places(MOST_TO_ONE)
        entered = False
        try:
            await there.take(ask.tenant, ask.deadline)
            entered = True
        except TimeoutError:
            raise EgressFailed("too many requests to this host at present") from None
        finally:
            if not entered:
                self.all.leave(ask.tenant)
                self.forget(ask.origin)

    def leave(self, ask: Ask) -> None:
        self.to[ask.origin].leave(ask.tenant)
        self.forget(ask.origin)
        self.all.leave(ask.tenant)

    def forget(self, origin: Origin) -> None:
        if self.to[origin].idle:
            del self.to[origin]

    # -- connections --------------------------------------------------------------------------------

    def rested(self, origin: Origin) -> Connection | None:
        """The one used last that is still good."""
        kept = self.resting.get(origin)
        while kept:
            connection = kept.pop()
            if connection.free:
                return connection
        return None

    def rest(self, origin: Origin, connection: Connection, answer: Answer) -> None:
        now = asyncio.get_running_loop().time()
        if not answer.ended or not connection.free or now - connection.opened > OLDEST_S:
            return connection.close()
        connection.rested = now
        self.resting.setdefault(origin, []).append(connection)
        if origin not in self.swept:
            self.swept.add(origin)
            asyncio.get_running_loop().call_later(IDLE_S / 2, self.sweep, origin)

    def sweep(self, origin: Origin) -> None:
        """Close what has rested too long; comes again while anything rests."""
        now = asyncio.get_running_loop().time()
        young: list[Connection] = []
        for connection in self.resting.pop(origin, []):
            if connection.free and now - connection.rested < IDLE_S:
                young.append(connection)
            else:
                connection.close()
        self.swept.discard(origin)
        if young:
            self.resting[origin] = young
            self.swept.add(origin)
            asyncio.get_running_loop().call_later(IDLE_S / 2, self.sweep, origin)

    async def open(self, ask: Ask) -> Connection:
        """A new connection to an address that was judged a moment ago; TLS still checks the name."""
        reason = "the other side does not accept connections"
        for address in (await self.gate.avetted(ask.place.host, ask.place.port)).addresses[:MOST_ADDRESSES]:
            left = ask.deadline - time.monotonic()
            try:
                async with asyncio.timeout(max(0.0, min(self.gate.limits.connect_s, left))):
                    return await self.connected(address, ask.place)
            except TimeoutError:
                reason = TOO_SLOW
            except ssl.SSLCertVerificationError:
                raise EgressFailed("the certificate of the other side is not valid for its name") from None
            except (OSError, ssl.SSLError):
                continue
        raise EgressFailed(reason)

    async def connected(self, address: str, place: Destination) -> Connection:
        loop, secure = asyncio.get_running_loop(), place.scheme == "https"
        _, connection = await loop.create_connection(
            Connection, address, place.port,
            ssl=self.tls if secure else None, server_hostname=place.host if secure else None,
        )  # fmt: skip
        connection.opened = loop.time()
        return connection

    def close(self) -> None:
        for kept in self.resting.values():
            for connection in kept:
                connection.close()
        self.resting.clear()


def overdue(ask: Ask) -> bool:
    return time.monotonic() >= ask.deadline
