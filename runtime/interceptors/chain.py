"""Links around a call, compiled into calls within calls: nothing walks a list while a request is served."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from billing.errors import ApiError
from runtime.answer import Reply
from runtime.interceptors.invocation import Invocation, refusal
from runtime.interceptors.link import Later, Link, Run, hook
from runtime.interceptors.nested import nested, waiting


def build(links: Sequence[Link], call: Run, *, metrics: bool = True) -> Run:
    """``call`` within these links, the first one outermost; without any it is ``call`` itself."""
    for link in reversed(links):
        call = nested(link, call) if metrics else unmeasured(link, call)
    return call


def build_waiting(links: Sequence[Link], call: Later) -> Later:
    """The same for links and calls that may have to wait; the body is read behind those that let callers in."""
    reads = next((at for at, link in enumerate(links) if link.reads), len(links))
    for at in range(len(links), -1, -1):
        if at < len(links):
            call = waiting(links[at], call)
        if at == reads:
            call = reading(call)
    return call


def unmeasured(link: Link, inner: Run) -> Run:
    """Without counts, for who has switched them off; a failing optional link is skipped by its counts, so they stay."""
    before, after = hook(link, "before"), hook(link, "after")
    if link.optional or (before and after):
        return nested(link, inner)
    if before:
        return lambda call: before(call) or inner(call)
    return (lambda call: after(call, inner(call))) if after else inner


def reading(inner: Later) -> Later:
    async def run(call: Invocation) -> Reply:
        if call.data is None:
            try:
                call.data = await call.asked.body(settings.CALL_MAX_BODY)
            except ApiError as error:
                return refusal(error)
        return await inner(call)

    return run


@dataclass(slots=True)
class Chain:
    """What wraps the calls of one endpoint: ``now`` is None when one of its links has to wait."""

    links: tuple[Link, ...]
    now: Run | None
    later: Later
    proves: bool = False  # callers may prove who they are by a token that is not the tenant's key
    required: bool = True  # and have to
