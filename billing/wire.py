"""Our blocking HTTP client: vets each hop, connects to vetted addresses only, bounds time and size.

httpx and what it draws in take 20 MB, so this is loaded when something blocking is first fetched (billing/egress.py).
"""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from billing.body import Body, EgressFailed
from billing.destination import EgressRefused
from billing.gate import BUDGET, Budget, Gate

MAX_HEADERS = 200
MAX_REDIRECTS = 5
USER_AGENT = "PrioStack"
WRITE_SLICE = 65_536

_deadline: ContextVar[float | None] = ContextVar("egress_deadline", default=None)


def guarded(gate: Gate, tls: ssl.SSLContext) -> httpx.Client:
    """A client that may live long: limits count per request, and it keeps no cookies."""
    return httpx.Client(transport=GuardedTransport(gate, tls), **_manners())


def ask(  # one argument for each part of a request
    client: httpx.Client,
    method: str,
    url: str,
    headers: dict[str, str],
    content: bytes | None,
    budget: Budget,
) -> httpx.Response:
    try:
        return client.request(method, url, headers=headers, content=content, extensions={BUDGET: budget})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _failure(error) from error


def _failure(error: Exception) -> EgressFailed:
    """What went wrong in words for the person who wrote the URL; no addresses, no internals."""
    if isinstance(error, httpx.TimeoutException):
        return EgressFailed("the other side takes too long")
    if isinstance(error, httpx.TooManyRedirects):
        return EgressFailed(f"more than {MAX_REDIRECTS} redirects")
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE" in str(error):
        return EgressFailed("the certificate of the other side is not valid for its name")
    if isinstance(error, httpx.ConnectError):
        return EgressFailed("the other side does not accept connections")
    return EgressFailed("the other side does not answer with valid HTTP")


def _manners() -> dict[str, Any]:
    # A jar that takes nothing: a long-lived client must not carry cookies from one tenant to another.
    return {
        "trust_env": False,
        "follow_redirects": True,
        "max_redirects": MAX_REDIRECTS,
        "headers": {"User-Agent": USER_AGENT},
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    }


@lru_cache(maxsize=8)
def shared(process: int, allow: frozenset[str], tls: ssl.SSLContext) -> httpx.Client:
    """One pool of connections per process (keyed by its id: a fork must not share sockets)."""
    return guarded(Gate(allow), tls)


class GuardedTransport(httpx.HTTPTransport):
    """The only way out for synchronous code."""

    def __init__(self, gate: Gate, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._gate = gate
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls, max_connections=100, max_keepalive_connections=20, keepalive_expiry=5.0,
            network_backend=_PinnedBackend(gate),
        )  # fmt: skip

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        budget = self._gate.admit(request)
        with _until(budget.deadline):
            response = super().handle_request(request)
        assert isinstance(response.stream, httpx.SyncByteStream)
        try:
            body = open_body(response, budget)
        except EgressFailed:
            response.stream.close()
            raise
        return _answer(response, _BoundedStream(response.stream, body, budget))


def open_body(response: httpx.Response, budget: Budget) -> Body:
    if len(response.headers.raw) > MAX_HEADERS:
        raise EgressFailed(f"the answer has more than {MAX_HEADERS} headers")
    return Body(response.headers.get("content-encoding", ""), budget.max_bytes)


def _answer(response: httpx.Response, stream: httpx.SyncByteStream) -> httpx.Response:
    """The response with its body decoded by us: httpx's own decoders know no limit."""
    headers = httpx.Headers(response.headers)
    if headers.pop("content-encoding", None) is not None:
        headers.pop("content-length", None)
    return httpx.Response(
        response.status_code, headers=headers, stream=stream, extensions=dict(response.extensions)
    )


class _BoundedStream(httpx.SyncByteStream):
    def __init__(self, inner: httpx.SyncByteStream, body: Body, budget: Budget) -> None:
        self._inner, self._body, self._budget = inner, body, budget

    def __iter__(self) -> Iterator[bytes]:
        parts = iter(self._inner)
        while True:
            with _until(self._budget.deadline):
                part = next(parts, None)
            if part is None:
                break
            yield from self._body.take(part)
        self._body.finish()

    def close(self) -> None:
        self._inner.close()


class _PinnedBackend(httpcore.SyncBackend):
    """Resolves once, judges the answers, connects to what was judged. TLS still checks the name."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError("no address")
        for address in self._gate.vetted(host, port).addresses:
            try:
                stream = super().connect_tcp(address, port, _remaining(timeout), *args, **options)
                return _DeadlineStream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def connect_unix_socket(self, path: str, *args: Any, **options: Any) -> httpcore.NetworkStream:
        raise EgressRefused("only http:// and https:// URLs are allowed")


class _DeadlineStream(httpcore.NetworkStream):
    """A socket that knows the deadline of its request, so that one byte a second does not prolong it."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _remaining(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), WRITE_SLICE):
            self._inner.write(buffer[start : start + WRITE_SLICE], _remaining(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, _remaining(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _remaining(timeout: float | None) -> float | None:
    deadline = _deadline.get()
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time for the whole request is over")
    return left if timeout is None else min(timeout, left)


@contextmanager
def _until(deadline: float) -> Iterator[None]:
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)
