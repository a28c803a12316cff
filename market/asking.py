"""Asking the leader what tenants have waiting; nobody answers while nobody leads, and then nothing is known."""

from collections.abc import Iterable
from secrets import token_hex
from typing import NamedTuple

import orjson
from redis.exceptions import RedisError

from billing.redis import aredis, redis
from market import wire
from market.wire import Message, Standing

PATIENCE_S = 0.8  # a leader in a long round answers after it


class Mine(NamedTuple):
    """What one tenant has waiting: how much, and the first of it."""

    actions: int = 0
    entries: int = 0
    lines: tuple[Standing, ...] = ()
    known: bool = True


UNKNOWN = Mine(known=False)


def state() -> Message:
    """What everybody was told last; empty when nobody ever led."""
    try:
        data = redis().get(wire.STATE)
    except RedisError:
        return {}
    return orjson.loads(data) if isinstance(data, bytes) else {}


def mine(tenant: str) -> Mine:
    reader = f"reader:{token_hex(8)}"
    try:
        redis().rpush(wire.INBOX, wire.ask(reader, [tenant]))
        came = redis().blpop([wire.outbox(reader)], timeout=PATIENCE_S)
    except RedisError:
        return UNKNOWN
    return read(came[1]).get(tenant, UNKNOWN) if isinstance(came, (list, tuple)) else UNKNOWN


async def all_of(tenants: Iterable[str], patience: float = PATIENCE_S) -> dict[str, Mine]:
    """Of several tenants at once; those that are not in the answer are not known."""
    reader = f"reader:{token_hex(8)}"
    await aredis().rpush(wire.INBOX, wire.ask(reader, tenants))
    came = await aredis().blpop([wire.outbox(reader)], timeout=patience)
    return read(came[1]) if came is not None else {}


def read(data: bytes | str) -> dict[str, Mine]:
    message = orjson.loads(data)
    found = {}
    for tenant, told in message["of"].items():
        actions, entries = message["waiting"][tenant]
        found[tenant] = Mine(actions, entries, tuple(Standing(*one) for one in told))
    return found
