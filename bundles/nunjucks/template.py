"""A template: parsed and compiled once, rendered as often as one likes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bundles.nunjucks import nodes, units, values
from bundles.nunjucks.copies import copied
from bundles.nunjucks.errors import Failure, TemplateError
from bundles.nunjucks.frames import Context, Frame, Unit
from bundles.nunjucks.limits import Limits, Run, Words
from bundles.nunjucks.parser import parse
from bundles.nunjucks.scope import Code, Scope
from bundles.nunjucks.statements import Statement, Statements
from bundles.nunjucks.survey import survey

DEFAULT = Limits()
Include = Callable[[str], "Template | None"]


class BlockCode:
    """One block of one template; `held` is the slot of what super() gives, when the block asks for it."""

    __slots__ = ("body", "held", "name", "size")

    def __init__(self, name: str, body: Statement, size: int, *, held: int | None) -> None:
        self.name = name
        self.body = body
        self.size = size
        self.held = held

    def render(self, unit: Unit) -> str:
        run = unit.run
        run.enter()
        inner = Unit(run, unit.context, Frame(unit.frame, isolated=True), self.size)
        if self.held is not None:
            inner.slots[self.held] = self._above(inner)
        self.body(inner)
        run.leave()
        return values.glue(run, inner.out)

    def _above(self, unit: Unit) -> str:
        stack = unit.context.blocks[self.name]
        above = stack[stack.index(self) + 1 :]
        if not above:
            raise Failure(f'no super block available for "{self.name}"')
        return above[0].render(unit)


class Template:
    """`unknown` holds filters and tests that do not exist: (name, line). They fail only when they are used."""

    def __init__(self, source: str, name: str, words: Words | None = None) -> None:
        body, lexer = parse(source, name, words)
        self.name = name
        found = survey(body, lexer)
        self.changes_values = found.changes_values
        compiler = Statements(lexer)
        code = Code()
        self.body = compiler.body(body, Scope(code))
        self.size = code.size
        self.blocks = {block.name: _block(compiler, block, asks) for block, asks in found.blocks}
        self.unknown = tuple((each, lexer.position(place)[0]) for each, place in compiler.unknown)

    @classmethod
    def parse(cls, source: str, name: str = "", words: Words | None = None) -> Template:
        """Raises TemplateError when the source is not a template, or has more than is left of ``words``."""
        try:
            return cls(source, name, words)
        except RecursionError:
            raise TemplateError("nested too deeply", name=name) from None

    def render(
        self, given: Mapping[str, Any], include: Include | None = None, limits: Limits = DEFAULT
    ) -> str:
        """The text for these values, which are never changed. Raises TemplateError."""
        run = Run(limits, include)
        try:
            names = copied(run, given) if self.changes_values else dict(given)
            return units.sound(self.run(run, Context(names, self.blocks), Frame(top=True)))
        except Failure as wrong:
            name, line, column = wrong.place or (self.name, 1, 1)
            raise TemplateError(wrong.message, line, column, name=name) from None
        except RecursionError:
            raise TemplateError("nested too deeply", name=self.name) from None
        finally:
            if limits.told is not None:
                limits.told(run.used)

    def run(self, run: Run, context: Context, frame: Frame) -> str:
        """The root; when it extends another template, that one's root writes the text."""
        run.enter()
        unit = Unit(run, context, frame, self.size)
        self.body(unit)
        made = unit.parent.run(run, context, frame) if unit.parent else "".join(unit.out)
        run.leave()
        return made


def _block(compiler: Statements, block: nodes.Block, asks: bool) -> BlockCode:
    code = Code()
    compiler.in_block = True
    compiler.super_slot = code.slot() if asks else None
    held = compiler.super_slot
    body = compiler.body(block.body, Scope(code))
    compiler.super_slot = None
    return BlockCode(block.name, body, code.size, held=held)
