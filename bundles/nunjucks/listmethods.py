"""The methods of lists that templates may call; those that change a list are kept apart."""

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from bundles.nunjucks import values
from bundles.nunjucks.entry import count_of, entries
from bundles.nunjucks.errors import Exhausted, Failure
from bundles.nunjucks.limits import MAX_LEVELS, Run
from bundles.nunjucks.undefined import UNDEFINED, Function


def at(run: Run, value: list[Any], at: Any = UNDEFINED) -> Any:
    index = count_of(run, at, 0)
    index += len(value) if index < 0 else 0
    return value[index] if 0 <= index < len(value) else UNDEFINED


def concat(run: Run, value: list[Any], *others: Any) -> Any:
    made = list(value)
    for other in others:
        made += other if type(other) is list else [other]
        run.spend(len(made))
    return made


def includes(run: Run, value: list[Any], item: Any = UNDEFINED) -> Any:
    run.spend(len(value) * values.weight(item))
    return any(values.strict(each, item) or (each != each and item != item) for each in value)


def index_of(run: Run, value: list[Any], item: Any = UNDEFINED, start: Any = UNDEFINED) -> Any:
    first, _ = span(run, value, (start, UNDEFINED))
    run.spend(len(value) * values.weight(item))
    return next((i for i in range(first, len(value)) if values.strict(value[i], item)), -1)


def last_index_of(run: Run, value: list[Any], item: Any = UNDEFINED) -> Any:
    run.spend(len(value) * values.weight(item))
    return next((i for i in reversed(range(len(value))) if values.strict(value[i], item)), -1)


def join(run: Run, value: list[Any], separator: Any = UNDEFINED) -> Any:
    return values.join(run, value, "," if separator is UNDEFINED else values.text(run, separator))


def span(run: Run, value: list[Any], given: tuple[Any, Any]) -> tuple[int, int]:
    """Where a part of the list starts and ends: below zero counts from the end."""
    size = len(value)
    first = count_of(run, given[0], 0)
    last = size if given[1] is UNDEFINED else count_of(run, given[1], 0)
    return (
        min(size, max(0, first + size if first < 0 else first)),
        min(size, max(0, last + size if last < 0 else last)),
    )


def piece(run: Run, value: list[Any], start: Any = UNDEFINED, end: Any = UNDEFINED) -> Any:
    first, last = span(run, value, (start, end))
    run.spend(max(0, last - first))
    return value[first:last]


def flat(run: Run, value: list[Any], depth: Any = UNDEFINED) -> Any:
    made: list[Any] = []
    _flatten(run, value, made, (0, 1 if depth is UNDEFINED else count_of(run, depth, 0)))
    return made


def _flatten(run: Run, value: list[Any], made: list[Any], level: tuple[int, int]) -> None:
    if level[0] > MAX_LEVELS:
        raise Exhausted(f"values are nested deeper than {MAX_LEVELS}")
    run.spend(len(value))
    for item in value:
        if type(item) is list and level[0] < level[1]:
            _flatten(run, item, made, (level[0] + 1, level[1]))
        else:
            made.append(item)


def callback(function: Any) -> Function:
    if type(function) is not Function:
        raise Failure("the argument is not a function")
    return function


def each(run: Run, value: list[Any], function: Any, use: Callable[[Any, Any, int], bool]) -> None:
    """Call for each element until `use` says stop."""
    found = callback(function)
    for index, item in enumerate(list(value)):
        run.spend(1)
        if use(found.call(run, [item, index, value]), item, index):
            return


def mapped(run: Run, value: list[Any], function: Any = UNDEFINED) -> Any:
    made: list[Any] = []

    def use(result: Any, item: Any, index: int) -> bool:
        made.append(result)
        return False

    each(run, value, function, use)
    return made


def filtered(run: Run, value: list[Any], function: Any = UNDEFINED) -> Any:
    made: list[Any] = []

    def use(result: Any, item: Any, index: int) -> bool:
        if values.truthy(result):
            made.append(item)
        return False

    each(run, value, function, use)
    return made


def found(run: Run, value: list[Any], function: Any, wanted: bool = True) -> list[Any]:
    """The first element that the function calls true (or false), and its index."""
    made: list[Any] = []

    def use(result: Any, item: Any, index: int) -> bool:
        if values.truthy(result) is wanted:
            made.extend([item, index])
        return bool(made)

    each(run, value, function, use)
    return made


def find(run: Run, value: list[Any], function: Any = UNDEFINED) -> Any:
    return (found(run, value, function) or [UNDEFINED])[0]


def find_index(run: Run, value: list[Any], function: Any = UNDEFINED) -> Any:
    return (found(run, value, function) or [UNDEFINED, -1])[1]


def some(run: Run, value: list[Any], function: Any = UNDEFINED) -> Any:
    return bool(found(run, value, function))


def every(run: Run, value: list[Any], function: Any = UNDEFINED) -> Any:
    return not found(run, value, function, False)


def for_each(run: Run, value: list[Any], function: Any = UNDEFINED) -> Any:
    each(run, value, function, lambda result, item, index: False)
    return UNDEFINED


def reduce(run: Run, value: list[Any], function: Any = UNDEFINED, *start: Any) -> Any:
    call = callback(function)
    waiting = list(enumerate(value))
    if not start and not waiting:
        raise Failure("Reduce of empty array with no initial value")
    made = start[0] if start else waiting.pop(0)[1]
    for index, item in waiting:
        run.spend(1)
        made = call.call(run, [made, item, index, value])
    return made


def push(run: Run, value: list[Any], *items: Any) -> Any:
    run.spend(len(items) + 1)
    value.extend(items)
    return len(value)


def pop(run: Run, value: list[Any]) -> Any:
    return value.pop() if value else UNDEFINED


def shift(run: Run, value: list[Any]) -> Any:
    run.spend(len(value) // 32 + 1)
    return value.pop(0) if value else UNDEFINED


def unshift(run: Run, value: list[Any], *items: Any) -> Any:
    run.spend(len(items) + len(value) // 32 + 1)
    value[:0] = items
    return len(value)


def splice(run: Run, value: list[Any], *arguments: Any) -> Any:
    if not arguments:
        return []
    first, _ = span(run, value, (arguments[0], UNDEFINED))
    count = len(value) if len(arguments) < 2 else max(0, count_of(run, arguments[1], 0))
    run.spend(len(value) + len(arguments))
    removed = value[first : first + count]
    value[first : first + count] = arguments[2:]
    return removed


def reverse(run: Run, value: list[Any]) -> Any:
    run.spend(len(value))
    value.reverse()
    return value


def sort(run: Run, value: list[Any], function: Any = UNDEFINED) -> Any:
    """By text, unless a function compares; undefined comes last."""
    run.spend(len(value))
    if function is not UNDEFINED:
        callback(function)

    def compare(one: Any, two: Any) -> int:
        run.spend(1)
        if function is not UNDEFINED:
            result = values.number(run, callback(function).call(run, [one, two]))
            return (result > 0) - (result < 0)
        left, right = values.text(run, one), values.text(run, two)
        return values.less_text(run, right, left) - values.less_text(run, left, right)

    known = sorted((item for item in value if item is not UNDEFINED), key=cmp_to_key(compare))
    value[:] = known + [UNDEFINED] * (len(value) - len(known))
    return value


def fill(run: Run, value: list[Any], item: Any = UNDEFINED, *place: Any) -> Any:
    first, last = span(run, value, ((*place, UNDEFINED, UNDEFINED)[0], (*place, UNDEFINED, UNDEFINED)[1]))
    run.spend(len(value))
    value[first:last] = [item] * max(0, last - first)
    return value


LIST_METHODS = entries(
    {
        **{"at": at, "concat": concat, "includes": includes, "indexOf": index_of, "join": join},
        **{"lastIndexOf": last_index_of, "slice": piece, "flat": flat, "map": mapped, "filter": filtered},
        **{"find": find, "findIndex": find_index, "some": some, "every": every, "forEach": for_each},
        **{"reduce": reduce},
    }
)
CHANGING_METHODS = entries(
    {
        **{"push": push, "pop": pop, "shift": shift, "unshift": unshift, "splice": splice},
        **{"reverse": reverse, "sort": sort, "fill": fill},
    }
)
