"""The body of a request as it arrives: what is small is simply there, what is long waits until somebody wants it."""

import asyncio
import time

from billing.errors import ApiError
from runtime.wire import BODY_S

SMALL = 64 * 1024  # up to so much is read before the caller is known


class Body:
    """Reading stops when more than SMALL is here and nobody has asked for it."""

    __slots__ = ("early", "ended", "parts", "size", "transport", "waiter", "wanted")

    def __init__(self, transport: asyncio.Transport | None = None) -> None:
        self.transport = transport
        self.parts: list[bytes] = []
        self.size = 0
        self.ended = self.early = self.wanted = False
        self.waiter: asyncio.Future[None] | None = None

    def add(self, part: bytes) -> None:
        self.parts.append(part)
        self.size += len(part)
        if self.size > SMALL and self.transport is not None:
            self.transport.pause_reading()
        self.wake()

    def end(self, *, early: bool = False) -> None:
        """Nothing follows; ``early`` when the client went away before its end."""
        if not self.ended:
            self.ended, self.early = True, early
            self.wake()

    def wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def all(self) -> bytes:
        """A whole body."""
        return self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)

    def long(self, headers: list[tuple[str, str]]) -> bool:
        """Whether the answer must not wait for it: nobody knows yet whether this caller may send so much."""
        if self.size > SMALL:
            return True
        told = dict(headers)
        length = told.get("content-length", "0")
        if "100-continue" in told.get("expect", "").lower():
            return True  # it does not come before it is asked for
        return not (length.isdigit() and int(length) <= SMALL)

    async def read(self, limit: int) -> bytes:
        """All of it: 413 over the limit, 408 when it does not arrive in time, 400 when it ends too early."""
        until = time.monotonic() + BODY_S
        while not self.ended and self.size <= limit:
            self.resume()
            await self.more(until - time.monotonic())
        if self.size > limit:
            raise ApiError(413, f"The body may have {limit} bytes.")
        self.resume()
        if self.early:
            raise ApiError(400, "The body ended too early.")
        return self.all()

    def resume(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    async def more(self, seconds: float) -> None:
        self.waiter = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(self.waiter, seconds)
        except TimeoutError:
            raise ApiError(408, f"The body did not arrive within {BODY_S:.0f} seconds.") from None
        finally:
            self.waiter = None
