"""Regexes of templates: written as JavaScript writes them, matched by our own machine so that every step counts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from bundles.nunjucks import regexsets, units
from bundles.nunjucks.limits import Run
from bundles.nunjucks.regexparser import RegexParser, Term
from bundles.nunjucks.regexvm import Builder, Instruction, Machine, Saved
from bundles.nunjucks.undefined import UNDEFINED


class Program(NamedTuple):
    instructions: list[Instruction]
    builder: Builder
    groups: int
    first: Any  # finds where a match may start; None when that is anywhere

    def match(self, run: Run, text: str, at: int) -> tuple[int, Saved] | None:
        return Machine(run, text, self.builder).match(self.instructions, at, (-1,) * self.builder.size)


class Regex:
    """`last` is lastIndex: where the next match of a regex with the flag g or y starts."""

    __slots__ = ("flags", "last", "program", "source")

    def __init__(self, source: str, flags: str) -> None:
        self.source = source
        self.flags = "".join(sorted(set(flags)))
        self.last = 0
        self.program = _program(source, self.flags)


class Match(NamedTuple):
    start: int
    end: int
    groups: list[str | None]

    def as_list(self, text: str) -> list[Any]:
        found = [text[self.start : self.end], *self.groups]
        return [UNDEFINED if each is None else units.whole(each) for each in found]


@lru_cache(maxsize=512)
def _program(source: str, flags: str) -> Program:
    parser = RegexParser(source, fold="i" in flags)
    tree = parser.parse()
    builder = Builder(flags, parser.groups)
    instructions = builder.build(tree)
    ranges = starts(tree)
    first = regexsets.pattern(ranges).search if ranges is not None else None
    return Program(instructions, builder, parser.groups, first)


def starts(term: Term) -> regexsets.Ranges | None:
    """The characters that a match can start with; None when it may be empty or cannot be told."""
    if term.kind == "set":
        return term.ranges
    if term.kind == "row":
        for part in term.parts:
            if part.kind not in (
                "start",
                "end",
                "edge",
                "inside",
                "ahead",
                "not ahead",
                "behind",
                "not behind",
            ):
                return starts(part)
        return None
    if term.kind == "either":
        found = [starts(part) for part in term.parts]
        return None if None in found else [each for ranges in found for each in ranges or []]
    if term.kind == "group" or (term.kind == "repeat" and term.low):
        return starts(term.parts[0])
    return None


def matches(run: Run, regex: Regex, text: str, *, start: int = 0) -> Iterator[Match]:
    """The first match, or with the flag g all of them; with y they follow each other without a gap."""
    program = regex.program
    run.read(len(text))
    at = start
    while at <= len(text):
        begin, found = at, None
        if "y" in regex.flags:
            found = program.match(run, text, at)
        else:
            begin, found = _next(run, program, text, at)
        if found is None:
            return
        end, saved = found
        yield Match(begin, end, _groups(text, saved, program.groups))
        if "g" not in regex.flags:
            return
        at = end + 1 if end == begin else end


def _next(run: Run, program: Program, text: str, at: int) -> tuple[int, tuple[int, Saved] | None]:
    while at <= len(text):
        if program.first:
            candidate = program.first(text, at)
            if candidate is None:
                run.read(len(text) - at)
                return at, None
            run.read(candidate.start() - at)
            at = candidate.start()
        run.spend(1)
        found = program.match(run, text, at)
        if found:
            return at, found
        at += 1
    return at, None


def _groups(text: str, saved: Saved, count: int) -> list[str | None]:
    spans = [(saved[2 * number], saved[2 * number + 1]) for number in range(1, count + 1)]
    return [text[start:end] if start >= 0 and end >= 0 else None for start, end in spans]
