"""Runs that take longer than a blink: announced in the history, kept alive by a lease, and cancellable."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

from channels.db import database_sync_to_async
from django.db import DatabaseError
from django.db.models import Q
from redis.exceptions import RedisError

from billing.redis import patient
from runtime import executions
from runtime.job import Effects, Job
from runtime.models import Execution
from runtime.record import Record, readable

BEAT_S = 5.0
ANNOUNCE_S = 0.25
LOOK_S = 1.0  # a long run is cancelled within this time also when nobody told us
WORKER = f"{socket.gethostname()}:{os.getpid()}"
T = TypeVar("T")
log = logging.getLogger(__name__)
_tasks: "dict[str, asyncio.Task[object]]" = {}
_pausers: dict[str, Callable[[], None]] = {}  # how runs of this process are told to begin nothing any more


_held: set[str] = set()


@contextmanager
def held(run: str) -> Iterator[None]:
    """While a run is in these hands its lease is renewed; what fell out of them is given back by its lease's end."""
    _held.add(run)
    try:
        yield
    finally:
        _held.discard(run)


@contextmanager
def pausable(run: str, pause: Callable[[], None]) -> Iterator[None]:
    """While this run goes on it can be paused."""
    _pausers[run] = pause
    try:
        yield
    finally:
        _pausers.pop(run, None)


class Cancelled(Exception):
    """Somebody cancelled the run; ``effects`` is what it had done by then."""

    effects: Effects | None = None


Announcer = Callable[[Record], Awaitable[None]]
_announcer: list[Announcer] = []


def announce_through(announcer: Announcer) -> None:
    """Where this process writes down that a run has begun: its journal."""
    _announcer[:] = [announcer]


async def announce(job: Job) -> None:
    """Make a call that turns out to be long visible as running, once."""
    if job.added or not _announcer:
        return
    job.added = job.announced = True
    await _announcer[0](begun(job))


async def announced(job: Job, work: Awaitable[T]) -> T:
    """``cancellable``, and known as running when it takes long."""
    if job.added:
        return await cancellable(job, work)
    begun: list[asyncio.Future[None]] = []
    slow = asyncio.get_running_loop().call_later(
        ANNOUNCE_S, lambda: begun.append(asyncio.ensure_future(announce(job)))
    )
    try:
        return await cancellable(job, work)
    finally:
        slow.cancel()
        for writing in begun:  # its end must not be written down before its beginning
            await writing


def begun(job: Job) -> Record:
    return {
        "op": "add",
        "id": job.id,
        "tenant": job.bundle.tenant_id,
        "bundle": job.bundle.id,
        "revision": job.bundle.revision,
        "service": job.service,
        "name": job.name,
        "target": str(job.target),
        "trigger": job.trigger,
        "status": "running",
        "created": job.created_us,
        "started": job.created_us,
        "input": readable(job.request, [value.encode() for value in job.bundle.secrets.values()]),
        "caller": job.caller,
        "parent": job.parent,
        "depth": job.depth,
        "lease": WORKER,
        "units_estimated": job.contract.compute_units,
    }


async def cancellable(job: Job, work: Awaitable[T]) -> T:
    """Await ``work``; Cancelled when the keeper learns that somebody asked for it."""
    run = job.id.partition(":")[0]  # parts of a run, as flows that functions call, have an id below its own
    if run in _tasks:  # it can be cancelled as a whole
        return await work
    task = asyncio.ensure_future(work)
    _tasks[run] = cast("asyncio.Task[object]", task)
    try:
        return await task
    except asyncio.CancelledError:
        if task.cancelled() and not current_is_cancelled():
            raise Cancelled(job.id) from None
        task.cancel()
        raise
    finally:
        _tasks.pop(run, None)


def cancel(run: str) -> bool:
    """Cancel a run of this process that takes long; False when there is nothing that could be cancelled."""
    task = _tasks.get(run)
    return task is not None and task.cancel()


def current_is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def hear() -> None:
    """Cancel at once what somebody asked for; what is not told is seen by `keep`."""
    while True:
        try:
            async with patient() as client, client.pubsub() as inbox:
                await inbox.subscribe(executions.CANCELLED)
                async for message in inbox.listen():
                    if message["type"] == "message":
                        cancel(message["data"].decode())
        except (RedisError, OSError) as problem:
            log.warning("cancellations are not told for now: %s", problem)
            await asyncio.sleep(1)


async def keep() -> None:
    """Renew this process's leases and carry out cancellations, for as long as the process serves."""
    renewed = 0.0
    while True:
        await asyncio.sleep(LOOK_S)
        if not (_held or _tasks):
            continue
        try:
            due = time.monotonic() - renewed > (1.0 if _tasks else BEAT_S)
            if due or _tasks:
                await look(list(_held | set(_tasks)), renewing=due)
            renewed = time.monotonic() if due else renewed
        except DatabaseError as problem:
            log.warning("leases could not be renewed: %s", problem)


async def look(mine: list[str], *, renewing: bool) -> None:
    for run, cancelled in await database_sync_to_async(beat, thread_sensitive=False)(mine, renewing=renewing):
        if cancelled and (task := _tasks.get(run)):
            task.cancel()
        elif not cancelled and (pause := _pausers.get(run)):
            pause()


def beat(mine: list[str], *, renewing: bool = True) -> list[tuple[str, bool]]:
    """Of the runs of this process those that somebody cancelled (true) or paused (false)."""
    if renewing:
        executions.heartbeat(WORKER, mine)
    asked = Execution.objects.filter(Q(cancel_asked=True) | Q(paused=True), pk__in=mine[:500])
    return [(str(pk), cancelled) for pk, cancelled in asked.values_list("pk", "cancel_asked")]
