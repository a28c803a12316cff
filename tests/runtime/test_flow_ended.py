"""Between the end of a run and the line that tells of it: a process that dies there does nothing a second time."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from billing.redis import redis
from runtime import call as waist
from runtime.deploy import ready
from runtime.job import Job, Outcome
from runtime.wasmtypes import FUEL_PER_UNIT
from tests.runtime import flowstage
from tests.runtime.test_flow_driven import Outside, http, outside

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["outside"]  # a fixture


async def queued(bundle: Any, alice: Any, execution: str = "") -> Job:
    """A run that was taken on, as a worker has it."""
    live = await ready(bundle, alice.tenant)
    assert live is not None
    job = flowstage.job(live, {"a": 1})
    job.id, job.added = execution or job.id, True
    return job


def kept(job: Job) -> list[bytes]:
    return list(redis().scan_iter(match=f"tenant:*:flow:*registry:{job.id}*"))


async def execute(job: Job) -> Outcome:
    return await waist.execute(job, 1_000 * FUEL_PER_UNIT)


@pytest.mark.usefixtures("clean_redis")
async def test_a_run_that_was_over_but_not_told_is_told_and_not_done_again(alice: Any, outside: str) -> None:
    bundle = await sync_to_async(flowstage.start)(alice, f=http(outside))
    first = await execute(job := await queued(bundle, alice))
    again = await execute(job := await queued(bundle, alice, job.id))  # the first one's process died untold
    assert [body for body, _ in Outside.seen] == ['{"a":1}']
    assert first.reply.body == again.reply.body == b"true"
    assert [step["node"] for step in again.effects.steps] == ["ask", "end"]
    assert kept(job)
    await job.known()
    assert not kept(job)


@pytest.mark.usefixtures("clean_redis")
async def test_a_run_that_failed_is_kept_for_another_try(alice: Any, outside: str) -> None:
    Outside.answers = [503]
    bundle = await sync_to_async(flowstage.start)(alice, f=http(outside))
    outcome = await execute(job := await queued(bundle, alice))
    assert outcome.status == "error"
    await job.known()
    assert kept(job)
