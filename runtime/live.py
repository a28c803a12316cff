"""What a process knows of a tenant to serve its calls: running bundles, routes, keys; loaded once, replaced when changed.

The tenant's version in the database is the truth; messages on Redis only wake (billing/live.py). A tenant that is
not called for a while is forgotten, and loaded again by its next call (DECISIONS C01).
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone
from redis.exceptions import RedisError

from billing.background import end
from billing.live import CHANNEL, leave, listen_here
from billing.models import ApiKey, Tenant
from billing.quota import quota
from billing.redis import patient
from billing.secrets import Bound
from bundles.bundle import Definition
from bundles.intents import Intent
from bundles.models import Bundle, Flow, Status
from bundles.routes import RouteTable, routes_of
from bundles.service import Service
from bundles.target import Target
from runtime.estimates import Estimates
from runtime.kv import Space
from runtime.liveflow import Hook, LiveFlow
from runtime.reading import read
from runtime.wasm import Guest

if TYPE_CHECKING:
    from runtime.flowplan import Plan
    from runtime.interceptors.chain import Chain
    from runtime.prompts import LivePrompt

IDLE_S = 15 * 60
CHECK_S = 1.0
MAX_READINGS = 5
MISS_S = 1.0  # an unknown tenant is looked up this often at most
MAX_MISSES = 10_000
MAX_OWNERS = 100_000
log = logging.getLogger(__name__)


@dataclass(slots=True)
class LiveBundle:
    """A running bundle with everything its calls need; ``absent`` says why a module has no guest."""

    id: str
    tenant_id: str
    tenant: str
    name: str
    revision: int
    definition: Definition
    modules: Mapping[str, str]  # name -> SHA-256
    guests: Mapping[str, Guest]
    absent: Mapping[str, str]
    secrets: Mapping[str, str]
    space: Space
    bound: Mapping[str, Bound] = field(default_factory=dict)  # the secrets with the hosts each may be sent to
    flows: "Mapping[str, Plan]" = field(default_factory=dict)
    flow_ids: Mapping[str, str] = field(default_factory=dict)  # name -> id, of every flow that has a row
    served: Mapping[str, LiveFlow] = field(default_factory=dict)  # flows that may be started from outside
    idle_flows: Mapping[str, str] = field(default_factory=dict)  # those that may not run, and why
    vars: Mapping[str, Any] = field(default_factory=dict)
    memory_limit: int | None = None  # bytes that all flows of the tenant may remember, by its plan
    estimates: Estimates = field(default_factory=Estimates)
    chains: "Mapping[tuple[str, str], Chain]" = field(default_factory=dict)  # of endpoints with interceptors
    prompts: "Mapping[str, LivePrompt]" = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: set[Target] = field(
        default_factory=set
    )  # functions that had to wait for something (runtime.inline)
    granted: Mapping[str, str] = field(
        init=False
    )  # the secrets that bundle.yaml lists: modules read these alone
    masks: list[bytes] = field(init=False)  # the secrets' values, which no record may show

    def __post_init__(self) -> None:
        listed = set(self.definition.secrets)
        self.granted = {name: value for name, value in self.secrets.items() if name in listed}
        self.masks = [value.encode() for value in self.secrets.values()]

    def intents(self, sensor: str) -> list[tuple[Service, Intent]]:
        found = []
        for service in self.definition.services:
            found += [(service, intent) for intent in service.intents if intent.when_sensor == sensor]
        return found

    def sensors(self) -> set[str]:
        """All that something listens to."""
        intents = {intent.when_sensor for service in self.definition.services for intent in service.intents}
        return intents | {
            hook.sensor for flow in self.served.values() for hook in flow.hooks if hook.type == "sensor"
        }

    def starts(self, sensor: str) -> list[tuple[LiveFlow, Hook]]:
        """The flows that begin when a sensor fires."""
        return [
            (flow, hook)
            for flow in self.served.values()
            for hook in flow.hooks
            if hook.type == "sensor" and hook.sensor == sensor
        ]


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What a key may do here; ``expires`` in Unix seconds."""

    id: UUID
    actor: str
    scopes: frozenset[str]
    expires: float


@dataclass(slots=True)
class Live:
    """One tenant as this process serves it."""

    tenant_id: str
    slug: str
    version: int
    keys: dict[str, KeyGrant]
    bundles: dict[str, LiveBundle]
    table: RouteTable  # its matches' owner is the LiveBundle
    flows: Mapping[str, tuple[LiveBundle, LiveFlow]] = field(
        default_factory=dict
    )  # by id: what triggers start
    prompts: "Mapping[str, tuple[LiveBundle, LivePrompt]]" = field(default_factory=dict)  # by id
    fixed: dict[tuple[int, str], tuple[Any, ...]] = field(default_factory=dict)  # see runtime.hot
    keep_alive: bool = True  # it stays loaded when nobody calls
    used: float = field(default_factory=time.monotonic)


def fetch(slug: str) -> "tuple[Tenant, list[Bundle], dict[str, KeyGrant]] | None":
    """The rows behind a tenant; a blocking call."""
    tenant = Tenant.objects.select_related("plan").filter(slug=slug).first()
    if tenant is None:
        return None
    # What was running goes on being served while a newer revision of it starts.
    running = Bundle.objects.filter(tenant=tenant, live_revision__isnull=False).exclude(status=Status.STOPPED)
    living = ApiKey.objects.filter(Q(expires__isnull=True) | Q(expires__gt=timezone.now()), tenant=tenant)
    return tenant, list(running), {key.digest: grant(key) for key in living}


def build(slug: str) -> "Live | None":
    """The tenant with its running bundles ready to be called; blocking."""
    from runtime.deploy import made  # which needs this module's types

    rows = fetch(slug)
    if rows is None:
        return None
    tenant, bundles, keys = rows
    ready = [made(bundle, tenant) for bundle in bundles]
    return assemble(tenant, [bundle for bundle in ready if bundle is not None], keys)


def grant(key: ApiKey) -> KeyGrant:
    expires = key.expires.timestamp() if key.expires else float("inf")
    return KeyGrant(key.pk, f"key:{key.prefix}", frozenset(key.scopes), expires)


def assemble(tenant: Tenant, bundles: list[LiveBundle], keys: dict[str, KeyGrant]) -> Live:
    """Routes of all running bundles in one table; /run has refused two that claim the same route."""
    from runtime.prompts import of_all  # which needs this module's types

    routes = [
        route
        for bundle in bundles
        for service in bundle.definition.services
        for route in routes_of(service, bundle)
    ]
    by_id = {bundle.id: bundle for bundle in bundles}
    flows = {flow.id: (bundle, flow) for bundle in bundles for flow in bundle.served.values()}
    live = Live(str(tenant.pk), tenant.slug, tenant.version, keys, by_id, RouteTable(routes), flows)
    live.prompts = of_all(bundles)
    live.keep_alive = tenant.plan.keep_alive
    quota.know(live.tenant_id, tenant.plan.executions)
    return live


def owner(flow_id: str) -> str | None:
    """The slug of the tenant that has this flow; blocking."""
    try:
        wanted = UUID(flow_id)
    except ValueError:
        return None
    return Flow.objects.filter(pk=wanted).values_list("bundle__tenant__slug", flat=True).first()


class Tenants:
    """All tenants this process serves at present."""

    def __init__(self) -> None:
        self.known: dict[str, Live] = {}
        self.misses: dict[str, float] = {}
        self.owners: dict[str, str] = {}  # flow id -> slug
        self.loading: dict[str, asyncio.Task[Live | None]] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self.forgotten = 0  # how often, of whomever

    def get(self, slug: str) -> Live | None:
        """The tenant if it is loaded: the hot path."""
        return self.known.get(slug)

    async def load(self, slug: str) -> Live | None:
        """The tenant, read from the database unless it was found absent a moment ago."""
        if self.misses.get(slug, 0) > time.monotonic():
            return None
        task = self.loading.get(slug)
        if task is None:
            task = self.loading[slug] = asyncio.create_task(self.read(slug))
            task.add_done_callback(lambda _: self.loading.pop(slug, None))
        return await asyncio.shield(task)

    def of_flow(self, flow_id: str) -> Live | None:
        """The tenant that a flow belongs to, if both are known."""
        return self.known.get(self.owners.get(flow_id, ""))

    async def load_of_flow(self, flow_id: str) -> Live | None:
        """The same, asking the database, unless the flow was found absent a moment ago."""
        slug = self.owners.get(flow_id)
        if slug is None and self.misses.get(flow_id, 0) <= time.monotonic():
            slug = await read(owner, flow_id)
            self.remember(flow_id, slug)
        return self.known.get(slug) or await self.load(slug) if slug else None

    def remember(self, flow_id: str, slug: str | None) -> None:
        if slug is None:
            self.missed(flow_id)
            return
        if len(self.owners) > MAX_OWNERS:
            self.owners.clear()
        self.owners[flow_id] = slug

    def missed(self, name: str) -> None:
        if len(self.misses) > MAX_MISSES:
            self.misses.clear()
        self.misses[name] = time.monotonic() + MISS_S

    async def fresh(self, slug: str) -> Live | None:
        """As ``load``, but also when something is known that may be out of date: before a 404 is answered."""
        if slug in self.known:
            now = await versions([slug])
            live = self.known.get(slug)  # somebody may have read it anew meanwhile
            if live is not None and now == {slug: live.version}:
                return live
        return await self.load(slug)

    async def read(self, slug: str) -> Live | None:
        """From the database in one hop to a thread, guests and all: this is what a wake costs."""
        for _ in range(MAX_READINGS):
            forgotten = self.forgotten
            live = await read(build, slug)
            if live is not None:
                self.known[slug] = live
            # When something was changed meanwhile: who asks after that change joins this reading.
            if forgotten == self.forgotten or await versions([slug]) == (
                {slug: live.version} if live else {}
            ):
                break
        if live is None:
            self.known.pop(slug, None)
            self.missed(slug)
        return live

    def forget(self, tenant_id: str) -> None:
        """Drop what is known of a tenant, from any thread; its next call reads it anew."""
        self.forgotten += 1
        self.misses.clear()
        for slug, live in list(self.known.items()):
            if live.tenant_id == tenant_id:
                self.known.pop(slug, None)

    def start(self) -> None:
        listen_here(self.forget)
        self.tasks = [asyncio.create_task(self.listen()), asyncio.create_task(self.check())]

    async def stop(self) -> None:
        leave(self.forget)
        await end(self.tasks)
        await asyncio.to_thread(quota.stop)

    async def listen(self) -> None:
        """Reload a tenant as soon as a change of it is told."""
        while True:
            try:
                async with patient() as client, client.pubsub() as inbox:
                    await inbox.subscribe(CHANNEL)
                    async for message in inbox.listen():
                        if message["type"] == "message":
                            await self.changed(message["data"].decode())
            except (RedisError, OSError, DatabaseError) as problem:
                log.warning("changes of tenants are not told for now: %s", problem)
                await asyncio.sleep(1)

    async def changed(self, tenant_id: str) -> None:
        self.misses.clear()
        for live in list(self.known.values()):
            if live.tenant_id == tenant_id:
                await self.renew(live.slug)

    async def renew(self, slug: str) -> None:
        """Read it anew, once for all who want it; what is being read already may be from before the change."""
        joined = slug in self.loading
        live = await self.load(slug)
        if joined and live is not None and await versions([slug]) != {slug: live.version}:
            await self.load(slug)

    async def check(self) -> None:
        """Once a second: what changed without a message reaching us, and who has been idle."""
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                await self.look()
            except DatabaseError as problem:
                log.warning("changes of tenants are not seen for now: %s", problem)

    async def look(self) -> None:
        limit = time.monotonic() - IDLE_S
        self.known = {slug: live for slug, live in self.known.items() if live.keep_alive or live.used > limit}
        now = await versions(list(self.known))
        for slug, live in list(self.known.items()):
            if now.get(slug, live.version) != live.version:
                await self.renew(slug)


async def versions(slugs: list[str]) -> dict[str, int]:
    def of_all() -> dict[str, int]:
        return dict(Tenant.objects.filter(slug__in=slugs).values_list("slug", "version"))

    return await read(of_all) if slugs else {}
