"""The data plane's own HTTP/1.1 server: one parser, one loop, no hop between threads.

An ASGI server costs two to three times what it costs to parse and answer here (templates/docs/bench.md), and
hands on a decoded path. Parsing is llhttp's (httptools), strict; limits and time-outs are ours. Calls that wait
for nothing are answered within `data_received`; everything else becomes a task. TLS and HTTP/2 belong to the
reverse proxy in front.
"""

import asyncio
import logging
import time
from collections import deque
from email.utils import formatdate
from http import HTTPStatus
from typing import cast

import httptools

from billing.errors import ApiError
from runtime.background import end
from runtime.body import Body
from runtime.exchange import Asked, Given, problem
from runtime.gateway import Gateway
from runtime.wire import BODY_S, caller, declared, read_headers

MAX_HEAD = 64 * 1024
MAX_URL = 16 * 1024
HEAD_S = 15.0  # a request line and headers that trickle in more slowly are refused
IDLE_S = 75.0
SWEEP_S = 1.0
GRACE_S = 10.0
AHEAD = 8  # requests that a client may send before their turn
MAX_CONNECTIONS = 20_000
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PHRASES = {status.value: status.phrase for status in HTTPStatus}
LINES = {status: f"HTTP/1.1 {status} {PHRASES.get(status, 'Unnamed')}\r\n" for status in range(200, 600)}
BODILESS = (204, 304)
TOO_LONG = ApiError(431, f"The headers may have {MAX_HEAD} bytes.")
TOO_SLOW = ApiError(408, "The request did not arrive in time.")
TOO_MANY = ApiError(503, "Too many connections.", headers={"Retry-After": "1"})
log = logging.getLogger(__name__)


def packed(given: Given, date: str, *, close: bool) -> bytes:
    """An answer as bytes; a header that would split it is a fault of ours and ends the connection."""
    pairs = given.headers
    if given.status in BODILESS:
        pairs = [pair for pair in pairs if pair[0] != "content-length"]
    head = "".join([f"{name}: {value}\r\n" for name, value in pairs])
    if not head.count("\n") == head.count("\r") == len(pairs):
        raise ValueError("a header holds a line break")
    end = "connection: close\r\n\r\n" if close else "\r\n"
    return (LINES[given.status] + date + head + end).encode("latin-1", "replace") + given.body


class Request:
    """What the parser has read of one request."""

    __slots__ = ("body", "headers", "keep", "method", "ready", "target", "whole")

    def __init__(self) -> None:
        self.target = b""
        self.method = ""
        self.headers: list[tuple[str, str]] = []
        self.body: Body | None = None
        self.ready = False  # all its headers are here
        self.whole = False  # and all its body
        self.keep = True


class Connection(asyncio.Protocol):
    """One client; its requests are answered one after the other, in their order."""

    def __init__(self, server: "Front") -> None:
        self.server = server
        self.requests: deque[Request] = deque()
        self.reading: Request | None = None  # its headers or its body are still arriving
        self.since = 0.0  # since when it has been arriving; 0 = nothing is half here
        self.idle = time.monotonic() + HEAD_S  # until when nothing need be sent
        self.size = 0  # bytes of its headers so far
        self.task: asyncio.Task[None] | None = None
        self.full = False  # the client does not take what we write
        self.closing = False

    # -- the transport ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.parser = httptools.HttpRequestParser(self)
        name = self.transport.get_extra_info("peername")
        self.peer = str(name[0]) if name else "unknown"
        self.server.opened(self)

    def connection_lost(self, reason: Exception | None) -> None:
        self.closing = True
        self.server.connections.discard(self)
        if self.reading is not None and self.reading.body is not None:
            self.reading.body.end(early=True)

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        self.go_on()

    def data_received(self, data: bytes) -> None:
        if self.closing:
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return self.refuse(ApiError(400, "Other protocols are not spoken here."))
        except httptools.HttpParserError:
            return self.refuse(ApiError(400, "This is not an HTTP/1.1 request."))
        self.arriving(len(data))
        if self.requests and self.task is None:
            self.go_on()
        if len(self.requests) > AHEAD and not self.closing:
            self.transport.pause_reading()

    def arriving(self, size: int) -> None:
        """Keep an eye on what is half here: how long it takes, and how much of it are headers."""
        reading = self.reading
        if reading is None:
            self.since = 0.0
            return
        self.since = self.since or time.monotonic()
        if not reading.ready:
            self.size += size
            if self.size > MAX_HEAD:
                self.refuse(TOO_LONG)

    # -- the parser ---------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self.reading = Request()
        self.size = 0

    def on_url(self, part: bytes) -> None:
        request = cast(Request, self.reading)
        request.target += part
        if len(request.target) > MAX_URL:
            self.refuse(ApiError(414, f"The address may have {MAX_URL} bytes."))

    def on_header(self, name: bytes, value: bytes) -> None:
        request = cast(Request, self.reading)
        if request.ready:
            return  # a trailer: nobody asked for one
        self.size += len(name) + len(value)
        if self.size > MAX_HEAD:
            return self.refuse(TOO_LONG)
        request.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        request = cast(Request, self.reading)
        request.method = self.parser.get_method().decode("ascii")
        request.keep = self.parser.should_keep_alive()
        request.ready = True
        request.body = Body(self.transport)
        self.requests.append(request)

    def on_body(self, part: bytes) -> None:
        cast(Body, cast(Request, self.reading).body).add(part)

    def on_message_complete(self) -> None:
        request = cast(Request, self.reading)
        request.whole = True
        cast(Body, request.body).end()
        self.reading = None

    # -- answering ----------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Answer what can be answered at once; the first that has to wait becomes a task."""
        while self.requests and self.task is None and not (self.full or self.closing):
            request = self.requests[0]
            if not (request.whole or cast(Body, request.body).long(request.headers)):
                return
            given = self.at_once(request)
            if isinstance(given, Given):
                self.answer(request, given)
            else:
                self.task = asyncio.ensure_future(self.later(given, request))
        if len(self.requests) <= AHEAD and not self.closing:
            self.transport.resume_reading()

    def at_once(self, request: Request) -> Given | Asked:
        """The answer, or what is asked when it has to be waited for."""
        try:
            asked = self.asked(request)
            given = self.server.gateway.now(asked, cast(Body, request.body).all()) if request.whole else None
            return given or asked
        except ApiError as error:
            return problem(error)
        except Exception as fault:
            self.server.fault(fault)
            return problem(ApiError(500))

    async def later(self, asked: Asked, request: Request) -> None:
        try:
            given = await self.server.gateway.respond(lambda: asked)
        except Exception as fault:
            self.server.fault(fault)
            given = problem(ApiError(500))
        self.task = None
        if not self.closing:
            self.answer(request, given)
            self.go_on()

    def asked(self, request: Request) -> Asked:
        target, _, query = request.target.partition(b"?")
        try:
            path = target.decode("ascii")
        except UnicodeDecodeError:
            raise ApiError(404) from None
        headers, token = read_headers(request.headers)

        async def body(limit: int) -> bytes:
            length = declared(headers, limit)
            if length != 0 and not request.whole and "100-continue" in headers.get("expect", "").lower():
                self.transport.write(CONTINUE)
            return await cast(Body, request.body).read(limit)

        peer = caller(self.peer, request.headers)
        return Asked(request.method, path, query, headers, token, peer, body)

    def answer(self, request: Request, given: Given) -> None:
        """Write it; a body that was not read to its end ends the connection with it."""
        self.requests.popleft()
        keep = request.keep and request.whole and not self.server.ending
        try:
            self.transport.write(packed(given, self.server.date, close=not keep))
        except ValueError as fault:
            self.server.fault(fault)
            keep = False
        self.idle = time.monotonic() + IDLE_S
        if not keep:
            self.close()

    def refuse(self, error: ApiError) -> None:
        """Answer and hang up: what follows cannot be understood."""
        if self.closing:
            return
        if self.task is None:
            self.transport.write(packed(problem(error), self.server.date, close=True))
        self.close()

    def close(self) -> None:
        self.closing = True
        self.requests.clear()
        self.transport.close()

    def expire(self, now: float) -> None:
        """Called now and then: nobody may hold a connection by sending nothing, or half a request."""
        if self.task is not None or self.closing:
            return
        if self.reading is not None and self.since:
            if now - self.since > (BODY_S if self.reading.ready else HEAD_S):
                self.refuse(TOO_SLOW)
        elif now > self.idle:
            self.close()


class Front:
    """The server of one process."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.connections: set[Connection] = set()
        self.ending = False
        self.date = dated()

    def opened(self, connection: Connection) -> None:
        self.connections.add(connection)
        if len(self.connections) > MAX_CONNECTIONS:
            connection.refuse(TOO_MANY)

    def fault(self, fault: Exception) -> None:
        log.error("a request ended in a fault of ours", exc_info=fault)

    async def serve(self, host: str, port: int, until: asyncio.Event) -> None:
        """Listen until the event is set, then let what is under way end."""
        await self.gateway.start()
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            lambda: Connection(self), host, port, backlog=2048, reuse_port=True
        )
        sweeper = asyncio.create_task(self.sweep())
        await until.wait()
        listening.close()
        await self.drain()
        await end([sweeper])
        await self.gateway.stop()

    async def sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.date = dated()
            now = time.monotonic()
            for connection in list(self.connections):
                connection.expire(now)

    async def drain(self) -> None:
        """What is being answered gets a while; who sends nothing is told at once that nobody listens any more."""
        self.ending = True
        until = time.monotonic() + GRACE_S
        while time.monotonic() < until and any(one.requests for one in self.connections):
            await asyncio.sleep(0.02)
        for connection in list(self.connections):
            connection.close()


def dated() -> str:
    return f"date: {formatdate(usegmt=True)}\r\n"
