"""The runs of one flow, filtered by status, cause, age and duration."""

import math

from django.db.models import Q, QuerySet

from billing.access import Principal
from bundles.definitions import definition
from bundles.endpoints import Endpoint
from bundles.intents import Intent
from bundles.models import Flow
from runtime import triggers
from runtime.flowfigures import CALLS, DAY, MONTH, SERVICE, since
from runtime.models import Execution
from runtime.runs import as_uuid, of_tenant

SPANS = (("1h", "the last hour"), ("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days"))
SECONDS = {"1h": 3600, "24h": DAY, "7d": 7 * DAY, "30d": MONTH}


def listed(who: Principal, flow: Flow, wanted: dict[str, str], *, cursor: str = "") -> "QuerySet[Execution]":
    """Newest first; a filter that cannot be read finds nothing less."""
    target = f"{CALLS}{flow.name}"
    mine = of_tenant(who).filter(bundle_id=flow.bundle_id)
    rows = mine.filter(Q(target=target) | Q(target__startswith=f"{target}:"))
    for name in ("status", "trigger"):
        if wanted.get(name):
            rows = rows.filter(**{name: wanted[name]})
    if wanted.get("since") in SECONDS:
        rows = rows.filter(pk__gte=since(SECONDS[wanted["since"]]))
    if shortest := milliseconds(wanted.get("longer", "")):
        rows = rows.filter(duration_us__gte=int(shortest * 1000))
    return rows.filter(pk__lt=as_uuid(cursor)) if cursor else rows


def callers(flow: Flow) -> frozenset[tuple[str, str]]:
    """Under which services and names its runs go: its own, and the endpoints and intents that lead to it."""
    found = {(SERVICE, flow.name)}
    for revision in triggers.revisions(flow.bundle):
        for service in definition(revision).services if revision is not None else ():
            led: list[Endpoint | Intent] = [*service.endpoints, *service.intents]
            for one in led:
                if one.to.kind == "flow" and one.to.module == flow.name:
                    found.add((service.name, one.name))
    return frozenset(found)


def milliseconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) and 0 < value < 1e12 else 0.0
