"""How much compiling a person or a key may ask for in a minute: by what it costs, not by how often."""

import time

from redis.exceptions import RedisError

from billing.access import Principal
from billing.errors import ApiError
from billing.redis import redis

STEPS_A_MINUTE = 30_000_000  # about half a minute of a core
A_REQUEST = 1_000
A_WORD = 5  # of a template that is read
WINDOW_S = 60


def demand(who: Principal) -> None:
    """ApiError 429 when this minute's steps are used up; while Redis does not answer nobody compiles uncounted."""
    try:
        used = int(redis().get(key(who)) or 0)
    except RedisError:
        raise ApiError(
            503, "The limit cannot be checked at the moment.", headers={"Retry-After": "1"}
        ) from None
    if used >= STEPS_A_MINUTE:
        wait = WINDOW_S - int(time.time()) % WINDOW_S
        raise ApiError(429, "Too much was compiled in this minute.", headers={"Retry-After": str(wait)})


def spend(who: Principal, *, words: int, steps: int) -> None:
    cost = A_REQUEST + A_WORD * words + steps
    try:
        with redis().pipeline() as pipe:
            pipe.incrby(key(who), cost)
            pipe.expire(key(who), 2 * WINDOW_S)
            pipe.execute()
    except RedisError:
        return  # the next one will not pass `demand`


def key(who: Principal) -> str:
    return f"compile:{who.tenant_id}:{who.key_id or who.user_id}:{minute()}"


def minute() -> int:
    return int(time.time()) // WINDOW_S
