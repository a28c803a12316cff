"""The data plane behind ASGI: reading requests from it and writing answers to it, with limits."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, MutableMapping
from contextlib import aclosing
from typing import Any

from django.conf import settings

from billing.background import end
from billing.errors import ApiError
from runtime.ask import HIDDEN
from runtime.exchange import Asked, Given, Headers

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
BODY_S = 30.0  # a body that trickles in more slowly is refused


def asked(scope: Scope, receive: Receive) -> Asked:
    """The raw path counts, so that `%2f` and `%2e` can never turn into another tenant's path."""
    raw = scope.get("raw_path") or scope["path"].encode()
    try:
        path = raw.decode("ascii").partition("?")[0]
    except UnicodeDecodeError:
        raise ApiError(404) from None
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    headers, token = read_headers(pairs)
    peer = caller((scope.get("client") or ("unknown", 0))[0], pairs)

    def body(limit: int) -> Awaitable[bytes]:
        return read_body(receive, headers, limit)

    return Asked(scope["method"], path, scope["query_string"], headers, token, peer, body)


def caller(peer: str, headers: Iterable[tuple[str, str]]) -> str:
    """The caller's address; X-Forwarded-For counts only when a configured proxy sent it (ATTACKS A081)."""
    if peer not in settings.FORWARDED_ALLOW:
        return peer
    chain = [value for name, value in headers if name == "x-forwarded-for"]
    return chain[-1].rsplit(",", 1)[-1].strip()[:45] if chain else peer


def read_headers(pairs: Iterable[tuple[str, str]]) -> tuple[Headers, str | None]:
    """What functions may see of the headers, and the bearer token, which they may not."""
    headers: Headers = {}
    token = None
    for name, value in pairs:
        if name == "authorization":
            kind, _, rest = value.partition(" ")
            token = rest.strip() if kind.lower() == "bearer" else ""
        elif name not in HIDDEN:
            headers[name] = value
    return headers, token


async def give(send: Send, given: Given, receive: Receive) -> None:
    head = [(name.encode(), value.encode("latin-1", "replace")) for name, value in given.headers]
    await send({"type": "http.response.start", "status": given.status, "headers": head})
    if given.stream is not None:
        await pour(send, given.stream, receive)
    else:
        await send({"type": "http.response.body", "body": given.body})


async def pour(send: Send, stream: AsyncGenerator[bytes, None], receive: Receive) -> None:
    """Piece by piece, each taken before the next is made, until the client leaves."""
    pouring = asyncio.ensure_future(pieces(send, stream))
    leaving = asyncio.ensure_future(left(receive))
    try:
        await asyncio.wait({pouring, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end([pouring, leaving])


async def pieces(send: Send, stream: AsyncGenerator[bytes, None]) -> None:
    async with aclosing(stream):
        async for piece in stream:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def left(receive: Receive) -> None:
    """Until the client has gone; a server that goes on giving the same body tells nothing."""
    message = await receive()
    if message["type"] != "http.disconnect":
        await asyncio.Event().wait()


def check_framing(pairs: Iterable[tuple[str, str]]) -> None:
    """501 for a body that is packed for its way in another manner than in chunks: nobody here would unpack it."""
    for name, value in pairs:
        if name == "transfer-encoding" and value.strip().lower() != "chunked":
            raise ApiError(501, "Of transfer encodings only chunked is understood.")


def declared(headers: Headers, limit: int) -> int | None:
    """Content-Length; None when a body comes in chunks. 413 as soon as it is known to be too long."""
    length = headers.get("content-length", "")
    if length and (not length.isdigit() or int(length) > limit):
        raise ApiError(413, f"The body may have {limit} bytes.")
    if "transfer-encoding" in headers:
        check_framing(headers.items())
        return None
    return int(length or 0)


async def read_body(receive: Receive, headers: Headers, limit: int) -> bytes:
    """The whole body; 408 when it does not arrive."""
    length = declared(headers, limit)
    if length == 0:
        return b""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ApiError(400, "The body ended too early.")
    first = message.get("body", b"")
    # Granian says "more" until the end is read too; what was declared is all there is, and waiting costs 40 µs.
    if len(first) == length or not message.get("more_body"):
        return within(first, limit)
    try:
        async with asyncio.timeout(BODY_S):
            return await rest_of(first, receive, limit)
    except TimeoutError:
        raise ApiError(408, f"The body did not arrive within {BODY_S:.0f} seconds.") from None


def within(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise ApiError(413, f"The body may have {limit} bytes.")
    return data


async def rest_of(first: bytes, receive: Receive, limit: int) -> bytes:
    parts, size = [first], len(first)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ApiError(400, "The body ended too early.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise ApiError(413, f"The body may have {limit} bytes.")
        if not message.get("more_body"):
            return b"".join(parts)
