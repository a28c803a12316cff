"""Keeps the lease of a leader that is at work, however long one of its steps takes on a busy machine."""

import logging
import threading
import time
from types import TracebackType

from redis.exceptions import RedisError

from market.office import Lease

EVERY_S = 0.5
STUCK_S = 15.0  # a step that takes longer will not end: somebody else shall lead
log = logging.getLogger(__name__)


class Keeper(threading.Thread):
    """A context manager around one term; `alive()` is called with each turn of the leader's loop."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(name="market lease", daemon=True)
        self._lease, self._ending = lease, threading.Event()
        self.seen = time.monotonic()

    def alive(self) -> None:
        self.seen = time.monotonic()

    def __enter__(self) -> "Keeper":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self.join(10)

    def run(self) -> None:
        while not self._ending.wait(EVERY_S):
            self.once()

    def once(self) -> None:
        if time.monotonic() - self.seen > STUCK_S:
            return
        try:
            self._lease.renew()
        except (RedisError, OSError) as problem:
            log.warning("the lease of the market is not renewed: %s", problem)
