"""`Prefer: respond-async` (RFC 7240): the call is written down and acknowledged; a worker executes it.

The answer is 202 `{execution, status, position, rounds}`; `position` and `rounds` tell how long the market's queue is.
"""

import time

import orjson

from billing.errors import ApiError
from market.admission import house
from runtime import counting
from runtime.answer import JSON
from runtime.exchange import BASE, Asked, Given, Pairs
from runtime.flowqueue import MAX_INPUT
from runtime.job import Job
from runtime.journal import Journal
from runtime.purse import PRIORITIES, need
from runtime.record import Record

CAPACITY = 1_000  # entries of a round (R18)


def wished(asked: Asked) -> bool:
    return "respond-async" in asked.headers.get("prefer", "").lower()


async def taken_on(journal: Journal, asked: Asked, job: Job, extra: Pairs) -> Given:
    """In the journal before it is acknowledged."""
    if len(job.request) > MAX_INPUT:
        raise ApiError(413, f"What runs in the background may have {MAX_INPUT} bytes.")
    await counting.begin(job)
    await journal.append(queued(job))
    position, rounds = standing()
    told = {"execution": job.id, "status": "queued", "position": position, "rounds": rounds}
    body = orjson.dumps(told)
    head = [
        *BASE,
        ("x-execution-id", job.id),
        ("location", f"/api/executions/{job.id}"),
        ("preference-applied", "respond-async"),
        ("x-queue-position", str(position)),
        ("x-queue-rounds", str(rounds)),
        *extra,
        ("content-type", JSON),
        ("cache-control", "no-store"),
        ("content-length", str(len(body))),
    ]
    return Given(202, head, b"" if asked.method == "HEAD" else body)


def queued(job: Job) -> Record:
    now, bundle = time.time_ns() // 1000, job.bundle
    return {
        "op": "add",
        "id": job.id,
        "tenant": bundle.tenant_id,
        "bundle": bundle.id,
        "revision": bundle.revision,
        "service": job.service,
        "name": job.name,
        "target": str(job.target),
        "trigger": job.trigger,
        "status": "queued",
        "created": now,
        "due": now,
        "rank": len(PRIORITIES) - 1 - PRIORITIES[job.contract.priority],
        "input": job.request.decode(),
        "units_estimated": need(job),
        "caller": job.caller,
    }


def standing() -> tuple[int, int]:
    """Where a newcomer stands, and the rounds before it: as the market told last."""
    state = house.client.state if house.client is not None else {}
    return state.get("waiting", 0) + 1, -(-state.get("entries", 0) // CAPACITY) + 1
