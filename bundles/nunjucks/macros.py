"""Macros and the bodies of `call`: functions that templates define."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bundles.nunjucks import values
from bundles.nunjucks.frames import Frame, Unit
from bundles.nunjucks.limits import Run
from bundles.nunjucks.operators import Expr
from bundles.nunjucks.undefined import UNDEFINED, Function, Keywords, Safe


class MacroCode:
    """`keep`: the body of a `call`, which sees what is bound around it; `own` are its slots among those."""

    __slots__ = ("body", "defaults", "keep", "name", "own", "parameters", "size", "slots")

    def __init__(self, name: str, parameters: list[str], slots: list[int], *, keep: bool) -> None:
        self.name = name
        self.parameters = parameters
        self.slots = slots
        self.keep = keep
        self.defaults: list[tuple[str, Expr]] = []
        self.body: Callable[[Unit], None] = lambda unit: None
        self.size = 0
        self.own = (0, 0)

    def make(self, unit: Unit) -> Function:
        around = unit.slots

        def call(run: Run, arguments: list[Any]) -> Any:
            return self._call(unit, around, arguments)

        return Function(self.name, call)

    def _call(self, unit: Unit, around: list[Any], arguments: list[Any]) -> Safe:
        given, named = self._arguments(arguments)
        before = (unit.frame, unit.slots, unit.out)
        unit.run.enter()
        unit.frame = Frame(unit.frame, isolated=True) if self.keep else Frame()
        unit.slots = around if self.keep else [UNDEFINED] * self.size
        saved = unit.slots[slice(*self.own)]
        unit.out = []
        self._bind(unit, given, named)
        self.body(unit)
        made = Safe(values.glue(unit.run, unit.out))
        unit.slots[slice(*self.own)] = saved
        unit.frame, unit.slots, unit.out = before
        unit.run.leave()
        return made

    def _bind(self, unit: Unit, given: list[Any], named: dict[str, Any]) -> None:
        names = unit.frame.names
        if "caller" in named:
            names["caller"] = named["caller"]
        for parameter, slot, value in zip(self.parameters, self.slots, given, strict=True):
            unit.slots[slot] = names[parameter] = value
        for name, default in self.defaults:
            names[name] = named[name] if name in named else default(unit)

    def _arguments(self, arguments: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        return spread(arguments, self.parameters, [name for name, _ in self.defaults])


def spread(
    arguments: list[Any], parameters: list[str], defaults: list[str]
) -> tuple[list[Any], dict[str, Any]]:
    """Positional arguments for the parameters (by name when too few are given), and what is left by name."""
    named: dict[str, Any] = {}
    if arguments and type(arguments[-1]) is Keywords:
        named = dict(arguments[-1])
        arguments = arguments[:-1]
    count = len(parameters)
    given = arguments[:count]
    named.update(zip(defaults, arguments[count:], strict=False))
    given += [named.pop(name, UNDEFINED) for name in parameters[len(given) :]]
    return given, named
