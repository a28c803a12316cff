"""Closures for calls of functions: what they cost, and where they went wrong."""

from collections.abc import Callable
from typing import Any

from bundles.celerror import CelError, spend
from bundles.celfunction import Function
from bundles.celnodes import Run, Scope
from bundles.celvalues import Work

TEXTS, ITEMS = (str, bytes), (list, tuple, dict)


def call(function: Function, args: tuple[Run, ...], column: int) -> Run:
    """The function on its arguments; whatever it refuses is told with its place."""
    run = {"text": _texts, "items": _items, "work": _working}.get(function.cost, _plain)(function.call, args)
    name = function.name

    def guarded(scope: Scope, work: Work) -> Any:
        try:
            return run(scope, work)
        except CelError as wrong:
            wrong.column = wrong.column or column
            raise
        except (ArithmeticError, ValueError):
            raise CelError(f"{name} cannot do this with these values", column) from None

    return guarded


def _plain(function: Callable[..., Any], args: tuple[Run, ...]) -> Run:
    if len(args) == 1:
        (only,) = args
        return lambda scope, work: function(only(scope, work))
    if len(args) == 2:
        first, second = args
        return lambda scope, work: function(first(scope, work), second(scope, work))
    return lambda scope, work: function(*[arg(scope, work) for arg in args])


def _texts(function: Callable[..., Any], args: tuple[Run, ...]) -> Run:
    """Pays for the texts that come in, and for the one that goes out."""

    def run(scope: Scope, work: Work) -> Any:
        values = [arg(scope, work) for arg in args]
        spend(work, sum(_length(value) for value in values) >> 5)
        result = function(*values)
        spend(work, _length(result) >> 5)
        return result

    return run


def _length(value: Any) -> int:
    if isinstance(value, TEXTS):
        return len(value)
    return len(value) << 4 if isinstance(value, ITEMS) else 0


def _items(function: Callable[..., Any], args: tuple[Run, ...]) -> Run:
    """Pays for each element that is looked at."""

    def run(scope: Scope, work: Work) -> Any:
        values = [arg(scope, work) for arg in args]
        spend(work, sum(len(value) for value in values if isinstance(value, ITEMS)))
        return function(*values)

    return run


def _working(function: Callable[..., Any], args: tuple[Run, ...]) -> Run:
    return lambda scope, work: function(work, *[arg(scope, work) for arg in args])
