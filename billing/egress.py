"""The one way out of the platform: every request to a URL that a user wrote goes through here.

Only http and https, only public addresses, only open ports; connected to the address that was vetted.
"""

import asyncio
import os
import re
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import certifi

from billing import destination
from billing.body import EgressFailed
from billing.destination import Destination, EgressRefused, avet, vet
from billing.gate import Budget, Gate, Limits, Permit
from billing.hops import following
from billing.pool import Ask, Pool

if TYPE_CHECKING:
    import httpx

__all__ = [
    "Destination", "EgressFailed", "EgressRefused", "Gate", "Limits", "Permit", "Response", "Stream",
    "afetch", "astream", "avet", "client", "fetch", "pool", "vet",
]  # fmt: skip

MAX_REDIRECTS = 5
USER_AGENT = "PrioStack"

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}\Z")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,16384}\Z")
_METHOD = re.compile(r"[A-Z]{1,20}\Z")
_OURS = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect"}
    | {"keep-alive", "proxy-authorization", "proxy-connection"}
)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer from outside, whole and decoded; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""


def client(gate: Gate | None = None, *, tls: ssl.SSLContext | None = None) -> "httpx.Client":
    """A guarded httpx client. It may live long: limits count per request, and it keeps no cookies."""
    from billing import wire  # which loads httpx: not before somebody fetches and blocks

    return wire.guarded(gate or Gate(destination.allowed(None)), tls or _tls())


def pool(gate: Gate | None = None, *, tls: ssl.SSLContext | None = None) -> Pool:
    """The same for asynchronous code; one per event loop."""
    return Pool(gate or Gate(destination.allowed(None)), tls or _tls())


def fetch(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    timeout: float = 30.0,
    max_bytes: int = 10_000_000,
    permit: Permit | None = None,
) -> Response:
    """One request with its redirects, whole within `timeout` seconds and `max_bytes`.

    `permit(url)` is asked for every hop and raises EgressRefused where the caller does not want to go.
    """
    from billing import wire  # as above

    ready = _prepare(method, url, headers)
    budget = Budget.of(Limits(total_s=timeout, max_bytes=max_bytes), permit)
    sender = wire.shared(os.getpid(), ready.allow, _tls())
    answer = wire.ask(sender, ready.method, ready.url, ready.headers, content, budget)
    return Response(answer.status_code, dict(answer.headers), answer.content, str(answer.url))


async def afetch(  # noqa: PLR0913  one argument for each property of a request
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    timeout: float = 30.0,
    max_bytes: int = 10_000_000,
    permit: Permit | None = None,
    via: Pool | None = None,
    tenant: str = "",
) -> Response:
    """`fetch` for asynchronous callers; `via` another pool than the event loop's own, `tenant` whose share it takes."""
    way = via or _apool()
    asking = _asking(way, method, url, headers, content, (timeout, max_bytes, tenant))
    for _ in range(MAX_REDIRECTS + 1):
        if permit is not None:
            permit(asking.place.url)
        answer, body = await way.whole(asking)
        onward = following(asking, answer.status, answer.headers, way.gate)
        if onward is None:
            return Response(answer.status, answer.headers, body, asking.place.url)
        asking = onward
    raise EgressFailed(f"more than {MAX_REDIRECTS} redirects")


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer whose body is still arriving."""

    status: int
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]


@asynccontextmanager
async def astream(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    timeout: float = 30.0,
    max_bytes: int = 10_000_000,
    permit: Permit | None = None,
    tenant: str = "",
) -> AsyncIterator[Stream]:
    """The answer piece by piece, whole within `timeout` seconds; a redirect is given as it is."""
    way = _apool()
    asking = _asking(way, method, url, headers, content, (timeout, max_bytes, tenant))
    if permit is not None:
        permit(asking.place.url)
    async with way.stream(asking) as (answer, pieces):
        yield Stream(answer.status, answer.headers, pieces)


def _asking(
    way: Pool,
    method: str,
    url: str,
    headers: Mapping[str, str] | None,
    content: bytes | None,
    limits: tuple[float, int, str],
) -> Ask:
    sent = {"user-agent": USER_AGENT}
    for name, value in _checked(headers or {}).items():
        sent[name.lower()] = value
    sent.pop("accept-encoding", None)  # what we can decode is for us to say
    timeout, max_bytes, tenant = limits
    place, deadline = way.gate.place(url), time.monotonic() + timeout
    return Ask(_method(method), place, sent, content or b"", deadline, max_bytes, tenant)


@dataclass(frozen=True, slots=True)
class _Ready:
    method: str
    url: str
    headers: dict[str, str]
    allow: frozenset[str]


def _prepare(method: str, url: str, headers: Mapping[str, str] | None) -> _Ready:
    exceptions = destination.allowed(None)
    place = destination.read(url, allow=exceptions)
    return _Ready(_method(method), place.url, _checked(headers or {}), exceptions)


def _method(text: str) -> str:
    method = text.upper()
    if not _METHOD.match(method) or method == "CONNECT":
        raise EgressRefused("the method is not a valid HTTP method")
    return method


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _TOKEN.match(name):
            raise EgressRefused("a header name contains a character that HTTP does not allow")
        if not _VALUE.match(value):
            raise EgressRefused(f"the value of header {name} contains a line break or is too long")
        if name.lower() in _OURS:
            raise EgressRefused(f"header {name} is set by the platform")
    return dict(headers)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())


_LOOPS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[frozenset[str], Pool]] = WeakKeyDictionary()


def _apool() -> Pool:
    """The pool of this event loop under the exceptions of the moment."""
    pools = _LOOPS.setdefault(asyncio.get_running_loop(), {})
    allow = destination.allowed(None)
    found = pools.get(allow)
    if found is None:
        found = pools[allow] = pool(Gate(allow))
    return found
