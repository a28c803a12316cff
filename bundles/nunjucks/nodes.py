"""What the parser makes: expressions and statements, each with its place in the source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Node:
    place: int


@dataclass(slots=True)
class Literal(Node):
    value: Any


@dataclass(slots=True)
class Pattern(Node):
    source: str
    flags: str


@dataclass(slots=True)
class Symbol(Node):
    name: str


@dataclass(slots=True)
class Infix(Node):
    """Operands and operators in a row, as text: JavaScript's precedence decides, not that of the grammar."""

    items: list[Any]  # nodes, and operators as str


@dataclass(slots=True)
class Apart(Node):
    """A whole infix that is computed first: `//` rounds it down."""

    inner: Infix


@dataclass(slots=True)
class Power(Node):
    base: Node
    exponent: Node


@dataclass(slots=True)
class Group(Node):
    items: list[Node]


@dataclass(slots=True)
class Array(Node):
    items: list[Node]


@dataclass(slots=True)
class Pairs(Node):
    """An object, or keyword arguments."""

    items: list[tuple[Node, Node]]
    keywords: bool = False


@dataclass(slots=True)
class Lookup(Node):
    target: Node
    key: Node


@dataclass(slots=True)
class Call(Node):
    callee: Node
    arguments: list[Node]


@dataclass(slots=True)
class Filter(Node):
    name: str
    arguments: list[Node]


@dataclass(slots=True)
class Choice(Node):
    condition: Node
    then: Node
    otherwise: Node | None


@dataclass(slots=True)
class Contains(Node):
    item: Node
    container: Node


@dataclass(slots=True)
class Is(Node):
    value: Node
    test: str
    arguments: list[Node]


@dataclass(slots=True)
class Body(Node):
    statements: list[Node]


@dataclass(slots=True)
class Capture(Node):
    body: Body


@dataclass(slots=True)
class Text(Node):
    text: str


@dataclass(slots=True)
class Output(Node):
    value: Node


@dataclass(slots=True)
class If(Node):
    branches: list[tuple[Node, Body]]
    otherwise: Body | None


@dataclass(slots=True)
class For(Node):
    names: list[Node]
    items: Node
    body: Body
    otherwise: Body | None


@dataclass(slots=True)
class Set(Node):
    names: list[str]
    value: Node


@dataclass(slots=True)
class Switch(Node):
    value: Node
    cases: list[tuple[Node, Body]]
    default: Body | None


@dataclass(slots=True)
class Macro(Node):
    name: str
    parameters: list[str]
    defaults: list[tuple[str, Node]]
    body: Body


@dataclass(slots=True)
class Caller(Node):
    macro: Macro


@dataclass(slots=True)
class Block(Node):
    name: str
    body: Body


@dataclass(slots=True)
class Extends(Node):
    template: Node


@dataclass(slots=True)
class Include(Node):
    template: Node
    ignore_missing: bool


@dataclass(slots=True)
class Import(Node):
    template: Node
    target: str
    with_context: bool


@dataclass(slots=True)
class FromImport(Node):
    template: Node
    names: list[tuple[str, str]]
    with_context: bool
