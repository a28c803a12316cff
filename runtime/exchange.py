"""A request and its answer as the data plane sees them, whatever protocol the server speaks."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

import orjson

from billing.errors import ApiError

Headers = dict[str, str]
Pairs = list[tuple[str, str]]
# Strangers' code answers here: no scripts run on this origin, nothing is sniffed, nothing is kept by caches.
BASE: Pairs = [
    ("content-security-policy", "sandbox"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
]


@dataclass(slots=True)
class Asked:
    """``path`` is raw: as it came over the wire, without the query; ``body`` reads no more than a limit."""

    method: str
    path: str
    query: bytes
    headers: Headers  # without what functions may not see
    token: str | None
    peer: str
    body: Callable[[int], Awaitable[bytes]]


@dataclass(slots=True)
class Given:
    """What goes back; with ``stream`` the body comes piece by piece."""

    status: int
    headers: Pairs
    body: bytes = b""
    stream: AsyncGenerator[bytes, None] | None = None


def problem(error: ApiError) -> Given:
    """A refusal of the platform itself, as problem+json."""
    body = orjson.dumps(error.body())
    head = [
        *BASE,
        ("content-type", "application/problem+json"),
        ("content-length", str(len(body))),
        ("cache-control", "no-store"),
    ]
    head += [(name.lower(), value) for name, value in error.headers.items()]
    return Given(error.status, head, body)
