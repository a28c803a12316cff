"""Tags that bring in other templates: block, extends, include, import."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bundles.nunjucks import nodes, values
from bundles.nunjucks.errors import Failure
from bundles.nunjucks.frames import Context, Frame, Unit
from bundles.nunjucks.operators import Expr
from bundles.nunjucks.scope import Scope

if TYPE_CHECKING:
    from bundles.nunjucks.statements import Statements
    from bundles.nunjucks.template import Template

Statement = Callable[[Unit], None]


def block(compiler: Statements, node: nodes.Block, scope: Scope) -> Statement:
    """A block of a root that extends another template is written by that one; inside of blocks it always is."""
    name, inside = node.name, compiler.in_block

    def write(unit: Unit) -> None:
        if inside or unit.parent is None:
            if name not in unit.context.blocks:
                raise Failure(f'unknown block "{name}"')
            unit.out.append(unit.context.blocks[name][0].render(unit))

    return write


def extends(compiler: Statements, node: nodes.Extends, scope: Scope) -> Statement:
    template = compiler.expr(node.template, scope)

    def extend(unit: Unit) -> None:
        unit.parent = fetch(unit, template(unit))
        for name, code in unit.parent.blocks.items():
            unit.context.blocks.setdefault(name, []).append(code)

    return extend


def include(compiler: Statements, node: nodes.Include, scope: Scope) -> Statement:
    template, ignore = compiler.expr(node.template, scope), node.ignore_missing

    def write(unit: Unit) -> None:
        found = fetch(unit, template(unit), ignore=ignore)
        if found is not None:
            context = Context(dict(unit.context.names), found.blocks)
            frame = Frame(unit.frame, isolated=True, top=True)
            unit.out.append(found.run(unit.run, context, frame))

    return write


def imports(compiler: Statements, node: nodes.Import, scope: Scope) -> Statement:
    template = compiler.expr(node.template, scope)
    slot, top = scope.bind(node.target), scope.parent is None

    def load(unit: Unit) -> None:
        unit.slots[slot] = found = exports(unit, template(unit), node.with_context)
        _bind(unit, node.target, found, top=top)

    return load


def from_import(compiler: Statements, node: nodes.FromImport, scope: Scope) -> Statement:
    template: Expr = compiler.expr(node.template, scope)
    targets = [(name, alias, scope.bind(alias)) for name, alias in node.names]
    top = scope.parent is None

    def load(unit: Unit) -> None:
        found = exports(unit, template(unit), node.with_context)
        for name, alias, slot in targets:
            if name not in found:
                raise Failure(f"cannot import '{name}'")
            unit.slots[slot] = found[name]
            _bind(unit, alias, found[name], top=top)

    return load


def _bind(unit: Unit, name: str, value: Any, *, top: bool) -> None:
    (unit.context if top else unit.frame).names[name] = value


def exports(unit: Unit, name: Any, with_context: bool) -> dict[str, Any]:
    found = fetch(unit, name)
    names = dict(unit.context.names) if with_context else {}
    context = Context(names, found.blocks)
    found.run(unit.run, context, Frame(unit.frame if with_context else None, top=True))
    return {each: context.names[each] for each in context.exported}


def fetch(unit: Unit, name: Any, *, ignore: bool = False) -> Any:
    """The template of that name, asked of who renders; None only when it may be missing."""
    if type(name) is not str:
        raise Failure(f"template names must be a string: {values.text(unit.run, name)[:80]}")
    found: Template | None = unit.run.include(name) if unit.run.include else None
    if found is None and not ignore:
        raise Failure(f"template not found: {name[:200]}")
    return found
