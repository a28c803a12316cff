"""The plan's executions (R39): one for each run that is admitted, taken before it begins or is queued.

A run that was queued is counted already when a worker begins it; its further tries, its steps and what it calls are
parts of it. What was taken for a run that got no compute goes back.
"""

from channels.db import database_sync_to_async

from billing.errors import ApiError
from billing.quota import quota
from runtime.job import Job

UNCOUNTED = frozenset({"test"})  # the editor's runs have a limit of their own


def counts(job: Job) -> bool:
    """Whether beginning this job is the beginning of an execution."""
    return not job.added and not job.level and job.trigger not in UNCOUNTED


def at_once(job: Job) -> bool:
    """Taken without asking anybody: the hot path. False: `begin` knows more, and nothing was taken."""
    return not counts(job) or quota.take(job.bundle.tenant_id)


async def begin(job: Job) -> None:
    """Taken, or ApiError 429 with the time at which the next month begins."""
    if counts(job):
        await demand(job.bundle.tenant_id)


async def demand(tenant_id: str) -> None:
    """The same for a run that will be queued."""
    if not quota.take(tenant_id):
        await database_sync_to_async(quota.refill, thread_sensitive=False)(tenant_id)


async def allowed(tenant_id: str) -> str:
    """Why there is no execution left; taken when empty."""
    try:
        await demand(tenant_id)
    except ApiError as refused:
        return refused.detail
    return ""


def undo(job: Job) -> None:
    """The run was refused before it was allocated anything, whoever counted it."""
    if job.trigger not in UNCOUNTED and not job.level:
        quota.give_back(job.bundle.tenant_id, job.created_us / 1e6)
