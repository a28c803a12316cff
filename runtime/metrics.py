"""Numbers about this process for Prometheus: plain dictionaries on the hot path, published to Redis.

Labels are kinds, statuses and the registered names of services and routes, never a tenant, a path or a text
that a caller chose; beyond MAX_CELLS different ones everything counts as "other".
"""

import logging
import os
import resource
import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from redis.exceptions import RedisError

from billing.redis import redis
from runtime import llmcounts
from runtime.interceptors import cells

HASH = "priostack:metrics"
EVERY_S = 2.0
ALIVE_S = 10.0
MAX_CELLS = 2000
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
PAGE = os.sysconf("SC_PAGE_SIZE")
log = logging.getLogger(__name__)

Labels = tuple[str, str, str]  # kind of target, route, status
Cell = list[float]  # seconds in all, then the count of each bucket; the last one is beyond all bounds
_cells: dict[Labels, Cell] = {}
_gauges: dict[str, Callable[[], float]] = {}
_pools: list[Callable[[], dict[str, float]]] = []  # of the sandbox, when this process has one
_pace = cells.Pace()
USERS = "priostack:users:"  # then a bundle and a day: who called its monitored endpoints, as a HyperLogLog
USERS_KEPT_S = 2 * 86_400


def observe(kind: str, route: str, status: str, seconds: float) -> None:
    """One call. Two threads may now and then lose one count to each other; that is what the speed costs."""
    cell = _cells.get((kind, route, status))
    if cell is None:
        cell = _cell(kind, route, status)
    cell[0] += seconds
    cell[bisect_left(BOUNDS, seconds) + 1] += 1


def _cell(kind: str, route: str, status: str) -> Cell:
    labels = (kind, route[:200], status)
    if len(_cells) >= MAX_CELLS and labels not in _cells:
        labels = (kind, "other", status)
    return _cells.setdefault(labels, [0.0] * (len(BOUNDS) + 2))


def gauge(name: str, read: Callable[[], float]) -> None:
    """A number of this process that is read every two seconds, such as the slots of the sandbox in use."""
    _gauges[name] = read


def pool(read: Callable[[], dict[str, float]]) -> None:
    """Where the slots of this process's sandbox are counted."""
    _pools[:] = [read]


def snapshot(role: str) -> dict[str, Any]:
    return {
        "role": role,
        "pid": os.getpid(),
        "at": time.time(),
        "calls": [[*labels, *cell] for labels, cell in list(_cells.items())],
        "gauges": {name: read() for name, read in list(_gauges.items())},
        "interceptors": cells.snapshot(),
        "llm": llmcounts.snapshot(),
        "pace": _pace.look(time.time()),
        "pool": _pools[0]() if _pools else {},
        "memory": memory(),
        "cpu": cpu(),
    }


def memory() -> int:
    """Resident bytes."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * PAGE
    except OSError:  # no /proc here: the most it ever had is the next best
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Reporter(threading.Thread):
    """Publishes this process's numbers until ``stop``."""

    def __init__(self, role: str) -> None:
        super().__init__(name="metrics", daemon=True)
        self.role = role
        self.field = f"{role}-{os.getpid()}-{int(time.time())}"
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.wait(EVERY_S):
            self.once()

    def once(self) -> None:
        try:
            redis().hset(HASH, self.field, orjson.dumps(snapshot(self.role)))
            tell_users(datetime.now(UTC))
        except RedisError as problem:
            log.debug("numbers of this process are not published: %s", problem)

    def stop(self) -> None:
        self.ending.set()
        self.join(5)
        self.once()


def users_key(bundle: str, now: datetime) -> str:
    return f"{USERS}{bundle}:{now:%Y-%m-%d}"


def tell_users(now: datetime) -> None:
    """Who called goes where it is only counted: nobody can read it there."""
    for bundle, names in cells.take_users().items():
        redis().pfadd(users_key(bundle, now), *names)
        redis().expire(users_key(bundle, now), USERS_KEPT_S)


def start(role: str) -> Reporter:
    """Begin to publish, once for each process; ``role`` is web, edge, worker or clock."""
    reporter = Reporter(role)
    reporter.start()
    return reporter
