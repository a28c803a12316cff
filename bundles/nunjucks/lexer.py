"""Tokens of a template, read one by one: outside of tags, inside of them, and raw text on demand."""

import re
from bisect import bisect_right
from typing import NamedTuple, NoReturn

from bundles.nunjucks.errors import TemplateError
from bundles.nunjucks.limits import MAX_TOKENS
from bundles.nunjucks.numbers import SPACE

MARK = re.compile(r"\{[%{#]|#\}")
CODE = re.compile(
    r"""(?P<space>[ \n\t\r\xa0]+)|(?P<string>["'])|(?P<end>-?%\}|-?\}\})|(?P<regex>r/)
    |(?P<operator>===|!==|==|!=|<=|>=|//|\*\*|[()\[\]{}%*\-+~/\#,:|.<>=!])
    |(?P<word>[^ \n\t\r\xa0()\[\]{}%*\-+~/\#,:|.<>=!]+)""",
    re.VERBOSE,
)
WHOLE = re.compile("[-+]?[0-9]+")
FRACTION = re.compile(r"\.[0-9]*")
REGEX = re.compile(r"((?:\\/|[^/])*)(?:/|\Z)([gimy]*)")
ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
STRINGS = {quote: re.compile(rf"(?:[^\\{quote}]|\\.)*", re.DOTALL) for quote in "\"'"}
CONTROLS = {"n": "\n", "t": "\t", "r": "\r"}
TOGETHER = "the templates have more words together than may be read at once"
NAMED = {"true": True, "false": False, "none": None, "null": None}


class Token(NamedTuple):
    """`kind`: data, comment, block, variable, end, string, number, constant, regex, symbol, operator, eof."""

    kind: str
    value: str
    place: int


class Lexer:
    def __init__(self, source: str, name: str, most: int = MAX_TOKENS) -> None:
        self.source = source
        self.most = most
        self.name = name
        self.place = 0
        self.inside = False
        self.count = 0
        self.escaped = False  # whether a text was written with a backslash
        self.lines: list[int] | None = None

    def position(self, place: int) -> tuple[int, int]:
        """Line and column, from 1."""
        if self.lines is None:
            self.lines = [-1, *(found.start() for found in re.finditer("\n", self.source))]
        line = bisect_right(self.lines, place - 1)
        return line, place - self.lines[line - 1]

    def fail(self, message: str, place: int | None = None) -> NoReturn:
        line, column = self.position(self.place if place is None else place)
        raise TemplateError(message, line, column, name=self.name)

    def next(self) -> Token:
        self.count += 1
        if self.count > self.most:
            self.fail(
                f"the template has more than {MAX_TOKENS:,} words" if self.most == MAX_TOKENS else TOGETHER
            )
        return self._code() if self.inside else self._text()

    def _code(self) -> Token:
        while True:
            start = self.place
            found = CODE.match(self.source, start)
            if found is None:
                return Token("eof", "", start)
            self.place = found.end()
            kind = found.lastgroup
            if kind != "space":
                break
        value = found[0]
        if kind == "operator":
            return Token("operator", value, start)
        if kind == "word":
            return self._word(value, start)
        if kind == "end":
            return self._end(value, start)
        return self._string(value, start) if kind == "string" else self._regex(start)

    def _word(self, value: str, start: int) -> Token:
        if value[0] in "0123456789" and WHOLE.fullmatch(value):
            found = FRACTION.match(self.source, self.place)
            if found:
                self.place = found.end()
                value += found[0]
            return Token("number", value, start)
        return Token("constant" if value in NAMED else "symbol", value, start)

    def _end(self, value: str, start: int) -> Token:
        """A newline right after the end of a tag is left out, after that of a variable it stays."""
        self.inside = False
        if value.endswith("%}"):
            if self.source.startswith("\n", self.place):
                self.place += 1
            elif self.source.startswith("\r\n", self.place):
                self.place += 2
        return Token("end", value, start)

    def _string(self, quote: str, start: int) -> Token:
        found = STRINGS[quote].match(self.source, self.place)
        assert found is not None
        self.place = found.end() + 1
        body = found[0]
        if "\\" in body:
            self.escaped = True
            body = ESCAPE.sub(lambda each: CONTROLS.get(each[1], each[1]), body)
        return Token("string", body, start)

    def _regex(self, start: int) -> Token:
        found = REGEX.match(self.source, self.place)
        assert found is not None
        self.place = found.end()
        return Token("regex", f"{found[2]}/{found[1]}", start)

    def _text(self) -> Token:
        start = self.place
        source = self.source
        if start >= len(source):
            return Token("eof", "", start)
        for kind, mark in (("block", "{%"), ("variable", "{{")):
            if source.startswith(mark, start):
                value = mark + "-" if source.startswith("-", start + 2) else mark
                self.place += len(value)
                self.inside = True
                return Token(kind, value, start)
        return self._comment(start) if source.startswith("{#", start) else self._data(start)

    def _comment(self, start: int) -> Token:
        end = self.source.find("#}", start + 2)
        if end < 0:
            self.fail("expected end of comment, got end of file", start)
        self.place = end + 2
        return Token("comment", self.source[start : end + 2], start)

    def _data(self, start: int) -> Token:
        found = MARK.search(self.source, start)
        if found is None:
            self.place = len(self.source)
            return Token("data", self.source[start:], start)
        if found[0] == "#}":
            self.fail("unexpected end of comment", found.start())
        self.place = found.start()
        data = self.source[start : self.place]
        if found[0] == "{%":
            data = self._without_indent(data, start)
            if not data:
                return self._text()
        return Token("data", data, start)

    def _without_indent(self, data: str, start: int) -> str:
        """Blanks between the start of a line and a tag are left out."""
        line = data.rfind("\n") + 1
        if line == 0 and start > 0 and self.source[start - 1] != "\n":
            return data
        return data if data[line:].strip(SPACE) else data[:line]

    def raw(self, tag: str) -> str:
        """The text up to the tag that ends it, with raw tags inside each other kept; nothing when it never ends."""
        marks = re.compile(r"\{%\s*(" + tag + "|end" + tag + r")\s*%\}")
        level, start = 1, self.place
        while found := marks.search(self.source, self.place):
            self.place = found.end()
            level += 1 if found[1] == tag else -1
            if level == 0:
                return self.source[start : found.start()]
        return self.source[start : self.place]
