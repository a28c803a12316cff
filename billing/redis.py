"""Connections to Redis (or Valkey): one pooled client for threads, one for each running event loop."""

import asyncio
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import redis as sync_redis
import redis.asyncio as async_redis
from django.conf import settings

_of_loop: "WeakKeyDictionary[asyncio.AbstractEventLoop, async_redis.Redis]" = WeakKeyDictionary()
MOST = 1_000  # connections of one event loop: as many as runs at the same time may need one
_TIMEOUTS: dict[str, Any] = {"socket_timeout": 5, "socket_connect_timeout": 2}


@cache
def redis() -> "sync_redis.Redis":
    return sync_redis.Redis.from_url(settings.REDIS_URL, **_TIMEOUTS)


def patient() -> "async_redis.Redis":
    """A client of its own for a subscription, which may be silent for hours; close it after use."""
    return async_redis.Redis.from_url(settings.REDIS_URL, socket_timeout=None, socket_connect_timeout=2)


def aredis() -> "async_redis.Redis":
    """The client of the running loop; call it from a coroutine."""
    loop = asyncio.get_running_loop()
    client = _of_loop.get(loop)
    if client is None:
        client = _of_loop[loop] = async_redis.Redis.from_url(
            settings.REDIS_URL, max_connections=MOST, **_TIMEOUTS
        )
    return client
