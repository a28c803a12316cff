"""The first try of a call, without waiting for anything: what needs nobody else is done when this returns.

A function that asks for state, for another function or for the world outside is dropped (nothing of it has
happened) and begins anew in runtime.targets; which functions do is remembered for each running bundle.
"""

from bundles.target import Target
from runtime import flows
from runtime.answer import read
from runtime.host import HostCall
from runtime.job import Effects, Job
from runtime.targets import Done, bounds, guest_of
from runtime.wasm import Suspend, Trap

MAX_KNOWN = 1_000


def attempt(job: Job, fuel: int) -> Done | None:
    """What the target came to; None when it has to wait for something or has something to write."""
    target = job.target
    if target.kind == "flow":
        return flows.attempt(job, fuel)
    if target.kind == "prompt":
        return job.wish.attempt(job, fuel) if job.wish is not None else None
    if target.kind != "wasm" or target in job.bundle.waiting:
        return None
    guest, limits = guest_of(job, target), bounds(fuel)
    host = HostCall(
        job.id,
        job.created_us // 1000,
        seed=f"{job.id}:0:0".encode(),  # as runtime.targets.context has it for the first function of a job
        secrets=job.bundle.granted,
        readonly=job.primitive == "validation",
    )
    try:
        answer = guest.call(target.function, job.request, host, limits)
    except Suspend:
        postpone(job, target)
        return None
    except Trap as trap:
        trap.logs = host.logs
        raise
    reply = read(answer.body)
    if reply.error:
        return Done(reply, answer.fuel, Effects(signals=host.signals, logs=host.logs))
    if host.writes or host.fires:
        postpone(job, target)
        return None
    return Done(reply, answer.fuel, Effects(signals=host.signals, logs=host.logs))


def postpone(job: Job, target: Target) -> None:
    """Next time it does not begin here: the try would be for nothing."""
    if len(job.bundle.waiting) < MAX_KNOWN:
        job.bundle.waiting.add(target)
