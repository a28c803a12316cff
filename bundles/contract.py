"""Resource contracts: what a call needs, how long it may wait, what it may cost; composed field by field.

MARKET R33: bundle, then service, then goal, the inner one wins; defaults last. R34: several goals.
"""

from collections.abc import Callable, Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any

from bundles import fields
from bundles.fields import Field
from bundles.values import Mapping, Place, Report

PRIORITIES = ("low", "normal", "high", "critical")
FALLBACKS = ("queue", "retry", "degrade", "fail")
MAX_ACTION_CU = 25_000

CONTRACT_FIELDS = fields.table(
    Field("priority", "choice", "low, normal, high or critical (default normal)", choices=PRIORITIES),
    Field("computeUnits", "integer", "Compute units one call needs (default 100)", low=1, high=MAX_ACTION_CU),
    Field("maxWaitTime", "duration", "Longest wait in the queue (default 30s)"),
    Field("futuresEnabled", "boolean", "Let the platform reserve compute for scheduled runs (default false)"),
    Field(
        "fallbackBehavior",
        "choice",
        "What to do when no compute is free: queue, retry, degrade or fail (default queue)",
        choices=FALLBACKS,
    ),
    Field("costCeiling", "integer", "Most credits for one call; 0 = never bid (default unlimited)"),
    Field("autoBid", "boolean", "Bid by itself; unset follows the account's auto-bid toggle"),
    Field("futuresHorizon", "duration", "How far ahead compute is reserved (default 1h)"),
    Field("futuresBudget", "integer", "Credits a month for such reservations (default 0)"),
)
ATTRIBUTES = {
    "priority": "priority",
    "computeUnits": "compute_units",
    "maxWaitTime": "max_wait_ms",
    "futuresEnabled": "futures_enabled",
    "fallbackBehavior": "fallback",
    "costCeiling": "cost_ceiling",
    "autoBid": "auto_bid",
    "futuresHorizon": "futures_horizon_ms",
    "futuresBudget": "futures_budget",
}
DEFAULTS: Map[str, Any] = {
    "priority": "normal",
    "compute_units": 100,
    "max_wait_ms": 30_000,
    "futures_enabled": False,
    "fallback": "queue",
    "cost_ceiling": None,
    "auto_bid": None,
    "futures_horizon_ms": 3_600_000,
    "futures_budget": 0,
}


class Source(str):
    """The layer that wrote a value, "service X", which also knows the place in the file."""

    __slots__ = ("place",)
    place: Place

    @classmethod
    def at(cls, layer: str, place: Place) -> "Source":
        made = cls(layer)
        made.place = place
        return made


# Attribute -> (value, where it was written). Only what was written; defaults come last.
Terms = Map[str, tuple[Any, str]]


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract with nothing left open; `sources` tells where each value was written."""

    priority: str
    compute_units: int
    compute_units_written: bool
    max_wait_ms: int
    futures_enabled: bool
    fallback: str
    cost_ceiling: int | None
    auto_bid: bool | None
    futures_horizon_ms: int
    futures_budget: int
    sources: Map[str, str]

    @property
    def used_up(self) -> str:
        """What is said when the compute is gone: a need that nobody wrote has another bound than its default."""
        if self.compute_units_written:
            return f"the contract's {self.compute_units} compute units are used up"
        return f"the {MAX_ACTION_CU} compute units that a call without computeUnits may use are used up"

    def written(self, name: str) -> Place | None:
        """Where the value of an attribute stands; None when nobody wrote it."""
        source = self.sources.get(name)
        return source.place if isinstance(source, Source) else None


def read(node: Mapping, report: Report, *, source: str) -> Terms:
    """The terms written in one `resourceContract`; unknown fields and values are errors."""
    found = fields.read(node, CONTRACT_FIELDS, report, of=f"the resourceContract of {source}", strict=True)
    return {ATTRIBUTES[key]: (value, Source.at(source, found.at(key))) for key, value in found.values.items()}


def compose(*layers: Terms) -> Terms:
    """Outermost first; the inner one wins, field by field, also when it loosens."""
    composed: dict[str, tuple[Any, str]] = {}
    for layer in layers:
        composed.update(layer)
    return composed


def combine(goals: Iterable[Terms]) -> Terms:
    """One contract from those of several goals (R34); each is already composed with what it inherits."""
    ranked = sorted(goals, key=_rank, reverse=True)  # stable: document order on ties
    combined: dict[str, tuple[Any, str]] = {}
    for terms in ranked:
        for name, term in terms.items():
            combined.setdefault(name, term)
    for name, choose in _CHOICES.items():
        written = [terms[name] for terms in ranked if name in terms]
        if written:
            combined[name] = choose(written, key=_value)
    return combined


def seal(terms: Terms) -> Contract:
    """Fills the defaults in."""
    values = {name: terms[name][0] if name in terms else default for name, default in DEFAULTS.items()}
    sources = {name: terms[name][1] if name in terms else "default" for name in DEFAULTS}
    return Contract(**values, compute_units_written="compute_units" in terms, sources=sources)


def _rank(terms: Terms) -> int:
    return PRIORITIES.index(terms["priority"][0]) if "priority" in terms else PRIORITIES.index("normal")


def _value(term: tuple[Any, str]) -> Any:
    return term[0]


_CHOICES: Map[str, Any] = {
    "compute_units": max,
    "max_wait_ms": min,
    "cost_ceiling": min,
    "auto_bid": min,  # false if any is false
    "futures_enabled": max,  # true if any is true
}


# Finds the contract for the goal named at a place; None = all goals of the service together.
Contracts = Callable[[str | None, Place], Contract]
