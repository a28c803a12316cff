"""Flows: a job whose target is one is tried at once, and driven to its end when something in it has to be waited for."""

from bundles.target import Target
from runtime import flowlive
from runtime.flowrun import Run
from runtime.job import Job
from runtime.targets import Done

AT_ONCE = 500  # steps of a run that may hold up an event loop
MAX_KNOWN = 1_000
SLOWNESS = (
    8  # runs at once that make up for one that took too long: the machine may have been busy with others
)
TOO_SLOW = 3 * SLOWNESS


def attempt(job: Job, fuel: int) -> Done | None:
    """The end of a run that waits for nobody; else None, and then nothing has happened.

    A failed one is left to ``execute``, which keeps its state for a retry.
    """
    if job.target in job.bundle.waiting or job.added:
        return None
    run = Run(job, fuel)
    try:
        return tried(job, run)
    finally:
        run.drop()


def tried(job: Job, run: Run) -> Done | None:
    pump, plan = run.pump, run.plan
    pump.begin()
    ended = run.advance(AT_ONCE)
    if ended and pump.done and not pump.fires:
        plan.slow -= plan.slow > 0
        return None if pump.failure else run.done()
    if run.short:  # its service has used up its part of this round: that says nothing of the flow
        return None
    if not ended:
        plan.slow += SLOWNESS
    if (ended or plan.slow >= TOO_SLOW) and len(job.bundle.waiting) < MAX_KNOWN:
        job.bundle.waiting.add(job.target)
    return None


async def execute(job: Job, fuel: int) -> Done:
    """The run to its end, or to where it is parked."""
    from runtime.flowdrive import Driver  # which starts functions that may call flows

    driver = Driver(Run(job, fuel))
    try:
        with flowlive.joinable(job, driver.pump.steps):
            return await driver.whole()
    finally:
        if not driver.tasks:  # else they still use it while they end
            driver.run.drop()


def called(job: Job, target: Target, request: bytes, step: int, level: int) -> Job:
    """The job of a flow that a function called: a part of the same run, with an id below its own."""
    return Job(
        bundle=job.bundle,
        service=job.service,
        name=job.name,
        target=target,
        contract=job.contract,
        request=request,
        trigger=job.trigger,
        id=f"{job.id}:{step}",
        level=level,
        caller=job.caller,
        depth=job.depth,
        added=True,
        created_us=job.created_us,
        purse=job.purse,
    )
