"""JSON.stringify and JSON.parse."""

import json
import math
import re
from typing import Any

from bundles.nunjucks import numbers, units, values
from bundles.nunjucks.errors import Failure
from bundles.nunjucks.limits import MAX_LEVELS, Run
from bundles.nunjucks.regex import Regex
from bundles.nunjucks.undefined import UNDEFINED, Function, Safe

quote = json.encoder.encode_basestring
SCALARS = {str, int, bool, float, type(None)}
SHORT = 64  # characters that one step pays for
SMALL = 2**53
LONE = re.compile("[\ud800-\udfff]")


def stringify(run: Run, value: Any, indent: Any = UNDEFINED) -> Any:
    """A text, or undefined for what JSON cannot say."""
    if value is UNDEFINED or type(value) is Function:
        return UNDEFINED
    gap = _gap(run, indent)
    parts: list[str] = []
    _write(run, value, parts, (gap, "\n" if gap else "", 0))
    return values.glue(run, parts)


def _gap(run: Run, indent: Any) -> str:
    if type(indent) is str:
        return indent[:10]
    if type(indent) in (int, float) and indent == indent:
        return " " * int(max(0, min(10, indent)))
    return ""


def _write(run: Run, value: Any, parts: list[str], place: tuple[str, str, int]) -> None:
    if place[2] > MAX_LEVELS:
        raise Failure(f"values are nested deeper than {MAX_LEVELS}")
    kind = type(value)
    if kind is list:
        _array(run, value, parts, place)
    elif isinstance(value, dict):
        _object(run, value, parts, place)
    elif kind is Safe:
        _object(run, {"val": value.text, "length": units.length(value.text)}, parts, place)
    else:
        parts.append(_leaf(run, value))


def _leaf(run: Run, value: Any) -> str:
    kind = type(value)
    if kind is str:
        if len(value) > SHORT:
            run.make(len(value))
        return quoted(value)
    if kind is int and -SMALL < value < SMALL:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is float:
        return numbers.number_text(value) if math.isfinite(numbers.float_of(value)) else "null"
    return "{}" if kind is Regex else "null"


def _array(run: Run, value: list[Any], parts: list[str], place: tuple[str, str, int]) -> None:
    run.spend(len(value) + 1)
    if not value:
        parts.append("[]")
        return
    gap, line, level = place
    inner = line + gap
    separator = "[" + inner
    for item in value:
        if type(item) in SCALARS:
            parts.append(separator + _leaf(run, item))
        else:
            parts.append(separator)
            _write(run, item, parts, (gap, inner, level + 1))
        separator = "," + inner
    parts.append(line + "]")


def _object(run: Run, value: dict[str, Any], parts: list[str], place: tuple[str, str, int]) -> None:
    run.spend(len(value) + 1)
    gap, line, level = place
    inner = line + gap
    separator = "{" + inner
    colon = ": " if gap else ":"
    for name in values.keys(value):
        item = value[name]
        if item is UNDEFINED or type(item) is Function:
            continue
        head = separator + _leaf(run, name) + colon
        if type(item) in SCALARS:
            parts.append(head + _leaf(run, item))
        else:
            parts.append(head)
            _write(run, item, parts, (gap, inner, level + 1))
        separator = "," + inner
    parts.append("{}" if separator[0] == "{" else line + "}")


def quoted(text: str) -> str:
    made = quote(text)
    return made if made.isascii() or not LONE.search(made) else LONE.sub(_escaped, made)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def parse(run: Run, source: str) -> Any:
    """The value; raises ValueError for what JSON.parse refuses."""
    run.make(len(source))
    run.spend(len(source) // 3)
    try:
        return json.loads(source, parse_constant=_refuse, parse_int=_integer, parse_float=_float)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _integer(text: str) -> float:
    return numbers.simple(float(text)) if len(text) > 15 or text == "-0" else int(text)


def _float(text: str) -> float:
    return numbers.simple(float(text))


def _refuse(text: str) -> Any:
    raise ValueError(text)
