"""How much work a person or a key may ask for in a minute: by what it costs, not by how often."""

import time
from dataclasses import dataclass

from redis.exceptions import RedisError

from billing.access import Principal
from billing.errors import ApiError
from billing.redis import redis

WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class Effort:
    """One kind of work; ``most`` of its steps begin no more of it in the minute, ``refusal`` says so."""

    kind: str
    most: int
    refusal: str

    def demand(self, who: Principal) -> None:
        """ApiError 429 when this minute's steps are used up; while Redis does not answer nothing is done uncounted."""
        try:
            used = int(redis().get(self.key(who)) or 0)
        except RedisError:
            text = "The limit cannot be checked at the moment."
            raise ApiError(503, text, headers={"Retry-After": "1"}) from None
        if used >= self.most:
            wait = WINDOW_S - int(time.time()) % WINDOW_S
            raise ApiError(429, self.refusal, headers={"Retry-After": str(wait)})

    def spend(self, who: Principal, steps: int) -> None:
        try:
            with redis().pipeline() as pipe:
                pipe.incrby(self.key(who), steps)
                pipe.expire(self.key(who), 2 * WINDOW_S)
                pipe.execute()
        except RedisError:
            return  # the next one will not pass `demand`

    def key(self, who: Principal) -> str:
        return f"{self.kind}:{who.tenant_id}:{who.key_id or who.user_id}:{minute()}"


def minute() -> int:
    return int(time.time()) // WINDOW_S
