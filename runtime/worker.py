"""Executes queued runs: claims them, calls their functions through the waist, tries again what may be tried again.

It lives in a thread of the Celery worker with an event loop of its own; the database says what there is to do.
"""

import asyncio
import logging
import threading
import time
from collections import Counter
from uuid import UUID

from channels.db import database_sync_to_async
from django.db import DatabaseError
from django.utils import timezone

from bundles.contract import Contract
from bundles.endpoints import Endpoint
from bundles.intents import Intent
from bundles.target import parse
from market.admission import house
from runtime import executions, importer, running
from runtime.call import Waist, masked, secrets_of
from runtime.deploy import ready
from runtime.gateway import Gateway
from runtime.job import Job, Outcome
from runtime.live import LiveBundle
from runtime.measure import OVERRUN
from runtime.models import Execution
from runtime.record import Record

MOST = 1_000  # runs in hand, with those that wait for compute
AT_ONCE = 64  # a tenant that is alone gets half of them, so that there is room for the next one
AGAIN_S = 1.0  # before a run that fell out by a fault of ours is given back
REAP_S = 5.0
LOOK_S = 0.2  # how often to look for work that nobody announced
BACKOFF_S = 1.0  # before the first retry; doubled with each
BACKOFF_MAX_S = 300.0
log = logging.getLogger(__name__)
Key = tuple[
    str, int, int, bool
]  # a bundle, its revision, the tenant's version, whether with flows that are stopped


class Worker(threading.Thread):
    """The runner of background work in this process."""

    def __init__(self) -> None:
        super().__init__(name="runner", daemon=True)
        self.importer = importer.Importer()
        self.ending = threading.Event()
        self.busy: dict[asyncio.Task[None], UUID] = {}  # whose run it is
        self.reaped = 0.0
        self.bundles: dict[Key, LiveBundle] = {}
        self.loading: dict[Key, asyncio.Task[LiveBundle | None]] = {}

    def run(self) -> None:
        self.importer.start()
        asyncio.run(self.main())
        self.importer.stop()

    def stop(self) -> None:
        self.ending.set()
        self.join(15)

    async def main(self) -> None:
        gateway = Gateway("worker")
        waist = await gateway.start()
        while not self.ending.is_set():
            try:
                await self.look(waist)
            except DatabaseError as problem:
                log.error("looking for queued runs waits: %s", problem)
                await asyncio.sleep(1)
            await asyncio.to_thread(self.pause)
        await asyncio.gather(*self.busy, return_exceptions=True)
        await gateway.stop()

    def pause(self) -> None:
        self.importer.fresh.wait(LOOK_S)
        self.importer.fresh.clear()

    async def look(self, waist: Waist) -> None:
        await self.reap()
        room = min(AT_ONCE - (len(self.busy) - house.waiting), MOST - len(self.busy))
        if room <= 0:
            return
        # Those that wait for compute hold no place: of each tenant's runs as large a part as of all.
        active, whole = len(self.busy) - house.waiting, max(1, len(self.busy))
        busy = {tenant: count * active // whole for tenant, count in Counter(self.busy.values()).items()}
        for run in await database_sync_to_async(executions.claim, thread_sensitive=False)(
            running.WORKER, room, busy
        ):
            task = asyncio.create_task(self.work(waist, run))
            self.busy[task] = run.tenant_id
            task.add_done_callback(self.busy.pop)

    async def reap(self) -> None:
        """Here too, not by the clock alone: it must go on while no message arrives."""
        if time.monotonic() - self.reaped > REAP_S:
            self.reaped = time.monotonic()
            await database_sync_to_async(executions.reap, thread_sensitive=False)(timezone.now())

    async def work(self, waist: Waist, run: Execution) -> None:
        """One claimed run to its end; whatever happens, it does not stay running."""
        try:
            with running.held(str(run.pk)):
                await self.attempt(waist, run)
        except Exception:  # the edge of this loop: whatever it was, the run must not stay running
            log.exception("run %s fell out of its worker", run.pk)
            await asyncio.sleep(AGAIN_S)
            await database_sync_to_async(executions.give_back, thread_sensitive=False)(run, timezone.now())

    async def attempt(self, waist: Waist, run: Execution) -> None:
        bundle = await self.bundle(run)
        if bundle is None:
            return await waist.journal.append(gone(run))
        job = job_of(run, bundle)
        outcome = await waist.admitted(job)
        await self.settle(waist, job, outcome)

    async def bundle(self, run: Execution) -> LiveBundle | None:
        """The revision that the run was queued for, whatever runs by now."""
        whole = run.target.startswith(
            "flow:"
        )  # it was taken on: a flow that was stopped since runs to its end
        key = (str(run.bundle_id), run.revision, run.tenant.version, whole)
        known = self.bundles.get(key)
        if known is None:
            known = await self.loaded(key, run)
            if known is not None:
                self.bundles[key] = known
        if len(self.bundles) > 200:
            self.bundles.pop(next(iter(self.bundles)))
        return known

    async def loaded(self, key: Key, run: Execution) -> LiveBundle | None:
        """Once for all runs that begin at the same time: what a flow may do at once counts in one place."""
        task = self.loading.get(key)
        if task is None:
            made = ready(run.bundle, run.tenant, run.revision, whole=key[3])
            task = self.loading[key] = asyncio.create_task(made)
            task.add_done_callback(lambda _: self.loading.pop(key, None))
        return await asyncio.shield(task)

    async def settle(self, waist: Waist, job: Job, outcome: Outcome) -> None:
        """Write the end down, or the next try of an intent that has one left."""
        intent = intent_of(job.bundle, job.service, job.name)
        left = outcome.retryable and intent is not None and job.attempts < intent.retries
        if outcome.away or left:
            record = masked(again(job, outcome), secrets_of(job))
            await waist.journal.append(record)
            return waist.publisher.record(record)
        if intent is not None:
            note_overrun(job, outcome, intent)
        await waist.record(job, outcome)
        waist.stream(job, outcome)


def note_overrun(job: Job, outcome: Outcome, intent: Intent) -> None:
    """An intent that took longer than its expectedDuration: told in its log and counted as a signal."""
    took_ms = (time.perf_counter() - job.started) * 1000
    if intent.expected_duration_ms and took_ms > intent.expected_duration_ms:
        text = f"took {took_ms:.0f} ms, longer than its expectedDuration of {intent.expected_duration_ms} ms"
        outcome.effects.logs.append(("warning", text))
        outcome.effects.signals.append((OVERRUN, 1.0))


def gone(run: Execution) -> Record:
    return {
        "op": "finish",
        "id": str(run.pk),
        "bundle": str(run.bundle_id),
        "service": run.service,
        "name": run.name,
        "status": "error",
        "created": int(run.created.timestamp() * 1e6),
        "completed": time.time_ns() // 1000,
        "duration_us": 0,
        "http_status": None,
        "signals": [],
        "error": "its revision is not there any more",
    }


def again(job: Job, outcome: Outcome) -> Record:
    """A failed try goes back into the queue, each time for twice as long."""
    wait = min(BACKOFF_MAX_S, BACKOFF_S * 2**job.attempts)
    tries = job.attempts + (0 if outcome.away else 1)
    failed = f"try {job.attempts + 1} failed: {outcome.error}"
    logs = [*outcome.effects.logs, ("warning", f"{failed}; the next in {wait:g} s")]
    at = time.time_ns() // 1_000_000
    return {
        "op": "again",
        "id": job.id,
        "bundle": job.bundle.id,
        "status": "queued",
        "attempts": tries,
        "due": time.time_ns() // 1000 + int(wait * 1e6),
        "error": failed[:4000],
        "logs": [[at, level, text] for level, text in logs],
        "service": job.service,
        "name": job.name,
        "started": job.created_us,
        "input": "",
        "output": "",
    }


def job_of(run: Execution, bundle: LiveBundle) -> Job:
    found = intent_of(bundle, run.service, run.name) or endpoint_of(bundle, run.service, run.name)
    return Job(
        bundle=bundle,
        service=run.service,
        name=run.name,
        target=parse(run.target),
        contract=found.contract if found else service_contract(bundle, run.service),
        request=run.input.encode(),
        trigger=run.trigger,
        id=str(run.pk),
        caller=run.caller,
        parent=str(run.parent) if run.parent else None,
        depth=run.depth,
        attempts=run.attempts,
        primitive=found.primitive if isinstance(found, Intent) else "",
        added=True,
        created_us=int(run.created.timestamp() * 1e6),
    )


def service_contract(bundle: LiveBundle, service: str) -> Contract:
    for one in bundle.definition.services:
        if one.name == service:
            return one.contract
    return bundle.definition.contract


def intent_of(bundle: LiveBundle, service: str, name: str) -> Intent | None:
    return next(
        (i for s in bundle.definition.services if s.name == service for i in s.intents if i.name == name),
        None,
    )


def endpoint_of(bundle: LiveBundle, service: str, name: str) -> Endpoint | None:
    return next(
        (e for s in bundle.definition.services if s.name == service for e in s.endpoints if e.name == name),
        None,
    )
