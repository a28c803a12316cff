"""The flows of a tenant as its list shows them: found, filtered, in folders, with what they did lately."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import F

from bundles import store
from bundles.definitions import definition, served
from bundles.flow import Flow as Model
from bundles.flow import Trigger
from bundles.models import Bundle, Flow, Revision
from runtime import flowfigures, flowstore
from runtime.flowfigures import Figures
from runtime.models import Execution

FIELDS = ("q", "folder", "tag", "status", "starred")
ICONS = {"webhook": "webhook", "schedule": "clock", "manual": "play", "sensor": "bolt"}
STATES = ("running", "starting", "stopped", "error")


@dataclass(frozen=True, slots=True)
class Start:
    """A trigger in the words of a row."""

    name: str
    icon: str
    says: str


@dataclass(frozen=True, slots=True)
class Row:
    """A flow with its meaning, its state and its figures."""

    flow: Flow
    model: Model | None
    state: str
    starred: bool
    figures: Figures
    last: Execution | None = None
    triggers: list[Start] = field(default_factory=list)

    @property
    def description(self) -> str:
        return self.flow.description or (self.model.description if self.model else "")

    @property
    def bundle(self) -> str:
        return "" if self.flow.bundle.name == "default" else str(self.flow.bundle)

    @property
    def errors(self) -> int:
        return sum(one.severity == "error" for one in self.model.problems) if self.model else 0


def says(trigger: Trigger) -> str:
    """What starts the flow, in few words."""
    if trigger.type == "schedule":
        return trigger.cron or "every " + (f"{trigger.every_ms / 1000:g} s" if trigger.every_ms else "…")
    return trigger.sensor if trigger.type == "sensor" else trigger.type


def models(flows: Iterable[Flow]) -> dict[UUID, Model | None]:
    """The meaning of many flows, by their ids, with one query for all bundles."""
    flows = list(flows)
    bundles: dict[UUID, Bundle] = {flow.bundle_id: flow.bundle for flow in flows}
    newest = store.all_newest(bundles.values())
    known = {pk: definition(revision).organisms for pk, revision in newest.items()}
    return {flow.pk: known.get(flow.bundle_id, {}).get(flow.name) for flow in flows}


def states(flows: list[Flow]) -> dict[UUID, str]:
    """As flowstore.state says it, with one query for all."""
    bundles = {flow.bundle_id for flow in flows}
    live = Revision.objects.filter(bundle__in=bundles, number=F("bundle__live_revision"))
    serving = {(one.bundle_id, name): model for one in live for name, model in served(one).organisms.items()}
    return {flow.pk: flowstore.state_with(flow, serving.get((flow.bundle_id, flow.name))) for flow in flows}


def rows(tenant_id: UUID, user: Any) -> list[Row]:
    found = list(Flow.objects.filter(bundle__tenant_id=tenant_id).select_related("bundle").order_by("name"))
    known, meaning, doing = flowfigures.figures(tenant_id), models(found), states(found)
    figures = {flow.pk: known.get((flow.bundle_id, flow.name), Figures()) for flow in found}
    runs = newest_runs(figures.values())
    return [
        Row(
            flow,
            meaning[flow.pk],
            doing[flow.pk],
            starred(flow, user),
            figures[flow.pk],
            runs.get(figures[flow.pk].last or flow.pk),
            starts(meaning[flow.pk]),
        )
        for flow in found
    ]


def starts(model: Model | None) -> list[Start]:
    triggers = model.triggers if model else ()
    return [Start(one.name, ICONS[one.type], says(one)) for one in triggers]


def starred(flow: Flow, user: Any) -> bool:
    return user in flow.starred_by


def newest_runs(figures: Iterable[Figures]) -> dict[UUID, Execution]:
    """Without what they took and gave: that may be long."""
    ids = [one.last for one in figures if one.last]
    return Execution.objects.defer("input", "output", "steps", "logs").in_bulk(ids)


def wanted(row: Row, asked: dict[str, str]) -> bool:
    """Whether a row passes the filters; the search looks at name, description, folder and tags."""
    text = " ".join((row.flow.name, row.description, row.flow.folder, *row.flow.tags)).lower()
    return (
        all(word in text for word in asked["q"].lower().split())
        and asked["folder"] in ("", row.flow.folder)
        and (not asked["tag"] or asked["tag"] in row.flow.tags)
        and asked["status"] in ("", row.state)
        and (not asked["starred"] or row.starred)
    )


def in_folders(found: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    """Those without a folder first, favourites before others."""
    folders: defaultdict[str, list[Row]] = defaultdict(list)
    for row in found:
        folders[row.flow.folder].append(row)
    return [(name, sorted(folders[name], key=lambda row: not row.starred)) for name in sorted(folders)]


def choices(found: list[Row]) -> dict[str, Any]:
    """What the filters offer."""
    return {
        "folders": sorted({row.flow.folder for row in found if row.flow.folder}),
        "tags": sorted({tag for row in found for tag in row.flow.tags}),
        "states": STATES,
        "total": len(found),
    }
