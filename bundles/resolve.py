"""What `wasm:MODULE:FUNCTION` means: the bundle's own module, else the one in the tenant's registry."""

from collections.abc import Iterable, Mapping

from billing.models import Tenant
from bundles.binaries import Inspected
from bundles.bundle import Definition, load
from bundles.definitions import definition
from bundles.limits import spare_modules
from bundles.linking import Exports
from bundles.models import Module, Revision
from bundles.wasmfile import WasmInfo


class Anything(frozenset[str]):
    """The functions of a WASI program: it is told the name and decides itself."""

    def __contains__(self, name: object) -> bool:
        return True


def resolve(tenant: Tenant, revision: Revision) -> dict[str, str]:
    """Module name -> SHA-256, for every module that the functions of this revision may name."""
    found = dict(Module.objects.filter(tenant=tenant).values_list("name", "binary_id"))
    own = definition(revision).modules
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
            return _functions(info.interface, info.functions) if info else None
        row = registry.get(module)
        return _functions(row.interface, row.exports) if row else None

    return find


def _functions(interface: str, names: Iterable[str]) -> frozenset[str]:
    return Anything() if interface == "wasi" else frozenset(names)
