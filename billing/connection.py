"""One outgoing HTTP/1.1 connection on an event loop: it writes a request and parses the answer within bounds.

It is given an open socket to a vetted address by billing/pool.py and knows nothing of names or URLs.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import cast

import httptools

from billing.body import Body, EgressFailed

MAX_HEADERS = 200
MAX_IDLE_BYTES = 64 * 1024  # of headers, chunk extensions or trailers, between two pieces of the body
HIGH_WATER = 256 * 1024  # of a streamed answer that nobody has read yet
BODILESS = (204, 304)


class Answer:
    """One answer on its way in; `streamed` wakes its reader for every piece, else only at the end."""

    __slots__ = (
        "body",
        "ended",
        "failure",
        "headers",
        "max_bytes",
        "parts",
        "ready",
        "status",
        "streamed",
        "wake",
    )

    def __init__(self, max_bytes: int, *, streamed: bool = False) -> None:
        self.max_bytes, self.streamed = max_bytes, streamed
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body: Body | None = None
        self.parts: deque[bytes] = deque()
        self.ready = False  # status and headers are here
        self.ended = False
        self.failure: EgressFailed | None = None
        self.wake: asyncio.Future[None] | None = None

    def tell(self) -> None:
        if self.wake is not None and not self.wake.done():
            self.wake.set_result(None)

    async def more(self) -> None:
        """Wait until something arrives, or the end."""
        self.wake = asyncio.get_running_loop().create_future()
        await self.wake

    async def head(self) -> None:
        while not (self.ready or self.ended):
            await self.more()
        if self.failure is not None:
            raise self.failure

    async def whole(self) -> bytes:
        while not self.ended:
            await self.more()
        if self.failure is not None:
            raise self.failure
        return b"".join(self.parts)


class Connection(asyncio.Protocol):
    """Carries one request at a time; `free` says whether another may follow."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.transport: asyncio.Transport | None = None
        self.parser = httptools.HttpResponseParser(self)
        self.raw: list[tuple[bytes, bytes]] = []
        self.idle_bytes = 0
        self.heard = False  # whether any byte of the present answer has come
        self.bodiless = False  # the answer to a HEAD
        self.framed = True  # the end of the body is marked; else it is the end of the connection
        self.final = False  # the headers of the final answer are through
        self.paused = False
        self.free = False
        self.uses = 0
        self.opened = self.rested = 0.0  # loop time

    # -- the transport ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.free = True

    def data_received(self, data: bytes) -> None:
        if self.answer is None:
            return self.close()  # nobody asked: what follows would be taken for the next answer
        self.heard = True
        self.idle_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.fail("the other side does not answer with valid HTTP")
        if self.answer is not None and self.idle_bytes > MAX_IDLE_BYTES:
            self.fail("the answer has headers or chunks of no end")

    def connection_lost(self, reason: Exception | None) -> None:
        self.free = False
        if self.answer is None:
            return
        if self.final and not self.framed and reason is None:
            return self.finish()
        self.fail("the other side ends the answer too early" if self.heard else "the other side hangs up")

    # -- the parser ---------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self.raw = []
        if self.answer is None:  # a second answer behind the first
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.final:
            return  # a trailer: nobody asked for one
        self.raw.append((name, value))

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        if self.answer is None or status < 200:
            return
        if len(self.raw) > MAX_HEADERS:
            return self.fail(f"the answer has more than {MAX_HEADERS} headers")
        headers = named(self.raw)
        if headers.get("transfer-encoding", "chunked").lower() != "chunked":
            return self.fail("the answer has a transfer encoding that was not asked for")
        answer = self.answer
        self.final = True
        self.framed = "content-length" in headers or "transfer-encoding" in headers or status in BODILESS
        self.free = self.parser.should_keep_alive() and self.framed and not self.bodiless
        try:
            answer.body = Body(headers.pop("content-encoding", ""), answer.max_bytes)
        except EgressFailed as failure:
            return self.fail(failure.reason)
        answer.status, answer.headers, answer.ready = status, headers, True
        if self.bodiless:
            return self.finish()
        if answer.streamed:
            answer.tell()

    def on_body(self, part: bytes) -> None:
        answer = self.answer
        if answer is None or answer.body is None:
            return
        self.idle_bytes = 0
        try:
            answer.parts.extend(answer.body.take(part))
        except EgressFailed as failure:
            return self.fail(failure.reason)
        if answer.streamed:
            self.hold(answer)
            answer.tell()

    def on_message_complete(self) -> None:
        if self.final and self.answer is not None:
            self.finish()

    # -- its user -----------------------------------------------------------------------------------

    def ask(self, request: bytes, answer: Answer, *, head_only: bool = False) -> None:
        """Send a request; what comes back is told to `answer`."""
        assert self.transport is not None
        self.answer = answer
        self.uses += 1
        self.idle_bytes, self.heard, self.final, self.framed = 0, False, False, True
        self.bodiless, self.free = head_only, False
        self.transport.write(request)

    async def pieces(self, answer: Answer) -> AsyncIterator[bytes]:
        """The body as it arrives; a slow reader slows the other side down."""
        while True:
            while answer.parts:
                yield answer.parts.popleft()
            if self.paused and self.transport is not None:
                self.paused = False
                self.transport.resume_reading()
            if answer.failure is not None:
                raise answer.failure
            if answer.ended:
                return
            await answer.more()

    def hold(self, answer: Answer) -> None:
        if not self.paused and self.transport is not None and sum(map(len, answer.parts)) > HIGH_WATER:
            self.paused = True
            self.transport.pause_reading()

    def finish(self) -> None:
        """The answer is whole."""
        answer, self.answer = self.answer, None
        assert answer is not None
        if answer.body is not None and not self.bodiless:
            try:
                answer.body.finish()
            except EgressFailed as failure:
                answer.failure = failure
        answer.ended = True
        answer.tell()
        if not self.free:
            self.close()

    def fail(self, reason: str) -> None:
        """End the answer with words for the person who wrote the URL, and the connection with it."""
        answer, self.answer = self.answer, None
        if answer is not None and not answer.ended:
            answer.failure, answer.ended = EgressFailed(reason), True
            answer.tell()
        self.close()

    def close(self) -> None:
        self.free = False
        if self.transport is not None:
            self.transport.abort()


def named(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header names in lower case; what comes twice is joined."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers
