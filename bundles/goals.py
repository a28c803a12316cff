"""Goals of a service: metrics with thresholds, and the contract that goes with them.

Two shapes are read, also mixed: a list of `metrics` with thresholds, and `metric` with a `target` expression.
"""

from dataclasses import dataclass

from bundles import contract, fields, objective
from bundles.contract import Contract, Terms
from bundles.fields import Field, Read, Unique
from bundles.values import Mapping, Node, Report, shown

DAY_S = 86_400

_MEASURES = (
    Field("metric", "name", "What is measured: latency, successRate, uptime, …; goes with target"),
    Field("target", "string", 'What is to be reached, for example "< 200ms" or "> 99.9%"'),
    Field("threshold", "number", "What is to be reached as a number: 0.99 = 99 %, 5000 = 5000 ms of latency"),
    Field("window", "number", "Seconds over which is measured (default 60)", low=1, high=31 * DAY_S),
    Field("delay", "number", "Seconds after the start before measuring begins (default 0)", high=DAY_S),
)
GOAL_FIELDS = fields.table(
    Field("name", "name", "Name of the goal, unique in its service", required=True),
    Field("description", "text", "What this goal is for"),
    Field("metrics", "list", "What is measured, several at once"),
    *_MEASURES,
    Field("resourceContract", "map", "The resources that reaching this goal needs"),
)
METRIC_FIELDS = fields.table(
    Field("signal", "name", "Name of the signal; signals of your own are sent by the modules"),
    Field(
        "type", "name", "latency, availability, uptime, successRate, consistency, security, errors or custom"
    ),
    Field("goal", "name", "A word for what is reached, shown to people"),
    *_MEASURES,
)
# Kind -> unit of a bare number, and the comparison that a threshold stands for.
KINDS = {
    "availability": ("fraction", ">="),
    "uptime": ("fraction", ">="),
    "successRate": ("fraction", ">="),
    "consistency": ("fraction", ">="),
    "security": ("fraction", ">="),
    "latency": ("ms", "<="),
    "errors": ("count", "<="),
    "custom": ("", ">="),
}


@dataclass(frozen=True, slots=True)
class Metric:
    """`op value unit` over `window_s` seconds, beginning `delay_s` seconds after the start."""

    kind: str
    signal: str
    op: str
    value: float
    unit: str
    window_s: float
    delay_s: float
    label: str


@dataclass(frozen=True, slots=True)
class Goal:
    """What a service wants to reach, and the contract for the calls that serve it."""

    name: str
    metrics: tuple[Metric, ...]
    contract: Contract
    file: str
    line: int
    description: str = ""


@dataclass(frozen=True, slots=True)
class GoalTerms:
    """A goal with the terms it runs under; `own` when it has a contract of its own (R34)."""

    goal: Goal
    terms: Terms
    own: bool


def read(nodes: list[Node], report: Report, *, outer: Terms) -> list[GoalTerms]:
    """The goals of one service; a name may be used once."""
    goals: list[GoalTerms] = []
    unique = Unique("goal", report)
    for node in nodes:
        found = fields.mapping(node, report, of="a goal")
        goal = _goal(found, report, outer=outer) if found else None
        if goal and unique.take(goal.goal.name, node.place):
            goals.append(goal)
    return goals


def _goal(node: Mapping, report: Report, *, outer: Terms) -> GoalTerms | None:
    found = fields.read(node, GOAL_FIELDS, report, of="a goal")
    name = found.get("name")
    if name is None:
        return None
    metrics = [metric for item in found.items("metrics") if (metric := _listed(item, report, goal=name))]
    if (metric := _measure(found, report, goal=name, kind=found.get("metric"))) is not None:
        metrics.append(metric)
    written = found.get("resourceContract")
    own = contract.read(written, report, source=f"goal {name}") if written else {}
    if not found.places.keys() & {"metrics", "metric", "target", "resourceContract"}:
        report.warning(
            node.place, f"goal {shown(name)} measures nothing", "add metric and target, or metrics"
        )
    terms = contract.compose(outer, own)
    place, prose = node.place, found.get("description", "")
    goal = Goal(name, tuple(metrics), contract.seal(terms), place.file, place.line, prose)
    return GoalTerms(goal, terms, bool(own))


def _listed(node: Node, report: Report, *, goal: str) -> Metric | None:
    item = fields.mapping(node, report, of="a metric")
    if item is None:
        return None
    found = fields.read(item, METRIC_FIELDS, report, of="a metric")
    kind = found.get("type") or found.get("metric")
    if kind is None:
        if not found.places.keys() & {"type", "metric"}:
            report.error(item.place, "a metric needs 'type'", METRIC_FIELDS["type"].meaning)
        return None
    return _measure(found, report, goal=goal, kind=kind)


def _measure(found: Read, report: Report, *, goal: str, kind: str | None) -> Metric | None:
    """The metric that `metric`/`type` and `target`/`threshold` make together."""
    if kind is None:
        for key in ("target", "threshold"):
            if key in found.values:
                report.error(found.at(key), f"'{key}' needs 'metric' beside it: what is to be measured?")
        return None
    unit, op = _unit(found, report, kind=kind)
    aim = _aim(found, report, kind=kind)
    if aim is None:
        return None
    if aim.unit and unit in ("fraction", "ms", "count") and aim.unit != unit:
        report.error(found.at("target"), f"{kind} cannot be compared with {shown(found.get('target'))}")
        return None
    unit = aim.unit or unit
    if unit == "fraction" and aim.value > 1:
        place = found.at("target" if "target" in found.values else "threshold")
        message = f"{kind} never exceeds 1, but is compared with {aim.value:g}"
        report.warning(place, message, "write a fraction (0.99) or a percentage (99%)")
    return Metric(
        kind=kind,
        signal=found.get("signal") or kind,
        op=aim.op or op,
        value=aim.value,
        unit=unit,
        window_s=found.get("window", 60.0),
        delay_s=found.get("delay", 0.0),
        label=found.get("goal") or goal,
    )


def _unit(found: Read, report: Report, *, kind: str) -> tuple[str, str]:
    if kind not in KINDS:
        place = found.at("type" if "type" in found.values else "metric")
        message = f"unknown type of metric {shown(kind)}{report.meant(kind, KINDS)}"
        report.warning(place, message, "it is read as custom: known are " + ", ".join(KINDS))
    return KINDS.get(kind, KINDS["custom"])


def _aim(found: Read, report: Report, *, kind: str) -> objective.Objective | None:
    if "target" in found.values:
        try:
            return objective.parse(found.get("target"))
        except objective.ObjectiveError as wrong:
            report.error(found.at("target"), f"'target' {shown(found.get('target'))} {wrong}")
            return None
    if "threshold" in found.values:
        return objective.Objective("", found.get("threshold"), "")
    if not found.places.keys() & {"target", "threshold"}:
        report.error(
            found.place, f"the metric {shown(kind)} needs 'target' or 'threshold'", objective.GRAMMAR
        )
    return None
