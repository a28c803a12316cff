"""How the calls of a bundle do under their contracts: waits, refusals, estimated against used compute, credits."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Max, Sum

from bundles import duration
from bundles.bundle import Definition
from bundles.contract import ATTRIBUTES, Contract
from bundles.definitions import definition
from bundles.models import Bundle, Revision
from bundles.service import Service
from market import estimate
from runtime import metering, performancehints
from runtime.estimates import percentile
from runtime.models import Usage

FLOW = "flow"  # what stands for a service in runs that a trigger started
CALLS = ("calls", "count", "used", "estimated", "degraded", "retried", "spent")
Key = tuple[str, str]  # service and name


@dataclass(slots=True)
class Tally:
    """The rows of one call, of a service, or of whatever else is shown as one."""

    sums: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    most: int = 0
    dearest: int = 0
    recent: list[int] = field(default_factory=list)

    def add(self, row: Mapping[str, Any]) -> None:
        self.sums.update({name: row[name] for name in CALLS})
        self.units.update(row["histogram"])
        self.waits.update(row["waits"])
        self.refused.update(row["refused"])
        self.most, self.dearest = max(self.most, row["max"]), max(self.dearest, row["dearest"])
        self.recent = (self.recent + row["recent"])[-metering.RECENT :]

    def figures(self) -> dict[str, Any]:
        sums, waited = self.sums, self.waits.total()
        quick = self.waits + Counter({"0": max(0, sums["calls"] - waited)})
        return {
            "calls": sums["calls"],
            "measured": sums["count"],
            "used": {
                "p50": metering.share_of(self.units, 0.5),
                "p95": metering.share_of(self.units, 0.95),
                "max": self.most,
                "sum": sums["used"],
            },
            "estimated": {"mean": mean(sums["estimated"], sums["count"]), "sum": sums["estimated"]},
            "raw": percentile(self.recent) if self.recent else None,  # type: ignore[arg-type]
            "waits": {"waited": waited, "p50_ms": wait_ms(quick, 0.5), "p95_ms": wait_ms(quick, 0.95)},
            "refused": dict(sorted(self.refused.items())),
            "degraded": sums["degraded"],
            "retried": sums["retried"],
            "spent": sums["spent"],
            "dearest": self.dearest,
        }


def mean(total: int, count: int) -> int:
    return round(total / count) if count else 0


def wait_ms(waits: Mapping[str, int], share: float) -> float:
    """Steps begin at a microsecond, so that calls which did not wait are told as 0."""
    microseconds = metering.share_of(waits, share)
    return 0.0 if microseconds <= 1 else round(microseconds / 1000, 1)


def of_bundle(bundle: Bundle, now: datetime, days: int) -> dict[str, Any]:
    """Everything the page and REST show, of the live revision, or of the newest when nothing runs."""
    number = bundle.live_revision or bundle.revision
    revision = Revision.objects.filter(bundle=bundle, number=number).first()
    meaning = definition(revision) if revision else None
    rows = metering.rows(bundle, now, days)
    month = of_month(bundle, now)
    services = [of_service(one, rows, month) for one in (meaning.services if meaning else ())]
    return {
        "bundle": str(bundle.pk),
        "revision": number,
        "days": days,
        "services": services,
        "flows": flows(meaning, rows, month) if meaning else [],
        "functions": functions(rows),
        "spent_month": sum(spent for spent, _ in month.values()),
    }


def of_service(
    service: Service, rows: Iterable[Mapping[str, Any]], month: Mapping[Key, Any]
) -> dict[str, Any]:
    mine = [row for row in rows if row["service"] == service.name]
    calls = [
        call(f"{one.method} {service.base_path}{one.path}", "endpoint", one, mine, month)
        for one in service.endpoints
    ]
    calls += [call(one.when_sensor, "intent", one, mine, month) for one in service.intents]
    return {
        "name": service.name,
        "contract": shown(service.contract),
        **tally(mine).figures(),
        "spent_month": sum(spent for (name, _), (spent, _) in month.items() if name == service.name),
        "calls": calls,
        "goals": goals(service, mine),
    }


def call(
    label: str, kind: str, one: Any, rows: Sequence[Mapping[str, Any]], month: Mapping[Key, Any]
) -> dict[str, Any]:
    own = [row for row in rows if row["name"] == one.name[:100] and row["target"] == str(one.to)[:300]]
    told = {"kind": kind, "name": one.name, "label": label, "target": str(one.to)}
    return judged(told, one.contract, own, month.get((one.service[:100], one.name[:100])))


def judged(
    told: dict[str, Any], contract: Contract, rows: Iterable[Mapping[str, Any]], month: Any
) -> dict[str, Any]:
    """With its figures, what it is estimated to need next time, and what they suggest."""
    figures = tally(rows).figures()
    written = contract.compute_units if contract.compute_units_written else None
    figures["need"] = estimate.need(written, figures["raw"])
    figures["spent_month"], figures["dearest_month"] = month or (0, 0)
    return {**told, "contract": shown(contract), **figures, "hints": performancehints.of(contract, figures)}


def goals(service: Service, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A goal's calls are those that name it; without a name a call serves all goals (R34)."""
    calls = [(one.name[:100], one.goal) for one in service.endpoints]
    calls += [(one.name[:100], getattr(one, "goal", None)) for one in service.intents]
    found = []
    for goal in service.goals:
        names = {name for name, wanted in calls if wanted in (None, goal.name)}
        mine = tally(row for row in rows if row["name"] in names)
        found.append({"name": goal.name, "contract": shown(goal.contract), **mine.figures()})
    return found


def flows(
    meaning: Definition, rows: Sequence[Mapping[str, Any]], month: Mapping[Key, Any]
) -> list[dict[str, Any]]:
    """By name, whoever started them: a trigger, an endpoint, an intent."""
    found = []
    for name in sorted(meaning.organisms):
        targets = (f"flow:{name}", f"flow:{name}:")
        mine = [row for row in rows if row["target"] == targets[0] or row["target"].startswith(targets[1])]
        told = {"kind": "flow", "name": name, "label": name, "target": targets[0]}
        found.append(judged(told, meaning.contract, mine, month.get((FLOW, name[:100]))))
    return found


def functions(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Compute of each function of a module, called by itself or as a step of a flow; the most used first."""
    found: dict[str, Tally] = {}
    for row in rows:
        if row["target"].startswith("wasm:"):
            found.setdefault(row["target"], Tally()).add(row)
    told = [
        {"target": target, **{key: one[key] for key in ("measured", "used", "raw")}}
        for target, one in ((target, tallied.figures()) for target, tallied in found.items())
    ]
    return sorted(told, key=lambda one: (-one["used"]["sum"], one["target"]))


def tally(rows: Iterable[Mapping[str, Any]]) -> Tally:
    found = Tally()
    for row in rows:
        found.add(row)
    return found


def of_month(bundle: Bundle, now: datetime) -> dict[Key, tuple[int, int]]:
    """Credits of this calendar month (UTC), all of them and those of the dearest call."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = Usage.objects.filter(bundle=bundle, window__gte=int(first.timestamp()), spent__gt=0)
    sums = rows.values("service", "name").annotate(Sum("spent"), Max("dearest")).order_by()
    return {(row["service"], row["name"]): (row["spent__sum"], row["dearest__max"]) for row in sums}


def shown(contract: Contract) -> dict[str, dict[str, Any]]:
    """Each field as a bundle.yaml has it, with where it was written; null is unlimited, or the account's switch."""
    return {name: term(contract, attribute) for name, attribute in ATTRIBUTES.items()}


def term(contract: Contract, attribute: str) -> dict[str, Any]:
    raw = getattr(contract, attribute)
    value = duration.written(raw) if attribute.endswith("_ms") else raw
    return {"value": value, "source": str(contract.sources.get(attribute, "default"))}
