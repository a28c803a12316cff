"""Redis for a command that runs while the servers are stopped: the embedded Valkey, started for its time only."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from redis.exceptions import RedisError

from billing.redis import redis
from priostack.up import valkey

START_SECONDS = 20.0


def answers() -> bool:
    try:
        return bool(redis().ping())
    except RedisError:
        return False


@contextmanager
def memory_on() -> Iterator[None]:
    """Redis answers inside; a server of its own is never started in place of a configured one."""
    if answers() or os.environ.get("REDIS_URL"):
        yield
        return
    child = valkey(settings)  # type: ignore[arg-type]  # Django's settings stand for their module
    process = subprocess.Popen(child.argv, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + START_SECONDS
        while not answers() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        yield
    finally:
        process.terminate()  # it writes what it holds before it goes
        process.wait()
