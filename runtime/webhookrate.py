"""How often a webhook may be called: a counter for each of its seconds, minutes or hours; 429 when that is used up.

A limit that the flow's file names holds over all processes: each takes calls from the common counter in Redis, a few at
a time, and counts them itself. Without one each process has its own ceiling and asks nobody.
"""

import asyncio
import math
import time
from functools import cache

from redis.commands.core import AsyncScript

from billing.errors import ApiError
from billing.redis import aredis
from bundles.flowmodel import Rate
from runtime.flowkeep import prefix
from runtime.liveflow import Hook

CEILING = Rate(10_000, 1)  # of a webhook whose file names no limit, in one process
PORTION = 50  # of a limit is taken at a time, at least one
MOST = 10_000  # webhooks that are remembered

TAKE = """
local given = math.min(tonumber(ARGV[1]), tonumber(ARGV[2]) - tonumber(redis.call('GET', KEYS[1]) or '0'))
if given <= 0 then return 0 end
redis.call('INCRBY', KEYS[1], given)
redis.call('EXPIRE', KEYS[1], ARGV[3])
return given
"""


class Meter:
    """The calls of one webhook that this process may still let in during a span of time."""

    __slots__ = ("asking", "left", "span", "used_up")

    def __init__(self, span: int, left: int) -> None:
        self.span, self.left = span, left
        self.used_up = False  # the common counter has no more
        self.asking = asyncio.Lock()


_meters: dict[bytes, Meter] = {}


def meter(hook: Hook) -> Meter:
    """The one of now."""
    rate = hook.rate or CEILING
    span = int(time.time()) // rate.window_s
    found = _meters.get(hook.token)
    if found is None or found.span != span:
        if len(_meters) >= MOST:
            _meters.clear()
        found = _meters[hook.token] = Meter(span, 0 if hook.rate else rate.calls)
    return found


def has_room(hook: Hook) -> bool:
    """Whether one more call may come in now; False: the common counter has to be asked. ApiError when nothing is left."""
    here = meter(hook)
    if here.left > 0:
        return True
    if here.used_up or hook.rate is None:
        raise too_many(hook)
    return False


def count(hook: Hook, calls: int = 1) -> None:
    """So many came in that there was room for."""
    meter(hook).left -= calls


async def admit(hook: Hook, tenant_id: str, flow_id: str) -> None:
    """Count one call, or refuse it."""
    while not has_room(hook):
        here = meter(hook)
        async with here.asking:
            if here.left <= 0 and not here.used_up:
                await ask(hook, here, f"{prefix(tenant_id, flow_id)}rate:{hook.name}:{here.span}")
    count(hook)


async def ask(hook: Hook, here: Meter, counter: str) -> None:
    """Some calls from the common counter, while it has any."""
    assert hook.rate is not None
    arguments = [max(1, hook.rate.calls // PORTION), hook.rate.calls, 2 * hook.rate.window_s]
    given = int(await taker()(keys=[counter], args=arguments, client=aredis()))
    here.left += given
    here.used_up = given == 0


def too_many(hook: Hook) -> ApiError:
    rate, now = hook.rate or CEILING, time.time()
    left = rate.window_s - now % rate.window_s
    text = f"This webhook takes {rate} calls."
    return ApiError(429, text, headers={"Retry-After": str(max(1, math.ceil(left)))})


@cache
def taker() -> AsyncScript:
    import redis.asyncio

    # The script object only needs a client for its encoder; each call names the client of its own loop.
    return redis.asyncio.Redis().register_script(TAKE)
