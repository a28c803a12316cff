"""`/api/bundles/{id}/files`: reading and editing single files; the ETag is the bundle's revision."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from billing.door import Door
from billing.errors import ApiError
from bundles import files, store
from bundles.asked import author_of, bundle_of, etag, expected
from bundles.history import text_of
from bundles.models import Bundle, Revision
from bundles.shapes import BundleOut, bundle_json

router = Router(tags=["files"])
ONE = "/bundles/{bundle_id}/files/{path:path}"


def chosen(bundle: Bundle, number: int | None) -> Revision:
    return store.newest(bundle) if number is None else store.revision_of(bundle, number)


@router.get("/bundles/{bundle_id}/files", auth=Door("read"))
def list_files(
    request: HttpRequest, response: HttpResponse, bundle_id: str, revision: int | None = None
) -> dict[str, Any]:
    bundle = bundle_of(request, bundle_id)
    listing = chosen(bundle, revision).files
    response["ETag"] = etag(bundle)
    items = [
        {"path": path, "size": size, "sha256": sha256} for path, (sha256, size) in sorted(listing.items())
    ]
    return {"items": items, "next": None, "revision": revision or bundle.revision}


@router.get(ONE, auth=Door("read"))
def get_file(request: HttpRequest, bundle_id: str, path: str, revision: int | None = None) -> HttpResponse:
    """The raw bytes, as plain text or as bytes to download, never as something that a browser runs."""
    bundle = bundle_of(request, bundle_id)
    entry = chosen(bundle, revision).files.get(path)
    if entry is None:
        raise ApiError(404, "There is no such file.")
    return raw(files.get(*entry), path, etag(bundle))


def raw(data: bytes, path: str, tag: str) -> HttpResponse:
    kind = "application/octet-stream" if text_of(data) is None else "text/plain; charset=utf-8"
    response = HttpResponse(data, content_type=kind)
    name = path.rsplit("/", 1)[-1].encode("ascii", "replace").decode().replace('"', "_").replace("\\", "_")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["ETag"] = tag
    return response


@router.put(ONE, auth=Door("write"), response=BundleOut)
def put_file(request: HttpRequest, response: HttpResponse, bundle_id: str, path: str) -> dict[str, Any]:
    """Store the body as it is in a new revision, also with problems; the answer lists them."""
    bundle = bundle_of(request, bundle_id)
    at = expected(request, bundle)
    return edited(
        response, bundle, store.put_file(author_of(request), bundle, path, request.body, expected=at)
    )


@router.delete(ONE, auth=Door("write"), response=BundleOut)
def delete_file(request: HttpRequest, response: HttpResponse, bundle_id: str, path: str) -> dict[str, Any]:
    bundle = bundle_of(request, bundle_id)
    at = expected(request, bundle)
    return edited(response, bundle, store.delete_file(author_of(request), bundle, path, expected=at))


def edited(response: HttpResponse, bundle: Bundle, revision: Revision) -> dict[str, Any]:
    bundle.refresh_from_db()
    response["ETag"] = etag(bundle)
    return bundle_json(bundle, revision)
