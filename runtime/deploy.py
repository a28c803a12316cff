"""Making a revision ready to be called, and starting and stopping bundles."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from channels.db import database_sync_to_async
from django.db import transaction
from django.utils import timezone

from billing import variables
from billing.live import touch
from billing.models import Tenant
from billing.secrets import Bound, bound
from bundles import wake
from bundles.author import Somebody
from bundles.bundle import Definition
from bundles.definitions import served
from bundles.deploy import START, ask_run
from bundles.models import Binary, Bundle, Revision, Status
from bundles.resolve import resolve
from runtime import flowload, flowsecrets, guests, liveflow, prompts, triggers
from runtime.estimates import seeded
from runtime.interceptors.made import Source, chains
from runtime.kv import Space
from runtime.live import LiveBundle
from runtime.wasm import Guest

PATIENCE = timedelta(seconds=10)
Found = tuple[Revision, Definition, dict[str, str], dict[str, Bound]]
log = logging.getLogger(__name__)


async def ready(
    bundle: Bundle, tenant: Tenant, number: int | None = None, *, whole: bool = False
) -> LiveBundle | None:
    """``made``, from a coroutine."""
    live: LiveBundle | None = await database_sync_to_async(made, thread_sensitive=False)(
        bundle, tenant, number, whole=whole
    )
    return live


def made(
    bundle: Bundle, tenant: Tenant, number: int | None = None, *, whole: bool = False
) -> LiveBundle | None:
    """The bundle's live revision (or ``number``) with its guests loaded; None when that revision is gone. Blocking.

    ``whole``: with the flows that are stopped.
    """
    found = read(bundle, tenant, number)
    return None if found is None else built(bundle, tenant, found, whole=whole)


def built(bundle: Bundle, tenant: Tenant, found: Found, *, whole: bool = False) -> LiveBundle:
    """What was read, with its guests loaded; compiles what is not compiled. Blocking."""
    revision, definition, modules, secrets = found
    loaded, absent = load_all(modules)
    flows = liveflow.read(bundle.pk, tenant.pk, definition, whole=whole)
    plans, idle = flowload.plans(definition, flows.idle)
    values = {name: one.value.decode("utf-8", "replace") for name, one in secrets.items()}
    source = Source(str(tenant.pk), str(bundle.pk), values)
    return LiveBundle(
        id=str(bundle.pk),
        tenant_id=str(tenant.pk),
        tenant=tenant.slug,
        name=bundle.name,
        revision=revision.number,
        definition=definition,
        modules=modules,
        guests=loaded,
        absent=absent,
        secrets=values,
        bound=secrets,
        space=Space.of(tenant.pk, bundle.pk),
        flow_ids=flows.ids,
        served=flows.served,
        idle_flows=idle,
        flows=plans,
        memory_limit=memory_limit(tenant),
        vars={**definition.vars, **variables.values(tenant.pk)},
        estimates=seeded(bundle.pk),
        chains=chains(definition, source),
        prompts=prompts.ready(revision, definition, source),
    )


def memory_limit(tenant: Tenant) -> int | None:
    megabytes = tenant.plan.memory_mb
    return None if megabytes is None else megabytes * 1_000_000


def read(bundle: Bundle, tenant: Tenant, number: int | None) -> Found | None:
    """Everything of a revision that is in the database; modules of the live one stay those it was started with."""
    wanted = number or bundle.live_revision or 0
    revision = Revision.objects.filter(bundle=bundle, number=wanted).first()
    if revision is None:
        return None
    definition = served(revision)
    modules = bundle.live_modules if number is None else resolve(tenant, revision)
    names = flowsecrets.names(definition)
    secrets = bound(bundle.tenant_id, names) if names else {}
    return revision, definition, modules, secrets


def load_all(modules: dict[str, str]) -> tuple[dict[str, Guest], dict[str, str]]:
    """Guests by module name, and for those that cannot be had the reason."""
    loaded: dict[str, Guest] = {}
    absent: dict[str, str] = {}
    for name, sha256 in modules.items():
        try:
            loaded[name] = guests.prepare(sha256)
        except guests.Unusable as problem:
            absent[name] = str(problem)
    return loaded, absent


def run(somebody: Somebody, bundle: Bundle, *, flow: str = "") -> Bundle:
    """/run: at once when all its modules are compiled on this machine, else as soon as a worker has done it."""
    asked = ask_run(somebody, bundle, wakes=False, flow=flow)
    start(asked.pk, compiling=False)
    asked.refresh_from_db()
    return asked


def start(bundle_id: UUID, *, compiling: bool = True) -> None:
    """Finish a /run: compile what is not compiled, then let the newest revision take over at once.

    Repeating it changes nothing. Without ``compiling`` a worker is told when something has to be compiled. A module
    that cannot be used puts the bundle in error and leaves whatever ran before running.
    """
    bundle = (
        Bundle.objects.select_related("tenant__plan").filter(pk=bundle_id, status=Status.STARTING).first()
    )
    if bundle is None:
        return None
    try:
        found = read(bundle, bundle.tenant, bundle.revision)
        if found is None:
            return settle(bundle, Status.ERROR, "its newest revision is missing")
        if not compiling and not all(guests.compiled(sha256) for sha256 in set(found[2].values())):
            return wake.later(START, str(bundle_id))
        take_over(bundle, built(bundle, bundle.tenant, found))
    except OSError as problem:
        return settle(bundle, Status.ERROR, f"its files could not be read: {problem.strerror}")


def take_over(bundle: Bundle, ready: LiveBundle) -> None:
    if ready.absent:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in sorted(ready.absent.items()))
        return settle(bundle, Status.ERROR, reasons)
    settle(bundle, Status.RUNNING, "", live_revision=ready.revision, live_modules=dict(ready.modules))


def resume(now: datetime) -> None:
    """Start again what has been starting for long, and compile what waits: a message may get lost, a row does not."""
    for pk in Bundle.objects.filter(status=Status.STARTING, updated__lt=now - PATIENCE).values_list(
        "pk", flat=True
    ):
        start(pk)
    for sha256 in waiting_binaries(now):
        guests.compile_binary(sha256)


def waiting_binaries(now: datetime) -> list[str]:
    old = Binary.objects.filter(state=Binary.State.COMPILING, created__lt=now - PATIENCE)
    return list(old.values_list("pk", flat=True)[:20])


@transaction.atomic
def settle(bundle: Bundle, status: Status, note: str, **values: object) -> None:
    """Leave "starting", unless somebody stopped the bundle meanwhile."""
    mine = Bundle.objects.filter(pk=bundle.pk, status=Status.STARTING)
    if mine.update(status=status, status_note=note, **values) == 1:
        triggers.of_bundle(bundle, timezone.now())
        touch(bundle.tenant_id)
