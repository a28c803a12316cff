"""`/api/bundles`: list, import, one bundle, its problems."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, P, QueryEx, Router, Status
from ninja.files import UploadedFile

from billing.access import tenant_of
from billing.door import Asked, Door
from bundles import store
from bundles.archive import ArchiveRefused, read_zip, rooted
from bundles.asked import author_of, bundle_of, etag
from bundles.draft import unacceptable
from bundles.models import Bundle
from bundles.shapes import BundleOut, BundlesOut, NewBundle, bundle_json
from bundles.store import Imported

router = Router(tags=["bundles"])
IMPORTED = {200: BundleOut, 201: BundleOut}


def answer(done: Imported) -> Status[Any]:
    """201 for a new bundle, 200 for a new revision of a known one."""
    return Status(201 if done.created else 200, bundle_json(done.bundle, done.revision))


@router.get("/bundles", auth=Door("read"), response=BundlesOut)
def list_bundles(
    request: Asked, after: str = "", limit: QueryEx[int, P(ge=1, le=100)] = 50
) -> dict[str, Any]:
    """The tenant's bundles by name; `next` is the `after` of the following page."""
    mine = Bundle.objects.select_related("tenant").filter(tenant_id=request.who.tenant_id, name__gt=after)
    page = list(mine.order_by("name")[: limit + 1])
    revisions = store.all_newest(page[:limit])
    items = [bundle_json(bundle, revisions[bundle.pk]) for bundle in page[:limit]]
    return {"items": items, "next": page[limit - 1].name if len(page) > limit else None}


@router.post("/bundles", auth=Door("write"), response=IMPORTED)
def create_bundle(request: HttpRequest, body: NewBundle) -> Status[Any]:
    """Import files given as JSON: text, or `{"base64": …}`."""
    by = author_of(request)
    contents = body.contents()
    if "bundle.yaml" not in contents and any(path.endswith("/bundle.yaml") for path in contents):
        contents = of_folder(contents)
    name, message = body.name, body.message
    return answer(store.import_files(by, tenant_of(by.who), contents, message=message, display_name=name))


def of_folder(contents: dict[str, bytes]) -> dict[str, bytes]:
    try:
        return rooted(contents)
    except ArchiveRefused as refused:
        raise unacceptable(refused) from None


@router.post("/bundles/upload", auth=Door("write"), response=IMPORTED)
def upload_bundle(
    request: HttpRequest, file: File[UploadedFile], name: Form[str | None] = None
) -> Status[Any]:
    """Import a ZIP that holds bundle.yaml at its root or one folder deep."""
    return answer(import_zip(request, file, name))


def import_zip(request: HttpRequest, file: Any, name: str | None) -> Imported:
    by = author_of(request)
    try:
        contents = read_zip(file)
    except ArchiveRefused as refused:
        raise unacceptable(refused) from None
    return store.import_files(by, tenant_of(by.who), contents, message="From a ZIP", display_name=name)


@router.get("/bundles/{bundle_id}", auth=Door("read"), response=BundleOut)
def get_bundle(request: HttpRequest, bundle_id: str, response: HttpResponse) -> dict[str, Any]:
    bundle = bundle_of(request, bundle_id)
    response["ETag"] = etag(bundle)
    return bundle_json(bundle, store.newest(bundle))


@router.delete("/bundles/{bundle_id}", auth=Door("write"), response={204: None})
def delete_bundle(request: HttpRequest, bundle_id: str) -> Status[None]:
    """Stop the bundle and delete it with its revisions and its runs."""
    store.delete(author_of(request), bundle_of(request, bundle_id))
    return Status(204, None)


@router.get("/bundles/{bundle_id}/problems", auth=Door("read"))
def list_problems(request: HttpRequest, bundle_id: str) -> dict[str, Any]:
    """Everything found in the newest revision, errors first."""
    bundle = bundle_of(request, bundle_id)
    return {"items": store.newest(bundle).problems, "next": None, "revision": bundle.revision}
