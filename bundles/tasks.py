"""Jobs of this floor; each may be repeated without harm."""

import logging

from celery import shared_task

from billing.access import Principal
from billing.errors import ApiError
from billing.models import Tenant
from bundles import deploy, flowrows, hooks, jobs, origin
from bundles.author import Author
from bundles.jobs import Job
from bundles.models import Bundle
from bundles.origin import Repository
from bundles.sweep import sweep as sweep_now

log = logging.getLogger(__name__)
PUSH = "push webhook"


@shared_task(name="bundles.git_import")
def git_import(tenant_id: str, job_id: str) -> None:
    """Do what a page asked for, and say how it went."""
    job, order = jobs.get(tenant_id, job_id), jobs.take_order(tenant_id, job_id)
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    if job is None or order is None or tenant is None:
        return
    jobs.put(tenant_id, job | Job(state="running", text="Fetching from Git …"))  # type: ignore[typeddict-item]
    by = Author(Principal(tenant.pk, tenant.slug, order["actor"], frozenset()), order["address"])
    jobs.put(tenant_id, _outcome(job, by, tenant, order))
    jobs.forget_order(tenant_id, job_id)


def _outcome(job: Job, by: Author, tenant: Tenant, order: jobs.Order) -> Job:
    repository = Repository(order["url"], order["branch"], order["token"])
    try:
        done = origin.import_git(by, tenant, repository, display_name=order["name"])
    except ApiError as refused:
        return Job(id=job["id"], state="failed", text=refused.detail, errors=refused.errors, bundle="")
    return Job(id=job["id"], state="done", text="Imported.", errors=done.problems, bundle=str(done.bundle.pk))


@shared_task(name="bundles.pushed")
def pushed(bundle_id: str) -> None:
    """Bring a bundle up to date after a push; deploy it when that is wanted and something is new."""
    bundle = Bundle.objects.select_related("tenant").filter(pk=bundle_id).first()
    if bundle is None:
        return
    before = bundle.revision
    try:
        done = origin.update(PUSH, bundle)
        if done.bundle.source.get("deploy") and done.revision.number != before:
            deploy.ask_run(PUSH, done.bundle)
    except ApiError as refused:
        log.warning("push to %s was not imported: %s", bundle.name, refused.detail)
        hooks.forget(bundle)
        Bundle.objects.filter(pk=bundle.pk).update(status_note=f"Push not imported: {refused.detail}"[:1000])


@shared_task(name="bundles.sweep")
def sweep() -> None:
    sweep_now()
    flowrows.sweep()
