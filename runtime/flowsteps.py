"""The steps of a run as a page shows them: in order, with their place in time, what went in and what came out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from runtime.shown import parsed

WIDTH = 100.0  # of the timeline
NARROWEST = 0.6


@dataclass(frozen=True, slots=True)
class Step:
    """One step; ``left`` and ``width`` are its place in a timeline of 100."""

    number: int
    node: str
    flow: str  # of which it is, where that is one that the run's flow called
    kind: str
    target: str
    source: str
    to: tuple[str, ...]
    units: int
    attempt: int
    duration_us: int
    left: float
    width: float
    error: str
    input: Any
    output: Any


@dataclass(frozen=True, slots=True)
class Timeline:
    """The steps that were kept, how many were not, and where a retry would begin."""

    steps: tuple[Step, ...]
    dropped: int
    failed: str  # the node of the last step that failed; empty when none did


def timeline(recorded: Iterable[dict[str, Any]]) -> Timeline | None:
    """None for runs of plain endpoints, whose steps are calls without nodes."""
    entries = list(recorded)
    nodes = [entry for entry in entries if entry.get("node")]
    if not nodes:
        return None
    start = min(entry.get("at_us", 0) for entry in nodes)
    end = max(entry.get("at_us", 0) + entry.get("duration_us", 0) for entry in nodes)
    steps = tuple(step(number, entry, start, max(1, end - start)) for number, entry in enumerate(nodes, 1))
    failed = next((one.node for one in reversed(steps) if one.error), "")
    return Timeline(steps, sum(entry.get("dropped", 0) for entry in entries), failed)


def step(number: int, entry: dict[str, Any], start: int, whole: int) -> Step:
    duration = entry.get("duration_us", 0)
    width = max(NARROWEST, WIDTH * duration / whole)
    to = entry.get("to") or ()
    return Step(
        number=number,
        node=entry["node"],
        kind=entry.get("kind", ""),
        target=entry.get("target", ""),
        flow=entry.get("flow", ""),
        source=entry.get("from") or "",
        to=(to,) if isinstance(to, str) else tuple(to),
        units=entry.get("units", 0),
        attempt=entry.get("attempt", 0) + 1,  # 0 is the first try
        duration_us=duration,
        left=min(WIDTH - width, WIDTH * (entry.get("at_us", start) - start) / whole),
        width=width,
        error=reason(entry.get("error")),
        input=value(entry.get("input")),
        output=value(entry.get("output")),
    )


def value(recorded: Any) -> Any:
    return parsed(recorded) if isinstance(recorded, str) else recorded


def reason(error: Any) -> str:
    """An error is a text, or {code, message}."""
    if isinstance(error, dict):
        return ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))
    return str(error) if error else ""
