"""timeout: an answer in time, 504 if need be. A run that takes longer is cancelled if it can be, and always recorded."""

import asyncio
import logging

from billing.errors import ApiError
from runtime import running
from runtime.answer import Reply
from runtime.interceptors.cells import Cell
from runtime.interceptors.invocation import Invocation, refusal
from runtime.interceptors.link import Later, Link

log = logging.getLogger(__name__)
_going: set[asyncio.Task[Reply]] = set()  # runs that nobody waits for any more; a task needs a holder


class Timeout(Link):
    """What has not begun when the time is over never begins. Calls that never wait last milliseconds."""

    def __init__(self, cell: Cell, after_ms: int) -> None:
        super().__init__(cell)
        self.seconds = after_ms / 1000
        self.error = ApiError(504, f"No answer within {self.seconds:g} s.")

    def around(self, inner: Later) -> Later:
        async def run(call: Invocation) -> Reply:
            task = asyncio.ensure_future(inner(call))
            _going.add(task)
            task.add_done_callback(over)
            # `wait` takes its timer away again, however it ends.
            done, _ = await asyncio.wait({task}, timeout=self.seconds)
            if done:
                return task.result()
            self.abandon(call)
            return refusal(self.error)

        return run

    def abandon(self, call: Invocation) -> None:
        """The answer says nothing of the run: it has not ended yet."""
        call.abandoned = True
        job, call.job, call.outcome = call.job, None, None
        if job is not None:
            running.cancel(job.id)


def over(task: "asyncio.Task[Reply]") -> None:
    _going.discard(task)
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.warning("a call with a time limit ended in a fault: %r", problem)
