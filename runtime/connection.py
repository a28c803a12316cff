"""One client of the data plane's own server: reads its requests, answers them in their order, and loses patience."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, cast

import httptools

from billing.errors import ApiError
from runtime.body import Body
from runtime.exchange import Asked, Given, problem
from runtime.hot import Known
from runtime.pouring import Pour
from runtime.reply import packed
from runtime.wire import BODY_S, caller, check_framing, declared, read_headers

if TYPE_CHECKING:
    from runtime.front import Front

MAX_HEAD = 64 * 1024
MAX_URL = 16 * 1024
HEAD_S = 15.0  # a request line and headers that trickle in more slowly are refused
IDLE_S = 75.0
AHEAD = 8  # requests that a client may send before their turn
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
TOO_LONG = ApiError(431, f"The headers may have {MAX_HEAD} bytes.")
FOREIGN = ApiError(400, "Other protocols are not spoken here.")
GARBLED = ApiError(400, "This is not an HTTP/1.1 request.")
TOO_SLOW = ApiError(408, "The request did not arrive in time.")


class Request:
    """What the parser has read of one request."""

    __slots__ = ("body", "headers", "keep", "method", "raw", "ready", "target", "whole")

    def __init__(self) -> None:
        self.target = b""
        self.method = ""
        self.headers: list[tuple[str, str]] = []
        self.body: Body | None = None
        self.ready = False  # all its headers are here
        self.whole = False  # and all its body
        self.keep = True
        self.raw = b""  # all its bytes, when they came at once and alone


async def gone(limit: int) -> bytes:
    """The body of a request that was answered: nobody keeps it."""
    return b""


class Head:
    """The bytes of a head that was answered, and what they mean; the same bytes again are not read again."""

    __slots__ = ("asked", "hot", "raw", "size")

    def __init__(self, raw: bytes, size: int, asked: Asked) -> None:
        self.raw, self.size, self.asked = raw, size, asked  # size: of the whole request, its body included
        self.hot: Known | None = None


class Connection(asyncio.Protocol):
    """One client; its requests are answered one after the other, in their order."""

    def __init__(self, server: "Front") -> None:
        self.server = server
        self.requests: deque[Request] = deque()
        self.reading: Request | None = None  # its headers or its body are still arriving
        self.since = 0.0  # since when it has been arriving; 0 = nothing is half here
        self.idle = server.now + HEAD_S  # until when nothing need be sent
        self.size = 0  # bytes of its headers so far
        self.head: Head | None = None
        self.task: asyncio.Task[None] | None = None
        self.pouring: Pour | None = None  # an answer that comes piece by piece
        self.full = False  # the client does not take what we write
        self.ahead = False  # reading rests: the client sent more than AHEAD
        self.last = False  # the connection ends with the answer that was given last
        self.deaf = False  # what follows cannot be understood
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
        if self.pouring is not None:
            self.pouring.lost()
        if self.reading is not None and self.reading.body is not None:
            self.reading.body.end(early=True)

    def pause_writing(self) -> None:
        self.full = True
        if self.pouring is not None:
            self.pouring.room.clear()

    def resume_writing(self) -> None:
        self.full = False
        if self.pouring is not None:
            self.pouring.room.set()
        self.go_on()

    def data_received(self, data: bytes) -> None:
        if self.closing or self.deaf or self.answered_again(data):
            return
        alone = self.reading is None and not self.requests
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return self.refuse(FOREIGN)
        except httptools.HttpParserError:
            return self.refuse(GARBLED)
        self.arriving(len(data))
        if alone and self.reading is None and len(self.requests) == 1:
            self.requests[0].raw = data
        if self.requests and self.task is None:
            self.go_on()
        if len(self.requests) > AHEAD and not self.closing:
            self.ahead = True
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
        while self.requests and self.task is None and not (self.full or self.last or self.closing):
            request = self.requests[0]
            if not (request.whole or cast(Body, request.body).long(request.headers)):
                return
            given = self.at_once(request)
            if isinstance(given, Asked):
                self.task = asyncio.ensure_future(self.later(given, request))
            else:
                self.answer(request, given)
        if self.ahead and len(self.requests) <= AHEAD and not self.closing:
            self.ahead = False
            self.transport.resume_reading()

    def at_once(self, request: Request) -> bytes | Given | Asked:
        """The answer, or what is asked when it has to be waited for."""
        try:
            asked = self.asked(request)
            if not request.whole:
                return asked
            body = cast(Body, request.body).all()
            stays = request.keep and not self.server.ending
            given = self.server.gateway.now(asked, body, self.server.date if stays else None)
        except ApiError as error:
            return problem(error)
        except Exception as fault:  # the edge of the loop: one request must not end the others
            return self.server.fault(fault)
        raw = request.raw
        # Nothing may be around the request, not even the empty line that parsers skip: it would shift the body.
        exact = raw.find(b"\r\n\r\n") + 4 + len(body) == len(raw)
        if given is not None and raw and exact and request.keep and "transfer-encoding" not in asked.headers:
            asked.body = gone
            self.head = Head(raw[: len(raw) - len(body)], len(raw), asked)
        return given or asked

    def answered_again(self, data: bytes) -> bool:
        """Whether this is one whole request with the head of the last one, and could be answered at once."""
        head = self.head
        if head is None or len(data) != head.size or not data.startswith(head.raw):
            return False
        if self.requests or self.reading is not None or self.task is not None or self.full or self.last:
            return False
        try:
            given = self.server.again(head, data[len(head.raw) :])
        except Exception as fault:  # the edge of the loop: one request must not end the others
            given = self.server.fault(fault)
        if given is None:
            self.head = None
            return False
        self.server.reply(self, given, keep=True)
        return True

    async def later(self, asked: Asked, request: Request) -> None:
        try:
            given = await self.server.gateway.respond(lambda: asked)
            if given.stream is not None:
                return await self.pour(given, given.stream)
        except Exception as fault:  # the edge of the loop: one request must not end the others
            given = self.server.fault(fault)
        self.task = None
        if not self.closing:
            self.answer(request, given)
            self.go_on()

    async def pour(self, given: Given, stream: AsyncGenerator[bytes, None]) -> None:
        """The connection ends with this answer: its length is not known when it begins."""
        if self.closing:
            return await stream.aclose()
        self.last, self.pouring = True, Pour(self.transport)
        try:
            await self.pouring.run(packed(given, self.server.date, close=True), stream)
        finally:
            self.pouring = None
            self.close()

    def asked(self, request: Request) -> Asked:
        target, _, query = request.target.partition(b"?")
        try:
            path = target.decode("ascii")
        except UnicodeDecodeError:
            raise ApiError(404) from None
        headers, token = read_headers(request.headers)
        if "transfer-encoding" in headers:
            check_framing(request.headers)

        async def body(limit: int) -> bytes:
            length = declared(headers, limit)
            if length != 0 and not request.whole and "100-continue" in headers.get("expect", "").lower():
                self.transport.write(CONTINUE)
            return await cast(Body, request.body).read(limit)

        peer = caller(self.peer, request.headers)
        return Asked(request.method, path, query, headers, token, peer, body)

    def answer(self, request: Request, given: bytes | Given) -> None:
        """Its turn is over; a body that was not read to its end ends the connection with it."""
        self.requests.popleft()
        keep = request.keep and request.whole and not self.server.ending
        self.last = not keep
        self.server.reply(self, given, keep=keep)

    def give_up_reading(self) -> None:
        """The request that is half here will never be whole."""
        request, self.reading = self.reading, None
        if request is None or request.body is None:
            return
        request.body.end(early=True)
        if self.task is None:
            self.requests.remove(request)

    def write(self, data: bytes, *, keep: bool) -> None:
        if self.closing:
            return
        self.transport.write(data)
        self.idle = self.server.now + IDLE_S
        if not keep:
            self.close()

    def refuse(self, error: ApiError) -> None:
        """Answer and hang up: what follows cannot be understood. What is being answered already still is."""
        if self.closing or self.deaf:
            return
        self.deaf = True
        self.give_up_reading()
        if self.requests:
            self.requests[-1].keep = False
            return self.go_on()
        self.server.flush()
        self.write(packed(problem(error), self.server.date, close=True), keep=False)

    def close(self) -> None:
        self.closing = True
        self.requests.clear()
        self.transport.close()

    def expire(self, now: float) -> None:
        """Called now and then: nobody may hold a connection by sending nothing, by half a request, or by not reading."""
        if self.closing:
            if now > self.idle:
                self.transport.abort()  # what was written last is not taken
            return
        if self.task is not None:
            return
        if self.reading is not None and self.since:
            if now - self.since > (BODY_S if self.reading.ready else HEAD_S):
                self.refuse(TOO_SLOW)
        elif now > self.idle:
            self.idle = now + IDLE_S  # to take what was written
            self.close()
