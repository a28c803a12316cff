"""Values of expressions: their kinds, equality, order, sizes, and how they look as JSON and as text."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, TypeAlias

from bundles.celerror import MAX_INTEGER, MAX_LEVELS, MAX_SIZE, MIN_INTEGER, CelError, CelLimit, spend

Work: TypeAlias = list[Any]  # the state of one evaluation: steps left, then the variables of its macros

KINDS: dict[type, str] = {
    **{int: "int", float: "double", str: "string", bool: "bool", type(None): "null_type", bytes: "bytes"},
    **{list: "list", tuple: "list", dict: "map", datetime: "timestamp", timedelta: "duration"},
}
WORDS = {
    **{
        "int": "a number",
        "double": "a number",
        "string": "a text",
        "bool": "true or false",
        "bytes": "bytes",
    },
    **{
        "null_type": "null",
        "list": "a list",
        "map": "a map",
        "timestamp": "a time",
        "duration": "a duration",
    },
}
NUMBERS = frozenset({int, float})
SCALARS = frozenset({str, bool, type(None), bytes, timedelta})
SCALAR_SIZE = 8
DOUBLE_SIZE = 14
LONG = 1023  # characters that may be compared for nothing
KEYS = "texts or whole numbers"


def kind(value: Any) -> str:
    """The name of its type in CEL."""
    found = KINDS.get(type(value))
    if found:
        return found
    if isinstance(value, Mapping):
        return "map"
    return next((name for base, name in KINDS.items() if isinstance(value, base)), "unknown")


def word(value: Any) -> str:
    """What it is, for people. Never the value itself."""
    return WORDS.get(kind(value), "an unknown thing")


def is_key(value: Any) -> bool:
    """Whether a map may have this key; 1.0 finds what 1 finds."""
    known = type(value)
    return known is str or known is int or known is float or isinstance(value, str)


def moment(value: datetime) -> datetime:
    """With a zone: times without one are meant in UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)


# -- equality and order


def equal(left: Any, right: Any, work: Work, level: int = 0) -> bool:
    """Equal values of one type, numbers across types; values of unlike types are different."""
    mine, yours = type(left), type(right)
    if mine in NUMBERS and yours in NUMBERS:
        return bool(left == right)
    if mine is yours and mine in SCALARS:
        if mine is str and len(left) > LONG:
            spend(work, len(left) >> 10)
        return bool(left == right)
    name = kind(left)
    if name != kind(right):
        return {name, kind(right)} == {"int", "double"} and bool(left == right)
    if name == "list":
        return _equal_lists(left, right, work, level + 1)
    if name == "map":
        return _equal_maps(left, right, work, level + 1)
    if name == "timestamp":
        return moment(left) == moment(right)
    return name != "unknown" and bool(left == right)


def _equal_lists(left: Any, right: Any, work: Work, level: int) -> bool:
    _compare_costs(left, work, level)
    if len(left) != len(right):
        return False
    return all(equal(mine, yours, work, level) for mine, yours in zip(left, right, strict=True))


def _equal_maps(left: Mapping[Any, Any], right: Mapping[Any, Any], work: Work, level: int) -> bool:
    _compare_costs(left, work, level, 3)
    if len(left) != len(right):
        return False
    return all(key in right and equal(value, right[key], work, level) for key, value in left.items())


def _compare_costs(value: Any, work: Work, level: int, each: int = 1) -> None:
    if level > MAX_LEVELS:
        raise CelLimit(f"lists and maps are nested more than {MAX_LEVELS} levels deep")
    spend(work, 5 + each * len(value))


def weight(values: Any) -> int:
    """What it costs to compare these with others, because of long texts."""
    return sum([len(value) for value in values if isinstance(value, (str, bytes))]) >> 10


def ordered(left: Any, right: Any) -> tuple[Any, Any]:
    """Both, when one of them can be before the other."""
    mine, yours = kind(left), kind(right)
    if mine == yours == "timestamp":
        return moment(left), moment(right)
    if mine == yours and mine in ("string", "bool", "bytes", "duration", "int", "double"):
        return left, right
    if {mine, yours} == {"int", "double"}:
        return left, right
    raise CelError(f"{word(left)} cannot be compared with {word(right)}")


# -- numbers


def whole(value: int) -> int:
    """A whole number that fits into 64 bits."""
    if MIN_INTEGER <= value <= MAX_INTEGER:
        return value
    raise CelError("the whole number does not fit into 64 bits")


def finite(value: float) -> float:
    """A number that JSON can hold."""
    if value - value == 0.0:
        return value
    raise CelError("the number is too large")


def number(value: int | float) -> int | float:
    return finite(value) if isinstance(value, float) else whole(value)


# -- sizes


def measure(value: Any, limit: int = MAX_SIZE) -> int:
    """About how many characters of JSON it has. Stops at the limit, so it takes no longer than that."""
    total, level, waiting = 0, 0, [value]
    while waiting:
        level += 1
        if level > MAX_LEVELS:
            raise CelLimit(f"lists and maps are nested more than {MAX_LEVELS} levels deep")
        total, waiting = _measured(waiting, total, limit)
    return total


def _measured(values: list[Any], total: int, limit: int) -> tuple[int, list[Any]]:
    """The size with these values, and what is inside of them."""
    kinds = set(map(type, values))
    inside: list[Any] = []
    if len(kinds) == 1 and (known := kinds.pop()) in ALIKE:
        size, inside = ALIKE[known](values)
        total += size
    else:
        for value in values:
            total += _size(value, inside)
            if total > limit:
                break
    if total > limit:
        raise CelLimit(f"the value is larger than {limit} characters")
    return total, inside


def _size(value: Any, inside: list[Any]) -> int:
    """Of one value; what is in it is added to ``inside``."""
    known = type(value)
    if known is str or known is bytes:
        return len(value) + 2
    if known is list or isinstance(value, (list, tuple)):
        inside.extend(value)
        return 2 + len(value)
    if known is dict or isinstance(value, Mapping):
        inside.extend(value.values())
        return 2 + sum([len(key) + 4 if isinstance(key, str) else SCALAR_SIZE for key in value])
    return DOUBLE_SIZE if known is float else SCALAR_SIZE


def _size_of_lists(values: list[Any]) -> tuple[int, list[Any]]:
    inside = list(chain.from_iterable(values))
    return 2 * len(values) + len(inside), inside


def _size_of_maps(values: list[Any]) -> tuple[int, list[Any]]:
    keys = list(chain.from_iterable(values))
    size = sum([len(key) + 4 if isinstance(key, str) else SCALAR_SIZE for key in keys])
    return 2 * len(values) + size, list(chain.from_iterable(map(dict.values, values)))


# Many of one kind are what large values consist of.
ALIKE: dict[type, Callable[[list[Any]], tuple[int, list[Any]]]] = {
    int: lambda values: (SCALAR_SIZE * len(values), []),
    float: lambda values: (DOUBLE_SIZE * len(values), []),
    str: lambda values: (2 * len(values) + sum(map(len, values)), []),
    list: _size_of_lists,
    dict: _size_of_maps,
}


# -- as JSON and as text


def plain(value: Any, level: int = 0) -> Any:
    """The same value of JSON's types only: bytes as base64, times as RFC 3339, durations as seconds, keys as texts."""
    known = type(value)
    if known is str or known is int or known is bool or value is None:
        return value
    if level > MAX_LEVELS:
        raise CelLimit(f"lists and maps are nested more than {MAX_LEVELS} levels deep")
    if isinstance(value, Mapping):
        return {
            key if isinstance(key, str) else str(key): plain(item, level + 1) for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [plain(item, level + 1) for item in value]
    return written(value)


def written(value: Any) -> Any:
    """A scalar as JSON writes it."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, timedelta):
        return seconds(value)
    if isinstance(value, float):
        return finite(value)
    if isinstance(value, (str, int)) or value is None:
        return value
    if isinstance(value, Mapping):
        return dict(value)
    raise CelError("a value of an unknown kind cannot be written")


def rfc3339(value: datetime) -> str:
    """In UTC, with as many decimals of the second as it has."""
    try:
        at = moment(value).astimezone(UTC)
    except OverflowError:
        raise CelError("the time is not between the years 1 and 9999") from None
    fraction = f".{at.microsecond:06}".rstrip("0") if at.microsecond else ""
    return f"{at.replace(microsecond=0, tzinfo=None).isoformat()}{fraction}Z"


def seconds(value: timedelta) -> str:
    """As CEL writes durations: `90s`, `-1.5s`."""
    micros = value // timedelta(microseconds=1)
    sign, whole_part, rest = "-" if micros < 0 else "", abs(micros) // 10**6, abs(micros) % 10**6
    return f"{sign}{whole_part}{f'.{rest:06}'.rstrip('0') if rest else ''}s"


def encode(value: Any) -> str:
    """Compact JSON."""
    measure(value)
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=written)
    except (ValueError, TypeError, RecursionError):
        raise CelError("the value cannot be written as JSON") from None


def text(value: Any) -> str:
    """How it looks inside of a text: texts as they are, anything else as JSON."""
    if isinstance(value, str):
        return value
    found = written(value) if isinstance(value, (bytes, datetime, timedelta)) else value
    return found if isinstance(found, str) else encode(found)
