"""What reading the blocks of a flow file has in common: spellings of keys, and names that are looked up later."""

import re
from collections.abc import Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from bundles.fields import Field, Read, read
from bundles.values import Mapping, Node, Place, Report, Scalar, shown

NAME = re.compile(r"[^\W\d_][\w.-]{0,99}")
NAME_RULE = "a letter, then letters, digits, '.', '_' and '-', at most 100"
HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
SNAKE = re.compile(r"_([a-z0-9])")
KEPT = "Of other engines; kept, without effect here"


@dataclass(frozen=True, slots=True)
class Reference:
    """A place that names a listener; whether there is one is known only at the end."""

    name: str
    place: Place
    what: str
    strict: bool


@dataclass(slots=True)
class Reader:
    """One flow being read: the files it may use, its problems, the names it mentions."""

    name: str
    file: str
    files: Map[str, bytes]
    report: Report
    references: list[Reference] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    modules: dict[str, str] = field(default_factory=dict)
    work: int = 0  # characters of expressions so far

    def read(self, node: Mapping, fields: Map[str, Field], *, of: str) -> Read:
        """The fields of a mapping, whether they are written in camelCase or in snake_case."""
        return read(canonical(node, fields, self.report), fields, self.report, of=of)

    def refer(self, node: Node, what: str, *, strict: bool = True) -> str:
        """The name of a listener, checked when all are known; empty when it is no text."""
        if isinstance(node, Scalar) and node.kind == "null":
            return ""
        if not isinstance(node, Scalar) or node.kind != "str" or not node.text:
            self.report.error(node.place, f"{what} must be the name of a listener")
            return ""
        self.references.append(Reference(node.text, node.place, what, strict))
        return node.text


def kept(*names: str) -> tuple[Field, ...]:
    """Fields that are known and do nothing."""
    return tuple(Field(name, "any", KEPT) for name in names)


def canonical(node: Mapping, known: Iterable[str], report: Report) -> Mapping:
    """The mapping with its keys in their usual spelling: on_error is onError, payloadClass is payload_class."""
    usual = set(known)
    renamed = {key: _usual(key, usual) for key in node.entries}
    if all(key == name for key, name in renamed.items()):
        return node
    tidy = Mapping(node.place, {}, {})
    for key, name in renamed.items():
        if name in tidy.entries:
            message = f"{shown(key)} and {shown(name)} are the same field"
            report.error(node.keys[key], message, "keep one of them")
            continue
        tidy.entries[name], tidy.keys[name] = node.entries[key], node.keys[key]
    return tidy


def _usual(key: str, usual: set[str]) -> str:
    if key in usual or len(key) > 100:
        return key
    snake = HUMP.sub(lambda found: "_" + found[1].lower(), key)
    camel = SNAKE.sub(lambda found: found[1].upper(), key)
    return snake if snake in usual else camel if camel in usual else key
