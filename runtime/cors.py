"""Which foreign pages may call an API (`cors:` of a service's api); never with credentials."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from runtime.wire import BASE, Headers

MAX_AGE = b"600"


def allowed(rules: Sequence[str], origin: str | None) -> bool:
    return origin is not None and ("*" in rules or origin in rules)


def headers(rules: Sequence[str], origin: str | None) -> list[tuple[bytes, bytes]]:
    """For an answer: the origin itself when it may read it, otherwise nothing."""
    if not rules or not allowed(rules, origin) or origin is None:
        return []
    who = b"*" if "*" in rules else origin.encode("latin-1")
    exposed = (b"access-control-expose-headers", b"x-execution-id, x-compute-units")
    return [(b"access-control-allow-origin", who), (b"vary", b"origin"), exposed]


async def preflight(
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    rules: Sequence[str],
    asked: Headers,
    methods: Sequence[str],
) -> None:
    """OPTIONS: what may be done here; no function runs."""
    head = [*BASE, (b"allow", ", ".join((*methods, "OPTIONS")).encode()), (b"content-length", b"0")]
    if allowed(rules, asked.get("origin")):
        head += headers(rules, asked.get("origin"))
        head.append((b"access-control-allow-methods", ", ".join(methods).encode()))
        head.append((b"access-control-allow-headers", b"authorization, content-type, prefer, x-request-id"))
        head.append((b"access-control-max-age", MAX_AGE))
    await send({"type": "http.response.start", "status": 204, "headers": head})
    await send({"type": "http.response.body", "body": b""})
