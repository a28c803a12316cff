"""The rules at the way out: where a request may go, what may follow a redirect, how long and how large it may be."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing import destination
from billing.body import EgressFailed
from billing.destination import AsyncResolver, Destination, EgressRefused, Resolver

if TYPE_CHECKING:
    import httpx

log = logging.getLogger("priostack.egress")

BUDGET = "priostack.budget"
_ORIGIN = "priostack.origin"
# What may follow a redirect to another origin; everything else may be a credential.
SAFE_HEADERS = frozenset(
    {"host", "accept", "accept-encoding", "accept-language", "connection", "user-agent"}
    | {"content-type", "content-length", "transfer-encoding"}
)

# The caller's own rule for where a request may go, asked for every hop; it raises EgressRefused.
Permit = Callable[[str], None]


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

    def admit(self, request: "httpx.Request") -> Budget:
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


def _drop_credentials(request: "httpx.Request", place: Destination) -> None:
    origin = (place.scheme, place.host, place.port)
    if request.extensions.setdefault(_ORIGIN, origin) == origin:
        return
    for name in [name for name in request.headers if name.lower() not in SAFE_HEADERS]:
        del request.headers[name]
