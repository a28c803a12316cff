"""An exact limit of how often something may happen, shared by all processes through Redis."""

import ipaddress
import math
import time
import uuid
from functools import cache

from redis.commands.core import Script
from redis.exceptions import RedisError

from billing.errors import ApiError
from billing.redis import redis

# A sliding log in a sorted set: what left the window goes, then either there is room, or the oldest says how
# long to wait. One script, so that parallel askers are counted one after the other.
SCRIPT = """
local key, now, window, limit = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
if redis.call('ZCARD', key) < limit then
  redis.call('ZADD', key, now, ARGV[4])
  redis.call('PEXPIRE', key, window)
  return -1
end
local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
if not oldest[2] then return window end
return math.max(0, tonumber(oldest[2]) + window - now)
"""


@cache
def _script() -> Script:
    return redis().register_script(SCRIPT)


def allow(key: str, limit: int, window_s: float, now: float | None = None) -> float | None:
    """None and counted when there is room; else the seconds after which to try again, and nothing counted."""
    at = int((time.time() if now is None else now) * 1000)
    wait = int(_script()(keys=[f"throttle:{key}"], args=[at, int(window_s * 1000), limit, uuid.uuid4().hex]))
    return None if wait < 0 else wait / 1000


def source(peer: str) -> str:
    """Whose address it is: one customer has a whole /64 of IPv6, and an address of it for every call."""
    if ":" not in peer:
        return peer
    try:
        found = ipaddress.IPv6Address(peer.partition("%")[0])
    except ValueError:
        return peer
    inner = found.ipv4_mapped
    return str(inner) if inner else str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))


def forget(key: str) -> None:
    redis().delete(f"throttle:{key}")


def demand(key: str, limit: int, window_s: float) -> None:
    """``allow``, or ApiError 429; while Redis does not answer nothing is let through uncounted."""
    try:
        wait = allow(key, limit, window_s)
    except RedisError:
        raise ApiError(503, "Try again in a moment.", headers={"Retry-After": "5"}) from None
    if wait is not None:
        seconds = max(1, math.ceil(wait))
        raise ApiError(429, f"Too often; try again in {seconds} s.", headers={"Retry-After": str(seconds)})
