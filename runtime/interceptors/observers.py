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
NOWHERE = "-"  # in place of an execution, for calls that had none


class Monitoring(Link):
    """Its counts are what it measures: one look at the clock serves both."""

    optional = True

    def __init__(self, cell: Cell, users: set[str]) -> None:
        super().__init__(cell)
        self.users = users

    def measured(self, inner: Run) -> Run:
        cell, note = self.cell, self.note

        def run(call: Any) -> Reply:
            began = clock()
            try:
                reply = inner(call)
            except Postponed:
                raise
            except BaseException:
                failed(cell, began)
                raise
            spent = clock() - began
            cell[0] += 1
            cell[1] += spent
            cell[BUCKETS + bisect_left(BOUNDS, spent)] += 1
            note(call, reply)
            return reply

        return run

    def around(self, inner: Later) -> Later:
        cell, note = self.cell, self.note

        async def run(call: Any) -> Reply:
            began = clock()
            reply = await inner(call)
            cell[BUCKETS + bisect_left(BOUNDS, clock() - began)] += 1
            note(call, reply, counted=True)
            return reply

        return run

    def note(self, call: Any, reply: Reply, *, counted: bool = False) -> None:
        """``counted``: what wraps this counts failures already."""
        status = reply.status
        if status >= 400:
            self.failure(status, counted=counted)
        if len(self.users) < MAX_USERS:
            self.users.add(call.identity)

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
