"""Expressions of flows: CEL, read once and turned into closures that touch only what they name.

No eval, no attributes of Python objects, no regular expressions that backtrack; every evaluation has a budget.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bundles.celcompile import Compiler
from bundles.celerror import MAX_STEPS, CelError, CelLimit, CelMissing, spend
from bundles.celparser import Name, Node, parse
from bundles.celvalues import Work, measure, plain, word, written

__all__ = [
    "ROOTS",
    "CelError",
    "CelLimit",
    "CelMissing",
    "Expression",
    "compile",
    "decide",
    "of_tree",
    "truth",
]

# What a flow's expressions may begin with, and what it is.
ROOTS = {
    "payload": "what came to this node",
    "trigger": "what started the run: body, headers, query, params",
    "steps": "results of earlier nodes by their names",
    "item": "the element of the loop around this node",
    "index": "its place in the loop, from 0",
    "execution": "this run: id, flow, tenant, started, a time, and links, those that end its waits",
    "secret": "secrets by name; only in headers and body of http",
    "vars": "variables of the bundle and the tenant",
}
T = TypeVar("T")
STRANGERS = frozenset({bytes, datetime, timedelta})  # JSON does not have them


class Expression:
    """A compiled expression: call it with a scope. What it gives is of JSON's kinds."""

    __slots__ = ("_fresh", "_measured", "_plain", "_run", "bare", "columns", "names")

    def __init__(self, node: Node) -> None:
        compiler = Compiler()
        self._run = compiler.compile(node)
        self._fresh: list[Any] = [MAX_STEPS, *[None] * (compiler.slots - 1)]
        self._plain = compiler.exotic
        self._measured = compiler.measured or compiler.exotic
        self.columns: Mapping[str, int] = compiler.columns  # root names -> where each is used first
        self.names = frozenset(compiler.columns)
        # The root's name when the expression is only that: nothing needs to be parsed then.
        self.bare = node.name if isinstance(node, Name) and node.name in self.names else ""

    def __call__(self, scope: Mapping[str, Any]) -> Any:
        work = self._fresh.copy()
        try:
            value = self._run(scope, work)
        except RecursionError:
            raise CelLimit("the expression is nested too deeply") from None
        if self._measured or type(value) in STRANGERS:
            return self._finished(value, work)
        return value

    def within(self, scope: Mapping[str, Any], steps: int) -> tuple[Any, int]:
        """The value, and how many of these steps are left: several expressions share a budget so."""
        work = [min(steps, MAX_STEPS), *self._fresh[1:]]
        try:
            value = self._finished(self._run(scope, work), work)
        except RecursionError:
            raise CelLimit("the expression is nested too deeply") from None
        return value, work[0]

    def metered(self, scope: Mapping[str, Any], left: list[int]) -> Any:
        """The value. Its steps are taken from the first of ``left``, also when it fails; below 0 there were too few."""
        before, work = left[0], self._fresh.copy()
        if before < MAX_STEPS:
            work[0] = before
        most = work[0]
        try:
            return self._finished(self._run(scope, work), work)
        except RecursionError:
            raise CelLimit("the expression is nested too deeply") from None
        finally:
            left[0] = before - most + work[0]

    def _finished(self, value: Any, work: Work) -> Any:
        if self._measured:
            spend(work, measure(value) >> 4)
        if self._plain:
            return plain(value)
        return written(value) if type(value) in STRANGERS else value


def compile(text: str) -> Expression:
    """Reads an expression. CelError says what is wrong with it, and at which column."""
    return Expression(parse(text))


def of_tree(node: Node) -> Expression:
    """Of a tree that was read already."""
    return Expression(node)


def decide(
    cases: Iterable[tuple[Expression, T]], otherwise: T, scope: Mapping[str, Any], left: list[int]
) -> T:
    """What belongs to the first condition that holds; all of them share one budget, the first of ``left``."""
    before = left[0]
    shared = [min(before, MAX_STEPS)]
    most = shared[0]
    try:
        for condition, chosen in cases:
            if truth(condition.metered(scope, shared)):
                return chosen
        return otherwise
    finally:
        left[0] = before - most + shared[0]


def truth(value: Any) -> bool:
    """A condition's value, which must be true or false."""
    if value is True or value is False:
        return bool(value)
    raise CelError(f"a condition must be true or false, this is {word(value)}")
