"""A request whose head came before, byte for byte, on the same connection: what it means is known already.

Clients that call an API keep their connection and send the same request line and headers each time. Where such
a head leads, who sends it and how it is told to the function is worked out once; every call after that builds its
request, its record and its answer from parts that are bytes already. The parts are dropped as soon as the tenant
changes: a key that is revoked or a bundle that is stopped counts from that moment on, as it does everywhere.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from django.conf import settings

from billing.errors import ApiError
from bundles.routes import Match
from runtime import ask, cors
from runtime.answer import JSON
from runtime.exchange import BASE, Asked, Given, Pairs, problem
from runtime.job import Job, Outcome
from runtime.live import KeyGrant, Live, LiveBundle
from runtime.record import CAP, readable
from runtime.reply import GZIP_FROM, given, takes_gzip
from runtime.wasm import units

if TYPE_CHECKING:
    from runtime.gateway import Gateway


MAX_FIXED = 4_096  # endpoints times keys of a tenant for which bytes are kept


class Known(ABC):
    """What a head means; ``live`` is the tenant as it was when that was found out."""

    __slots__ = ("asked", "key", "live")

    def __init__(self, asked: Asked, live: Live) -> None:
        self.asked, self.live = asked, live
        self.key: UUID | None = None  # of the caller, to note when it was last used

    def valid(self, live: Live | None) -> bool:
        return live is self.live

    @abstractmethod
    def again(self, gateway: "Gateway", data: bytes, date: bytes | None) -> bytes | Given | None:
        """As ``Gateway.now``, for a request with this head; it has to be valid. Bytes only when there is a ``date``."""


class Called(Known):
    """A head that leads straight to a call: its answers are packed with what was worked out once."""

    __slots__ = ("lines", "record", "small")

    def __init__(self, asked: Asked, live: Live, extra: Pairs) -> None:
        super().__init__(asked, live)
        self.record = b""  # what is the same in every record, as ``constant`` has it
        self.lines = lines(tuple(extra))
        self.small = CAP + 1 if not takes_gzip(asked) else GZIP_FROM

    def again(self, gateway: "Gateway", data: bytes, date: bytes | None) -> bytes | Given | None:
        waist, most = gateway.waist, settings.CALL_MAX_BODY  # to look a setting up is not free
        if waist is None or len(data) > most:
            return None
        try:
            job = self.job(data, most)
            outcome = waist.now(job, self)
        except ApiError as error:
            return problem(error)
        if outcome is None:
            return None
        self.live.used = job.started
        if self.key is not None:
            gateway.used.add(self.key)
        plain = self.packed(job, outcome, date) if date is not None else None
        return plain or given(self.asked, job, outcome, self.extra())

    @abstractmethod
    def job(self, data: bytes, limit: int) -> Job:
        """The job of a call with this body; raises ApiError as runtime.ask does."""

    def extra(self) -> Pairs:
        """Headers of the answer beside those that all have."""
        return []

    def recorded(self, job: Job, outcome: Outcome, spent: int) -> bytes | None:
        """The journal's record of a plain success, as runtime.call.ended has it; None: not made here."""
        if not self.record:
            return None
        created, steps = job.created_us, outcome.effects.steps
        return (
            b'%b,"id":"%b","created":%d,"started":%d,"completed":%d,"duration_us":%d,"units_used":%d,"http_status":%d,"steps":%b,"input":%b,"output":%b}'
            % (
                self.record,
                job.id.encode(),
                created,
                created,
                created + spent,
                spent,
                units(outcome.fuel),
                outcome.reply.status,
                orjson.dumps(steps) if steps else b"[]",
                orjson.dumps(readable(job.request)),
                orjson.dumps(readable(outcome.reply.body)),
            )
        )

    def packed(self, job: Job, outcome: Outcome, date: bytes) -> bytes | None:
        """The answer on the wire; None when it is not a plain one."""
        reply = outcome.reply
        body = reply.body
        if reply.status != 200 or reply.headers or reply.content_type is not JSON or len(body) >= self.small:
            return None
        return b"%b%bx-execution-id: %b\r\nx-compute-units: %d\r\ncontent-length: %d\r\n\r\n%b" % (
            self.lines,
            date,
            job.id.encode(),
            units(outcome.fuel),
            len(body),
            b"" if self.asked.method == "HEAD" else body,
        )


class Hot(Called):
    """The head of a call of an endpoint by a key."""

    __slots__ = ("grant", "json", "match", "start", "tail")

    def __init__(self, asked: Asked, path: str, live: Live, match: Match, grant: KeyGrant) -> None:
        super().__init__(asked, live, cors.headers(match.service.cors, asked.headers.get("origin")))
        self.match, self.grant, self.key = match, grant, grant.id
        self.start = told(asked, path, match)
        self.json = is_json(asked)
        _, self.tail, self.record = fixed(live, match.endpoint, grant.actor, partial(sample, match, grant))

    def valid(self, live: Live | None) -> bool:
        return live is self.live and self.grant.expires > time.time()

    def extra(self) -> Pairs:
        return cors.headers(self.match.service.cors, self.asked.headers.get("origin"))

    def job(self, data: bytes, limit: int) -> Job:
        endpoint, bundle = self.match.endpoint, self.match.owner
        job = Job(bundle, endpoint.service, endpoint.name, endpoint.to, endpoint.contract, b"", "api")
        job.caller = self.grant.actor
        job.request = self.start + self.body(data, limit) + self.tail + job.id.encode() + b'"}'
        return job

    def body(self, data: bytes, limit: int) -> bytes:
        if not data:
            return b"null"
        if self.json:
            ask.json_body(data)
            return data
        return ask.encoded(ask.body(data, self.asked.headers, limit=limit))


def told(asked: Asked, path: str, match: Match) -> bytes:
    """The request as the function is told, up to its body."""
    values: dict[str, Any] = {
        "method": asked.method,
        "path": path,
        "params": match.params,
        "query": ask.query(asked.query),
        "headers": asked.headers,
    }
    return ask.encoded(values)[:-1] + b',"body":'


def is_json(asked: Asked) -> bool:
    kind = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
    plain = asked.headers.get("content-encoding", "") in ("", "identity")
    return plain and (kind == "application/json" or kind.endswith("+json"))


@lru_cache(256)
def lines(extra: tuple[tuple[str, str], ...]) -> bytes:
    """The head of a plain answer but for what is of one call."""
    pairs = [*BASE, *extra, ("content-type", JSON), ("cache-control", "no-store")]
    head = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    if not head.count("\n") == head.count("\r") == len(pairs):
        raise ApiError(400, "A header holds a line break.")
    return b"HTTP/1.1 200 OK\r\n" + head.encode("latin-1", "replace")


def fixed(live: Live, owner: object, caller: str, make: Callable[[], Job]) -> tuple[Job, bytes, bytes]:
    """A call like all of this caller to this endpoint or webhook; the end of its request, the beginning of its record."""
    key = (id(owner), caller)
    found = live.fixed.get(key)
    if found is None:
        if len(live.fixed) >= MAX_FIXED:
            live.fixed.clear()
        made = make()
        # the owner is kept with it, so that nothing else can get its id
        found = live.fixed[key] = owner, made, tail(made.bundle), constant(made)
    return found[1:]


def tail(bundle: LiveBundle) -> bytes:
    """The end of a request, up to its execution."""
    return b',"tenant":' + orjson.dumps(bundle.tenant) + b',"execution":"'


def sample(match: Match, grant: KeyGrant) -> Job:
    endpoint = match.endpoint
    job = Job(match.owner, endpoint.service, endpoint.name, endpoint.to, endpoint.contract, b"", "api")
    job.caller = grant.actor
    return job


def constant(job: Job) -> bytes:
    """What is the same in the records of all calls like this one, up to what differs."""
    bundle = job.bundle
    values = {
        "op": "add",
        "tenant": bundle.tenant_id,
        "bundle": bundle.id,
        "revision": bundle.revision,
        "service": job.service,
        "name": job.name,
        "target": str(job.target),
        "trigger": job.trigger,
        "status": "success",
        "units_estimated": job.contract.compute_units,
        "error": "",
        "logs": [],
        "signals": [],
        "caller": job.caller,
        "parent": None,
        "depth": 0,
        "attempts": 0,
    }
    return orjson.dumps(values)[:-1]
