"""Expressions become closures: each is called with the unit that runs, and gives a value."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from bundles.nunjucks import nodes, numbers, values
from bundles.nunjucks.entry import Entry
from bundles.nunjucks.errors import Failure
from bundles.nunjucks.filters import FILTERS
from bundles.nunjucks.frames import Frame, Unit
from bundles.nunjucks.globals import GLOBALS
from bundles.nunjucks.lexer import Lexer
from bundles.nunjucks.limits import MAX_PATTERNS
from bundles.nunjucks.members import member
from bundles.nunjucks.operators import Climber, Expr
from bundles.nunjucks.regex import Regex
from bundles.nunjucks.scope import Scope
from bundles.nunjucks.tests import TESTS
from bundles.nunjucks.undefined import UNDEFINED, Function, Keywords


class Compiler:
    """`cost` counts the nodes of the body that is being compiled: they are charged when it is entered."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.cost = 0
        self.patterns = 0  # characters of all regexes
        self.in_block = False
        self.super_slot: int | None = None
        self.unknown: list[tuple[str, int]] = []

    def expr(self, node: nodes.Node, scope: Scope) -> Expr:
        self.cost += 1
        return EXPRESSIONS[type(node)](self, node, scope)

    def literal(self, node: nodes.Literal, scope: Scope) -> Expr:
        value = node.value
        return lambda unit: value

    def pattern(self, node: nodes.Pattern, scope: Scope) -> Expr:
        self.patterns += len(node.source) + 20
        if self.patterns > MAX_PATTERNS:
            self.lexer.fail(f"regular expressions of more than {MAX_PATTERNS:,} characters", node.place)
        try:
            Regex(node.source, node.flags)
        except Failure as wrong:
            self.lexer.fail(wrong.message, node.place)
        source, flags = node.source, node.flags
        return lambda unit: Regex(source, flags)

    def symbol(self, node: nodes.Symbol, scope: Scope) -> Expr:
        name = node.name
        slot = scope.find(name)
        if slot is not None:
            found: int = slot
            return lambda unit: unit.slots[found]
        if '"' in name or "\\" in name:
            self.lexer.fail(f"not a name: {name}", node.place)
        return lookup(name)

    def infix(self, node: nodes.Infix, scope: Scope) -> Expr:
        for one, two in pairwise(node.items):
            if isinstance(one, str) and one == two and one in ("u-", "u+"):
                self.lexer.fail(f"unexpected token: {one[1]}", node.place)
        row = [item if isinstance(item, str) else self.expr(item, scope) for item in node.items]
        self.cost += len(row) // 2
        return Climber(row).read()

    def apart(self, node: nodes.Apart, scope: Scope) -> Expr:
        inner = self.infix(node.inner, scope)
        return lambda unit: numbers.floor(values.number(unit.run, inner(unit)))

    def power(self, node: nodes.Power, scope: Scope) -> Expr:
        base, exponent = self.expr(node.base, scope), self.expr(node.exponent, scope)
        return lambda unit: numbers.power(
            values.number(unit.run, base(unit)), values.number(unit.run, exponent(unit))
        )

    def group(self, node: nodes.Group, scope: Scope) -> Expr:
        """Several expressions in brackets: the last one counts."""
        inner = [self.expr(item, scope) for item in node.items]
        return inner[0] if len(inner) == 1 else lambda unit: [each(unit) for each in inner][-1]

    def array(self, node: nodes.Array, scope: Scope) -> Expr:
        inner = [self.expr(item, scope) for item in node.items]
        return lambda unit: [each(unit) for each in inner]

    def pairs(self, node: nodes.Pairs, scope: Scope) -> Expr:
        inner = [
            (key.value, self.expr(value, scope))
            for key, value in node.items
            if isinstance(key, nodes.Literal)
        ]
        if node.keywords:
            return lambda unit: Keywords({name: value(unit) for name, value in inner})
        return lambda unit: {name: value(unit) for name, value in inner}

    def lookup(self, node: nodes.Lookup, scope: Scope) -> Expr:
        target = self.expr(node.target, scope)
        if isinstance(node.key, nodes.Literal) and isinstance(node.key.value, str):
            slot = scope.find(node.target.name) if isinstance(node.target, nodes.Symbol) else None
            return (
                member_named(target, node.key.value) if slot is None else member_bound(slot, node.key.value)
            )
        key = self.expr(node.key, scope)
        return lambda unit: member(unit.run, target(unit), key(unit))

    def call(self, node: nodes.Call, scope: Scope) -> Expr:
        if (
            self.super_slot is not None
            and isinstance(node.callee, nodes.Symbol)
            and node.callee.name == "super"
        ):
            slot = self.super_slot
            return lambda unit: unit.slots[slot]
        callee = self.expr(node.callee, scope)
        arguments = [self.expr(argument, scope) for argument in node.arguments]
        name = name_of(node.callee)

        def call(unit: Unit) -> Any:
            function = callee(unit)
            if type(function) is not Function:
                why = "not a function" if values.truthy(function) else "undefined or falsey"
                raise Failure(f"Unable to call `{name}`, which is {why}")
            return function.call(unit.run, [each(unit) for each in arguments])

        return call

    def filter(self, node: nodes.Filter, scope: Scope) -> Expr:
        found = FILTERS.get(node.name)
        arguments = [self.expr(argument, scope) for argument in node.arguments]
        if found is None:
            self.unknown.append((node.name, node.place))
            return missing(f"filter not found: {node.name}")
        return applied(found, arguments)

    def choice(self, node: nodes.Choice, scope: Scope) -> Expr:
        condition, then = self.expr(node.condition, scope), self.expr(node.then, scope)
        otherwise = self.expr(node.otherwise or nodes.Literal(node.place, ""), scope)
        return lambda unit: then(unit) if values.truthy(condition(unit)) else otherwise(unit)

    def contains(self, node: nodes.Contains, scope: Scope) -> Expr:
        item, container = self.expr(node.item, scope), self.expr(node.container, scope)
        return lambda unit: values.contains(unit.run, item(unit), container(unit))

    def test(self, node: nodes.Is, scope: Scope) -> Expr:
        found = TESTS.get(node.test)
        arguments = [self.expr(argument, scope) for argument in (node.value, *node.arguments)]
        if found is None:
            self.unknown.append((node.test, node.place))
            return missing(f"test not found: {node.test}")
        return applied(found, arguments)


def lookup(name: str) -> Expr:
    """A name that is not bound: the frames from inside out, then the context, then what all templates have."""
    otherwise = GLOBALS.get(name, UNDEFINED)

    def find(unit: Unit) -> Any:
        frame: Frame | None = unit.frame
        while frame is not None:
            value = frame.names.get(name, UNDEFINED)
            if value is not UNDEFINED:
                return value
            frame = frame.parent
        return unit.context.names.get(name, otherwise)

    return find


def member_named(target: Expr, name: str) -> Expr:
    def find(unit: Unit) -> Any:
        value = target(unit)
        if type(value) is dict:
            found = value.get(name, UNDEFINED)
            if found is not UNDEFINED:
                return found
        return member(unit.run, value, name, named=True)

    return find


def member_bound(slot: int, name: str) -> Expr:
    """The same for what a loop or a macro has bound: the usual case, without a call in between."""

    def find(unit: Unit) -> Any:
        value = unit.slots[slot]
        if type(value) is dict:
            found = value.get(name, UNDEFINED)
            if found is not UNDEFINED:
                return found
        return member(unit.run, value, name, named=True)

    return find


def missing(message: str) -> Expr:
    def fail(unit: Unit) -> Any:
        raise Failure(message)

    return fail


def applied(entry: Entry, arguments: list[Expr]) -> Expr:
    apply, arity = entry
    if len(arguments) > arity:
        return lambda unit: apply(unit.run, *[each(unit) for each in arguments][:arity])
    if len(arguments) == 1:
        only = arguments[0]
        return lambda unit: apply(unit.run, only(unit))
    return lambda unit: apply(unit.run, *[each(unit) for each in arguments])


def name_of(node: nodes.Node) -> str:
    """How a message calls what cannot be called."""
    if isinstance(node, nodes.Symbol):
        return node.name
    if isinstance(node, nodes.Call):
        return f"the return value of ({name_of(node.callee)})"
    if isinstance(node, nodes.Lookup):
        return f'{name_of(node.target)}["{name_of(node.key)}"]'
    return str(node.value)[:80] if isinstance(node, nodes.Literal) else "--expression--"


EXPRESSIONS: dict[type[nodes.Node], Callable[..., Expr]] = {
    nodes.Literal: Compiler.literal,
    nodes.Pattern: Compiler.pattern,
    nodes.Symbol: Compiler.symbol,
    nodes.Infix: Compiler.infix,
    nodes.Apart: Compiler.apart,
    nodes.Power: Compiler.power,
    nodes.Group: Compiler.group,
    nodes.Array: Compiler.array,
    nodes.Pairs: Compiler.pairs,
    nodes.Lookup: Compiler.lookup,
    nodes.Call: Compiler.call,
    nodes.Filter: Compiler.filter,
    nodes.Choice: Compiler.choice,
    nodes.Contains: Compiler.contains,
    nodes.Is: Compiler.test,
}
