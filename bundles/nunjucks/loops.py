"""`for`: over lists, texts and objects, with one name or several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bundles.nunjucks import units, values
from bundles.nunjucks.frames import Frame, Unit
from bundles.nunjucks.members import member
from bundles.nunjucks.operators import Expr
from bundles.nunjucks.undefined import UNDEFINED, Safe


@dataclass(frozen=True, slots=True)
class Plan:
    """`size` is the slot that keeps the length: as in the real renderer, it lasts while its function runs."""

    items: Expr
    names: list[str]
    slots: list[int]
    size: int
    body: Callable[[Unit], None]
    otherwise: Callable[[Unit], None] | None


def single(plan: Plan) -> Callable[[Unit], None]:
    items, body, size = plan.items, plan.body, plan.size
    slot, name = plan.slots[0], plan.names[0]

    def loop(unit: Unit) -> None:
        outer = unit.frame
        frame = unit.frame = Frame(outer)
        found = elements(unit, items(unit))
        if values.truthy(found):
            count, found = countable(unit, found)
            unit.slots[size] = count
            bindings = bound_loop(frame, found)
            index = 0
            while index < len(found):
                item = found[index]
                unit.slots[slot] = frame.names[name] = item
                turn(bindings, index, count)
                body(unit)
                index += 1
        finish(plan, unit)
        unit.frame = outer

    return loop


def bound_loop(frame: Frame, found: Any) -> dict[str, Any]:
    """What `loop` is; without a turn there is none."""
    made: dict[str, Any] = {}
    if isinstance(found, list | str | dict) and found:
        frame.names["loop"] = made
    return made


def elements(unit: Unit, found: Any) -> Any:
    """A safe text is an object with an iterator: whole characters, where a plain text has units."""
    if type(found) is not Safe:
        return found
    unit.run.spend(len(found.text))
    return list(found.text)


def turn(bindings: dict[str, Any], index: int, count: int) -> None:
    bindings["index"] = index + 1
    bindings["index0"] = index
    bindings["revindex"] = count - index
    bindings["revindex0"] = count - index - 1
    bindings["first"] = index == 0
    bindings["last"] = index == count - 1
    bindings["length"] = count


def countable(unit: Unit, found: Any) -> tuple[Any, Any]:
    """The length, and what to go through: lists and texts; an object with a length counts as a list too."""
    if type(found) is list:
        return len(found), found
    if type(found) is str:
        unit.run.make(len(found))
        cut = units.units(found)
        return len(cut), cut
    count = member(unit.run, found, "length")
    if count is UNDEFINED:
        return UNDEFINED, ""
    turns = values.number(unit.run, count)
    if not turns > 0:
        return count, ""
    unit.run.spend(int(min(turns, 1e9)))
    return turns, [member(unit.run, found, index) for index in range(int(turns))]


def several(plan: Plan) -> Callable[[Unit], None]:
    items = plan.items

    def loop(unit: Unit) -> None:
        outer = unit.frame
        frame = unit.frame = Frame(outer)
        found = elements(unit, items(unit))
        if values.truthy(found):
            bindings = bound_loop(frame, found)
            if type(found) is list:
                _elements(plan, unit, found, bindings)
            else:
                _entries(plan, unit, found, bindings)
        finish(plan, unit)
        unit.frame = outer

    return loop


def _elements(plan: Plan, unit: Unit, found: list[Any], bindings: dict[str, Any]) -> None:
    """Each element is taken apart; the names are bound, but as in the real renderer not in the frame."""
    count = unit.slots[plan.size] = len(found)
    index = 0
    while index < len(found):
        for position, slot in enumerate(plan.slots):
            unit.slots[slot] = member(unit.run, found[index], position, must=True)
        turn(bindings, index, count)
        plan.body(unit)
        index += 1


def _entries(plan: Plan, unit: Unit, found: Any, bindings: dict[str, Any]) -> None:
    count = units.length(found) if type(found) is str else len(found) if isinstance(found, dict) else 0
    unit.run.spend(count)
    names = values.keys(found) if isinstance(found, dict) else [str(index) for index in range(count)]
    unit.slots[plan.size] = len(names)
    for index, name in enumerate(names):
        pair = (name, member(unit.run, found, name))
        for slot, target, value in zip(plan.slots, plan.names, pair, strict=False):
            unit.slots[slot] = unit.frame.names[target] = value
        turn(bindings, index, len(names))
        plan.body(unit)


def finish(plan: Plan, unit: Unit) -> None:
    if plan.otherwise and not values.truthy(unit.slots[plan.size]):
        plan.otherwise(unit)
