"""The Modules page: the tenant's registry of WASM modules."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from billing.errors import ApiError
from billing.pages import page
from billing.sheets import sheet
from bundles import registry
from bundles.api_modules import upload
from bundles.asked import author_of, module_of
from bundles.models import Binary, Module


def shown(request: HttpRequest, **more: Any) -> dict[str, Any]:
    who = author_of(request).who
    mine = Module.objects.select_related("binary").filter(tenant_id=who.tenant_id).order_by("name")
    listed = sheet(request, mine, "name")
    rows = listed.rows
    waiting = any(row.binary.state == Binary.State.COMPILING for row in rows)
    return {"sheet": listed, "modules": rows, "waiting": waiting, "may_write": who.may("write")} | more


@require_http_methods(["GET", "HEAD", "POST"])
@page("read")
def modules(request: HttpRequest) -> HttpResponseBase:
    if request.method == "POST":
        return add(request)
    partial = request.headers.get("hx-target") == "modules"
    return render(request, "bundles/_modules.html" if partial else "bundles/modules.html", shown(request))


@page("write", back="bundles:modules")
def add(request: HttpRequest) -> HttpResponse:
    file = request.FILES.get("file")
    try:
        if file is None:
            raise ApiError(422, "Choose a .wasm file first.")
        module, created = upload(request, file, request.POST.get("name"), request.POST.get("wit", ""))
    except ApiError as error:
        return render(request, "bundles/modules.html", shown(request, error=error), status=error.status)
    messages.success(request, f"“{module.name}” is {'stored' if created else 'replaced'}.")
    return redirect("bundles:modules")


@require_POST
@page("write", back="bundles:modules")
def delete_module(request: HttpRequest, module_id: UUID) -> HttpResponse:
    module = module_of(request, module_id)
    registry.remove(author_of(request), module)
    messages.success(request, f"“{module.name}” is deleted.")
    return redirect("bundles:modules")


@require_POST
@page("write", back="bundles:modules")
def retry_module(request: HttpRequest, module_id: UUID) -> HttpResponse:
    registry.retry(module_of(request, module_id))
    return redirect("bundles:modules")
