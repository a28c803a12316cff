"""A failed run of a flow goes on from the step that failed, with the same data, as a run of its own."""

from billing.access import Principal
from billing.errors import ApiError
from billing.quota import quota
from bundles.models import Flow
from runtime import flowkeep, runs
from runtime.models import Execution

GONE = "What it had come to is not kept any more; run it again from its start."


def resume_from(who: Principal, run: Execution) -> str:
    """The id of the new run. 409 when the state of the failed one is not there; the flow may be another by now."""
    flow = flow_of(run)
    if flow is None:
        raise ApiError(409, GONE)
    record = runs.anew(who, run)
    quota.demand(str(who.tenant_id))
    if not flowkeep.copy(str(run.tenant_id), str(flow.pk), str(run.pk), record["id"]):
        quota.give_back(str(who.tenant_id))
        raise ApiError(409, GONE)
    runs.write([record])
    return str(record["id"])


def is_kept(run: Execution) -> bool:
    """Whether there is something to go on from."""
    flow = flow_of(run)
    return flow is not None and flowkeep.is_kept(str(run.tenant_id), str(flow.pk), str(run.pk))


def flow_of(run: Execution) -> Flow | None:
    """The flow that a run is one of, also when an endpoint or an intent began it."""
    kind, _, rest = run.target.partition(":")
    if kind != "flow":
        return None
    return Flow.objects.filter(bundle_id=run.bundle_id, name=rest.partition(":")[0]).first()
