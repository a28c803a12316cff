"""What a chain wraps: the call itself, on its way through the one waist."""

from billing.errors import ApiError
from runtime import cors, later
from runtime.answer import Reply
from runtime.interceptors.invocation import TOO_LATE, Invocation, refusal
from runtime.interceptors.link import Postponed


def execute_now(call: Invocation) -> Reply:
    """Without waiting; Postponed when it would have to, and then nothing has happened."""
    try:
        job = call.make_job()
        outcome = call.waist.now(job)
    except ApiError as error:
        return refusal(error)
    if outcome is None:
        raise Postponed
    call.job, call.outcome = job, outcome
    return outcome.reply


async def execute(call: Invocation) -> Reply:
    """With all the time it takes, or taken on for a worker when the caller wishes so."""
    if call.abandoned:
        return TOO_LATE
    try:
        call.job = job = call.make_job()
        if later.wished(call.asked):
            extra = cors.headers(call.match.service.cors, call.asked.headers.get("origin"))
            call.queued = await later.taken_on(call.waist.journal, call.asked, job, extra)
            return Reply(call.queued.status, call.queued.body)
        outcome = await call.perform(job)
    except ApiError as error:
        call.job = None
        return refusal(error)
    call.outcome = outcome
    return outcome.reply
