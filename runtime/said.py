"""The answer of a flow as soon as its output has spoken: what else it does goes on when its caller has gone."""

import asyncio
import logging
from functools import partial

from runtime.call import Waist
from runtime.job import Job, Outcome

log = logging.getLogger(__name__)
_going: set[asyncio.Task[Outcome]] = set()  # runs that nobody waits for any more; a task needs a holder


async def call(waist: Waist, job: Job) -> Outcome:
    """As ``waist.call``; of a flow that goes on after its output, what the output said."""
    if job.target.kind != "flow":
        return await waist.call(job)
    said: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    job.said = said
    task = asyncio.ensure_future(waist.call(job))
    task.add_done_callback(partial(whole, said))
    try:
        return await said
    except asyncio.CancelledError:
        task.cancel()
        raise
    finally:
        if not task.done():
            _going.add(task)
            task.add_done_callback(ended)


def whole(said: asyncio.Future[Outcome], task: asyncio.Task[Outcome]) -> None:
    """The run is over; if nothing was said before, this is what its caller hears."""
    if said.done():
        return
    if task.cancelled():
        said.cancel()
    elif (problem := task.exception()) is not None:
        said.set_exception(problem)
    else:
        said.set_result(task.result())


def ended(task: "asyncio.Task[Outcome]") -> None:
    _going.discard(task)
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.error("a run could not be written down after it had answered: %s", problem)
