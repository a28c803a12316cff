"""The built-in filters for lists, objects and numbers."""

import math
import random
from functools import cmp_to_key
from typing import Any

from bundles.nunjucks import jsontext, numbers, units, values
from bundles.nunjucks.entry import absent, entries, given, items_of, list_for
from bundles.nunjucks.errors import Failure
from bundles.nunjucks.limits import Run
from bundles.nunjucks.macros import spread
from bundles.nunjucks.members import member
from bundles.nunjucks.tests import TESTS
from bundles.nunjucks.undefined import UNDEFINED, Safe


def absolute(run: Run, value: Any = UNDEFINED) -> Any:
    return abs(values.number(run, value))


def batch(run: Run, value: Any = UNDEFINED, size: Any = UNDEFINED, fill: Any = UNDEFINED) -> Any:
    wide = values.number(run, size)
    made: list[Any] = []
    row: list[Any] = []
    for index, item in enumerate(items_of(run, value)):
        if row and numbers.modulo(index, wide) == 0:
            made.append(row)
            row = []
        row.append(item)
    if row:
        if values.truthy(fill) and wide > len(row):
            run.spend(int(min(wide, 1e9)))
            row += [fill] * (math.ceil(wide) - len(row))
        made.append(row)
    return made


def default(run: Run, value: Any = UNDEFINED, other: Any = UNDEFINED, false_too: Any = UNDEFINED) -> Any:
    if values.truthy(false_too):
        return value if values.truthy(value) else other
    return other if value is UNDEFINED else value


def dictsort(run: Run, value: Any = UNDEFINED, case: Any = UNDEFINED, by: Any = UNDEFINED) -> Any:
    if not isinstance(value, dict):
        raise Failure("dictsort filter: val must be an object")
    if by is not UNDEFINED and by not in ("key", "value"):
        raise Failure("dictsort filter: You can only sort by either key or value")
    side = 1 if by == "value" else 0

    def compare(one: list[Any], two: list[Any]) -> int:
        left, right = one[side], two[side]
        if not values.truthy(case):
            left, right = upper(run, left), upper(run, right)
        if values.less(run, right, left):
            return 1
        return 0 if values.strict(left, right) else -1

    pairs = [[name, value[name]] for name in values.keys(value)]
    return sorted(pairs, key=charged(run, len(pairs), compare))


def upper(run: Run, value: Any) -> Any:
    if type(value) is not str:
        return value
    run.read(len(value))
    return value.upper()


def charged(run: Run, count: int, compare: Any) -> Any:
    """A key for sorting; every comparison costs."""
    run.spend(count)

    def step(one: Any, two: Any) -> int:
        run.spend(1)
        return int(compare(one, two))

    return cmp_to_key(step)


def first(run: Run, value: Any = UNDEFINED) -> Any:
    return member(run, value, 0, must=True)


def last(run: Run, value: Any = UNDEFINED) -> Any:
    count = member(run, value, "length", must=True)
    return member(run, value, values.number(run, count) - 1)


def length(run: Run, value: Any = UNDEFINED) -> Any:
    value = given(value)
    return len(value) if isinstance(value, dict) else member(run, value, "length")


def join(run: Run, value: Any = UNDEFINED, separator: Any = UNDEFINED, name: Any = UNDEFINED) -> Any:
    if values.truthy(name):
        value = [member(run, item, name, must=True) for item in mapped(run, value)]
    items = list_for(value, "join")
    return values.join(run, items, values.text(run, separator) if values.truthy(separator) else "")


def mapped(run: Run, value: Any) -> list[Any]:
    """A copy of a list; nothing for what is not one."""
    if type(value) is str or type(value) is Safe:
        return items_of(run, value)
    if type(value) is not list:
        return []
    run.spend(len(value))
    return list(value)


def to_list(run: Run, value: Any = UNDEFINED) -> Any:
    if type(value) is Safe:
        value = {"val": value.text, "length": units.length(value.text)}
    if type(value) is str:
        return items_of(run, value)
    if isinstance(value, dict):
        run.spend(len(value))
        return [{"key": name, "value": value[name]} for name in values.keys(value)]
    if type(value) is list:
        return value
    raise Failure("list filter: type not iterable")


def choose(run: Run, value: Any = UNDEFINED) -> Any:
    count = values.number(run, member(run, value, "length", must=True))
    return member(run, value, math.floor(random.random() * count)) if count == count else UNDEFINED  # noqa: S311


def tested(run: Run, value: Any, arguments: tuple[Any, ...], wanted: bool) -> list[Any]:
    name, second = (*arguments, UNDEFINED, UNDEFINED)[:2]
    name = "truthy" if name is UNDEFINED else values.text(run, name)
    if name not in TESTS:
        raise Failure(f"test not found: {name}")
    if absent(value):
        raise Failure("Array.prototype.slice called on null or undefined")
    test = TESTS[name]
    return [item for item in items_of(run, value) if test.apply(run, *(item, second)[: test.arity]) is wanted]


def select(run: Run, value: Any = UNDEFINED, name: Any = UNDEFINED, second: Any = UNDEFINED) -> Any:
    return tested(run, value, (name, second), True)


def reject(run: Run, value: Any = UNDEFINED, name: Any = UNDEFINED, second: Any = UNDEFINED) -> Any:
    return tested(run, value, (name, second), False)


def selectattr(run: Run, value: Any = UNDEFINED, name: Any = UNDEFINED) -> Any:
    return _with(run, value, name, True)


def rejectattr(run: Run, value: Any = UNDEFINED, name: Any = UNDEFINED) -> Any:
    return _with(run, value, name, False)


def _with(run: Run, value: Any, name: Any, wanted: bool) -> list[Any]:
    items = list_for(value, "filter")
    run.spend(len(items))
    return [item for item in items if values.truthy(member(run, item, name, must=True)) is wanted]


def reverse(run: Run, value: Any = UNDEFINED) -> Any:
    if type(value) is str:
        run.make(len(value))
        return units.whole(units.units(value)[::-1])
    return mapped(run, value)[::-1]


def round_number(run: Run, value: Any = UNDEFINED, precision: Any = UNDEFINED, how: Any = UNDEFINED) -> Any:
    places = values.number(run, precision) if values.truthy(precision) else 0
    factor = numbers.power(10, places)
    scaled = numbers.multiply(values.number(run, value), factor)
    if how == "ceil":
        scaled = -numbers.floor(-scaled) if scaled else scaled
    elif how == "floor":
        scaled = numbers.floor(scaled)
    else:
        scaled = numbers.round_half_up(scaled)
    return numbers.divide(scaled, factor)


def slices(run: Run, value: Any = UNDEFINED, count: Any = UNDEFINED, fill: Any = UNDEFINED) -> Any:
    """The elements in so many lists of nearly the same length, the longer ones first."""
    number = values.number(run, count)
    wanted = math.ceil(min(number, 1e9)) if number > 0 else 0
    run.spend(wanted)
    items = items_of(run, value.text if type(value) is Safe else value)
    if wanted and type(value) not in (list, str, Safe):
        raise Failure("slice is not a function of what is not a list")
    size, extra = (int(len(items) // number), len(items) % number) if wanted else (0, 0)
    made: list[Any] = []
    start = 0
    for index in range(wanted):
        end = start + size + (index < extra)
        part: Any = items[start:end]
        if type(value) is not list:
            part = units.whole("".join(part))
        if values.truthy(fill) and index >= extra:
            part = [*list_for(part, "push"), fill]
        made.append(part)
        start = end
    return made


def total(run: Run, value: Any = UNDEFINED, name: Any = UNDEFINED, start: Any = UNDEFINED) -> Any:
    if values.truthy(name):
        value = [member(run, item, name, must=True) for item in mapped(run, value)]
    items = list_for(value, "reduce")
    run.spend(len(items))
    found: Any = 0
    for item in items:
        found = values.add(run, found, item)
    return values.add(run, 0 if start is UNDEFINED else start, found)


def own(run: Run, value: Any, path: list[Any]) -> Any:
    """What stands at a path of names; undefined when a name is missing."""
    for part in path:
        if absent(value):
            raise Failure("Cannot convert undefined or null to object")
        value = member(run, value, part, own=True)
    return value


def folded(run: Run, one: Any, two: Any, how: Any) -> tuple[Any, Any]:
    """Both texts in one case, or both values as they are."""
    if type(one) is str and type(two) is str:
        run.read(len(one) + len(two))
        return how(one), how(two)
    return one, two


def sort(run: Run, *arguments: Any) -> Any:
    given, _ = spread(list(arguments), ["value", "reverse", "case_sensitive", "attribute"], [])
    value, backwards, case, name = given
    sign = -1 if values.truthy(backwards) else 1
    path: list[Any] = (name.split(".") if type(name) is str else [name]) if values.truthy(name) else []

    def compare(one: Any, two: Any) -> int:
        left, right = own(run, one, path), own(run, two, path)
        if not values.truthy(case):
            left, right = folded(run, left, right, str.lower)
        if values.less(run, left, right):
            return -sign
        return sign if values.less(run, right, left) else 0

    items = mapped(run, value)
    known = [item for item in items if item is not UNDEFINED]
    made = sorted(known, key=charged(run, len(known), compare))
    return made + [UNDEFINED] * (len(items) - len(known))


def to_float(run: Run, value: Any = UNDEFINED, other: Any = UNDEFINED) -> Any:
    found = numbers.parse_float(values.text(run, value))
    return other if found != found else found


def to_int(run: Run, *arguments: Any) -> Any:
    given, _ = spread(list(arguments), ["value", "default", "base"], [])
    base = 10 if given[2] is UNDEFINED else values.number(run, given[2])
    found = numbers.parse_int(values.text(run, given[0]), base)
    return given[1] if found != found else found


def dump(run: Run, value: Any = UNDEFINED, indent: Any = UNDEFINED) -> Any:
    return jsontext.stringify(run, value, indent)


LIST_FILTERS = entries(
    {
        **{"abs": absolute, "batch": batch, "d": default, "default": default, "dictsort": dictsort},
        **{"dump": dump, "first": first, "float": to_float, "int": to_int, "join": join, "last": last},
        **{"length": length, "list": to_list, "random": choose, "reject": reject, "rejectattr": rejectattr},
        **{"reverse": reverse, "round": round_number, "select": select, "selectattr": selectattr},
        **{"slice": slices, "sort": sort, "sum": total},
    }
)
