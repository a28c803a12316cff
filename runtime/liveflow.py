"""The flows of a running bundle that may be started from outside, with their triggers and tokens."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from billing.secrets import bound
from bundles.bundle import Definition
from bundles.flowmodel import Flow as Model
from bundles.flowmodel import Rate
from bundles.flowmodel import Trigger as Written
from bundles.models import Flow
from runtime.models import Trigger


@dataclass(frozen=True, slots=True)
class Hook:
    """One trigger that is on; ``key`` signs its requests when they must be signed, and is None when it is missing."""

    name: str
    type: str
    to: str
    token: bytes
    sensor: str
    at_once: bool  # answered before it is run
    signed: bool
    key: bytes | None
    rate: Rate | None = None  # how often it may be called

    def __repr__(self) -> str:
        return f"Hook({self.name})"


@dataclass(frozen=True, slots=True)
class LiveFlow:
    """A flow that is served."""

    id: str
    name: str
    hooks: tuple[Hook, ...]


@dataclass(frozen=True, slots=True)
class Flows:
    """All flows of a bundle as its rows tell: their ids, those that are served, and why the others are not."""

    ids: Mapping[str, str]
    served: Mapping[str, LiveFlow]
    idle: Mapping[str, str]


def read(bundle_id: UUID, tenant_id: UUID, definition: Definition, *, whole: bool = False) -> Flows:
    """Blocking. A flow without a row was deleted: it runs no more, whatever the revision says."""
    rows = {row.name: row for row in Flow.objects.filter(bundle_id=bundle_id)}
    for row in rows.values():
        row.stopped = row.stopped and not whole
    idle = {
        name: reason for name in definition.flows if (reason := why_idle(rows.get(name), definition, name))
    }
    going = {row.pk: row for name, row in rows.items() if name in definition.organisms and name not in idle}
    triggers = Trigger.objects.filter(flow_id__in=going, enabled=True)
    keys = keys_of(tenant_id, (definition.organisms[row.name] for row in going.values()))
    by_flow: dict[UUID, list[Hook]] = {pk: [] for pk in going}
    for trigger in triggers:
        written = {one.name: one for one in definition.organisms[going[trigger.flow_id].name].triggers}
        if trigger.name in written and written[trigger.name].enabled:
            by_flow[trigger.flow_id].append(hook(trigger, written[trigger.name], keys))
    served = {row.name: LiveFlow(str(pk), row.name, tuple(by_flow[pk])) for pk, row in going.items()}
    return Flows({name: str(row.pk) for name, row in rows.items()}, served, idle)


def why_idle(row: Flow | None, definition: Definition, name: str) -> str:
    if row is None:
        return "it was deleted"
    if row.stopped:
        return "it is stopped"
    flow = definition.organisms.get(name)
    return "it has errors" if flow is None or flow.has_errors else ""


def keys_of(tenant_id: UUID, flows: Iterable[Model]) -> dict[str, bytes]:
    """The secrets that sign webhooks; they are opened for the door alone, no function ever sees them."""
    names = {trigger.hmac for flow in flows for trigger in flow.triggers if trigger.hmac}
    return {name: one.value for name, one in bound(tenant_id, names).items()} if names else {}


def hook(row: Trigger, written: Written, keys: Mapping[str, bytes]) -> Hook:
    return Hook(
        name=row.name,
        type=written.type,
        to=written.to,
        token=row.token.encode(),
        sensor=written.sensor,
        at_once=written.respond == "async",
        signed=bool(written.hmac),
        key=keys.get(written.hmac),
        rate=written.rate,
    )
