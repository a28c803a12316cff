"""What `wasm:MODULE:FUNCTION` means: the bundle's own module, else the one in the tenant's registry."""

from collections.abc import Mapping

from django.db.models import Q

from billing.models import Tenant
from bundles import linking
from bundles.binaries import Inspected
from bundles.bundle import Definition, load
from bundles.definitions import definition
from bundles.limits import spare_modules
from bundles.linking import Exports
from bundles.models import Binary, Module, Revision
from bundles.wasmcallable import is_command
from bundles.wasmcallable import resolve as callable_as
from bundles.wasmfile import Signature, WasmInfo
from bundles.wasmimports import signature_of


class Anything(frozenset[str]):
    """The functions of a WASI program: it is told the name and decides itself."""

    def __contains__(self, name: object) -> bool:
        return True


def resolve(tenant: Tenant, revision: Revision) -> dict[str, str]:
    """Module name -> SHA-256, for every module that the functions of this revision may name."""
    meaning = definition(revision)
    named = linking.called(meaning.services, meaning.organisms.values())
    registry = Module.objects.filter(tenant=tenant)
    # Nobody waits for one that does not compile, or fails with it, but who names it.
    usable = registry.exclude(~Q(name__in=named), binary__state=Binary.State.FAILED)
    found = dict(usable.values_list("name", "binary_id"))
    own = meaning.modules
    found |= {name: revision.files[path][0] for name, path in own.items() if path in revision.files}
    spare = spare_modules(tenant)
    return {name: content for name, content in found.items() if content not in spare}


def load_for(tenant: Tenant, contents: Mapping[str, bytes], inspected: Inspected) -> Definition:
    """The definition, its functions checked against the modules of the bundle and of the registry."""
    first = load(contents)
    own = {name: inspected.modules.get(path) for name, path in first.modules.items()}
    return load(contents, exports(tenant, own))


def exports(tenant: Tenant, own: Mapping[str, WasmInfo | None]) -> Exports:
    """A module of the bundle hides one of the registry, also when its file is not a good one."""
    registry = {row.name: row.binary for row in Module.objects.filter(tenant=tenant).select_related("binary")}

    def find(module: str) -> frozenset[str] | None:
        if module in own:
            info = own[module]
            return _functions(info.exports) if info else None
        row = registry.get(module)
        if row is None:
            return None
        return _functions({name: signature_of(text) for name, text in row.exports.items()})

    return find


def _functions(exports: Mapping[str, Signature | str]) -> frozenset[str]:
    if is_command(exports):
        return Anything()
    return frozenset(name for name in exports if callable_as(exports, name) == name)
