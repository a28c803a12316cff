"""What stands behind a dot or between brackets: own names, indexes, lengths and the listed methods, nothing else."""

from typing import Any

from bundles.nunjucks import units, values
from bundles.nunjucks.entry import Entry, nothing
from bundles.nunjucks.limits import Run
from bundles.nunjucks.listmethods import CHANGING_METHODS, LIST_METHODS
from bundles.nunjucks.othermethods import COMMON_METHODS, NUMBER_METHODS, REGEX_METHODS
from bundles.nunjucks.regex import Regex
from bundles.nunjucks.textmethods import TEXT_METHODS
from bundles.nunjucks.undefined import UNDEFINED, Function, Safe


def member(
    run: Run, value: Any, key: Any, *, must: bool = False, own: bool = False, named: bool = False
) -> Any:
    """Undefined when there is none. `must`: null and undefined have no members; `own`: no methods;

    `named`: the name stands in the template, so that methods that change a list may be asked for.
    """
    kind = type(value)
    if kind is list and type(key) is int:
        return value[key] if 0 <= key < len(value) else UNDEFINED
    if value is None or value is UNDEFINED:
        if must:
            raise nothing(value, values.text(run, key)[:80])
        return UNDEFINED
    name = key if type(key) is str else values.text(run, key)
    if kind is str or kind is Safe:
        charge(run, value if kind is str else value.text)
    found = OWN.get(kind, _own_nothing)(value, name)
    if found is not UNDEFINED or own:
        return found
    return _method(value, name, named)


def charge(run: Run, text: str) -> None:
    """Counting the units of a text takes time when it is not plain ASCII."""
    if not text.isascii():
        run.spend(len(text) // 8 + 1)


def _method(value: Any, name: str, named: bool) -> Any:
    entry = METHODS.get(type(value), COMMON_METHODS).get(name) or COMMON_METHODS.get(name)
    if entry is None and named and type(value) is list:
        entry = CHANGING_METHODS.get(name)
    if name == "hasOwnProperty":
        entry = OWN_METHOD
    return UNDEFINED if entry is None else bound(value, name, entry)


def has_own(run: Run, value: Any, name: Any = UNDEFINED) -> Any:
    return member(run, value, values.key_text(run, name), own=True) is not UNDEFINED


def bound(value: Any, name: str, entry: Entry) -> Function:
    def call(run: Run, arguments: list[Any]) -> Any:
        return entry.apply(run, value, *arguments[: entry.arity - 1])

    return Function(name, call)


def _index(name: str, length: int) -> int:
    if name.isdigit() and values.INDEX.fullmatch(name) and int(name) < length:
        return int(name)
    return -1


def _own_list(value: list[Any], name: str) -> Any:
    if name == "length":
        return len(value)
    at = _index(name, len(value))
    return value[at] if at >= 0 else UNDEFINED


def _own_text(value: str, name: str) -> Any:
    if name == "length":
        return units.length(value)
    at = _index(name, 2 * len(value))
    if at < 0:
        return UNDEFINED
    return units.units(value)[at : at + 1] or UNDEFINED


def _own_object(value: dict[str, Any], name: str) -> Any:
    return value.get(name, UNDEFINED)


def _own_safe(value: Safe, name: str) -> Any:
    if name == "length":
        return units.length(value.text)
    return value.text if name == "val" else UNDEFINED


def _own_regex(value: Regex, name: str) -> Any:
    found = {
        **{"source": value.source, "flags": value.flags, "lastIndex": value.last},
        **{"global": "g" in value.flags, "ignoreCase": "i" in value.flags, "multiline": "m" in value.flags},
    }
    return found.get(name, UNDEFINED)


def _own_nothing(value: Any, name: str) -> Any:
    return value.get(name, UNDEFINED) if isinstance(value, dict) else UNDEFINED


OWN: dict[type, Any] = {
    **{list: _own_list, str: _own_text, dict: _own_object, Safe: _own_safe, Regex: _own_regex}
}
METHODS: dict[type, dict[str, Entry]] = {
    **{str: TEXT_METHODS, Safe: TEXT_METHODS, list: LIST_METHODS, int: NUMBER_METHODS, float: NUMBER_METHODS},
    Regex: REGEX_METHODS,
}
OWN_METHOD = Entry(has_own, 2)
