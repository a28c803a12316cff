"""New flows: from scratch, from a template, from a text or a file whose problems are shown before it is saved."""

from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from billing.errors import ApiError
from billing.pages import page
from bundles import flow as flowfile
from bundles.asked import author_of, bundle_of
from bundles.flow import Flow as Model
from bundles.models import Bundle
from runtime import flowstore
from runtime.flowexamples import BLANK, example, examples

GIVEN = ("name", "bundle", "text")


@require_http_methods(["GET", "HEAD", "POST"])
@page("write", back="runtime:flows")
def new(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return made(request)
    chosen = example(request.GET.get("template", ""))
    return form(request, {"text": chosen.text, "name": chosen.slug} if chosen else {})


def form(request: HttpRequest, given: dict[str, str], **more: Any) -> HttpResponse:
    mine = Bundle.objects.filter(tenant_id=author_of(request).who.tenant_id).exclude(name="default")
    error: ApiError | None = more.get("error")
    shown = {"given": given, "bundles": mine.order_by("name"), "gallery": examples()} | more
    return render(request, "runtime/flow_new.html", shown, status=error.status if error else 200)


def made(request: HttpRequest) -> HttpResponse:
    """Make it, or show what is wrong with it; nothing that was typed is lost."""
    given = {name: request.POST.get(name, "") for name in GIVEN}
    way = request.POST.get("from", "")
    try:
        name, text = source(request, given, way)
        if way == "check":
            return form(request, given | {"text": text}, **looked_at(name, text))
        return created(request, name, text, given["bundle"])
    except ApiError as refused:
        return form(request, given, error=refused, problems=refused.errors, checked=bool(refused.errors))


def source(request: HttpRequest, given: dict[str, str], way: str) -> tuple[str, str]:
    """The file's name and the text of the new flow."""
    if way == "template":
        chosen = example(request.POST.get("template", ""))
        if chosen is None:
            raise ApiError(422, "There is no such template.")
        return flowstore.free_name(author_of(request), chosen.slug), chosen.text
    if way == "scratch":
        name = flowstore.fit(given["name"])
        return name, BLANK.format(name=name)
    text, file = uploaded(request.FILES.get("file")) or (given["text"], "")
    if not text.strip():
        raise ApiError(422, "Choose a file, or paste its text.")
    return named(given["name"], file, text), text.replace("\r\n", "\n")


def uploaded(file: "UploadedFile[Any] | None") -> tuple[str, str] | None:
    if file is None:
        return None
    if (file.size or 0) > flowstore.MAX_TEXT:
        raise ApiError(413, "A flow has at most 1 MB.")
    try:
        return file.read().decode("utf-8-sig"), file.name or ""
    except UnicodeDecodeError:
        raise ApiError(422, "The file is not text in UTF-8.") from None


def named(asked: str, file: str, text: str) -> str:
    """As asked, else as the document says, else as its file is called."""
    stem = file.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return flowstore.fit(asked.strip() or flowstore.named(text) or stem)


def looked_at(name: str, text: str) -> dict[str, Any]:
    """What the file says, and every problem of it, before anything is saved."""
    path = f"flows/{name}{flowstore.suffix_of(text)}"
    model = flowfile.load(name, path, {path: text.encode()})
    return {"checked": True, "problems": model.problems, "shape": shape(model)}


def shape(model: Model) -> str:
    nodes, triggers = len(model.listeners), len(model.triggers)
    return f"{nodes} node{'' if nodes == 1 else 's'}, {triggers} trigger{'' if triggers == 1 else 's'}"


def created(request: HttpRequest, name: str, text: str, bundle: str) -> HttpResponse:
    by = author_of(request)
    where = bundle_of(request, bundle) if bundle else None
    flow = flowstore.create(by, name=name, text=text, bundle=where)
    messages.success(request, f"“{flow.name}” is made.")
    return redirect("runtime:flow", flow.pk)
