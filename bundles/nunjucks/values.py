"""JavaScript's rules for values: truth, texts, numbers, equality, order, and what `+` does."""

import re
from typing import Any

from bundles.nunjucks import numbers, units
from bundles.nunjucks.errors import Exhausted, Failure
from bundles.nunjucks.limits import MAX_LEVELS, Run
from bundles.nunjucks.regex import Regex
from bundles.nunjucks.undefined import NAN, UNDEFINED, Function, Safe

DIGIT = re.compile("[0-9]").match
INDEX = re.compile("0|[1-9][0-9]{0,9}")
OBJECT_MEMBERS = {
    *("constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString"),
    *("valueOf", "__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__"),
}


def truthy(value: Any) -> bool:
    kind = type(value)
    if kind is bool:
        return bool(value)
    if kind is list or isinstance(value, dict):
        return True
    return bool(value) and value == value


def kind_of(value: Any) -> str:
    """What typeof says."""
    kind = type(value)
    if kind is str:
        return "string"
    if kind is bool:
        return "boolean"
    if kind is int or kind is float:
        return "number"
    if value is UNDEFINED:
        return "undefined"
    return "function" if kind is Function else "object"


def text(run: Run, value: Any, level: int = 0) -> str:
    """What String(value) gives."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is int or kind is float:
        return numbers.number_text(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is list:
        return join(run, value, ",", level=level)
    return _other_text(value)


def _other_text(value: Any) -> str:
    if value is UNDEFINED:
        return "undefined"
    if value is None:
        return "null"
    if type(value) is Safe:
        return value.text
    if type(value) is Regex:
        return f"/{value.source or '(?:)'}/{value.flags}"
    return "[function]" if type(value) is Function else "[object Object]"


def join(run: Run, items: list[Any], separator: str, *, level: int = 0) -> str:
    """Array.join: null and undefined are empty."""
    if level > MAX_LEVELS:
        raise Exhausted(f"values are nested deeper than {MAX_LEVELS}")
    run.spend(len(items) + 1)
    parts = ["" if i is None or i is UNDEFINED else text(run, i, level + 1) for i in items]
    return glue(run, parts, separator)


def glue(run: Run, parts: list[str], separator: str = "") -> str:
    """Join texts, the room for the whole being asked for first."""
    run.make(sum(map(len, parts)) + len(separator) * len(parts))
    return units.whole(separator.join(parts))


def primitive(run: Run, value: Any) -> Any:
    """Objects as texts, all else as it is."""
    kind = type(value)
    if kind is str or kind is int or kind is float or kind is bool or value is None or value is UNDEFINED:
        return value
    return text(run, value)


def number(run: Run, value: Any) -> float:
    """What Number(value) gives."""
    kind = type(value)
    if kind is int:
        return numbers.whole(value)
    if kind is float:
        return float(value)
    if kind is bool:
        return int(value)
    if value is None:
        return 0
    if value is UNDEFINED:
        return NAN
    content = text(run, value)
    run.read(len(content))
    return numbers.text_number(content)


def strict(left: Any, right: Any) -> bool:
    """==="""
    one, two = type(left), type(right)
    if one is two:
        return bool(left == right) if one is str or one is int or one is float else left is right
    if (one is int and two is float) or (one is float and two is int):
        return bool(left == right)
    return left is right


def loose(run: Run, left: Any, right: Any) -> bool:
    """=="""
    one, two = kind_of(left), kind_of(right)
    if left is None or left is UNDEFINED or right is None or right is UNDEFINED:
        return (left is None or left is UNDEFINED) and (right is None or right is UNDEFINED)
    if one == two or (one in ("object", "function") and two in ("object", "function")):
        return strict(left, right)
    if one in ("object", "function"):
        return loose(run, text(run, left), right)
    if two in ("object", "function"):
        return loose(run, left, text(run, right))
    return number(run, left) == number(run, right)


def less(run: Run, left: Any, right: Any) -> bool:
    """<"""
    if type(left) is int and type(right) is int:
        return left < right
    left, right = primitive(run, left), primitive(run, right)
    if type(left) is str and type(right) is str:
        return less_text(run, left, right)
    return number(run, left) < number(run, right)


def less_text(run: Run, left: str, right: str) -> bool:
    run.read(min(len(left), len(right)))
    if left.isascii() or right.isascii():
        return left < right
    return units.order(left) < units.order(right)


def at_most(run: Run, left: Any, right: Any) -> bool:
    """<=: not the opposite of >, because of NaN."""
    left, right = primitive(run, left), primitive(run, right)
    if type(left) is str and type(right) is str:
        return not less_text(run, right, left)
    return number(run, left) <= number(run, right)


def add(run: Run, left: Any, right: Any) -> Any:
    """+"""
    one, two = type(left), type(right)
    if one is not str or two is not str:
        left, right = primitive(run, left), primitive(run, right)
        if type(left) is not str and type(right) is not str:
            return numbers.add(number(run, left), number(run, right))
        left, right = text(run, left), text(run, right)
    run.make(len(left) + len(right))
    return units.whole(left + right)


def key_text(run: Run, key: Any) -> str:
    """A value as the name of a property."""
    return key if type(key) is str else text(run, key)


def keys(value: dict[str, Any]) -> list[str]:
    """The names of an object in JavaScript's order: whole numbers first, in order."""
    names = list(value)
    try:
        numbered = any(map(DIGIT, names))
    except TypeError:
        raise Failure("the names of an object are texts") from None
    if numbered:
        low = [name for name in names if INDEX.fullmatch(name) and int(name) < 2**32 - 1]
        taken = set(low)
        names = [*sorted(low, key=int), *(name for name in names if name not in taken)]
    return names


def weight(item: Any) -> int:
    """How much longer it takes to compare with this: texts of the same length are read to their end."""
    return 1 + len(item) // 1024 if type(item) is str else 1


def contains(run: Run, item: Any, container: Any) -> bool:
    """The `in` operator: elements of lists, parts of texts, names of objects."""
    if type(container) is list:
        run.spend(len(container) * weight(item))
        return any(strict(item, each) for each in container)
    if type(container) is str:
        run.read(len(container))
        return text(run, item) in container
    if isinstance(container, dict):
        name = key_text(run, item)
        return name in container or name in OBJECT_MEMBERS
    if type(container) is Safe:
        return key_text(run, item) in {"val", "length", *OBJECT_MEMBERS}
    raise Failure(f'Cannot use "in" operator to search for "{text(run, item)[:80]}" in unexpected types.')
