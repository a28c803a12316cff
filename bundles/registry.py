"""The tenant's registry of modules: added, replaced, removed; bundles that use one are judged anew."""

import re
from dataclasses import asdict

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from billing.errors import ApiError
from billing.live import touch
from billing.models import Tenant
from bundles import binaries, files, limits, linking, locks, names, wasmfile
from bundles.author import Somebody, author
from bundles.definitions import contents_of, definition
from bundles.draft import draft
from bundles.models import Binary, Module, Revision
from bundles.wasmfile import WasmError, WasmInfo

MAX_WIT = 64 * 1024
UNSAID = re.compile(r"[:\s]")  # no target could name it


def add(somebody: Somebody, tenant: Tenant, name: str, data: bytes, *, wit: str = "") -> tuple[Module, bool]:
    """Keep a module under ``name``, replacing an older one; whether it is new."""
    info = _inspected(name, data, wit)
    with transaction.atomic():
        tenant = locks.tenant(tenant.pk)
        before = Module.objects.filter(tenant=tenant, name=name).values_list("binary_id", flat=True)
        limits.check_modules(tenant, [files.digest(data)], instead_of=list(before))
        locks.keep_blobs()
        known = {"binary": binaries.keep(data, info), "wit": wit, "updated": timezone.now()}
        module, created = Module.objects.update_or_create(tenant=tenant, name=name, defaults=known)
        author(somebody, tenant).record("module.put", name, sha256=module.binary_id)
        _changed(tenant, name)
    return module, created


def remove(somebody: Somebody, module: Module) -> None:
    """Functions that named it fail from now on; what is running keeps it until its call ends."""
    with transaction.atomic():
        tenant = locks.tenant(module.tenant_id)
        author(somebody, tenant).record("module.delete", module.name)
        module.delete()
        _changed(tenant, module.name)


def retry(module: Module) -> None:
    """Compile again what failed."""
    with transaction.atomic():
        failed = Binary.objects.filter(pk=module.binary_id, state=Binary.State.FAILED)
        if failed.update(state=Binary.State.COMPILING, error=""):
            binaries.compile_later(module.binary_id)


def _inspected(name: str, data: bytes, wit: str) -> WasmInfo:
    if fault := names.fault(name) or (UNSAID.search(name) and "contains a colon or a space"):
        raise ApiError(422, f"The name of the module {fault}.")
    if len(wit) > MAX_WIT or "\0" in wit:
        raise ApiError(422, f"The WIT text has at most {MAX_WIT} characters.")
    try:
        return wasmfile.inspect(data)
    except WasmError as wrong:
        problem = {
            "severity": "error",
            "file": name,
            "line": 1,
            "column": 1,
            "message": str(wrong),
            "hint": "",
        }
        raise ApiError(422, f"This module cannot run here: {wrong}", errors=[problem]) from None


def _changed(tenant: Tenant, name: str) -> None:
    """What the newest revisions say about a module of the registry is said again."""
    touch(tenant.pk)
    newest = Revision.objects.filter(bundle__tenant=tenant, number=F("bundle__revision"))
    for revision in newest.select_related("bundle"):
        if name in _borrowed(revision):
            problems = [asdict(problem) for problem in draft(tenant, dict(contents_of(revision))).problems]
            Revision.objects.filter(pk=revision.pk).update(problems=problems)


def _borrowed(revision: Revision) -> set[str]:
    """The modules that a revision calls and does not bring."""
    found = definition(revision)
    return linking.called(found.services, found.organisms.values()) - set(found.modules)
