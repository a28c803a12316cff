"""Functions for lists and maps."""

from collections.abc import Callable, Mapping
from typing import Any

from bundles.celerror import CelError, CelLimit, spend
from bundles.celfunction import Function, expect, list_of, number_of, whole_of
from bundles.celvalues import NUMBERS, Work, equal, kind, number, ordered, weight

MAX_RANGE = 100_000


def total(values: Any) -> int | float:
    """0 of an empty list."""
    if set(map(type, list_of(values))) <= NUMBERS:
        return number(sum(values))
    result: int | float = 0
    for value in list_of(values):
        result = number(result + number_of(value))
    return result


def extreme(later: bool) -> Callable[..., Any]:
    """The greatest or the least of its arguments, or of one list."""

    def run(*values: Any) -> Any:
        among = values[0] if len(values) == 1 and kind(values[0]) == "list" else values
        if not among:
            raise CelError("an empty list has no least and no greatest element")
        return _best(among, later)

    return run


def _best(among: Any, later: bool) -> Any:
    if comparable(among):
        return max(among) if later else min(among)
    best = among[0]
    ordered(best, best)
    for value in among[1:]:
        first, second = ordered(best, value)
        if (second > first) if later else (second < first):
            best = value
    return best


def comparable(values: Any) -> bool:
    """Whether Python's own order of these is ours: all of them numbers, or all of them texts."""
    kinds = set(map(type, values))
    return kinds <= NUMBERS or kinds == {str}


def sort(work: Work, values: Any) -> list[Any]:
    order(work, list_of(values))
    return sorted(values) if comparable(values) else sorted_by(list(values), list(values))


def order(work: Work, values: Any) -> None:
    """What it costs to bring these into their order."""
    spend(work, 3 * len(values) + weight(values))


def sorted_by(values: list[Any], keys: list[Any]) -> list[Any]:
    """The values in the order of their keys, which must be comparable with each other."""
    if not keys:
        return []
    known = keys if comparable(keys) else [ordered(key, keys[0])[0] for key in keys]
    return [values[place] for place in sorted(range(len(keys)), key=known.__getitem__)]


def distinct(work: Work, values: Any) -> list[Any]:
    """Without repetitions; texts and numbers in linear time, the rest by comparing."""
    found: list[Any] = []
    seen: set[Any] = set()
    others: list[Any] = []
    spend(work, 2 * len(list_of(values)) + weight(values))
    if comparable(values):
        return list(dict.fromkeys(values))
    spend(work, 3 * len(values))
    for value in values:
        simple = kind(value) in ("string", "int", "double")
        if simple and value not in seen:
            seen.add(value)
            found.append(value)
        elif not simple and not _among(work, value, others):
            others.append(value)
            found.append(value)
    return found


def _among(work: Work, value: Any, others: list[Any]) -> bool:
    spend(work, 4 * len(others))
    return any(equal(value, other, work) for other in others)


def flatten(work: Work, values: Any) -> list[Any]:
    """One level."""
    found: list[Any] = []
    for value in list_of(values):
        inner = value if kind(value) == "list" else [value]
        spend(work, 3 + (len(inner) >> 3))
        found.extend(inner)
    return found


def cut(values: Any, start: Any, end: Any) -> list[Any]:
    values, start, end = list_of(values), whole_of(start, 1), whole_of(end, 2)
    if not 0 <= start <= end <= len(values):
        raise CelError("slice goes beyond the ends of the list")
    return list(values[start:end])


def count_up(work: Work, count: Any) -> list[int]:
    count = whole_of(count)
    if count > MAX_RANGE:
        raise CelLimit(f"lists.range makes at most {MAX_RANGE} numbers")
    spend(work, max(count, 0) >> 1)
    return list(range(count))


def keys(values: Any) -> list[Any]:
    expect(values, "map")
    return list(values)


def values_of(values: Any) -> list[Any]:
    expect(values, "map")
    return list(values.values())


def merge(work: Work, *maps: Any) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for place, one in enumerate(maps):
        expect(one, "map", place)
        spend(work, len(one))
        found.update(one.items() if isinstance(one, Mapping) else ())
    return found


def _function(signature: str, doc: str, call: Any, args: tuple[int, int] = (1, 1), **more: Any) -> Function:
    head = signature.split("(")[0]
    more = {"style": "method" if head.startswith("list.") else "function", "cost": "items", **more}
    return Function(head.removeprefix("list."), signature, doc, "Lists and maps", call, args, **more)


FUNCTIONS = (
    _function(
        "min(a, b, …)", "The least argument, or the least element of one list.", extreme(False), (1, 16)
    ),
    _function(
        "max(a, b, …)", "The greatest argument, or the greatest element of one list.", extreme(True), (1, 16)
    ),
    _function("math.least(a, b, …)", "The same as min.", extreme(False), (1, 16)),
    _function("math.greatest(a, b, …)", "The same as max.", extreme(True), (1, 16)),
    _function("sum(list)", "All numbers of the list together; 0 of an empty one.", total),
    _function("math.sum(list)", "The same as sum.", total),
    _function("list.sort()", "In order: numbers, texts or times.", sort, cost="work"),
    _function("list.distinct()", "Without repetitions.", distinct, cost="work"),
    _function(
        "list.flatten()", "With the elements of its lists in their place, one level.", flatten, cost="work"
    ),
    _function(
        "list.slice(start, end)", "The elements from start (0 is the first) to before end.", cut, (3, 3)
    ),
    _function("lists.range(count)", "The list 0, 1, 2 … of this many numbers.", count_up, cost="work"),
    _function("keys(map)", "The list of its keys.", keys),
    _function("values(map)", "The list of its values.", values_of),
    _function("merge(map, map, …)", "One map of all; later ones win.", merge, (1, 16), cost="work"),
)
