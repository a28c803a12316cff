"""Tags become closures: each is called with the unit that runs, and adds to its output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bundles.nunjucks import loops, nodes, reuse, values
from bundles.nunjucks.compiler import EXPRESSIONS, Compiler
from bundles.nunjucks.errors import Failure
from bundles.nunjucks.frames import Unit
from bundles.nunjucks.macros import MacroCode
from bundles.nunjucks.operators import Expr
from bundles.nunjucks.scope import Code, Scope
from bundles.nunjucks.undefined import UNDEFINED

Statement = Callable[[Unit], None]


class Statements(Compiler):
    def body(self, body: nodes.Body, scope: Scope) -> Statement:
        """Statements in a row; what they cost, and the text between them, is charged once at the start."""
        before, self.cost = self.cost, 1
        found: list[Statement] = []
        places: dict[Statement, int] = {}
        size = 0
        for node in body.statements:
            self.cost += 1
            size += len(node.text) if isinstance(node, nodes.Text) else 0
            statement = STATEMENTS[type(node)](self, node, scope)
            found.append(statement)
            places[statement] = node.place
        cost, self.cost = self.cost + size // 256, before
        return self._row(found, places, cost=cost, size=size)

    def _row(
        self, found: list[Statement], places: dict[Statement, int], *, cost: int, size: int
    ) -> Statement:
        lexer = self.lexer

        def run(unit: Unit) -> None:
            counters = unit.run
            statement = None
            try:
                counters.left -= cost
                if counters.left < 0:
                    counters.refill()
                counters.room -= size
                if counters.room < 0:
                    counters.full()
                for statement in found:
                    statement(unit)
            except Failure as wrong:
                if wrong.place is None and statement is not None:
                    wrong.place = (lexer.name, *lexer.position(places[statement]))
                raise

        return run

    def text(self, node: nodes.Text, scope: Scope) -> Statement:
        text = node.text
        return lambda unit: unit.out.append(text)

    def output(self, node: nodes.Output, scope: Scope) -> Statement:
        expression = self.expr(node.value, scope)

        def write(unit: Unit) -> None:
            value = expression(unit)
            if type(value) is not str:
                if value is None or value is UNDEFINED:
                    return
                value = values.text(unit.run, value)
            run = unit.run
            run.room -= len(value)
            if run.room < 0:
                run.full()
            unit.out.append(value)

        return write

    def when(self, node: nodes.If, scope: Scope) -> Statement:
        branches = [(self.expr(test, scope), self.body(body, scope)) for test, body in node.branches]
        otherwise = self.body(node.otherwise, scope) if node.otherwise else None

        def choose(unit: Unit) -> None:
            for test, body in branches:
                value = test(unit)
                if value is True or (value is not False and values.truthy(value)):
                    return body(unit)
            if otherwise:
                otherwise(unit)
            return None

        return choose

    def loop(self, node: nodes.For, scope: Scope) -> Statement:
        inner = scope.inner()
        items = self.expr(node.items, inner)
        size = scope.code.slot()
        names = [name.name for name in node.names if isinstance(name, nodes.Symbol)]
        slots = [inner.bind(name) for name in names]
        body = self.body(node.body, inner)
        otherwise = self.body(node.otherwise, inner) if node.otherwise else None
        if names == ["loop"]:
            self.lexer.fail("an element cannot be called loop", node.place)
        plan = loops.Plan(items, names, slots, size, body, otherwise)
        return loops.single(plan) if len(names) == 1 else loops.several(plan)

    def assign(self, node: nodes.Set, scope: Scope) -> Statement:
        value = self.expr(node.value, scope)
        targets = [(name, scope.find(name)) for name in node.names]

        def assign(unit: Unit) -> None:
            result = value(unit)
            for name, slot in targets:
                if slot is not None:
                    unit.slots[slot] = result
                unit.frame.assign(name, result)
                if unit.frame.top:
                    export(unit, name, result)

        return assign

    def switch(self, node: nodes.Switch, scope: Scope) -> Statement:
        """The first case that is equal; cases without a body fall through to the next one."""
        value = self.expr(node.value, scope)
        cases = [
            (self.expr(test, scope), self.body(body, scope) if body.statements else None)
            for test, body in node.cases
        ]
        default = self.body(node.default, scope) if node.default else None

        def choose(unit: Unit) -> None:
            wanted, found = value(unit), False
            for test, body in cases:
                found = found or values.strict(wanted, test(unit))
                if found and body:
                    return body(unit)
            if default:
                default(unit)
            return None

        return choose

    def capture(self, node: nodes.Capture, scope: Scope) -> Expr:
        body = self.body(node.body, scope)

        def capture(unit: Unit) -> Any:
            before, unit.out = unit.out, []
            body(unit)
            made, unit.out = unit.out, before
            return values.glue(unit.run, made)

        return capture

    def macro(self, node: nodes.Macro, scope: Scope) -> Statement:
        code = self.macro_code(node, Scope(Code()))
        slot = scope.bind(node.name)
        name, top = node.name, scope.parent is None

        def define(unit: Unit) -> None:
            unit.slots[slot] = made = code.make(unit)
            bind(unit, name, made, top=top)
            if top and not name.startswith("_"):
                unit.context.exported.append(name)

        return define

    def macro_code(self, node: nodes.Macro, scope: Scope, *, keep: bool = False) -> MacroCode:
        slots = [scope.bind(name) for name in node.parameters]
        code = MacroCode(node.name, node.parameters, slots, keep=keep)
        code.defaults = [(name, self.expr(value, scope)) for name, value in node.defaults]
        code.body = self.body(node.body, scope)
        code.size = scope.code.size
        return code

    def caller(self, node: nodes.Caller, scope: Scope) -> Expr:
        first = scope.code.size
        code = self.macro_code(node.macro, scope.inner(), keep=True)
        code.own = (first, scope.code.size)
        return code.make


def export(unit: Unit, name: str, value: Any) -> None:
    unit.context.names[name] = value
    if not name.startswith("_"):
        unit.context.exported.append(name)


def bind(unit: Unit, name: str, value: Any, *, top: bool) -> None:
    if top:
        unit.context.names[name] = value
    else:
        unit.frame.names[name] = value


STATEMENTS: dict[type[nodes.Node], Callable[..., Statement]] = {
    nodes.Text: Statements.text,
    nodes.Output: Statements.output,
    nodes.If: Statements.when,
    nodes.For: Statements.loop,
    nodes.Set: Statements.assign,
    nodes.Switch: Statements.switch,
    nodes.Macro: Statements.macro,
    nodes.Block: reuse.block,
    nodes.Extends: reuse.extends,
    nodes.Include: reuse.include,
    nodes.Import: reuse.imports,
    nodes.FromImport: reuse.from_import,
}
EXPRESSIONS[nodes.Capture] = Statements.capture
EXPRESSIONS[nodes.Caller] = Statements.caller
