"""What of a tenant's flows and modules exceeds its plan stops (R40); called when the plan changes."""

from typing import Any

from django.db.models import F
from django.utils import timezone

from billing.models import Tenant
from bundles import limits
from bundles.models import Bundle, Flow, Revision
from bundles.resolve import resolve
from runtime import triggers


def enforce(tenant: Tenant) -> list[str]:
    """In the transaction of the change, with the tenant locked."""
    return [*flows(tenant), *modules(tenant)]


def flows(tenant: Tenant) -> list[str]:
    going = [flow for flow in limits.spare_flows(tenant) if not flow.stopped]
    Flow.objects.filter(pk__in=[flow.pk for flow in going]).update(stopped=True)
    for flow in going:
        flow.stopped = True
        triggers.of_flow(flow, timezone.now())
    return [f"The flow {flow.name} is stopped: the plan includes {tenant.plan.flows}." for flow in going]


def modules(tenant: Tenant) -> list[str]:
    """Modules of running bundles are taken away when they are beyond the plan, and put back when they no longer are."""
    stopped = []
    spare = limits.spare_modules(tenant)
    live = Revision.objects.filter(bundle__tenant=tenant, number=F("bundle__live_revision"))
    for revision in live.select_related("bundle"):
        bundle = revision.bundle
        running: dict[str, Any] = bundle.live_modules
        kept = {name: content for name, content in running.items() if content not in spare}
        stopped += [
            f"The module {name} of {bundle} is stopped: the plan includes {tenant.plan.modules}."
            for name in sorted(running.keys() - kept.keys())
        ]
        kept = resolve(tenant, revision) | kept
        if kept != running:
            Bundle.objects.filter(pk=bundle.pk).update(live_modules=kept)
    return stopped
