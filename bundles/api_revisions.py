"""`/api/bundles/{id}/revisions`, `/revert`, `/diff`, `/export`."""

from dataclasses import asdict
from itertools import islice
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import P, QueryEx, Router
from pydantic import Field

from billing.door import Door
from billing.exact import Exact
from bundles import history, store
from bundles.api_files import chosen, edited
from bundles.asked import author_of, bundle_of, etag, expected
from bundles.shapes import BundleOut, revision_json

router = Router(tags=["revisions"])


class Revert(Exact):
    revision: int = Field(ge=1)


@router.get("/bundles/{bundle_id}/revisions", auth=Door("read"))
def list_revisions(
    request: HttpRequest,
    bundle_id: str,
    before: int | None = None,
    limit: QueryEx[int, P(ge=1, le=200)] = 50,
    *,
    file: str = "",
) -> dict[str, Any]:
    """Newest first; `next` is the `before` of the following page. With `file` those that changed this file."""
    rows = bundle_of(request, bundle_id).revisions.order_by("-number")
    rows = rows if before is None else rows.filter(number__lt=before)
    found = history.touching(rows.iterator(chunk_size=50), file) if file else iter(rows[: limit + 1])
    page = list(islice(found, limit + 1))
    items = [revision_json(revision) for revision in page[:limit]]
    return {"items": items, "next": str(page[limit - 1].number) if len(page) > limit else None}


@router.post("/bundles/{bundle_id}/revert", auth=Door("write"), response=BundleOut)
def revert(request: HttpRequest, response: HttpResponse, bundle_id: str, body: Revert) -> dict[str, Any]:
    """A new revision with the files of an old one; If-Match is heeded when it is sent."""
    bundle = bundle_of(request, bundle_id)
    at = expected(request, bundle) if "if-match" in request.headers else None
    return edited(response, bundle, store.revert(author_of(request), bundle, body.revision, expected=at))


@router.get("/bundles/{bundle_id}/diff", auth=Door("read"))
def diff(
    request: HttpRequest,
    bundle_id: str,
    from_: QueryEx[int, P(alias="from")],
    to: int | None = None,
) -> dict[str, Any]:
    """What changed between two revisions, by file; `to` is the newest when left out."""
    bundle = bundle_of(request, bundle_id)
    old, new = store.revision_of(bundle, from_), chosen(bundle, to)
    return {"from": old.number, "to": new.number, "files": [asdict(one) for one in history.diff(old, new)]}


@router.get("/bundles/{bundle_id}/export", auth=Door("read"))
def export(request: HttpRequest, bundle_id: str, revision: int | None = None) -> HttpResponse:
    """A ZIP that imports again to the same content."""
    bundle = bundle_of(request, bundle_id)
    response = HttpResponse(history.export(chosen(bundle, revision)), content_type="application/zip")
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in bundle.name)
    response["Content-Disposition"] = f'attachment; filename="{name}.zip"'
    response["ETag"] = etag(bundle)
    return response
