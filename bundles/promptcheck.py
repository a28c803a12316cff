"""The strict reading of parameters at the doors: every problem of a request, and the values with their types."""

import base64
import binascii
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bundles import names
from bundles.celerror import CelError
from bundles.celregex import pattern as regex
from bundles.promptparams import NUMBERS, Parameter
from bundles.scalars import LARGEST, SMALLEST, held
from bundles.values import shown

MAX_ERRORS = 100
MAX_DIGITS = 400  # of a number written as text
MAX_VALUES = 10_000  # in lists and objects that are looked at one by one: others wait meanwhile
MAX_NESTING = 100  # of JSON written as text; templates go no deeper either
TRUE = frozenset({"true", "on", "yes", "1"})
FALSE = frozenset({"false", "off", "no", "0"})
WANTED = {
    "string": "a text", "number": "a number", "float": "a number", "integer": "a whole number",
    "boolean": "true or false", "array": "a list", "object": "an object", "json": "JSON",
    "file": "the text of a file", "base64": "base64",
}  # fmt: skip


@dataclass(slots=True)
class Checked:
    """The values with defaults filled in; usable only when there are no errors."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: list[dict[str, str]] = field(default_factory=list)
    left: int = MAX_VALUES

    def look(self, one: Parameter, value: Any) -> bool:
        """Whether what is in a list or an object may still be looked at."""
        if one.type == "array" and (one.items or one.enum):
            self.left -= len(value)
        elif one.type == "object":
            self.left -= len(one.properties)
        return self.left >= 0

    def refuse(self, path: str, message: str) -> None:
        if len(self.errors) < MAX_ERRORS:
            self.errors.append({"path": path, "message": message})


def check(parameters: Iterable[Parameter], given: Mapping[str, Any], *, texts: bool = False) -> Checked:
    """What a prompt may be rendered with; ``texts`` reads what forms and query strings send."""
    result, known = Checked(), {one.name: one for one in parameters}
    for name in given:
        if name not in known:
            meant = names.did_you_mean(name, known) if len(result.errors) < MAX_ERRORS else ""
            result.refuse(name[:100], f"there is no such parameter{meant}")
    for one in known.values():
        _take(one, given, result, texts=texts)
    return result


def _take(one: Parameter, given: Mapping[str, Any], result: Checked, *, texts: bool) -> None:
    value = given.get(one.name, ABSENT)
    if texts and value is not ABSENT:
        value = from_text(one, value)
    if value is ABSENT or (value is None and one.type != "json"):
        if one.has_default:
            result.values[one.name] = one.default
        elif one.required:
            result.refuse(one.name, one.error_message or "is needed")
        return
    before = len(result.errors)
    value = _checked(one, value, one.name, result)
    if len(result.errors) == before:
        result.values[one.name] = value


class _Absent:
    """Nothing was given, which is not the same as null."""


ABSENT = _Absent()


def _checked(one: Parameter, value: Any, path: str, result: Checked) -> Any:
    """The value as the template gets it; what does not fit is noted."""
    fits, value = CONVERTERS[one.type](value)
    if not fits:
        result.refuse(path, one.error_message or f"must be {WANTED[one.type]}, but is {described(value)}")
        return value
    found = [*_faults(one, value)]
    if not result.look(one, value):
        found = found or [f"has more than {MAX_VALUES:,} values, with those before it"]
    for why in found:
        result.refuse(path, one.error_message or why)
    if result.left < 0:
        return value
    if one.type == "array" and one.items:
        return [_checked(one.items, item, f"{path}[{at}]", result) for at, item in enumerate(value)]
    if one.type == "object" and one.properties:
        return _fields(one, value, path, result)
    return value


def _fields(one: Parameter, value: dict[str, Any], path: str, result: Checked) -> dict[str, Any]:
    """The declared fields of an object; others are kept as they are."""
    made = dict(value)
    for part in one.properties:
        if part.name in value:
            made[part.name] = _checked(part, value[part.name], f"{path}.{part.name}", result)
        elif part.has_default:
            made[part.name] = part.default
        elif part.required:
            result.refuse(f"{path}.{part.name}", part.error_message or "is needed")
    return made


def _faults(one: Parameter, value: Any) -> Iterable[str]:
    """Bounds that a value of the right type does not keep."""
    if one.enum and not _listed(one, value):
        yield (
            "must be one of " + ", ".join(json.dumps(choice, ensure_ascii=False) for choice in one.enum)[:500]
        )
    if isinstance(value, str):
        yield from _text_faults(one, value)
    elif isinstance(value, int | float) and not isinstance(value, bool) and one.type in NUMBERS:
        if one.type == "integer" and isinstance(value, float):
            yield "must be a whole number of 64 bits at most"
        if one.minimum is not None and value < one.minimum:
            yield f"must be at least {one.minimum:.12g}"
        if one.maximum is not None and value > one.maximum:
            yield f"must be at most {one.maximum:.12g}"
    elif isinstance(value, list):
        if one.min_items is not None and len(value) < one.min_items:
            yield f"must have at least {one.min_items} elements, but has {len(value)}"
        if one.max_items is not None and len(value) > one.max_items:
            yield f"must have at most {one.max_items} elements, but has {len(value)}"


def _text_faults(one: Parameter, value: str) -> Iterable[str]:
    if one.min_length is not None and len(value) < one.min_length:
        yield f"must have at least {one.min_length} characters, but has {len(value)}"
    if one.max_length is not None and len(value) > one.max_length:
        yield f"must have at most {one.max_length} characters, but has {len(value)}"
    if one.pattern and not matches(one.pattern, value):
        yield f"must match the pattern {one.pattern}"


def matches(pattern: str, value: str) -> bool:
    """In linear time; a pattern that cannot be used was reported when the file was read."""
    try:
        return regex(pattern).search(value) is not None
    except UnicodeError:
        return False
    except CelError:
        return True


def _listed(one: Parameter, value: Any) -> bool:
    """A list is one of the choices, or made of them."""
    return _chosen(one, value) or (isinstance(value, list) and all(_chosen(one, item) for item in value))


def _chosen(one: Parameter, value: Any) -> bool:
    if isinstance(value, list | dict):
        return any(_same(value, choice) for choice in one.enum)
    return (isinstance(value, bool), value) in one.allowed


def _same(value: Any, choice: Any) -> bool:
    return bool(value == choice) and isinstance(value, bool) == isinstance(choice, bool)


def described(value: Any) -> str:
    """What was given, without showing more of it than helps."""
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return f"the number {value!r}"[:60]
    return "a list" if isinstance(value, list) else "an object"


def _number(value: Any) -> tuple[bool, Any]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False, value
    value = held(value)
    return isinstance(value, int) or math.isfinite(value), value


def _integer(value: Any) -> tuple[bool, Any]:
    fits, value = _number(value)
    if fits and isinstance(value, float):
        whole = value.is_integer()
        return whole, int(value) if whole and SMALLEST <= value <= LARGEST else value
    return fits, value


def _base64(value: Any) -> tuple[bool, Any]:
    """With or without the head of a data: address."""
    if not isinstance(value, str):
        return False, value
    data = value.partition(";base64,")[2] if value.startswith("data:") else value
    try:
        base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return False, value
    return True, value


def _kind(kind: type) -> Callable[[Any], tuple[bool, Any]]:
    return lambda value: (isinstance(value, kind), value)


CONVERTERS: Mapping[str, Callable[[Any], tuple[bool, Any]]] = {
    "string": _kind(str), "file": _kind(str), "base64": _base64, "number": _number, "float": _number,
    "integer": _integer, "boolean": _kind(bool), "array": _kind(list), "object": _kind(dict),
    "json": lambda value: (True, value),
}  # fmt: skip


def from_text(one: Parameter, value: Any) -> Any:
    """What a form or a query means: nothing typed is nothing given; several values of one name are a list."""
    if isinstance(value, list) and one.type not in ("array", "json"):
        value = value[-1] if value else ABSENT
    if isinstance(value, list):
        return [_from_item(one.items, item) for item in value if item != ""] if one.type == "array" else value
    if not isinstance(value, str):
        return value
    return ABSENT if value == "" and not one.enum.count("") else _typed(one, value)


def _from_item(one: Parameter | None, item: Any) -> Any:
    return _typed(one, item) if one is not None and isinstance(item, str) else item


def _typed(one: Parameter, text: str) -> Any:
    """The text itself when it is none of the type: the check then says so."""
    if one.type in NUMBERS:
        return _from_digits(text.strip(), whole=one.type == "integer")
    if one.type == "boolean":
        word = text.strip().lower()
        return True if word in TRUE else False if word in FALSE else text
    if one.type == "array" and not text.lstrip().startswith("["):
        parts = text.splitlines() if "\n" in text.strip() else text.split(",")
        kept = [part.strip() for part in parts if part.strip()]
        return kept if len(kept) > MAX_VALUES else [_from_item(one.items, part) for part in kept]
    if one.type in ("array", "object", "json"):
        return _from_json(text, text)
    return text


def _from_digits(text: str, *, whole: bool) -> Any:
    if len(text) > MAX_DIGITS or "_" in text or not text.isascii():
        return text
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return text if whole else float(text)
    except ValueError:
        return text


def _from_json(text: str, otherwise: Any) -> Any:
    """What our JSON can hold: no NaN, nothing infinite, no halves of characters, nothing too deep."""
    try:
        found = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_finite)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return otherwise
    return otherwise if _depth(found) > MAX_NESTING else found


def _whole(digits: str) -> int | float:
    return _finite(digits) if len(digits) > MAX_DIGITS else held(int(digits))


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("no JSON can hold this number")
    return number


def _depth(value: Any) -> int:
    """How deep lists and objects lie in each other."""
    deep, level = 0, [value]
    while level := [one for one in level if isinstance(one, dict | list)]:
        deep += 1
        level = [part for one in level for part in (one.values() if isinstance(one, dict) else one)]
    return deep
