"""Reading bodies from and writing answers to ASGI, with limits."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from billing.errors import ApiError
from runtime.answer import Reply

Headers = dict[str, str]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
BODY_S = 30.0  # a body that trickles in more slowly is refused
GZIP_FROM = 1024
# Strangers' code answers here: no scripts run on this origin, nothing is sniffed, nothing is kept by caches.
BASE: list[tuple[bytes, bytes]] = [
    (b"content-security-policy", b"sandbox"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


async def read_body(receive: Callable[[], Awaitable[Any]], headers: Headers, limit: int) -> bytes:
    """The whole body; 413 as soon as it is known to be too long, 408 when it does not arrive."""
    declared = headers.get("content-length", "")
    if declared and (not declared.isdigit() or int(declared) > limit):
        raise ApiError(413, f"The body may have {limit} bytes.")
    if (declared or "0") == "0" and "transfer-encoding" not in headers:
        return b""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ApiError(400, "The body ended too early.")
    first = message.get("body", b"")
    # Granian says "more" until the end is read too; what was declared is all there is, and waiting costs 40 µs.
    whole = declared and len(first) == int(declared) and "transfer-encoding" not in headers
    if whole or not message.get("more_body"):
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


async def rest_of(first: bytes, receive: Callable[[], Awaitable[Any]], limit: int) -> bytes:
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


async def answer(
    send: Send,
    headers: list[tuple[bytes, bytes]],
    reply: Reply,
    *,
    scope: MutableMapping[str, Any],
    headers_in: Headers,
) -> None:
    """Send a function's reply; HEAD gets the headers alone, large text goes packed to who takes it."""
    body = reply.body
    head = [*headers, (b"content-type", reply.content_type.encode("latin-1"))]
    if reply.headers:
        head += [(name.encode(), value.encode("latin-1")) for name, value in reply.headers]
    if not reply.headers or not any(name == "cache-control" for name, _ in reply.headers):
        head.append((b"cache-control", b"no-store"))
    if (
        len(body) >= GZIP_FROM
        and "gzip" in headers_in.get("accept-encoding", "")
        and textual(reply.content_type)
    ):
        body = gzip.compress(body, 5)
        head += [(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
    head.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": head})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def textual(kind: str) -> bool:
    return kind.startswith("text/") or "json" in kind or "xml" in kind or "javascript" in kind


async def problem(send: Send, error: ApiError) -> None:
    """A refusal of the platform itself, as problem+json."""
    body = orjson.dumps(error.body())
    head = [
        *BASE,
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    head += [
        (name.lower().encode(), value.encode("latin-1", "replace")) for name, value in error.headers.items()
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": head})
    await send({"type": "http.response.body", "body": body})
