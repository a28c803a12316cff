"""rateLimit: so many calls in a window that begins with the first one, exact over all processes.

One script counts and tells what is left, so that parallel askers are counted one after the other. While Redis does not
answer nothing is let through uncounted.
"""

import hashlib
import math
from functools import cache

from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from billing import throttle
from billing.errors import ApiError
from billing.redis import aredis
from runtime.answer import Reply
from runtime.interceptors.cells import Cell
from runtime.interceptors.invocation import STRANGER, Invocation, refusal
from runtime.interceptors.link import Link

PREFIX = "prompd:ratelimit:"
COUNT = """
local n = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if n == 1 or left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {n, left}
"""
AWAY = ApiError(503, "Calls cannot be counted at the moment.", headers={"Retry-After": "1"})


class RateLimit(Link):
    at_once = False

    def __init__(self, cell: Cell, place: str, most: int, window_ms: int, by: str) -> None:
        super().__init__(cell)
        self.place, self.most, self.window_ms, self.by = place, most, window_ms, by

    async def wait_before(self, call: Invocation) -> Reply | None:
        try:
            count, left_ms = await counter()(keys=[self.key(call)], args=[self.window_ms], client=aredis())
        except RedisError:
            return refusal(AWAY)
        return None if int(count) <= self.most else self.too_many(int(left_ms))

    def key(self, call: Invocation) -> str:
        """Callers are told apart by a hash: what they call themselves may be long, and is nobody's business."""
        if self.by == "all":
            return f"{PREFIX}{self.place}"
        of_address = self.by == "address" or call.is_stranger
        who = f"{STRANGER}:{throttle.source(call.asked.peer)}" if of_address else call.identity
        return f"{PREFIX}{self.place}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"

    def too_many(self, left_ms: int) -> Reply:
        seconds = str(max(1, math.ceil(left_ms / 1000)))
        text = f"{self.most} calls in {self.window_ms / 1000:g} s are allowed; try again in {seconds} s."
        headers = {"Retry-After": seconds, "X-RateLimit-Limit": str(self.most), "X-RateLimit-Remaining": "0"}
        return refusal(ApiError(429, text, headers=headers))


@cache
def counter() -> AsyncScript:
    import redis.asyncio

    # The script object only needs a client for its encoder; each call names the client of its own loop.
    return redis.asyncio.Redis().register_script(COUNT)
