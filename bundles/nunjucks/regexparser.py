"""Regexes as JavaScript writes them, read into a small tree."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn

from bundles.nunjucks import regexsets
from bundles.nunjucks.errors import Failure
from bundles.nunjucks.regexsets import Ranges

MAX_PATTERN = 2_000
MAX_DEPTH = 30
COUNT = re.compile(r"\{([0-9]{1,6})(?:(,)([0-9]{1,6})?)?\}")
NAME = re.compile(r"\?<([A-Za-z_$][\w$]*)>")
CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "0": "\0"}
OPENINGS = {"?:": "group", "?=": "ahead", "?!": "not ahead", "?<=": "behind", "?<!": "not behind"}


@dataclass(slots=True)
class Term:
    """`kind`: set, row, either, group, ahead, behind (and not …), repeat, start, end, edge, inside, back."""

    kind: str
    parts: list[Term] = field(default_factory=list)
    ranges: Ranges = field(default_factory=list)
    low: int = 0  # of a repeat; the number of a group or of what is referred to
    high: int | None = None  # of a repeat; None is without end
    lazy: bool = False


class RegexParser:
    def __init__(self, source: str, *, fold: bool) -> None:
        self.fold = fold
        self.source = source
        self.at = 0
        self.depth = 0
        self.groups = 0
        self.names: dict[str, int] = {}
        bare = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "x", source, flags=re.DOTALL)
        self.total = len(re.findall(r"\((?!\?)|\(\?<(?![=!])", bare))
        if len(source) > MAX_PATTERN:
            self.fail(f"longer than {MAX_PATTERN} characters")

    def fail(self, why: str) -> NoReturn:
        raise Failure(f"Invalid regular expression: /{self.source[:60]}/: {why}")

    def parse(self) -> Term:
        found = self._either()
        if self.at < len(self.source):
            self.fail("Unmatched ')'")
        return found

    def _looking(self, text: str) -> bool:
        return self.source.startswith(text, self.at)

    def _take(self, text: str) -> bool:
        if not self._looking(text):
            return False
        self.at += len(text)
        return True

    def _either(self) -> Term:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail("nested too deeply")
        rows = [self._row()]
        while self._take("|"):
            rows.append(self._row())
        self.depth -= 1
        return Term("either", rows) if len(rows) > 1 else rows[0]

    def _row(self) -> Term:
        parts: list[Term] = []
        while self.at < len(self.source) and self.source[self.at] not in "|)":
            parts.append(self._repeated(self._term()))
        return Term("row", parts)

    def _repeated(self, term: Term) -> Term:
        low = 0
        high: int | None = None
        if self._take("*"):
            pass
        elif self._take("+"):
            low = 1
        elif self._take("?"):
            high = 1
        elif found := COUNT.match(self.source, self.at):
            self.at = found.end()
            low = int(found[1])
            high = (int(found[3]) if found[3] else None) if found[2] else low
        else:
            return term
        if term.kind in ("start", "end", "edge", "inside", "behind", "not behind"):
            self.fail("Nothing to repeat")
        if high is not None and high < low:
            self.fail("numbers out of order in {} quantifier")
        if self.at < len(self.source) and self.source[self.at] in "*+":
            self.fail("Nothing to repeat")
        return Term("repeat", [term], low=low, high=high, lazy=self._take("?"))

    def _term(self) -> Term:
        char = self.source[self.at]
        self.at += 1
        if char in "^$":
            return Term("start" if char == "^" else "end")
        if char == ".":
            return Term("set", ranges=regexsets.ANY)
        if char == "(":
            return self._group()
        if char == "[":
            return self._class()
        if char == "\\":
            return self._escape()
        if char in "*+?" or (char == "{" and COUNT.match(self.source, self.at - 1)):
            self.fail("Nothing to repeat")
        return self._set(regexsets.of(char))

    def _set(self, ranges: Ranges) -> Term:
        return Term("set", ranges=regexsets.folded(ranges) if self.fold else ranges)

    def _group(self) -> Term:
        number = 0
        kind = "group"
        for mark, found in OPENINGS.items():
            if self._take(mark):
                kind = found
                break
        else:
            number = self._numbered()
        inner = self._either()
        if not self._take(")"):
            self.fail("Unterminated group")
        return Term(kind, [inner], low=number)

    def _numbered(self) -> int:
        self.groups += 1
        if found := NAME.match(self.source, self.at):
            self.at = found.end()
            self.names[found[1]] = self.groups
        elif self._looking("?"):
            self.fail("Invalid group")
        return self.groups

    def _escape(self) -> Term:
        if self.at >= len(self.source):
            self.fail("\\ at end of pattern")
        char = self.source[self.at]
        if char in "bB":
            self.at += 1
            return Term("edge" if char == "b" else "inside")
        if char in "123456789":
            found = re.compile("[0-9]+").match(self.source, self.at)
            if found and int(found[0]) <= self.total:
                self.at = found.end()
                return Term("back", low=int(found[0]))
            if char in "1234567":
                octal = re.compile("[0-3]?[0-7]{1,2}").match(self.source, self.at)
                assert octal is not None
                self.at = octal.end()
                return Term("set", ranges=regexsets.of(chr(int(octal[0], 8))))
        named = re.compile(r"k<([\w$]+)>").match(self.source, self.at)
        if named and named[1] in self.names:
            self.at = named.end()
            return Term("back", low=self.names[named[1]])
        return self._set(self._escaped())

    def _escaped(self) -> Ranges:
        """What follows a backslash, in a class or outside: a set or one character."""
        char = self.source[self.at]
        self.at += 1
        if char in regexsets.CLASSES:
            return regexsets.CLASSES[char]
        if char in CONTROLS:
            return regexsets.of(CONTROLS[char])
        for mark, digits in (("x", 2), ("u", 4)):
            found = self.source[self.at : self.at + digits]
            if (
                char == mark
                and len(found) == digits
                and all(each in "0123456789abcdefABCDEF" for each in found)
            ):
                self.at += digits
                return regexsets.of(chr(int(found, 16)))
        if char == "c" and self.source[self.at : self.at + 1].isalpha():
            self.at += 1
            return regexsets.of(chr(ord(self.source[self.at - 1]) % 32))
        return regexsets.of(char)

    def _class(self) -> Term:
        inverted = self._take("^")
        ranges: Ranges = []
        while not self._take("]"):
            low = self._member()
            if self._looking("-") and not self._looking("-]"):
                self.at += 1
                ranges += self._range(low, self._member())
            else:
                ranges += low
        found = self._set(ranges)
        return Term("set", ranges=regexsets.inverted(found.ranges)) if inverted else found

    def _range(self, low: Ranges, high: Ranges) -> Ranges:
        if len(low) > 1 or len(high) > 1 or low[0][0] != low[0][1] or high[0][0] != high[0][1]:
            return [*low, *high, *regexsets.of("-")]
        if low[0][0] > high[0][0]:
            self.fail("Range out of order in character class")
        return [(low[0][0], high[0][0])]

    def _member(self) -> Ranges:
        if self.at >= len(self.source):
            self.fail("Unterminated character class")
        char = self.source[self.at]
        self.at += 1
        if char != "\\":
            return regexsets.of(char)
        if self.at >= len(self.source):
            self.fail("\\ at end of pattern")
        if self._take("b"):
            return regexsets.of("\b")
        return self._escaped()
