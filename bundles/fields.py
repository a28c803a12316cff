"""Reads a mapping by a table of fields: types, ranges, choices, unknown keys with the name that was meant.

The tables are data, so the documentation can be held against them. Keys that begin with `x-` are kept.
"""

from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import dataclass
from dataclasses import field as default
from typing import Any, Literal

from bundles import duration, names, target
from bundles.values import Mapping, Node, Place, Report, Scalar, Sequence, plain, shown

MAX_TEXT = 10_000

FieldType = Literal[
    "name",
    "text",
    "integer",
    "number",
    "boolean",
    "duration",
    "choice",
    "target",
    "string",
    "list",
    "map",
    "any",
    "node",
]


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a file: its type, what it means to the reader of the documentation, and its bounds."""

    name: str
    type: FieldType
    meaning: str
    required: bool = False
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = 10**9
    longest: int = MAX_TEXT  # characters


Table = Map[str, Field]


def table(*fields: Field) -> Table:
    return {field.name: field for field in fields}


@dataclass(slots=True)
class Read:
    """What was read: converted values by key, and where each stands."""

    place: Place
    values: dict[str, Any] = default(default_factory=dict)
    places: dict[str, Place] = default(default_factory=dict)

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)

    def at(self, name: str) -> Place:
        """The place of a value; of the whole mapping when it is absent."""
        return self.places.get(name, self.place)

    def items(self, name: str) -> list[Node]:
        found = self.values.get(name)
        return found.items if isinstance(found, Sequence) else []


class Wrong(ValueError):
    """A value that does not fit its field."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def read(node: Mapping, table: Table, report: Report, *, of: str, strict: bool = False) -> Read:
    """The known fields of a mapping; what does not fit is reported and left out."""
    result = Read(node.place)
    for key, value in node.entries.items():
        field = table.get(key)
        if field is None:
            if not key.startswith("x-"):
                complain = report.error if strict else report.warning
                meant = report.meant(key, table)
                hint = "known fields: " + ", ".join(table) if strict else "it is kept and has no effect"
                complain(node.keys[key], f"unknown field {shown(key)} in {of}{meant}", hint)
        elif not (isinstance(value, Scalar) and value.kind == "null"):
            _convert(field, value, report, result)
    for field in table.values():
        if field.required and field.name not in result.values and field.name not in result.places:
            report.error(node.keys.get(field.name, node.place), f"{of} needs '{field.name}'", field.meaning)
    return result


def _convert(field: Field, value: Node, report: Report, result: Read) -> None:
    result.places[field.name] = value.place
    try:
        result.values[field.name] = CONVERTERS[field.type](value, field)
    except Wrong as wrong:
        report.error(value.place, f"'{field.name}' {wrong}", wrong.hint)
        return
    if field.type == "boolean" and isinstance(value, Scalar) and value.odd:
        meant = "true" if value.value else "false"
        report.warning(value.place, f"'{field.name}': YAML reads {value.text} as {meant}", f"write {meant}")


def mapping(node: Node, report: Report, *, of: str) -> Mapping | None:
    """The node when it is a mapping, else a problem."""
    if isinstance(node, Mapping):
        return node
    report.error(node.place, f"{of} must be a mapping (key: value), but here is {describe(node)}")
    return None


def describe(node: Node) -> str:
    """What YAML made of a value, in words."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if node.kind == "null":
        return "nothing"
    if node.kind == "str":
        return f"the text {shown(node.text)}"
    if node.kind == "bool":
        return f"the boolean {'true' if node.value else 'false'}"
    if node.kind == "date":
        return "a date"
    return f"the number {node.value}" + (f" ({node.odd})" if node.odd else "")


def _misfit(node: Node, wanted: str) -> Wrong:
    """Says what YAML made of the text where that is the surprise."""
    surprises = isinstance(node, Scalar) and (node.odd or node.kind in ("bool", "date") or wanted == "text")
    if surprises and isinstance(node, Scalar) and node.kind not in ("str", "null"):
        hint = f'put it in quotes: "{node.text}"' if wanted.startswith("text") else ""
        return Wrong(f"must be {wanted}, but YAML reads {node.text[:60]} as {describe(node)}", hint)
    return Wrong(f"must be {wanted}, but here is {describe(node)}")


def _string(node: Node, field: Field) -> str:
    if not isinstance(node, Scalar) or node.kind != "str":
        raise _misfit(node, "text")
    if len(node.text) > field.longest:
        raise Wrong(f"has {len(node.text)} characters, the limit is {field.longest}")
    return node.text


def _name(node: Node, field: Field) -> str:
    text = _string(node, field)
    if why := names.fault(text):
        raise Wrong(f"{shown(text)} {why}", f"1 to {names.MAX_NAME} visible characters, no slash")
    return text


def _text(node: Node, field: Field) -> str:
    """Prose and versions: `version: 1.0` means the text 1.0."""
    if not isinstance(node, Scalar):
        raise _misfit(node, "text")
    if len(node.text) > field.longest:
        raise Wrong(f"has {len(node.text)} characters, the limit is {field.longest}")
    return node.text


def _integer(node: Node, field: Field) -> int:
    if not isinstance(node, Scalar) or not isinstance(node.value, int) or node.kind != "int" or node.odd:
        raise _misfit(node, "a whole number in decimal digits")
    return int(_in_range(node.value, field))


def _number(node: Node, field: Field) -> float:
    if not isinstance(node, Scalar) or node.kind not in ("int", "float") or node.odd:
        raise _misfit(node, "a decimal number")
    assert isinstance(node.value, int | float)
    return float(_in_range(node.value, field))


def _in_range(value: float, field: Field) -> float:
    if not field.low <= value <= field.high:
        raise Wrong(f"must be from {field.low:g} to {field.high:.12g}, but is {value}")
    return value


def _boolean(node: Node, field: Field) -> bool:
    if not isinstance(node, Scalar) or node.kind != "bool":
        raise _misfit(node, "true or false")
    return bool(node.value)


def _duration(node: Node, field: Field) -> int:
    if isinstance(node, Scalar) and node.kind in ("int", "float") and not node.odd:
        raise Wrong(f"is {node.text[:60]} without a unit; write {duration.GRAMMAR}")
    if not isinstance(node, Scalar) or node.kind != "str":
        raise _misfit(node, f"a duration, {duration.GRAMMAR}")
    try:
        return duration.parse(node.text)
    except duration.DurationError as wrong:
        raise Wrong(f"{shown(node.text)} is {wrong}") from None


def _choice(node: Node, field: Field) -> str:
    if not isinstance(node, Scalar) or node.kind != "str":
        raise _misfit(node, "text, one of " + ", ".join(field.choices))
    if node.text not in field.choices:
        meant = names.did_you_mean(node.text, field.choices)
        raise Wrong(f"is {shown(node.text)}, not one of {', '.join(field.choices)}{meant}")
    return node.text


def _target(node: Node, field: Field) -> target.Target:
    text = _string(node, field)
    try:
        return target.parse(text)
    except target.TargetError as wrong:
        raise Wrong(f"{shown(text)}: {wrong}") from None


def _list(node: Node, field: Field) -> Sequence:
    if not isinstance(node, Sequence):
        raise _misfit(node, "a list (- item)")
    return node


def _map(node: Node, field: Field) -> Mapping:
    if not isinstance(node, Mapping):
        raise _misfit(node, "a mapping (key: value)")
    return node


def _any(node: Node, field: Field) -> Any:
    return plain(node)


def _node(node: Node, field: Field) -> Node:
    """As it stands in the file, for a reader of its own."""
    return node


CONVERTERS: Map[str, Callable[[Node, Field], Any]] = {
    "name": _name, "text": _text, "string": _string, "integer": _integer, "number": _number,
    "boolean": _boolean, "duration": _duration, "choice": _choice, "target": _target, "list": _list,
    "map": _map, "any": _any, "node": _node,
}  # fmt: skip


@dataclass(slots=True)
class Unique:
    """Names already taken, and where."""

    what: str
    report: Report
    taken: dict[str, Place] = default(default_factory=dict)

    def take(self, name: str, place: Place) -> bool:
        """Whether a name is used for the first time; else a problem that names both places."""
        first = self.taken.setdefault(name, place)
        if first is place:
            return True
        where = f"on line {first.line}" if first.file == place.file else f"at {first.file}:{first.line}"
        self.report.error(place, f"the {self.what} {shown(name)} is defined twice, first {where}")
        return False
