"""A regex as instructions, and the machine that runs them: every step of it is charged, so none runs away."""

from __future__ import annotations

from typing import Any

from bundles.nunjucks import regexsets
from bundles.nunjucks.errors import Exhausted, Failure
from bundles.nunjucks.limits import Run
from bundles.nunjucks.regexparser import Term

MAX_PROGRAM = 4_000
MAX_STACK = 100_000
SHARE = 2  # instructions for one step
CHAR, MANY, SPLIT, JUMP, SAVE, START, END, EDGE, LOOK, BEHIND, BACK, CLEAR, CHECK, DONE = range(14)
Instruction = tuple[int, Any, Any]
Saved = tuple[int, ...]


class Builder:
    """`size` is how many places are saved: two for each group, and one for each loop that may match nothing."""

    def __init__(self, flags: str, groups: int) -> None:
        self.fold = "i" in flags
        self.lines = "m" in flags
        self.size = 2 * (groups + 1)
        self.program: list[Instruction] = []

    def emit(self, operation: int, one: Any = None, two: Any = None) -> int:
        self.program.append((operation, one, two))
        if len(self.program) > MAX_PROGRAM:
            raise Failure("Invalid regular expression: too large")
        return len(self.program) - 1

    def build(self, term: Term) -> list[Instruction]:
        """The term alone, as a program of its own."""
        before, self.program = self.program, []
        self.add(term)
        self.emit(DONE)
        made, self.program = self.program, before
        return made

    def add(self, term: Term) -> None:
        kind = term.kind
        if kind == "set":
            self.emit(CHAR, regexsets.pattern(term.ranges).match)
        elif kind == "row":
            for part in term.parts:
                self.add(part)
        elif kind == "either":
            self._either(term.parts)
        elif kind == "group":
            self._group(term)
        elif kind == "repeat":
            self._repeat(term)
        elif kind == "back":
            self.emit(BACK, term.low)
        elif kind in ("start", "end"):
            self.emit(START if kind == "start" else END)
        elif kind in ("edge", "inside"):
            self.emit(EDGE, kind == "edge")
        else:
            self.emit(
                LOOK if kind.endswith("ahead") else BEHIND, self.build(term.parts[0]), kind[:3] != "not"
            )

    def _group(self, term: Term) -> None:
        if term.low:
            self.emit(SAVE, 2 * term.low)
        self.add(term.parts[0])
        if term.low:
            self.emit(SAVE, 2 * term.low + 1)

    def _either(self, parts: list[Term]) -> None:
        ends = []
        for part in parts[:-1]:
            split = self.emit(SPLIT)
            self.add(part)
            ends.append(self.emit(JUMP))
            self.program[split] = (SPLIT, split + 1, len(self.program))
        self.add(parts[-1])
        for end in ends:
            self.program[end] = (JUMP, len(self.program), None)

    def _repeat(self, term: Term) -> None:
        inner = term.parts[0]
        if inner.kind == "set" and not term.lazy:
            many = regexsets.pattern(inner.ranges, many=True).match
            self.emit(MANY, many, (term.low, term.high))
            return
        groups = sorted(numbers_in(inner))
        for _ in range(term.low):
            self._turn(inner, groups)
        if term.high is None:
            self._loop(inner, groups, term.lazy)
        else:
            self._optional(inner, groups, (term.high - term.low, term.lazy))

    def _turn(self, inner: Term, groups: list[int]) -> None:
        if groups:
            self.emit(CLEAR, groups[0], groups[-1])
        self.add(inner)

    def _loop(self, inner: Term, groups: list[int], lazy: bool) -> None:
        place, self.size = self.size, self.size + 1
        split = self.emit(SPLIT)
        self.emit(SAVE, place)
        self._turn(inner, groups)
        self.emit(CHECK, place)
        self.emit(JUMP, split)
        ways = (split + 1, len(self.program))
        self.program[split] = (SPLIT, *(reversed(ways) if lazy else ways))

    def _optional(self, inner: Term, groups: list[int], how: tuple[int, bool]) -> None:
        splits = []
        for _ in range(how[0]):
            place, self.size = self.size, self.size + 1
            splits.append(self.emit(SPLIT))
            self.emit(SAVE, place)
            self._turn(inner, groups)
            self.emit(CHECK, place)
        for split in splits:
            ways = (split + 1, len(self.program))
            self.program[split] = (SPLIT, *(reversed(ways) if how[1] else ways))


def numbers_in(term: Term) -> set[int]:
    """The groups inside of a term."""
    own = {term.low} if term.kind == "group" and term.low else set()
    return own.union(*(numbers_in(part) for part in term.parts))


class Machine:
    """Runs programs over one text."""

    def __init__(self, run: Run, text: str, builder: Builder) -> None:
        self.run = run
        self.text = text
        self.fold = builder.fold
        self.lines = builder.lines

    def match(
        self, program: list[Instruction], at: int, saved: Saved, end: int = -1
    ) -> tuple[int, Saved] | None:
        """Where the match ends (at `end`, when that is given) and what was saved; None when there is none."""
        text, size = self.text, len(self.text)
        stack: list[tuple[int, int, Saved, int]] = []
        count = step = 0
        while True:
            count += 1
            if count >= 64 * SHARE:
                self.run.spend(count // SHARE)
                count = 0
                if len(stack) > MAX_STACK:
                    raise Exhausted("a regular expression takes too much room")
            operation, one, two = program[step]
            good = True
            if operation == CHAR:
                good = one(text, at) is not None
                at += 1
            elif operation == MANY:
                low, high = two
                found = one(text, at, size if high is None else min(size, at + high)).end()
                good = found >= at + low
                count += (found - at) >> 4
                if good and found > at + low:
                    stack.append((step + 1, found - 1, saved, at + low))
                at = found
            elif operation == SPLIT:
                stack.append((two, at, saved, at))
                step = one - 1
            elif operation == JUMP:
                step = one - 1
            elif operation == SAVE:
                saved = (*saved[:one], at, *saved[one + 1 :])
            elif operation == CHECK:
                good = saved[one] != at
            elif operation == CLEAR:
                saved = (*saved[: 2 * one], *(-1,) * (2 * (two - one + 1)), *saved[2 * two + 2 :])
            elif operation == DONE:
                if end in (-1, at):
                    self.run.spend(count // SHARE)
                    return at, saved
                good = False
            else:
                good, at, saved = self._other(program[step], at, saved)
            if good:
                step += 1
            elif stack:
                step, at, saved, low = stack.pop()
                if at > low:
                    stack.append((step, at - 1, saved, low))
            else:
                self.run.spend(count // SHARE)
                return None

    def _other(self, instruction: Instruction, at: int, saved: Saved) -> tuple[bool, int, Saved]:
        operation, one, two = instruction
        text, size = self.text, len(self.text)
        if operation == START:
            return at == 0 or (self.lines and text[at - 1] in "\n\r\u2028\u2029"), at, saved
        if operation == END:
            return at == size or (self.lines and text[at] in "\n\r\u2028\u2029"), at, saved
        if operation == EDGE:
            return (_word(text, at - 1) != _word(text, at)) is one, at, saved
        if operation == BACK:
            return self._back(one, at, saved)
        found = self.match(one, at, saved) if operation == LOOK else self._behind(one, at, saved)
        return (found is not None) is two, at, found[1] if found and two else saved

    def _back(self, number: int, at: int, saved: Saved) -> tuple[bool, int, Saved]:
        start, end = saved[2 * number], saved[2 * number + 1]
        if start < 0 or end < 0:
            return True, at, saved
        wanted, found = self.text[start:end], self.text[at : at + end - start]
        self.run.read(len(wanted))
        same = wanted == found or (self.fold and wanted.upper() == found.upper())
        return same, at + len(wanted), saved

    def _behind(self, program: list[Instruction], at: int, saved: Saved) -> tuple[int, Saved] | None:
        for start in range(at, -1, -1):
            self.run.spend(1)
            found = self.match(program, start, saved, end=at)
            if found:
                return found
        return None


def _word(text: str, at: int) -> bool:
    return 0 <= at < len(text) and (text[at] == "_" or (text[at].isascii() and text[at].isalnum()))
