"""Two runs of a flow side by side: which steps took in, gave out or lasted something else."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.flowsteps import Step, timeline

SLOWER = 2.0  # times as long is told
NOTABLE_US = 1000  # shorter differences are noise


@dataclass(frozen=True, slots=True)
class Pair:
    """The nth step of a node in both runs; ``differs`` names what is not the same."""

    node: str
    nth: int
    one: Step | None
    two: Step | None
    differs: tuple[str, ...]

    @property
    def kind(self) -> str:
        found = self.one or self.two
        return found.kind if found else ""


def pairs(one: Iterable[dict[str, Any]], two: Iterable[dict[str, Any]]) -> list[Pair]:
    """In the order of the first run; what only the second did comes after the step before it there."""
    left, right = by_turn(steps_of(one)), by_turn(steps_of(two))
    return [
        Pair(*key, left.get(key), right.get(key), differences(left.get(key), right.get(key)))
        for key in merged(list(left), list(right))
    ]


def steps_of(recorded: Iterable[dict[str, Any]]) -> Sequence[Step]:
    found = timeline(recorded)
    return found.steps if found else ()


Turn = tuple[str, int]


def by_turn(steps: Iterable[Step]) -> dict[Turn, Step]:
    """Each step by its node and which time it is that this node ran."""
    seen: Counter[str] = Counter()
    found: dict[Turn, Step] = {}
    for step in steps:
        name = f"{step.flow}:{step.node}" if step.flow else step.node
        seen[name] += 1
        found[name, seen[name]] = step
    return found


def merged(first: list[Turn], second: list[Turn]) -> list[Turn]:
    known = set(first)
    after: dict[Turn | None, list[Turn]] = {}
    last: Turn | None = None
    for key in second:
        if key in known:
            last = key
        else:
            after.setdefault(last, []).append(key)
    return [*after.get(None, ()), *(key for own in first for key in (own, *after.get(own, ())))]


def differences(one: Step | None, two: Step | None) -> tuple[str, ...]:
    if one is None or two is None:
        return ("only in the second",) if one is None else ("only in the first",)
    found = [name for name in ("input", "output", "error") if getattr(one, name) != getattr(two, name)]
    return (*found, *(("time",) if slower(one.duration_us, two.duration_us) else ()))


def slower(one: int, two: int) -> bool:
    """Twice as long, and not by a mere moment."""
    short, long = sorted((one, two))
    return long - short >= NOTABLE_US and long >= SLOWER * short
