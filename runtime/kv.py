"""State of bundles in Redis: answers a call's reads, and commits its writes once, or not at all.

A call reads through a cache that is filled between its attempts and buffers its writes. The commit is one script:
it checks that nothing read has changed meanwhile, applies the writes and remembers the execution, so that a
repeated commit changes nothing. Keys are `tenant:{id}:bundle:{id}:kv:*` (ARCHITECTURE §5).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from redis.commands.core import AsyncScript

from billing.redis import aredis

REMEMBER_S = 86_400  # how long a commit is remembered; longer than any run may be restarted
MAX_BYTES = 64 * 1024 * 1024  # of one bundle
MAX_NAMES = 10_000  # of one listing

COMMIT = """
local data, index, size, done = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
if redis.call('EXISTS', done) == 1 then return {'done'} end
local at = 3
local stale = {}
for _ = 1, tonumber(ARGV[at]) do
  local now = redis.call('HGET', data, ARGV[at + 1])
  local same = (now == false and ARGV[at + 2] == '0') or (now ~= false and ARGV[at + 2] == '1' and now == ARGV[at + 3])
  if not same then
    stale[#stale + 1] = ARGV[at + 1]
    stale[#stale + 1] = now and '1' or '0'
    stale[#stale + 1] = now or ''
  end
  at = at + 3
end
if #stale > 0 then return {'stale', unpack(stale)} end
at = at + 1
for _ = 1, tonumber(ARGV[at]) do
  local names = redis.call('ZRANGEBYLEX', index, '[' .. ARGV[at + 1], '(' .. ARGV[at + 1] .. '\\255')
  if table.concat(names, '\\0') ~= ARGV[at + 2] then return {'relist'} end
  at = at + 2
end
at = at + 1
local grown = 0
local first = at
for _ = 1, tonumber(ARGV[at]) do
  local old = redis.call('HSTRLEN', data, ARGV[at + 1])
  if ARGV[at + 2] == '1' then grown = grown + #ARGV[at + 3] - old else grown = grown - old end
  at = at + 3
end
local total = tonumber(redis.call('GET', size) or '0') + grown
if grown > 0 and total > tonumber(ARGV[2]) then return {'full'} end
at = first
for _ = 1, tonumber(ARGV[at]) do
  if ARGV[at + 2] == '1' then
    redis.call('HSET', data, ARGV[at + 1], ARGV[at + 3])
    redis.call('ZADD', index, 0, ARGV[at + 1])
  else
    redis.call('HDEL', data, ARGV[at + 1])
    redis.call('ZREM', index, ARGV[at + 1])
  end
  at = at + 3
end
redis.call('SET', size, total)
redis.call('SET', done, '1', 'EX', ARGV[1])
return {'ok'}
"""


class Full(Exception):
    """The bundle's state would grow over its limit; nothing was written."""


class Conflict(Exception):
    """Somebody else changed what this call had read; ``fresh`` has the present values, None = absent."""

    def __init__(self, fresh: dict[str, bytes | None], *, relist: bool = False) -> None:
        super().__init__("state changed")
        self.fresh = fresh
        self.relist = relist


@dataclass(frozen=True, slots=True)
class Space:
    """The state of one bundle."""

    prefix: str

    @classmethod
    def of(cls, tenant_id: object, bundle_id: object) -> "Space":
        return cls(f"tenant:{tenant_id}:bundle:{bundle_id}:kv:")

    async def get(self, keys: Iterable[str]) -> dict[str, bytes | None]:
        names = list(keys)
        if not names:
            return {}
        values: list[Any] = await aredis().hmget(self.prefix + "data", names)
        return dict(zip(names, values, strict=True))

    async def names(self, prefix: str) -> list[str]:
        """Names that begin with ``prefix``, sorted by bytes."""
        low, high = b"[" + prefix.encode(), b"(" + prefix.encode() + b"\xff"
        found: list[Any] = await aredis().zrangebylex(self.prefix + "index", low, high, 0, MAX_NAMES)
        return [name.decode() for name in found]

    async def commit(
        self,
        execution: str,
        reads: Mapping[str, bytes | None],
        writes: Mapping[str, bytes | None],
        lists: Mapping[str, list[str]],
    ) -> None:
        """Apply ``writes`` (None deletes) if ``reads`` and ``lists`` still hold; Conflict or Full otherwise."""
        if not writes:
            return
        keys = [self.prefix + name for name in ("data", "index", "size", f"done:{execution}")]
        listed = [part for prefix, names in lists.items() for part in (prefix, "\0".join(names))]
        arguments = [
            REMEMBER_S,
            MAX_BYTES,
            len(reads),
            *flat(reads),
            len(lists),
            *listed,
            len(writes),
            *flat(writes),
        ]
        verdict, *rest = await commit_script()(keys=keys, args=arguments, client=aredis())
        if verdict == b"full":
            raise Full(f"the state of this bundle is limited to {MAX_BYTES // 1024 // 1024} MB")
        if verdict in (b"stale", b"relist"):
            raise Conflict(unflat(rest), relist=verdict == b"relist")


def flat(values: Mapping[str, bytes | None]) -> list[Any]:
    return [
        part for key, value in values.items() for part in (key, "0" if value is None else "1", value or b"")
    ]


def unflat(parts: list[bytes]) -> dict[str, bytes | None]:
    triples = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return {key.decode(): value if flag == b"1" else None for key, flag, value in triples}


@cache
def commit_script() -> AsyncScript:
    import redis.asyncio

    # The script object only needs a client for its encoder; each call names the client of its own loop.
    return redis.asyncio.Redis().register_script(COMMIT)
