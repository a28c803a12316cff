"""Closures for the macros, which go through a list or the keys of a map and pay a step for each node each time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bundles.celerror import FAILURE, CelError, CelLimit, CelMissing, spend
from bundles.cellists import order, sorted_by
from bundles.celnodes import Run, Scope, not_bool
from bundles.celvalues import Work, word


@dataclass(frozen=True, slots=True)
class Loop:
    """What a macro goes through, where it puts each element, and what a round costs."""

    over: Run
    slot: int
    cost: int
    column: int

    def values(self, scope: Scope, work: Work) -> Any:
        found = self.over(scope, work)
        if isinstance(found, (list, tuple, Mapping)):
            spend(work, self.cost)
            return found
        raise CelError(f"only lists and maps can be gone through, this is {word(found)}", self.column)


def quantified(loop: Loop, body: Run, stop: bool) -> Run:
    """`all` stops at false, `exists` at true; a round that fails does not matter when another decides."""

    slot, cost = loop.slot, loop.cost

    def run(scope: Scope, work: Work) -> bool:
        failure: CelError | None = None
        for element in loop.values(scope, work):
            work[0] -= cost
            if work[0] < 0:
                spend(work, 0)  # raises
            work[slot] = element
            try:
                value = body(scope, work)
            except CelLimit:
                raise
            except CelError as wrong:
                spend(work, FAILURE)
                failure = failure or wrong
                continue
            if value is stop:
                return bool(stop)
            if type(value) is not bool:
                failure = failure or not_bool(value, loop.column)
        if failure:
            raise failure
        return not stop

    return run


def exists_one(loop: Loop, body: Run) -> Run:
    slot, cost = loop.slot, loop.cost

    def run(scope: Scope, work: Work) -> bool:
        found = 0
        for element in loop.values(scope, work):
            work[0] -= cost
            if work[0] < 0:
                spend(work, 0)  # raises
            work[slot] = element
            found += decided(body(scope, work), loop.column)
        return found == 1

    return run


def decided(value: Any, column: int) -> bool:
    if value is True or value is False:
        return bool(value)
    raise not_bool(value, column)


def mapped(loop: Loop, body: Run) -> Run:
    slot, cost = loop.slot, loop.cost

    def run(scope: Scope, work: Work) -> list[Any]:
        found = []
        for element in loop.values(scope, work):
            work[0] -= cost
            if work[0] < 0:
                spend(work, 0)  # raises
            work[slot] = element
            found.append(body(scope, work))
        return found

    return run


def chosen(loop: Loop, test: Run, body: Run | None) -> Run:
    """`filter`, and `map` with a condition."""

    slot, cost = loop.slot, loop.cost

    def run(scope: Scope, work: Work) -> list[Any]:
        found = []
        for element in loop.values(scope, work):
            work[0] -= cost
            if work[0] < 0:
                spend(work, 0)  # raises
            work[slot] = element
            if decided(test(scope, work), loop.column):
                found.append(body(scope, work) if body else element)
        return found

    return run


def sort_by(loop: Loop, body: Run) -> Run:
    keys_of = mapped(loop, body)

    def run(scope: Scope, work: Work) -> list[Any]:
        values = loop.over(scope, work)
        keys = keys_of(scope, work)
        order(work, keys)
        try:
            return sorted_by(list(values), keys)
        except CelError as wrong:
            wrong.column = wrong.column or loop.column
            raise

    return run


def default(value: Run, otherwise: Run) -> Run:
    """The value, when all of its fields are there and it is not null."""

    def run(scope: Scope, work: Work) -> Any:
        try:
            found = value(scope, work)
        except CelMissing:
            spend(work, FAILURE)
            found = None
        return otherwise(scope, work) if found is None else found

    return run


Quantifier = Callable[[Loop, Run], Run]
ONE: dict[str, Quantifier] = {
    "all": lambda loop, body: quantified(loop, body, False),
    "exists": lambda loop, body: quantified(loop, body, True),
    "exists_one": exists_one,
    "existsOne": exists_one,
    "map": mapped,
    "filter": lambda loop, body: chosen(loop, body, None),
    "sortBy": sort_by,
}
