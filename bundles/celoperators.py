"""Closures for arithmetic, comparison, equality and `in`: the frequent cases at once, the others by their kinds."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from bundles.celerror import MAX_INTEGER, MAX_SIZE, MIN_INTEGER, CelError, CelLimit, spend
from bundles.celnodes import Run, Scope
from bundles.celtimes import near
from bundles.celvalues import (
    LONG,
    NUMBERS,
    SCALARS,
    Work,
    equal,
    is_key,
    kind,
    moment,
    number,
    ordered,
    weight,
    word,
)

Operation = Callable[[Any, Any, Work], Any]
COMPARING = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
FAST = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def placed(operation: Operation, column: int, values: tuple[Any, Any], work: Work) -> Any:
    """The result, or the error with its place."""
    try:
        return operation(*values, work)
    except CelError as wrong:
        wrong.column = wrong.column or column
        raise
    except ArithmeticError:
        raise CelError("the number is too large", column) from None


# -- arithmetic


def arithmetic(op: str, left: Run, right: Run, column: int) -> Run:
    slow, fast = OPERATIONS[op], FAST.get(op)

    def run(scope: Scope, work: Work) -> Any:
        mine, yours = left(scope, work), right(scope, work)
        if fast and type(mine) in NUMBERS and type(yours) in NUMBERS:
            try:
                result = fast(mine, yours)
            except OverflowError:
                raise CelError("the number is too large", column) from None
            if MIN_INTEGER <= result <= MAX_INTEGER:
                return result
        return placed(slow, column, (mine, yours), work)

    return run


def _both(mine: Any, yours: Any) -> tuple[str, str]:
    return kind(mine), kind(yours)


def _numbers(mine: Any, yours: Any) -> bool:
    if type(mine) in NUMBERS and type(yours) in NUMBERS:
        return True
    return kind(mine) in ("int", "double") and kind(yours) in ("int", "double")


def add(mine: Any, yours: Any, work: Work) -> Any:
    if type(mine) is str and type(yours) is str:
        return _joined(mine, yours, work, 5)
    if type(mine) is list and type(yours) is list:
        spend(work, 5)
        return _joined(mine, yours, work, 3)
    if _numbers(mine, yours):
        return number(mine + yours)
    match _both(mine, yours):
        case ("string", "string") | ("bytes", "bytes"):
            return _joined(mine, yours, work, 5)
        case ("list", "list"):
            return _joined(list(mine), list(yours), work, 3)
        case ("timestamp", "duration"):
            return moment(mine) + yours
        case ("duration", "timestamp"):
            return mine + moment(yours)
        case ("duration", "duration"):
            return near(mine + yours)
    hint = ", string() makes texts" if "string" in _both(mine, yours) else ""
    raise CelError(f"{word(mine)} and {word(yours)} cannot be added{hint}")


def _joined(mine: Any, yours: Any, work: Work, shift: int) -> Any:
    size = len(mine) + len(yours)
    if size > MAX_SIZE:
        raise CelLimit(f"the value is larger than {MAX_SIZE} characters")
    spend(work, size >> shift)
    return mine + yours


def subtract(mine: Any, yours: Any, work: Work) -> Any:
    if _numbers(mine, yours):
        return number(mine - yours)
    match _both(mine, yours):
        case ("timestamp", "timestamp"):
            return moment(mine) - moment(yours)
        case ("timestamp", "duration"):
            return moment(mine) - yours
        case ("duration", "duration"):
            return near(mine - yours)
    raise _no_numbers(mine, yours)


def multiply(mine: Any, yours: Any, work: Work) -> Any:
    if _numbers(mine, yours):
        return number(mine * yours)
    raise _no_numbers(mine, yours)


def divide(mine: Any, yours: Any, work: Work) -> Any:
    """Whole numbers towards zero, as CEL has it."""
    _divisor(mine, yours)
    if isinstance(mine, int) and isinstance(yours, int):
        quotient = abs(mine) // abs(yours)
        return number(quotient if (mine < 0) == (yours < 0) else -quotient)
    return number(mine / yours)


def remainder(mine: Any, yours: Any, work: Work) -> Any:
    """With the sign of the dividend."""
    _divisor(mine, yours)
    if isinstance(mine, int) and isinstance(yours, int):
        rest = abs(mine) % abs(yours)
        return number(-rest if mine < 0 else rest)
    return math.fmod(mine, yours)


def _divisor(mine: Any, yours: Any) -> None:
    if not _numbers(mine, yours):
        raise _no_numbers(mine, yours)
    if yours == 0:
        raise CelError("division by zero")


def _no_numbers(mine: Any, yours: Any) -> CelError:
    return CelError(f"{word(mine)} and {word(yours)} cannot be calculated with")


OPERATIONS: dict[str, Operation] = {
    **{"+": add, "-": subtract, "*": multiply, "/": divide, "%": remainder},
}


def minus(operand: Run, column: int) -> Run:
    def run(scope: Scope, work: Work) -> Any:
        value = operand(scope, work)
        if type(value) is float or (type(value) is int and value > MIN_INTEGER and value <= MAX_INTEGER):
            return -value
        if kind(value) not in ("int", "double"):
            raise CelError(f"{word(value)} has no negative", column)
        return placed(subtract, column, (0 if isinstance(value, int) else -0.0, value), work)

    return run


# -- comparison


def comparison(op: str, left: Run, right: Run, column: int) -> Run:
    compare = COMPARING[op]

    def run(scope: Scope, work: Work) -> Any:
        mine, yours = left(scope, work), right(scope, work)
        if type(mine) in NUMBERS and type(yours) in NUMBERS:
            return compare(mine, yours)
        if type(mine) is str and type(yours) is str and len(mine) < LONG:
            return compare(mine, yours)
        return placed(slow, column, (mine, yours), work)

    def slow(mine: Any, yours: Any, work: Work) -> Any:
        spend(work, weight((mine, yours)))
        return compare(*ordered(mine, yours))

    return run


def comparison_with(op: str, left: Run, number: int | float, column: int) -> Run:
    """With a number that stands in the text."""
    compare = COMPARING[op]

    def run(scope: Scope, work: Work) -> Any:
        mine = left(scope, work)
        if type(mine) is int or type(mine) is float:
            return compare(mine, number)
        return placed(slow, column, (mine, number), work)

    def slow(mine: Any, yours: Any, work: Work) -> Any:
        return compare(*ordered(mine, yours))

    return run


def equality(left: Run, right: Run, wanted: bool) -> Run:
    def run(scope: Scope, work: Work) -> bool:
        mine, yours = left(scope, work), right(scope, work)
        if type(mine) is type(yours) and type(mine) in SCALARS and type(mine) is not str:
            return (mine == yours) is wanted
        return equal(mine, yours, work) is wanted

    return run


def equality_with(left: Run, value: Any, wanted: bool) -> Run:
    """With a text, a number, a truth value or null that stands in the text."""
    if value is None or isinstance(value, bool):
        return lambda scope, work: (left(scope, work) is value) is wanted
    if isinstance(value, str):
        return lambda scope, work: (left(scope, work) == value) is wanted

    def run(scope: Scope, work: Work) -> bool:
        mine = left(scope, work)
        return (mine == value and type(mine) is not bool) is wanted

    return run


# -- in


def membership(left: Run, right: Run, column: int) -> Run:
    def run(scope: Scope, work: Work) -> Any:
        return placed(within, column, (left(scope, work), right(scope, work)), work)

    return run


def within(value: Any, among: Any, work: Work) -> bool:
    if isinstance(among, Mapping):
        return is_key(value) and value in among
    if not isinstance(among, (list, tuple)):
        hint = ", use contains()" if isinstance(among, str) else ""
        raise CelError(f"in needs a list or a map, this is {word(among)}{hint}")
    if type(value) is str:
        spend(work, (len(among) >> 4) + (len(among) * len(value) >> 12))
        return value in among
    spend(work, len(among))
    return any(equal(value, other, work) for other in among)


def membership_of(left: Run, texts: frozenset[str]) -> Run:
    """In a list of texts that stands in the text."""

    def run(scope: Scope, work: Work) -> bool:
        value = left(scope, work)
        return isinstance(value, str) and value in texts

    return run
