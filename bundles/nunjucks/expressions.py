"""The grammar of expressions, and the tokens that both grammars read."""

from collections.abc import Callable
from typing import NoReturn, TypeVar

from bundles.nunjucks import nodes
from bundles.nunjucks.lexer import NAMED, Lexer, Token
from bundles.nunjucks.limits import MAX_CHAIN, MAX_NESTING
from bundles.nunjucks.numbers import text_number

OR, AND, NOT, IN, IS, COMPARE = range(6)
LEVELS = {
    **{"or": OR, "and": AND, "in": IN, "is": IS},
    **dict.fromkeys(["==", "===", "!=", "!==", "<", ">", "<=", ">="], COMPARE),
    **{"~": 6, "+": 7, "-": 8, "*": 9, "/": 10, "//": 11, "%": 12, "**": 13},
}
WORDS = {"or": "||", "and": "&&"}
T = TypeVar("T")


class Expressions:
    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.peeked: Token | None = None
        self.depth = 0

    def fail(self, message: str, place: int | None = None) -> NoReturn:
        self.lexer.fail(message, self.peek().place if place is None else place)

    def next(self) -> Token:
        token, self.peeked = self.peeked, None
        return token or self.lexer.next()

    def peek(self) -> Token:
        if self.peeked is None:
            self.peeked = self.lexer.next()
        return self.peeked

    def skip(self, kind: str, value: str) -> bool:
        token = self.peek()
        if token.kind != kind or token.value != value:
            return False
        self.peeked = None
        return True

    def word(self, value: str) -> bool:
        return self.skip("symbol", value)

    def mark(self, value: str) -> bool:
        return self.skip("operator", value)

    def deeper(self, read: Callable[[], T]) -> T:
        self.depth += 1
        if self.depth > MAX_NESTING:
            self.fail(f"nested deeper than {MAX_NESTING}")
        found = read()
        self.depth -= 1
        return found

    def expression(self) -> nodes.Node:
        node = self.infix(OR)
        if not self.word("if"):
            return node
        condition = self.infix(OR)
        otherwise = self.infix(OR) if self.word("else") else None
        return nodes.Choice(node.place, condition, node, otherwise)

    def infix(self, level: int) -> nodes.Node:
        """Operators of this level and above, all of them from left to right."""
        ceiling = 99  # what comes next binds no closer than what came before; one `is` at a time
        if level <= NOT and self.peek().value == "not" and self.word("not"):
            ceiling = AND
            inner = self.deeper(lambda: self.infix(NOT))
            left: nodes.Node = nodes.Infix(inner.place, ["!", *items(inner)])
        else:
            left = self.unary()
        while True:
            token = self.peek()
            if token.kind != "operator" and token.kind != "symbol":
                return left
            inverted = level <= IN and token.value == "not" and self._not_in()
            found = IN if inverted else LEVELS.get(token.value, -1)
            if found < level or (found <= IS) != (token.kind == "symbol"):
                return left
            if found > ceiling:
                return left
            self.peeked = None
            ceiling = found - (found == IS)
            left = self._operation(left, token, inverted)

    def _not_in(self) -> bool:
        self.next()
        if self.peek().value != "in":
            self.fail("expected in after not")
        return True

    def _operation(self, left: nodes.Node, token: Token, inverted: bool) -> nodes.Node:
        operator = "in" if inverted else token.value
        if operator == "is":
            return self._is(left)
        right = self.infix(LEVELS[operator] + 1)
        if operator == "in":
            node: nodes.Node = nodes.Contains(token.place, left, right)
            return nodes.Infix(token.place, ["!", node]) if inverted else node
        if operator == "**":
            return nodes.Power(token.place, left, right)
        if operator == "//":
            return nodes.Apart(token.place, nodes.Infix(token.place, [*items(left), "/", *items(right)]))
        mark: list[object] = [WORDS.get(operator, operator)]
        if operator == "~":
            mark = ["+", nodes.Literal(token.place, ""), "+"]
        row = items(left)
        row += [*mark, *items(right)]
        return nodes.Infix(token.place, row)

    def _is(self, left: nodes.Node) -> nodes.Node:
        inverted = self.word("not")
        right = self.infix(COMPARE)
        arguments: list[nodes.Node] = []
        named: nodes.Node | str = right
        if isinstance(right, nodes.Call):
            named, arguments = right.callee, right.arguments
        elif isinstance(right, nodes.Filter):
            named, arguments = right.name, right.arguments
        if len(arguments) > 1:
            self.fail("a test takes one argument", right.place)
        node = nodes.Is(left.place, left, _test_name(named), arguments)
        return nodes.Infix(left.place, ["!", node]) if inverted else node

    def unary(self, filters: bool = True) -> nodes.Node:
        token = self.peek()
        if token.kind == "operator" and token.value in ("-", "+"):
            self.peeked = None
            inner = self.deeper(lambda: self.unary(False))
            node: nodes.Node = nodes.Infix(token.place, ["u" + token.value, *items(inner)])
        else:
            node = self.primary()
        return self.filters(node) if filters else node

    def primary(self, postfix: bool = True) -> nodes.Node:
        token = self.next()
        kind, value, place = token
        if kind == "symbol":
            node: nodes.Node = nodes.Symbol(place, value)
        elif kind == "string":
            node = nodes.Literal(place, value)
        elif kind == "number":
            node = nodes.Literal(place, text_number(value))
        elif kind == "constant":
            node = nodes.Literal(place, NAMED[value])
        elif kind == "regex":
            flags, _, source = value.partition("/")
            node = nodes.Pattern(place, source, flags)
        elif kind == "operator" and value in ("(", "[", "{"):
            node = self.deeper(lambda: self.aggregate(token))
        elif kind == "eof":
            self.fail("expected expression, got end of file", place)
        else:
            self.fail(f"unexpected token: {value}", place)
        return self.postfix(node) if postfix else node

    def aggregate(self, opening: Token) -> nodes.Node:
        found: list[nodes.Node] = []
        pairs: list[tuple[nodes.Node, nodes.Node]] = []
        while not self._closed():
            if (found or pairs) and not self.mark(","):
                self.fail("expected comma after expression", opening.place)
            if opening.value == "{":
                pairs.append(self._pair(opening))
            else:
                found.append(self.expression())
        if opening.value == "{":
            return nodes.Pairs(opening.place, pairs)
        if opening.value == "[":
            return nodes.Array(opening.place, found)
        if not found:
            self.fail("expected expression between the brackets", opening.place)
        return nodes.Group(opening.place, found)

    def _closed(self) -> bool:
        token = self.peek()
        if token.kind == "eof":
            self.fail("unexpected end of file")
        if token.kind == "operator" and token.value in (")", "]", "}"):
            self.peeked = None
            return True
        return False

    def _pair(self, opening: Token) -> tuple[nodes.Node, nodes.Node]:
        key = self.primary()
        if not self.mark(":"):
            self.fail("expected colon after dict key", opening.place)
        return self._key(key), self.expression()

    def _key(self, key: nodes.Node) -> nodes.Node:
        if isinstance(key, nodes.Symbol):
            return nodes.Literal(key.place, key.name)
        if isinstance(key, nodes.Literal) and isinstance(key.value, str):
            return key
        self.fail("names of an object must be texts or names", key.place)

    def postfix(self, node: nodes.Node) -> nodes.Node:
        for _ in range(MAX_CHAIN):
            token = self.peek()
            if token.kind != "operator" or token.value not in ("(", "[", "."):
                return node
            self.peeked = None
            if token.value == "(":
                node = nodes.Call(token.place, node, self.deeper(self.arguments))
            elif token.value == "[":
                node = self._index(node, token)
            else:
                node = nodes.Lookup(token.place, node, self._member())
        self.fail(f"more than {MAX_CHAIN} lookups in a row")

    def _index(self, node: nodes.Node, opening: Token) -> nodes.Node:
        inner = self.deeper(lambda: self.aggregate(opening))
        assert isinstance(inner, nodes.Array)
        if len(inner.items) != 1:
            self.fail("invalid index", opening.place)
        return nodes.Lookup(opening.place, node, inner.items[0])

    def _member(self) -> nodes.Node:
        token = self.next()
        if token.kind != "symbol":
            self.fail(f"expected name as lookup value, got {token.value}", token.place)
        return nodes.Literal(token.place, token.value)

    def arguments(self) -> list[nodes.Node]:
        """What stands between the brackets of a call; keyword arguments come last, as one object."""
        found: list[nodes.Node] = []
        pairs: list[tuple[nodes.Node, nodes.Node]] = []
        while not self.mark(")"):
            if (found or pairs) and not self.mark(","):
                self.fail("expected comma after expression")
            node = self.expression()
            if self.mark("="):
                pairs.append((self._key(node), self.expression()))
            else:
                found.append(node)
        return [*found, nodes.Pairs(pairs[0][0].place, pairs, keywords=True)] if pairs else found

    def filters(self, node: nodes.Node) -> nodes.Node:
        for _ in range(MAX_CHAIN):
            if not self.mark("|"):
                return node
            place, name = self.filter_name()
            node = nodes.Filter(place, name, [node, *self.filter_arguments()])
        self.fail(f"more than {MAX_CHAIN} filters in a row")

    def filter_name(self) -> tuple[int, str]:
        token = self.symbol()
        name = token.value
        while self.mark("."):
            name += "." + self.symbol().value
        return token.place, name

    def symbol(self) -> Token:
        token = self.next()
        if token.kind != "symbol":
            self.fail(f"expected symbol, got {token.value or 'end of file'}", token.place)
        return token

    def filter_arguments(self) -> list[nodes.Node]:
        if not self.mark("("):
            return []
        found = self.deeper(self.arguments)
        token = self.peek()
        if token.kind == "operator" and token.value in ("(", "[", "."):
            self.fail(f"unexpected token: {token.value}")
        return found


def items(node: nodes.Node) -> list[object]:
    return node.items if isinstance(node, nodes.Infix) else [node]


def _test_name(node: nodes.Node | str) -> str:
    if isinstance(node, str):
        return node
    if isinstance(node, nodes.Symbol):
        return node.name
    if isinstance(node, nodes.Literal):
        if node.value is None or isinstance(node.value, bool):
            return {None: "null", True: "true", False: "false"}[node.value]
        return str(node.value)
    return "undefined"
