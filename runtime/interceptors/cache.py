"""cache (memoize): answers that are given again for a while, in this process alone.

What is kept belongs to one endpoint of one tenant's bundle and to one caller, unless the bundle says that callers share.
Kept are plain successes that changed nothing: no writes, no fired sensors, nothing that asks not to be stored.
"""

import time
import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from runtime.answer import Reply
from runtime.interceptors.cells import HITS, Cell
from runtime.interceptors.invocation import Invocation
from runtime.interceptors.link import Link

MOST = 1_000
TTL_S = 60.0
LARGEST = 256 * 1024  # bytes of one answer
ROOM = 8 * 1024 * 1024  # of one endpoint's answers
TENANT_ROOM = 16 * 1024 * 1024  # of one tenant's, in a process
ALL_ROOM = 64 * 1024 * 1024  # of all of a process
ENTRY = 1_000  # what an entry costs beside its body, roughly
# Headers that say nothing about what is asked: with them nothing would ever be found again.
INDIFFERENT = frozenset(
    {
        *("accept-encoding", "connection", "content-length", "date", "expect", "host", "keep-alive", "te"),
        *("traceparent", "tracestate", "transfer-encoding", "user-agent", "via", "x-request-id"),
    }
)
FLEETING = frozenset({"exp", "iat", "nbf", "jti"})  # claims that differ from token to token
KeyOf = Callable[[Any], Any]
Entry = tuple[float, Reply, int]  # until when, what, its size


class Room:
    """Bytes that the caches of this process hold, by tenant."""

    used: Counter[str] = Counter()

    @classmethod
    def has(cls, tenant: str, size: int) -> bool:
        return cls.used[tenant] + size <= TENANT_ROOM and cls.used.total() + size <= ALL_ROOM


class Cache(Link):
    """The innermost link: whoever guards the call is asked each time."""

    reads = True
    optional = True

    def __init__(
        self, cell: Cell, key: KeyOf, tenant: str, *, most: int = MOST, ttl_s: float = TTL_S
    ) -> None:
        super().__init__(cell)
        self.key, self.tenant, self.most, self.ttl_s = key, tenant, most, ttl_s
        self.entries: OrderedDict[Any, Entry] = OrderedDict()
        self.held = [0]  # bytes
        weakref.finalize(self, released, tenant, self.held)

    def before(self, call: Invocation) -> Reply | None:
        key = self.key(call)
        call.key = key = (call.form, key) if call.form else key
        found = self.entries.get(key)
        if found is None:
            return None
        if found[0] <= time.monotonic():
            self.drop(key)
            return None
        self.entries.move_to_end(key)
        self.cell[HITS] += 1
        return found[1]

    def after(self, call: Invocation, reply: Reply) -> Reply:
        key = call.key
        if key is not None and keepable(call, reply):
            self.keep(key, reply)
        return reply

    def keep(self, key: Any, reply: Reply) -> None:
        size = len(reply.body) + ENTRY
        if key in self.entries:
            self.drop(key)
        while self.entries and (len(self.entries) >= self.most or self.held[0] + size > ROOM):
            self.drop(next(iter(self.entries)))
        if not Room.has(self.tenant, size):
            return
        told = replace(reply, headers=[*(reply.headers or ()), ("x-cache", "hit")])
        self.entries[key] = (time.monotonic() + self.ttl_s, told, size)
        self.held[0] += size
        Room.used[self.tenant] += size

    def drop(self, key: Any) -> None:
        size = self.entries.pop(key)[2]
        self.held[0] -= size
        Room.used[self.tenant] -= size


def released(tenant: str, held: list[int]) -> None:
    Room.used[tenant] -= held[0]
    Room.used += Counter()  # who holds nothing is not remembered


def keepable(call: Invocation, reply: Reply) -> bool:
    outcome = call.outcome
    if outcome is None or call.queued is not None or outcome.status != "success" or outcome.degraded:
        return False
    if reply.status != 200 or reply.error or len(reply.body) > LARGEST:
        return False
    if outcome.effects.writes or outcome.effects.fires:
        return False
    return not any(forbids(name, value) for name, value in reply.headers or ())


def forbids(name: str, value: str) -> bool:
    unstored = name == "cache-control" and ("no-store" in value or "private" in value or "no-cache" in value)
    return unstored or name == "vary"


def whole(call: Invocation) -> Any:
    """All that the function is told of the request, so that nothing it may go by is left out."""
    asked = call.asked
    headers = frozenset(pair for pair in asked.headers.items() if pair[0] not in INDIFFERENT)
    body = orjson.dumps(call.request["body"]) if call.changed else call.data
    return asked.method, call.path, asked.query, headers, body


def private(key: KeyOf, *, shared: bool) -> KeyOf:
    """Answers of one caller are not those of another; 1, 1.0 and true are different keys."""
    if shared:
        return lambda call: plain(key(call))
    return lambda call: (call.identity, rights(call), plain(key(call)))


def rights(call: Invocation) -> Any:
    """What a token says beside who it is: the function is told, and may go by it."""
    claims = call.claims
    return plain({name: value for name, value in claims.items() if name not in FLEETING}) if claims else None


def plain(value: Any) -> Any:
    """Something that dictionaries take."""
    if type(value) is str or type(value) is tuple:
        return value
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
