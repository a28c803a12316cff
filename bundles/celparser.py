"""Expressions as trees: a Pratt parser for CEL, with limits on nesting."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from bundles.celerror import MAX_DEPTH, MAX_INTEGER, MAX_NESTING, CelError
from bundles.cellexer import Token, tokens

RESERVED = frozenset(
    {
        *("as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop"),
        *("namespace", "package", "return", "var", "void", "while"),
    }
)
KEYWORDS = frozenset({"true", "false", "null", "in"})
CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
BINDING = {
    **{"||": 2, "&&": 3},
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!=", "in"), 4),
    **{"+": 5, "-": 5, "*": 6, "/": 6, "%": 6},
}
CONDITIONAL = 1
MEMBERS = frozenset({".", "[", "("})
HINTS = {"and": "&&", "or": "||", "not": "!", "is": "=="}

Constant: TypeAlias = int | float | str | bytes | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression, and where it stands."""

    column: int
    depth: int  # of the tree below it


@dataclass(frozen=True, slots=True)
class Literal(Node):
    value: Constant


@dataclass(frozen=True, slots=True)
class Name(Node):
    name: str


@dataclass(frozen=True, slots=True)
class Select(Node):
    operand: Node
    field: str


@dataclass(frozen=True, slots=True)
class Index(Node):
    operand: Node
    key: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function, or a method when there is a target."""

    target: Node | None
    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Unary(Node):
    op: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """`a && b && c` is one node, so long conditions are not deep."""

    op: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    test: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapOf(Node):
    entries: tuple[tuple[Node, Node], ...]


def parse(text: str) -> Node:
    """The tree of a whole text."""
    found, _ = tokens(text)
    return tree(found)


def tree(found: list[Token]) -> Node:
    """The tree of these tokens, which must be one expression."""
    if found[0].kind == "end":
        raise CelError("the expression is empty", found[0].column)
    parser = Parser(found)
    node = parser.expression(0)
    if parser.token.kind != "end":
        raise parser.unexpected()
    return node


class Parser:
    """Walks over the tokens once."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._nesting = 0
        self.token = found[0]

    def expression(self, weakest: int = 0) -> Node:
        """Everything that binds more strongly than that."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise CelError(f"more than {MAX_NESTING} levels of nesting", self.token.column)
        left = self._unary()
        while (binding := self._binding()) > weakest:
            left = self._conditional(left) if binding == CONDITIONAL else self._binary(left, binding)
        self._nesting -= 1
        return left

    def unexpected(self) -> CelError:
        token = self.token
        if token.kind == "end":
            return CelError("the expression ends too early", token.column)
        shown = {"string": "a text", "bytes": "bytes", "quoted": "a quoted name"}.get(token.kind, token.text)
        meant = HINTS.get(token.text.lower()) if token.kind == "name" else None
        hint = f", did you mean {meant}?" if meant else ""
        return CelError(f"{shown} is not expected here{hint}", token.column)

    # -- operators

    def _binding(self) -> int:
        token = self.token
        if token.kind == "op":
            return CONDITIONAL if token.text == "?" else BINDING.get(token.text, 0)
        return BINDING["in"] if token.kind == "name" and token.text == "in" else 0

    def _binary(self, left: Node, binding: int) -> Node:
        if self.token.text in ("&&", "||"):
            return self._logic(left, binding)
        token = self._take()
        right = self.expression(binding)
        return self._made(partial(Binary, op=token.text, left=left, right=right), token, left, right)

    def _logic(self, left: Node, binding: int) -> Node:
        token, parts = self.token, [left]
        while self.token.kind == "op" and self.token.text == token.text:
            self._take()
            parts.append(self.expression(binding))
        return self._made(partial(Logic, op=token.text, parts=tuple(parts)), token, *parts)

    def _conditional(self, test: Node) -> Node:
        token = self._take()
        then = self.expression(CONDITIONAL)
        self._expect(":")
        otherwise = self.expression(0)
        make = partial(Conditional, test=test, then=then, otherwise=otherwise)
        return self._made(make, token, test, then, otherwise)

    def _unary(self) -> Node:
        token = self.token
        if token.kind != "op" or token.text not in ("!", "-"):
            return self._member()
        self._take()
        if token.text == "-" and self.token.kind in ("int", "double"):
            return self._member(negative=True)
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise CelError(f"more than {MAX_NESTING} levels of nesting", token.column)
        operand = self._unary()
        self._nesting -= 1
        return self._made(partial(Unary, op=token.text, operand=operand), token, operand)

    # -- members

    def _member(self, *, negative: bool = False) -> Node:
        node = self._primary(negative=negative)
        while self.token.kind == "op" and self.token.text in MEMBERS:
            if self.token.text == "(":
                raise CelError("only a name can be called", self.token.column)
            node = self._field(node) if self.token.text == "." else self._indexed(node)
        if self.token.kind == "op" and self.token.text == "{":
            raise CelError('messages are not known here, write a map: {"name": value}', self.token.column)
        return node

    def _field(self, operand: Node) -> Node:
        self._take()
        if self.token.kind == "op" and self.token.text == "?":
            raise CelError("optional fields are not known here, use has() or default()", self.token.column)
        token = self._take()
        if token.kind not in ("name", "quoted") or (token.kind == "name" and token.text in KEYWORDS):
            raise CelError("a field's name is missing after the dot", token.column)
        if self.token.kind == "op" and self.token.text == "(" and token.kind == "name":
            args = self._arguments(")")
            return self._made(
                partial(Call, target=operand, name=token.text, args=args), token, operand, *args
            )
        return self._made(partial(Select, operand=operand, field=token.text), token, operand)

    def _indexed(self, operand: Node) -> Node:
        token = self._take()
        key = self.expression(0)
        self._expect("]")
        return self._made(partial(Index, operand=operand, key=key), token, operand, key)

    # -- the smallest parts

    def _primary(self, *, negative: bool) -> Node:
        token = self.token
        if token.kind in ("int", "double", "string", "bytes"):
            return self._literal(negative=negative)
        if token.kind == "name":
            return self._name()
        opens = {"(": self._group, "[": self._list, "{": self._map, ".": self._rooted}.get(token.text)
        if token.kind != "op" or not opens:
            raise self.unexpected()
        return opens()

    def _literal(self, *, negative: bool) -> Node:
        token = self._take()
        value = token.value
        if negative and isinstance(value, int | float):
            value = -value
        if token.kind == "int" and isinstance(value, int) and value > MAX_INTEGER:
            raise CelError("the number does not fit into 64 bits", token.column)
        return Literal(token.column, 1, value)

    def _rooted(self) -> Node:
        self._take()
        if self.token.kind != "name":
            raise self.unexpected()
        return self._name()

    def _name(self) -> Node:
        token = self.token
        if token.text == "in":
            raise self.unexpected()
        self._take()
        if token.text in CONSTANTS:
            return Literal(token.column, 1, CONSTANTS[token.text])
        if token.text in RESERVED:
            raise CelError(f"{token.text} is a reserved word", token.column)
        if self.token.kind == "op" and self.token.text == "(":
            args = self._arguments(")")
            return self._made(partial(Call, target=None, name=token.text, args=args), token, *args)
        return Name(token.column, 1, token.text)

    def _group(self) -> Node:
        self._take()
        node = self.expression(0)
        self._expect(")")
        return node

    def _list(self) -> Node:
        token = self.token
        items = self._arguments("]")
        return self._made(partial(ListOf, items=items), token, *items)

    def _map(self) -> Node:
        token = self._take()
        entries: list[tuple[Node, Node]] = []
        while not self._closes("}"):
            key = self.expression(0)
            self._expect(":")
            entries.append((key, self.expression(0)))
            self._comma("}")
        self._take()
        parts = [node for entry in entries for node in entry]
        return self._made(partial(MapOf, entries=tuple(entries)), token, *parts)

    def _arguments(self, closing: str) -> tuple[Node, ...]:
        self._take()
        found: list[Node] = []
        while not self._closes(closing):
            found.append(self.expression(0))
            self._comma(closing)
        self._take()
        return tuple(found)

    # -- helpers

    def _closes(self, closing: str) -> bool:
        return self.token.kind == "op" and self.token.text == closing

    def _comma(self, closing: str) -> None:
        if self._closes(closing):
            return
        self._expect(",")
        if self._closes(closing) and closing == ")":
            raise self.unexpected()

    def _take(self) -> Token:
        token = self.token
        if token.kind != "end":
            self._at += 1
            self.token = self._tokens[self._at]
        return token

    def _expect(self, text: str) -> None:
        if not self._closes(text):
            if self.token.kind == "end":
                raise CelError(f"the expression ends too early, a {text} is missing", self.token.column)
            raise self.unexpected()
        self._take()

    def _made(self, make: Callable[[int, int], Node], token: Token, *parts: Node) -> Node:
        depth = 1 + max((part.depth for part in parts), default=0)
        if depth > MAX_DEPTH:
            raise CelError(f"more than {MAX_DEPTH} operators on top of each other", token.column)
        return make(token.column, depth)
