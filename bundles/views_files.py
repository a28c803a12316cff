"""Files of a bundle: the list, and an editor that never loses what was typed."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.errors import ApiError
from billing.pages import page
from bundles import files, store
from bundles.api_files import raw
from bundles.asked import author_of, bundle_of, etag
from bundles.history import change, text_of
from bundles.models import Bundle
from bundles.views_bundle import frame

MAX_EDIT = 512 * 1024


@require_safe
@page("read")
def file_list(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    found = frame(request, bundle_of(request, bundle_id), "files")
    listing = [(path, size) for path, (_, size) in sorted(found["revision"].files.items())]
    return render(request, "bundles/files.html", found | {"files": listing})


@require_safe
@page("read")
def new_file(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    """The form for a new file asks for its path, then the editor opens."""
    path = request.GET.get("path", "").strip().strip("/")
    if not path:
        messages.error(request, "Give the new file a path, such as shop/shop-service.yaml.")
        return redirect("bundles:files", bundle_id)
    return redirect("bundles:file", bundle_id, path)


@require_http_methods(["GET", "HEAD", "POST"])
@page("read", back="bundles:list")
def file(request: HttpRequest, bundle_id: UUID, path: str) -> HttpResponseBase:
    bundle = bundle_of(request, bundle_id)
    if request.method == "POST":
        return save(request, bundle, path)
    found = frame(request, bundle, "files") | opened(bundle, path)
    if found["absent"] and not found["may_write"]:
        raise ApiError(404)
    return render(request, "bundles/file.html", found)


def opened(bundle: Bundle, path: str) -> dict[str, Any]:
    """The text of a file, or why there is none to edit."""
    revision = store.newest(bundle)
    entry = revision.files.get(path)
    data = files.get(*entry) if entry else b""
    text = text_of(data) if len(data) <= MAX_EDIT else None
    mine = [problem for problem in revision.problems if problem["file"] == path]
    why = "larger than what is edited here" if len(data) > MAX_EDIT else "not a text"
    why_not = f"{filesizeformat(len(data))}, {why}. Download it, or upload another under the same path on the tab Files."
    return {"path": path, "text": text, "why_not": why_not, "absent": entry is None, "problems": mine}


@page("write", back="bundles:list")
def save(request: HttpRequest, bundle: Bundle, path: str) -> HttpResponse:
    """A stale save shows what others changed, and keeps the text in the editor."""
    text, upload = request.POST.get("text", ""), request.FILES.get("file")
    data = upload.read() if upload else with_line_ends(text, of=current(bundle, path)).encode()
    try:
        expected = int(request.POST.get("expected", ""))
        revision = store.put_file(author_of(request), bundle, path, data, expected=expected)
    except ValueError:
        raise ApiError(428) from None
    except ApiError as error:
        return kept(request, bundle, path, text, error)
    if revision.number == expected:
        messages.info(request, f"Nothing changed: this is revision {expected}.")
    elif revision.errors:
        messages.warning(request, f"Saved as revision {revision.number}; it has errors and cannot run.")
    else:
        messages.success(request, f"Saved as revision {revision.number}.")
    return redirect("bundles:file", bundle.pk, path)


def kept(request: HttpRequest, bundle: Bundle, path: str, text: str, error: ApiError) -> HttpResponse:
    bundle.refresh_from_db()
    theirs = current(bundle, path)
    found = frame(request, bundle, "files") | opened(bundle, path)
    conflict = change(path, theirs, text.encode()) if error.status == 412 else None
    more = {"text": text, "error": error, "conflict": conflict}
    return render(request, "bundles/file.html", found | more, status=error.status)


def current(bundle: Bundle, path: str) -> bytes:
    entry = store.newest(bundle).files.get(path)
    return files.get(*entry) if entry else b""


def with_line_ends(text: str, *, of: bytes) -> str:
    """Browsers send CRLF; a file keeps the line ends it had."""
    plain = text.replace("\r\n", "\n")
    return plain.replace("\n", "\r\n") if b"\r\n" in of else plain


@require_POST
@page("write", back="bundles:list")
def delete_file(request: HttpRequest, bundle_id: UUID, path: str) -> HttpResponse:
    bundle = bundle_of(request, bundle_id)
    try:
        store.delete_file(author_of(request), bundle, path, expected=int(request.POST.get("expected", "0")))
    except ValueError:
        messages.error(request, "Open the file again: its page did not say which revision it shows.")
    except ApiError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, f"{path} is deleted; an older revision still has it.")
    return redirect("bundles:files", bundle.pk)


@require_POST
@page("write", back="bundles:list")
def add_file(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    """Puts an uploaded file at a path; by default at the root, under its own name."""
    bundle, upload = bundle_of(request, bundle_id), request.FILES.get("file")
    if upload is None:
        messages.error(request, "Choose a file first.")
        return redirect("bundles:files", bundle.pk)
    path = request.POST.get("path", "").strip().strip("/") or (upload.name or "")
    try:
        store.put_file(author_of(request), bundle, path, upload.read(), expected=bundle.revision)
    except ApiError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, f"{path} is stored.")
    return redirect("bundles:files", bundle.pk)


@require_safe
@page("read")
def download(request: HttpRequest, bundle_id: UUID, path: str) -> HttpResponse:
    bundle = bundle_of(request, bundle_id)
    entry = store.newest(bundle).files.get(path)
    if entry is None:
        raise ApiError(404)
    return raw(files.get(*entry), path, etag(bundle))
