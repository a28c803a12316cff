"""The options of a builtin (`with`), checked against its kind in the catalogue."""

import re
from collections.abc import Callable
from typing import Any

from bundles import duration, flowtexts
from bundles.fields import describe
from bundles.flowfields import Reader, canonical
from bundles.flowkinds import Key, Kind
from bundles.flowtexts import MARK
from bundles.values import Mapping, Node, Place, Scalar, Sequence, plain, shown

STATUS = re.compile(r"[1-5](?:xx|[0-9]{2})")
HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
MAX_CASES = 100


class Unfit(ValueError):
    """A value that does not fit its key."""


def read(node: Mapping | None, place: Place, kind: Kind, reader: Reader) -> dict[str, Any]:
    """The values that fit, by the names of the catalogue; durations and templates stay as written."""
    found: dict[str, Any] = {}
    given = canonical(node, kind.options, reader.report) if node else Mapping(place, {}, {})
    for name, value in given.entries.items():
        if name in kind.options:
            _read(kind.options[name], value, reader, found)
        elif not name.startswith("x-"):
            meant = reader.report.meant(name, kind.options)
            message = f"unknown option {shown(name)} of {kind.handler}{meant}"
            reader.report.warning(given.keys[name], message, "there are " + ", ".join(kind.options))
    _complete(given, kind, reader)
    return found


def _read(key: Key, node: Node, reader: Reader, found: dict[str, Any]) -> None:
    if isinstance(node, Scalar) and node.kind == "null" and key.type != "value":
        return
    try:
        value = CONVERTERS[key.type](node, key, reader)
    except Unfit as wrong:
        reader.report.error(node.place, f"'{key.name}' {wrong}, but here is {describe(node)}", key.help)
        return
    if value is not None or key.type == "value":
        found[key.name] = value


def _complete(given: Mapping, kind: Kind, reader: Reader) -> None:
    """Whether everything needed is there, and of alternatives exactly one."""
    present = [name for name, node in given.entries.items() if not _empty(node)]
    for key in kind.options.values():
        if key.required and key.name not in present:
            reader.report.error(given.place, f"{kind.handler} needs '{key.name}'", key.help)
    for group in {key.group: None for key in kind.options.values() if key.group}:
        among = group.split("|")
        chosen = [name for name in present if name in among]
        if len(chosen) != 1:
            message = f"{kind.handler} needs exactly one of {', '.join(among)}"
            reader.report.error(given.keys[chosen[1]] if chosen else given.place, message)


def _empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.kind == "null"


def _text(node: Node, key: Key, reader: Reader) -> str:
    if not isinstance(node, Scalar):
        raise Unfit("must be text")
    return node.text


def _template(node: Node, key: Key, reader: Reader) -> str:
    text = _text(node, key, reader)
    flowtexts.value(node, reader, what=key.name, secrets=key.secrets)
    return text


def _value(node: Node, key: Key, reader: Reader) -> Any:
    flowtexts.value(node, reader, what=key.name, secrets=key.secrets)
    if key.name == "status" and not _may_be_status(node):
        raise Unfit("must be from 200 to 599")
    return plain(node)


def _may_be_status(node: Node) -> bool:
    if not isinstance(node, Scalar):
        return False
    return MARK in node.text or re.fullmatch("[2-5][0-9]{2}", node.text) is not None


def _map(node: Node, key: Key, reader: Reader) -> Any:
    if isinstance(node, Scalar) and node.kind == "str" and MARK in node.text:
        return _template(node, key, reader)
    if not isinstance(node, Mapping):
        raise Unfit("must be a mapping (name: value)")
    for name in node.entries:
        if key.name == "headers" and not HEADER.fullmatch(name):
            reader.report.error(node.keys[name], f"{shown(name)} cannot name a header")
    return _value(node, key, reader)


def _expression(node: Node, key: Key, reader: Reader) -> str | None:
    return flowtexts.expression(node, reader, what=key.name)


def _node(node: Node, key: Key, reader: Reader) -> str | None:
    return reader.refer(node, f"'{key.name}'") or None


def _cases(node: Node, key: Key, reader: Reader) -> list[dict[str, str]]:
    if not isinstance(node, Sequence) or not node.items:
        raise Unfit("must be a list of {if: expression, to: node}")
    if len(node.items) > MAX_CASES:
        raise Unfit(f"may have {MAX_CASES} cases")
    return [_case(item, reader) for item in node.items]


def _case(node: Node, reader: Reader) -> dict[str, str]:
    entries = node.entries if isinstance(node, Mapping) else {}
    found: dict[str, str] = {}
    if "if" not in entries or "to" not in entries:
        reader.report.error(node.place, "a case is {if: expression, to: node}")
    if "if" in entries:
        found["if"] = flowtexts.expression(entries["if"], reader, what="if") or "false"
    if "to" in entries:
        found["to"] = reader.refer(entries["to"], "'to' of a case")
    return found


def _duration(node: Node, key: Key, reader: Reader) -> str:
    text = _template(node, key, reader)
    if MARK in text:
        return text
    try:
        duration.parse(text)
    except duration.DurationError as wrong:
        raise Unfit(f"is {wrong}") from None
    return text


def _number(node: Node, key: Key, reader: Reader) -> int | float:
    kinds = ("int",) if key.type == "integer" else ("int", "float")
    if not isinstance(node, Scalar) or node.kind not in kinds or node.odd:
        raise Unfit("must be a whole number" if key.type == "integer" else "must be a number")
    assert isinstance(node.value, int | float)
    if not key.low <= node.value <= key.high:
        raise Unfit(f"must be from {key.low:g} to {key.high:.12g}")
    return node.value


def _boolean(node: Node, key: Key, reader: Reader) -> bool:
    if not isinstance(node, Scalar) or node.kind != "bool":
        raise Unfit("must be true or false")
    return bool(node.value)


def _choice(node: Node, key: Key, reader: Reader) -> str:
    text = _text(node, key, reader)
    among = {choice.lower(): choice for choice in key.choices}
    if text.lower() not in among:
        raise Unfit(f"must be one of {', '.join(key.choices)}")
    return among[text.lower()]


def _statuses(node: Node, key: Key, reader: Reader) -> list[int | str]:
    items = node.items if isinstance(node, Sequence) else [node]
    texts = [item.text.lower() if isinstance(item, Scalar) else "" for item in items]
    if not texts or not all(STATUS.fullmatch(text) for text in texts):
        raise Unfit('must be statuses: 200, "2xx" or a list of them')
    return [text if text.endswith("x") else int(text) for text in texts]


def _wait(node: Node, key: Key, reader: Reader) -> str | int:
    text = _text(node, key, reader)
    if text in ("all", "any"):
        return text
    if not isinstance(node, Scalar) or not isinstance(node.value, int) or not 1 <= node.value <= 1_000:
        raise Unfit("must be all, any or a number from 1 to 1000")
    return int(node.value)


CONVERTERS: dict[str, Callable[[Node, Key, Reader], Any]] = {
    "text": _text, "template": _template, "value": _value, "map": _map, "expression": _expression,
    "node": _node, "cases": _cases, "duration": _duration, "integer": _number, "number": _number,
    "boolean": _boolean, "choice": _choice, "statuses": _statuses, "wait": _wait,
}  # fmt: skip
