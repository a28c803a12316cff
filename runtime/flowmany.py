"""Several runs of one flow at once: again, on from the failed step, or stopped; each succeeds or says why not."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from billing.access import Principal
from billing.errors import ApiError
from bundles.models import Flow
from runtime import flowretry, runs
from runtime.flowruns import listed
from runtime.models import Execution

MOST = 100
Verb = Literal["retry", "failed", "cancel"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """``made`` is the new run, or the run itself when it was asked to stop; ``error`` why nothing was done."""

    run: UUID
    made: str = ""
    error: str = ""


def cancelled(who: Principal, run: Execution) -> str:
    runs.cancel(who, run)
    return str(run.pk)


VERBS: Mapping[Verb, Callable[[Principal, Execution], str]] = {
    "retry": runs.retry,
    "failed": flowretry.resume_from,
    "cancel": cancelled,
}


def every(who: Principal, flow: Flow, ids: Iterable[UUID], verb: Verb) -> list[Outcome]:
    """In the order asked for; a run that is not of this flow is as absent as one that never was."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise ApiError(422, "Choose at least one run.")
    if len(wanted) > MOST:
        raise ApiError(422, f"At most {MOST} runs at once.")
    rows = {run.pk: run for run in listed(who, flow, {}).filter(pk__in=wanted).select_related("bundle")}
    return [one(who, pk, rows.get(pk), verb) for pk in wanted]


def one(who: Principal, pk: UUID, run: Execution | None, verb: Verb) -> Outcome:
    if run is None:
        return Outcome(pk, error="No such run of this flow.")
    try:
        return Outcome(pk, made=VERBS[verb](who, run))
    except ApiError as refused:
        if refused.status >= 500:
            raise
        return Outcome(pk, error=refused.detail or refused.title)
