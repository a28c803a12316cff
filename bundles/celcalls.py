"""Closures for calls of functions: what they cost, and where they went wrong."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from bundles.celerror import CelError, spend
from bundles.celfunction import Function
from bundles.celnodes import Run, Scope
from bundles.celvalues import Work, weight

Told: TypeAlias = Callable[[Exception], CelError]
TEXTS, ITEMS = (str, bytes), (list, tuple, dict)
FAILURES = (ArithmeticError, ValueError)  # the second one is also what CelError is


def call(function: Function, args: tuple[Run, ...], column: int) -> Run:
    """The function on its arguments; whatever it refuses is told with its place."""

    def told(wrong: Exception) -> CelError:
        if isinstance(wrong, CelError):
            wrong.column = wrong.column or column
            return wrong
        return CelError(f"{function.name} cannot do this with these values", column)

    make = {"text": _texts, "items": _items, "work": _working}.get(function.cost, _plain)
    return make(function.call, args, told)


def _plain(function: Callable[..., Any], args: tuple[Run, ...], told: Told) -> Run:
    if len(args) == 1:
        return _of_one(function, args[0], told)

    def run(scope: Scope, work: Work) -> Any:
        try:
            return function(*[arg(scope, work) for arg in args])
        except FAILURES as wrong:
            raise told(wrong) from None

    return run


def _of_one(function: Callable[..., Any], arg: Run, told: Told) -> Run:
    def run(scope: Scope, work: Work) -> Any:
        try:
            return function(arg(scope, work))
        except FAILURES as wrong:
            raise told(wrong) from None

    return run


def _texts(function: Callable[..., Any], args: tuple[Run, ...], told: Told) -> Run:
    """Pays for the texts that come in, and for what goes out."""

    def run(scope: Scope, work: Work) -> Any:
        try:
            values = [arg(scope, work) for arg in args]
            _pay(work, values)
            result = function(*values)
            _pay(work, (result,))
        except FAILURES as wrong:
            raise told(wrong) from None
        return result

    return run


def _pay(work: Work, values: Iterable[Any]) -> None:
    size = 0
    for value in values:
        if isinstance(value, TEXTS):
            size += len(value)
        elif isinstance(value, ITEMS):
            size += len(value) << 4
    spend(work, size >> 5)


def _items(function: Callable[..., Any], args: tuple[Run, ...], told: Told) -> Run:
    """Pays for each element that is looked at."""

    def run(scope: Scope, work: Work) -> Any:
        try:
            values = [arg(scope, work) for arg in args]
            for value in (values, *values):
                if isinstance(value, ITEMS):
                    spend(work, len(value) + weight(value))
            return function(*values)
        except FAILURES as wrong:
            raise told(wrong) from None

    return run


def _working(function: Callable[..., Any], args: tuple[Run, ...], told: Told) -> Run:
    """The function pays by itself."""

    def run(scope: Scope, work: Work) -> Any:
        try:
            return function(work, *[arg(scope, work) for arg in args])
        except FAILURES as wrong:
            raise told(wrong) from None

    return run
