"""A bundle ready to be called straight from its files, without being imported."""

from collections.abc import Mapping

from wasmtime import WasmtimeError

from billing.ids import uuid7
from billing.models import Tenant
from billing.secrets import bound
from bundles.bundle import load
from bundles.models import Module
from bundles.wasmfile import WasmError, inspect
from runtime import flowsecrets, guests
from runtime.compile import CompileError
from runtime.kv import Space
from runtime.live import LiveBundle
from runtime.wasm import Guest, engine


def live_of(tenant: Tenant, files: Mapping[str, bytes]) -> LiveBundle:
    """Modules come from the files, else from the tenant's registry; secrets are the tenant's."""
    definition = load(files)
    loaded: dict[str, Guest] = {}
    absent: dict[str, str] = {}
    for name, path in definition.modules.items():
        try:
            loaded[name] = guest(files[path])
        except (CompileError, WasmError, WasmtimeError) as problem:
            absent[name] = str(problem)
    for name, sha256 in Module.objects.filter(tenant=tenant).values_list("name", "binary_id"):
        if name not in definition.modules:
            try:
                loaded[name] = guests.prepare(sha256)
            except guests.Unusable as problem:
                absent[name] = str(problem)
    wanted = flowsecrets.names(definition)
    secrets = bound(tenant.pk, wanted) if wanted else {}
    pk = str(uuid7())
    return LiveBundle(
        id=pk,
        tenant_id=str(tenant.pk),
        tenant=tenant.slug,
        name=definition.name,
        revision=0,
        definition=definition,
        modules={},
        guests=loaded,
        absent=absent,
        secrets={name: one.value.decode("utf-8", "replace") for name, one in secrets.items()},
        bound=secrets,
        space=Space.of(tenant.pk, pk),
    )


def guest(data: bytes) -> Guest:
    return Guest.load(engine(), guests.code().compiled(data), inspect(data))
