"""Revisions of a bundle: the list, what one changed, going back to one, taking the bundle out."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from billing.errors import ApiError
from billing.pages import page
from bundles import api_revisions, history, store
from bundles.asked import author_of, bundle_of
from bundles.models import Bundle, Revision
from bundles.views_bundle import frame

PAGE = 30


@require_safe
@page("read")
def revisions(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    bundle = bundle_of(request, bundle_id)
    before = request.GET.get("before", "")
    rows = bundle.revisions.order_by("-number")
    rows = rows.filter(number__lt=int(before)) if before.isdigit() and len(before) < 10 else rows
    shown = list(rows[: PAGE + 1])
    older = shown[PAGE - 1].number if len(shown) > PAGE else None
    found = frame(request, bundle, "revisions", rows=shown[:PAGE], older=older)
    return render(request, "bundles/revisions.html", found)


@require_safe
@page("read")
def revision(request: HttpRequest, bundle_id: UUID, number: int) -> HttpResponse:
    """What this revision changed, or how it differs from the newest one (?against=newest)."""
    bundle = bundle_of(request, bundle_id)
    one = store.revision_of(bundle, number)
    newest = request.GET.get("against") == "newest"
    other = store.newest(bundle) if newest else before(bundle, one)
    old, new = (one, other) if newest and other else (other, one)
    changes = history.diff(old or Revision(bundle=bundle), new)
    more = {"one": one, "changes": changes, "against_newest": newest, "old": old, "new": new}
    return render(request, "bundles/revision.html", frame(request, bundle, "revisions", **more))


def before(bundle: Bundle, one: Revision) -> Revision | None:
    return bundle.revisions.filter(number__lt=one.number).order_by("-number").first()


@require_POST
@page("write", back="bundles:list")
def revert(request: HttpRequest, bundle_id: UUID, number: int) -> HttpResponse:
    bundle = bundle_of(request, bundle_id)
    try:
        made = store.revert(author_of(request), bundle, number)
    except ApiError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, f"Revision {made.number} has the files of revision {number}.")
    return redirect("bundles:revisions", bundle.pk)


@require_safe
@page("read")
def export(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    return api_revisions.export(request, str(bundle_id))
