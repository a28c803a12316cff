"""The grammar of tags, and of what stands between them."""

from collections.abc import Callable

from bundles.nunjucks import nodes
from bundles.nunjucks.errors import TemplateError
from bundles.nunjucks.expressions import Expressions
from bundles.nunjucks.lexer import Lexer
from bundles.nunjucks.limits import MAX_SOURCE, MAX_TOKENS, Words
from bundles.nunjucks.numbers import SPACE


def parse(source: str, name: str, words: Words | None = None) -> tuple[nodes.Body, Lexer]:
    """With ``words`` what was read is taken from those."""
    lexer = Lexer(source, name, MAX_TOKENS if words is None else min(words.left, MAX_TOKENS))
    if len(source) > MAX_SOURCE:
        lexer.fail(f"the template is longer than {MAX_SOURCE:,} characters", 0)
    try:
        return Parser(lexer).root(), lexer
    except RecursionError:
        raise TemplateError("nested too deeply", *lexer.position(lexer.place), name=name) from None
    finally:
        if words is not None:
            words.left = max(0, words.left - lexer.count)


class Parser(Expressions):
    def __init__(self, lexer: Lexer) -> None:
        super().__init__(lexer)
        self.ends: tuple[str, ...] = ()
        self.trim = False

    def root(self) -> nodes.Body:
        return nodes.Body(0, self._nodes())

    def until(self, *ends: str) -> nodes.Body:
        before, self.ends = self.ends, ends
        place = self.lexer.place
        found = self.deeper(self._nodes)
        self.ends = before
        return nodes.Body(place, found)

    def _nodes(self) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        while True:
            token = self.next()
            if token.kind == "eof":
                return found
            if token.kind == "data":
                self._data(token.value, token.place, found)
            elif token.kind == "block":
                self.trim = False
                node = self._tag()
                if node is None:
                    return found
                found.append(node)
            elif token.kind == "variable":
                found.append(self._variable(token.place))
            else:
                self.trim = token.value[-3:-2] == "-"

    def _data(self, data: str, place: int, found: list[nodes.Node]) -> None:
        if self.trim:
            data, self.trim = data.lstrip(SPACE), False
        token = self.peek()
        if token.kind in ("block", "variable", "comment") and token.value[2:3] == "-":
            data = data.rstrip(SPACE)
        if data:
            found.append(nodes.Text(place, data))

    def _variable(self, place: int) -> nodes.Node:
        node = self.expression()
        token = self.next()
        if token.kind != "end" or not token.value.endswith("}}"):
            self.fail("expected variable end", token.place)
        self.trim = token.value[0] == "-"
        return nodes.Output(place, node)

    def _tag(self) -> nodes.Node | None:
        token = self.peek()
        if token.kind != "symbol":
            self.fail("tag name expected", token.place)
        if token.value in self.ends:
            return None
        read = TAGS.get(token.value)
        if read is None:
            self.fail(f"unknown block tag: {token.value}", token.place)
        self.peeked = None
        return read(self, token.place)

    def close(self, tag: str = "") -> None:
        """The end of a tag; without a name, the tag's own word stands before it."""
        if not tag:
            token = self.next()
            if token.kind == "eof":
                self.fail("unexpected end of file", token.place)
            tag = token.value
        token = self.next()
        if token.kind != "end" or not token.value.endswith("%}"):
            self.fail(f"expected block end in {tag} statement", token.place)
        self.trim = token.value[0] == "-"

    def raw(self, place: int, tag: str = "raw") -> nodes.Node:
        self.close(tag)
        return nodes.Text(place, self.lexer.raw(tag))

    def verbatim(self, place: int) -> nodes.Node:
        return self.raw(place, "verbatim")

    def when(self, place: int) -> nodes.Node:
        branches = []
        while True:
            condition = self.expression()
            self.close("if")
            branches.append((condition, self.until("elif", "elseif", "else", "endif")))
            token = self.next()
            if token.value not in ("elif", "elseif"):
                break
        otherwise = None
        if token.value == "else":
            self.close("else")
            otherwise = self.until("endif")
            token = self.next()
        if token.kind == "eof":
            self.fail("expected elif, else, or endif, got end of file", token.place)
        self.close("endif")
        return nodes.If(place, branches, otherwise)

    def loop(self, place: int) -> nodes.Node:
        names = [self.primary()]
        while self.mark(","):
            names.append(self.primary())
        if not all(isinstance(name, nodes.Symbol) for name in names):
            self.fail("variable name expected for loop", place)
        if not self.word("in"):
            self.fail('expected "in" keyword for loop', place)
        items = self.expression()
        self.close("for")
        body = self.until("endfor", "else")
        otherwise = None
        if self.word("else"):
            self.close("else")
            otherwise = self.until("endfor")
        self.close()
        return nodes.For(place, names, items, body, otherwise)

    def assign(self, place: int) -> nodes.Node:
        names = [self._target()]
        while self.mark(","):
            names.append(self._target())
        if self.mark("="):
            value = self.expression()
            self.close("set")
        else:
            token = self.next()
            if token.kind != "end":
                self.fail("expected = or block end in set tag", place)
            value = nodes.Capture(place, self.until("endset"))
            self.close()
        return nodes.Set(place, names, value)

    def _target(self) -> str:
        node = self.primary()
        if isinstance(node, nodes.Symbol):
            return node.name
        self.fail("only names can be set", node.place)

    def switch(self, place: int) -> nodes.Node:
        value = self.expression()
        self.close("switch")
        self.until("case", "default", "endswitch")
        cases = []
        while True:
            self.word("case")
            condition = self.expression()
            self.close("switch")
            cases.append((condition, self.until("case", "default", "endswitch")))
            if self.peek().value != "case":
                break
        default = None
        if self.peek().value == "default":
            self.close()
            default = self.until("endswitch")
        if self.peek().kind == "eof":
            self.fail('expected "case", "default" or "endswitch", got end of file')
        self.close()
        return nodes.Switch(place, value, cases, default)

    def macro(self, place: int) -> nodes.Node:
        name = self.primary(postfix=False)
        if not isinstance(name, nodes.Symbol):
            self.fail("expected the name of the macro", name.place)
        if not self.mark("("):
            self.fail("expected arguments")
        found = self._macro(place, name.name, self.arguments())
        self.close("macro")
        found.body = self.until("endmacro")
        self.close()
        return found

    def _macro(self, place: int, name: str, arguments: list[nodes.Node]) -> nodes.Macro:
        defaults: list[tuple[str, nodes.Node]] = []
        if arguments and isinstance(last := arguments[-1], nodes.Pairs):
            arguments.pop()
            defaults = [(key.value, value) for key, value in last.items if isinstance(key, nodes.Literal)]
        parameters = [argument.name for argument in arguments if isinstance(argument, nodes.Symbol)]
        if len(parameters) != len(arguments):
            self.fail("the parameters of a macro are names", place)
        return nodes.Macro(place, name, parameters, defaults, nodes.Body(place, []))

    def call(self, place: int) -> nodes.Node:
        arguments = self.arguments() if self.mark("(") else []
        macro = self._macro(place, "caller", arguments)
        node = self.primary()
        if not isinstance(node, nodes.Call):
            self.fail("expected a call", node.place)
        self.close("call")
        macro.body = self.until("endcall")
        self.close()
        if not node.arguments or not getattr(node.arguments[-1], "keywords", False):
            node.arguments.append(nodes.Pairs(place, [], keywords=True))
        last = node.arguments[-1]
        assert isinstance(last, nodes.Pairs)
        last.items.append((nodes.Literal(place, "caller"), nodes.Caller(place, macro)))
        return nodes.Output(place, node)

    def block(self, place: int) -> nodes.Node:
        name = self.primary()
        if not isinstance(name, nodes.Symbol):
            self.fail("variable name expected", place)
        self.close("block")
        body = self.until("endblock")
        self.word("endblock")
        self.word(name.name)
        if self.peek().kind == "eof":
            self.fail("expected endblock, got end of file")
        self.close("endblock")
        return nodes.Block(place, name.name, body)

    def extends(self, place: int) -> nodes.Node:
        template = self.expression()
        self.close("extends")
        return nodes.Extends(place, template)

    def include(self, place: int) -> nodes.Node:
        template = self.expression()
        ignore = self.word("ignore") and self.word("missing")
        self.close("include")
        return nodes.Include(place, template, ignore)

    def imports(self, place: int) -> nodes.Node:
        template = self.expression()
        if not self.word("as"):
            self.fail('expected "as" keyword', place)
        target = self._target()
        context = self._context()
        self.close("import")
        return nodes.Import(place, template, target, context)

    def _context(self) -> bool:
        given = self.word("with")
        if (given or self.word("without")) and not self.word("context"):
            self.fail("expected context after with/without")
        return given

    def from_import(self, place: int) -> nodes.Node:
        template = self.expression()
        if not self.word("import"):
            self.fail("expected import", place)
        names: list[tuple[str, str]] = []
        context = False
        while self.peek().kind != "end":
            if names and not self.mark(","):
                self.fail("expected comma", place)
            names.append(self._imported())
            context = self._context()
        if not names:
            self.fail("expected at least one import name", place)
        self.close("from")
        return nodes.FromImport(place, template, names, context)

    def _imported(self) -> tuple[str, str]:
        name = self._target()
        if name.startswith("_"):
            self.fail("names starting with an underscore cannot be imported")
        return name, self._target() if self.word("as") else name

    def filter_block(self, place: int) -> nodes.Node:
        where, name = self.filter_name()
        arguments = self.filter_arguments()
        self.close("filter")
        body = nodes.Capture(where, self.until("endfilter"))
        self.close()
        return nodes.Output(place, nodes.Filter(where, name, [body, *arguments]))


TAGS: dict[str, Callable[[Parser, int], nodes.Node]] = {
    **{"raw": Parser.raw, "verbatim": Parser.verbatim, "if": Parser.when, "for": Parser.loop},
    **{"set": Parser.assign, "switch": Parser.switch, "macro": Parser.macro, "call": Parser.call},
    **{"block": Parser.block, "extends": Parser.extends, "include": Parser.include},
    **{"import": Parser.imports, "from": Parser.from_import, "filter": Parser.filter_block},
    **{"ifAsync": Parser.when},
}
