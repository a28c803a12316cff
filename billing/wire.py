"""The wire under our blocking HTTP client: vets each hop, connects to vetted addresses only, bounds time and size."""

import logging
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from billing import destination
from billing.body import Body, EgressFailed
from billing.destination import AsyncResolver, Destination, EgressRefused, Resolver

log = logging.getLogger("priostack.egress")

MAX_HEADERS = 200
WRITE_SLICE = 65_536
BUDGET = "priostack.budget"
_ORIGIN = "priostack.origin"
# What may follow a redirect to another origin; everything else may be a credential.
SAFE_HEADERS = frozenset(
    {"host", "accept", "accept-encoding", "accept-language", "connection", "user-agent"}
    | {"content-type", "content-length", "transfer-encoding"}
)

# The caller's own rule for where a request may go, asked for every hop; it raises EgressRefused.
Permit = Callable[[str], None]

_deadline: ContextVar[float | None] = ContextVar("egress_deadline", default=None)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one request with all its redirects."""

    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 30.0
    max_bytes: int = 10_000_000


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left for one request: passed along its redirects in the request's extensions."""

    deadline: float
    max_bytes: int
    permit: Permit | None = None

    @classmethod
    def of(cls, limits: Limits, permit: Permit | None = None) -> "Budget":
        return cls(time.monotonic() + limits.total_s, limits.max_bytes, permit)


@dataclass(frozen=True, slots=True)
class Gate:
    """What a client may reach, and how names are looked up."""

    allow: frozenset[str] = frozenset()
    limits: Limits = Limits()
    resolve: Resolver = destination.system_resolve
    aresolve: AsyncResolver = destination.system_aresolve

    def admit(self, request: httpx.Request) -> Budget:
        """Every hop passes here: URL, Host, credentials, time left."""
        place = self.place(str(request.url))
        if request.headers.get("host", "").lower() != place.authority:
            raise EgressRefused("the Host header is set by the platform")
        _drop_credentials(request, place)
        budget = request.extensions.setdefault(BUDGET, Budget.of(self.limits))
        assert isinstance(budget, Budget)
        if budget.permit is not None:
            budget.permit(place.url)
        request.extensions["timeout"] = self._timeouts(budget)
        request.headers["accept-encoding"] = "gzip"
        return budget

    def place(self, url: str) -> Destination:
        """The syntax of a URL, judged."""
        try:
            return destination.read(url, allow=self.allow)
        except EgressRefused as refusal:
            log.warning("egress refused: %s", refusal.reason)
            raise

    def vetted(self, host: str, port: int) -> Destination:
        place = destination.at(host, port, allow=self.allow)
        return self._judge(place, self.resolve(place.host, port))

    async def avetted(self, host: str, port: int) -> Destination:
        place = destination.at(host, port, allow=self.allow)
        return self._judge(place, await self.aresolve(place.host, port))

    def _judge(self, place: Destination, answers: Iterable[str]) -> Destination:
        try:
            return destination.judge(place, answers)
        except EgressRefused as refusal:
            log.warning("egress refused: %s", refusal.reason)
            raise

    def _timeouts(self, budget: Budget) -> dict[str, float]:
        left = budget.deadline - time.monotonic()
        if left <= 0:
            raise EgressFailed("the other side takes too long")
        read, connect = min(self.limits.read_s, left), min(self.limits.connect_s, left)
        return {"connect": connect, "read": read, "write": read, "pool": connect}


def _drop_credentials(request: httpx.Request, place: Destination) -> None:
    origin = (place.scheme, place.host, place.port)
    if request.extensions.setdefault(_ORIGIN, origin) == origin:
        return
    for name in [name for name in request.headers if name.lower() not in SAFE_HEADERS]:
        del request.headers[name]


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
