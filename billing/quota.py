"""Executions of a month (R39), counted exactly and without a query for each: a process leases them in blocks.

What is leased stands in the row; what of it was not used is given back: after some idle seconds, when the plan
changes, when the month is over and when the process stops. So the row is never below what was used, and nobody
passes the limit. A process that is killed leaves its last blocks taken: at most 1 % of the limit each.
"""

import logging
import math
import os
import queue
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from django.db import DatabaseError, connections

from billing import allowance
from billing.allowance import UsedUp
from billing.errors import ApiError
from billing.periods import month, next_month

LOOK_S = 2.5  # blocks are looked at this often …
LOOKS = 2  # … and go back when nobody used them for so many looks
KNOWN_S = 60.0  # a plan without a limit is looked up this often; changes of a plan are told at once
REFUSED_S = 1.0  # who is at the limit is looked up this often
log = logging.getLogger(__name__)
_ONE = None


class Block:
    """Executions of one tenant and month that this process may begin; ``units`` is None when nobody counts."""

    __slots__ = ("low", "period", "quiet", "seen", "units", "until")

    def __init__(self, units: "list[None] | None", until: float, period: str = "") -> None:
        self.units, self.until, self.period = units, until, period
        self.low = len(units) // 4 if units else -1
        self.seen, self.quiet = -1, 0  # how many were left at the last look, and for how many looks


class Quota:
    """Of one process; only ``refill``, ``demand`` and ``stop`` may take a while."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.blocks: dict[str, Block] = {}
        self.limits: dict[str, int | None] = {}
        self.refused: dict[str, tuple[float, int]] = {}
        self.jobs: queue.Queue[tuple[str, str, int]] = queue.Queue()
        self.locks: dict[str, threading.Lock] = {}
        self.thread: threading.Thread | None = None

    # -- on the hot path ----------------------------------------------------------------------------

    def take(self, tenant_id: str) -> bool:
        """One execution, if it is at hand; else ``refill`` knows more. Any thread, no I/O."""
        block = self.blocks.get(tenant_id)
        if block is None or time.time() >= block.until:
            return False
        units = block.units
        if units is None:
            return True
        try:
            units.pop()  # atomic, so threads never take the same
        except IndexError:
            return False
        if len(units) == block.low:
            self.tell(tenant_id, "", 0)
        return True

    def give_back(self, tenant_id: str, at: float | None = None) -> None:
        """An execution that was taken at a Unix time and not allocated: refused, expired, cancelled before."""
        block = self.blocks.get(tenant_id)
        if block is not None and block.units is None:
            return
        period = month(datetime.fromtimestamp(time.time() if at is None else at, UTC))
        if block is not None and block.units is not None and block.period == period:
            block.units.append(_ONE)
            if self.blocks.get(tenant_id) is not block:  # it was dropped at this moment
                self.tell(tenant_id, period, emptied(block.units))
        else:
            self.tell(tenant_id, period, 1)

    def know(self, tenant_id: str, limit: int | None) -> None:
        """What somebody read of the tenant's plan anyway: without a limit nothing is counted, nothing asked."""
        if limit is None:
            self.drop(tenant_id)
            self.blocks[tenant_id] = Block(None, math.inf)
        elif self.limits.get(tenant_id) != limit:
            self.forget(tenant_id)
        self.limits[tenant_id] = limit

    def forget(self, tenant_id: str) -> None:
        """The plan may have changed: what is left goes back and is leased anew (billing/live.py)."""
        self.drop(tenant_id)
        self.refused.pop(tenant_id, None)

    def drop(self, tenant_id: str) -> None:
        block = self.blocks.pop(tenant_id, None)
        if block is not None and block.units:
            self.tell(tenant_id, block.period, emptied(block.units))

    # -- with the database --------------------------------------------------------------------------

    def demand(self, tenant_id: str) -> None:
        """One execution, or ApiError 429 until the month is over; may ask the database."""
        if not self.take(tenant_id):
            self.refill(tenant_id)

    def refill(self, tenant_id: str) -> None:
        """Lease a block and take one of it, or ApiError 429; call it from a thread when ``take`` said no."""
        until, limit = self.refused.get(tenant_id, (0.0, 0))
        if until > time.monotonic():
            raise refusal(limit)
        with self.locks.setdefault(tenant_id, threading.Lock()):
            if self.take(tenant_id):  # somebody else was faster
                return
            try:
                block = self.leased(tenant_id)
            except UsedUp as full:
                self.refused[tenant_id] = time.monotonic() + REFUSED_S, full.limit
                raise refusal(full.limit) from None
            if block.units:
                block.units.pop()
            self.replace(tenant_id, block)

    def leased(self, tenant_id: str) -> Block:
        now = datetime.now(UTC)
        count = allowance.lease(UUID(tenant_id), now)
        if count is None:
            return Block(None, time.time() + KNOWN_S)
        return Block([_ONE] * count, next_month(now).timestamp(), month(now))

    def replace(self, tenant_id: str, block: Block) -> None:
        """What the old one still holds moves into the new one, or back."""
        old = self.blocks.get(tenant_id)
        self.blocks[tenant_id] = block
        if old is not None and old.units:
            if block.units is not None and old.period == block.period:
                block.units.extend([_ONE] * emptied(old.units))
            else:
                self.tell(tenant_id, old.period, emptied(old.units))

    def stop(self) -> None:
        """Everything that is left goes back, now."""
        for tenant_id in list(self.blocks):
            self.drop(tenant_id)
        self.work(wait=0)
        self.jobs.join()  # the thread may have one in its hands

    # -- a thread of its own ------------------------------------------------------------------------

    def tell(self, tenant_id: str, period: str, count: int) -> None:
        """Later, elsewhere: give ``count`` back, or with no period lease more before the block is empty."""
        self.jobs.put((tenant_id, period, count))
        if self.thread is None or not self.thread.is_alive():
            self.thread = threading.Thread(target=self.run, name="quota", daemon=True)
            self.thread.start()

    def run(self) -> None:
        while True:
            self.work(wait=LOOK_S)
            self.look()

    def work(self, wait: float) -> None:
        """Do what was told; one connection for all of it."""
        try:
            job = self.jobs.get(timeout=wait) if wait else self.jobs.get_nowait()
            while True:
                try:
                    self.perform(*job)
                finally:
                    self.jobs.task_done()
                job = self.jobs.get_nowait()
        except queue.Empty:
            pass
        finally:
            if threading.current_thread() is self.thread:
                connections.close_all()

    def perform(self, tenant_id: str, period: str, count: int) -> None:
        try:
            if period:
                allowance.give_back(UUID(tenant_id), period, count)
            else:
                self.more(tenant_id)
        except DatabaseError as problem:  # these stay taken, which errs on the limit's side
            log.warning("executions of %s were not counted back: %s", tenant_id, problem)

    def more(self, tenant_id: str) -> None:
        """Lease the next block before this one is empty."""
        with self.locks.setdefault(tenant_id, threading.Lock()), suppress(UsedUp):
            block = self.blocks.get(tenant_id)
            if block is not None and block.units is not None and len(block.units) <= block.low:
                self.replace(tenant_id, self.leased(tenant_id))

    def look(self) -> None:
        """Blocks that nobody uses go back: another process may need them."""
        for tenant_id, block in list(self.blocks.items()):
            if block.units is None:
                if time.time() >= block.until:
                    self.blocks.pop(tenant_id, None)
                continue
            left = len(block.units)
            block.quiet = block.quiet + 1 if left == block.seen else 0
            block.seen = left
            if block.quiet >= LOOKS or time.time() >= block.until:
                self.drop(tenant_id)


def emptied(units: "list[None]") -> int:
    """How many there were; each is counted once, whoever takes at the same moment."""
    count = 0
    with suppress(IndexError):
        while True:
            units.pop()
            count += 1
    return count


def refusal(limit: int) -> ApiError:
    now = datetime.now(UTC)
    wait = max(1, math.ceil((next_month(now) - now).total_seconds()))
    text = f"The plan's {limit:,} executions of this month are used up; more on {next_month(now):%Y-%m-%d} (UTC)."
    return ApiError(429, text, headers={"Retry-After": str(wait)})


quota = Quota()
os.register_at_fork(after_in_child=quota.clear)  # a child must not spend its parent's blocks
