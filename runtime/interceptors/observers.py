"""monitoring and logging: they see every answer, also refusals, and change none."""

import time
from bisect import bisect_left
from time import perf_counter as clock
from typing import Any

from runtime.answer import Reply
from runtime.interceptors.cells import BOUNDS, BUCKETS, DENIED, MAX_USERS, TIMEOUTS, Cell
from runtime.interceptors.invocation import Invocation
from runtime.interceptors.link import Later, Link, Postponed, Run
from runtime.interceptors.nested import failed

LEVELS = {"debug": 0, "info": 1, "warning": 2, "error": 3}
# The bounds of the histogram behind as many places as a cell has before it: what is found is the place in the cell.
PADDED = [-1.0] * BUCKETS + BOUNDS
NOWHERE = "-"  # in place of an execution, for calls that had none


class Monitoring(Link):
    """Its counts are what it measures: the buckets of its histogram together are its executions."""

    optional = True

    def __init__(self, cell: Cell, users: set[str]) -> None:
        super().__init__(cell)
        self.users = users

    def measured(self, inner: Run) -> Run:
        cell, users, histogram = self.cell, self.users, PADDED

        def run(call: Any) -> Reply:
            began = clock()
            try:
                reply = inner(call)
            except Postponed:
                raise
            except BaseException:
                failed(cell, began)
                cell[bisect_left(histogram, clock() - began)] += 1.0
                raise
            spent = clock() - began
            cell[1] += spent
            cell[bisect_left(histogram, spent)] += 1.0
            if reply.status >= 400:
                self.failure(reply.status, counted=False)
            if call.identity not in users:
                self.meet(call.identity)
            return reply

        return run

    def around(self, inner: Later) -> Later:
        """What is around this counts failures already."""
        cell = self.cell

        async def run(call: Any) -> Reply:
            began = clock()
            try:
                reply = await inner(call)
            finally:
                cell[bisect_left(PADDED, clock() - began)] += 1.0
            if reply.status >= 400:
                self.failure(reply.status, counted=True)
            if call.identity not in self.users:
                self.meet(call.identity)
            return reply

        return run

    def meet(self, identity: str) -> None:
        if len(self.users) < MAX_USERS:
            self.users.add(identity)

    def failure(self, status: int, *, counted: bool) -> None:
        if status >= 500 and not counted:
            self.cell[2] += 1
        if status == 504:
            self.cell[TIMEOUTS] += 1
        elif status in (401, 403):
            self.cell[DENIED] += 1


class Logging(Link):
    """A line for each call, for those who watch the bundle; nothing is paid while nobody does."""

    optional = True

    def __init__(self, cell: Cell, level: str) -> None:
        super().__init__(cell)
        self.least = LEVELS[level]

    def after(self, call: Invocation, reply: Reply) -> Reply:
        publisher = call.waist.publisher
        if publisher.watched:
            level = "error" if reply.status >= 500 else "warning" if reply.status >= 400 else "info"
            if LEVELS[level] >= self.least:
                self.say(call, reply, level)
        return reply

    def say(self, call: Invocation, reply: Reply, level: str) -> None:
        endpoint, job = call.match.endpoint, call.job
        text = f"{call.asked.method} {call.path} {reply.status}, {len(reply.body)} bytes, {call.caller or 'nobody'}"
        if self.least == 0:  # debug
            text += f", from {call.asked.peer}, body of {len(call.data or b'')} bytes"
        run, at = job.id if job else NOWHERE, time.time_ns() // 1_000_000
        call.waist.publisher.line(call.match.owner.id, run, level, text, at, endpoint.service, endpoint.name)
