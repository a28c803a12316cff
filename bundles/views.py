"""The Bundles page, and the three ways of its "Add Bundle" dialog."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from billing.access import tenant_of
from billing.errors import ApiError
from billing.pages import page
from billing.sheets import sheet
from bundles import jobs, origin, store
from bundles.api_bundles import import_zip
from bundles.asked import author_of
from bundles.folder import read_folder
from bundles.models import Bundle
from bundles.origin import Repository
from bundles.store import Imported

EXAMPLE = settings.BASE_DIR / "examples" / "ecommerce"
LONGEST = {"url": 2000, "branch": 200, "token": 2000}


def shown(request: HttpRequest, **more: Any) -> dict[str, Any]:
    who = author_of(request).who
    mine = Bundle.objects.filter(tenant_id=who.tenant_id).order_by("name")
    listed = sheet(request, mine, "name", "display_name", "description")
    revisions = store.all_newest(listed.rows)
    return {
        "sheet": listed,
        "bundles": [(bundle, revisions[bundle.pk]) for bundle in listed.rows],
        "example": EXAMPLE.is_dir(),
        "may_write": who.may("write"),
    } | more


@require_safe
@page("read")
def bundle_list(request: HttpRequest) -> HttpResponse:
    return render(request, "bundles/list.html", shown(request))


@require_POST
@page("write", back="bundles:list")
def upload(request: HttpRequest) -> HttpResponse:
    file = request.FILES.get("file")
    if file is None:
        return refused(request, ApiError(422, "Choose a ZIP file first."))
    try:
        return arrived(request, import_zip(request, file, request.POST.get("name")))
    except ApiError as error:
        return refused(request, error)


@require_POST
@page("write", back="bundles:list")
def example(request: HttpRequest) -> HttpResponse:
    by = author_of(request)
    try:
        files = read_folder(EXAMPLE)
        return arrived(request, store.import_files(by, tenant_of(by.who), files, message="The example"))
    except ApiError as error:
        return refused(request, error)


@require_POST
@page("write", back="bundles:list")
def import_git(request: HttpRequest) -> HttpResponse:
    """Queues the import; the dialog then asks how it goes."""
    by = author_of(request)
    given = {name: request.POST.get(name, "").strip()[:limit] for name, limit in LONGEST.items()}
    repository = Repository(given["url"], given["branch"] or None, given["token"] or None)
    try:
        if not given["url"]:
            raise ApiError(422, "Give the address of a repository, such as https://github.com/you/shop.git.")
        origin.demand_fetch(by.who.tenant_id)
        job = jobs.ask(by, repository, name=request.POST.get("name"))
    except ApiError as error:
        return refused(request, error)
    return progress(request, job)


@require_safe
@page("read")
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    found = jobs.get(author_of(request).who.tenant_id, str(job_id))
    if found is None:
        return refused(request, ApiError(404, "This import is no longer known; look at the list of bundles."))
    if found["state"] == "done":
        count = len(found["errors"])
        messages.success(request, "Imported." if not count else f"Imported, with {warnings(count)}.")
        return go(request, reverse("bundles:list"))
    return progress(request, found)


def progress(request: HttpRequest, job: jobs.Job) -> HttpResponse:
    if request.headers.get("hx-request") == "true":
        return render(request, "bundles/_job.html", {"job": job})
    return render(request, "bundles/list.html", shown(request, job=job))


def arrived(request: HttpRequest, done: Imported) -> HttpResponse:
    name = done.bundle.display_name or done.bundle.name
    what = f"“{name}” is imported" if done.created else f"“{name}” is now at revision {done.revision.number}"
    count = len(done.problems)
    messages.success(request, f"{what}, with {warnings(count)}." if count else f"{what}.")
    return go(request, reverse("bundles:list"))


def warnings(count: int) -> str:
    return "a warning" if count == 1 else f"{count} warnings"


def refused(request: HttpRequest, error: ApiError) -> HttpResponse:
    """The reason with its places, inside the dialog; htmx swaps only what comes with 200."""
    if request.headers.get("hx-request") == "true":
        return render(request, "bundles/_refused.html", {"error": error})
    return render(request, "bundles/list.html", shown(request, error=error), status=error.status)


def go(request: HttpRequest, where: str) -> HttpResponse:
    if request.headers.get("hx-request") == "true":
        return HttpResponseClientRedirect(where)
    return redirect(where)
