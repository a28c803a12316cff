"""`/api/modules`: the tenant's registry of WASM modules."""

from typing import Any

from django.http import HttpRequest
from ninja import File, Form, P, QueryEx, Router, Status
from ninja.files import UploadedFile

from billing.access import tenant_of
from billing.door import Asked, Door
from billing.errors import ApiError
from bundles import registry, wasmfile
from bundles.asked import author_of, module_of
from bundles.models import Module
from bundles.shapes import ModuleOut, module_json

router = Router(tags=["modules"])


@router.get("/modules", auth=Door("read"))
def list_modules(
    request: Asked, after: str = "", limit: QueryEx[int, P(ge=1, le=200)] = 50
) -> dict[str, Any]:
    """The modules by name; `next` is the `after` of the following page."""
    mine = Module.objects.select_related("binary").filter(tenant_id=request.who.tenant_id, name__gt=after)
    page = list(mine.order_by("name")[: limit + 1])
    items = [module_json(module) for module in page[:limit]]
    return {"items": items, "next": page[limit - 1].name if len(page) > limit else None}


@router.post("/modules", auth=Door("write"), response={200: ModuleOut, 201: ModuleOut})
def add_module(
    request: HttpRequest,
    file: File[UploadedFile],
    name: Form[str | None] = None,
    wit: Form[str] = "",
) -> Status[Any]:
    """Upload a module; without a name it is called like its file. The same name again replaces it (200)."""
    module, created = upload(request, file, name, wit)
    return Status(201 if created else 200, module_json(module))


def upload(request: HttpRequest, file: Any, name: str | None, wit: str) -> tuple[Module, bool]:
    by = author_of(request)
    if file.size is None or file.size > wasmfile.MAX_BYTES:
        raise ApiError(413, f"A module has at most {wasmfile.MAX_BYTES // 1024 // 1024} MB.")
    chosen = (name or "").strip() or (file.name or "").removesuffix(".wasm")
    return registry.add(by, tenant_of(by.who), chosen, file.read(), wit=wit)


@router.get("/modules/{module_id}", auth=Door("read"), response=ModuleOut)
def get_module(request: HttpRequest, module_id: str) -> dict[str, Any]:
    return module_json(module_of(request, module_id))


@router.delete("/modules/{module_id}", auth=Door("write"), response={204: None})
def delete_module(request: HttpRequest, module_id: str) -> Status[None]:
    registry.remove(author_of(request), module_of(request, module_id))
    return Status(204, None)
