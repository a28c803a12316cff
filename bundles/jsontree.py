"""JSON into the same tree that YAML files become: every value knows where it stands. Never raises."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bundles import values
from bundles.values import Document, Mapping, Node, Place, Report, Scalar, Sequence, shown

MAX_DEPTH = 64
MAX_VALUES = 50_000
MAX_NUMBER = 40
TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)|(?P<mark>[{}\[\],:])|(?P<text>"(?:[^"\\\x00-\x1f]|\\.)*")"""
    r"""|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)|(?P<word>true|false|null)"""
)
WORDS = {"true": True, "false": False, "null": None}


class _Stop(Exception):
    """The rest of the file is not read."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(slots=True)
class _Token:
    kind: str
    text: str
    offset: int


def parse(data: bytes, *, file: str) -> Document:
    """The tree of one JSON file."""
    report = Report()
    text = values.decode(data, file=file, report=report)
    if text is None:
        return Document(None, report.problems())
    reader = _Reader(text, file, report)
    try:
        root: Node | None = reader.read()
    except _Stop as stop:
        report.error(reader.place(stop.offset), f"the file is not JSON: {stop}")
        root = None
    return Document(root, report.problems())


class _Reader:
    """Builds the tree on a stack of its own."""

    def __init__(self, text: str, file: str, report: Report) -> None:
        self.text = text
        self.file = file
        self.report = report
        self.count = 0
        self.seen, self.line, self.begin = 0, 1, 0

    def place(self, offset: int) -> Place:
        """Places are asked for from front to back, so lines are counted once."""
        if offset < self.seen:
            self.seen, self.line, self.begin = 0, 1, 0
        newlines = self.text.count("\n", self.seen, offset)
        if newlines:
            self.line += newlines
            self.begin = self.text.rindex("\n", self.seen, offset) + 1
        self.seen = offset
        return Place(self.file, self.line, offset - self.begin + 1)

    def tokens(self) -> Iterator[_Token]:
        offset = 0
        while offset < len(self.text):
            found = TOKEN.match(self.text, offset)
            if not found:
                raise _Stop(offset, f"{shown(self.text[offset : offset + 20])} is not expected here")
            if found.lastgroup != "space":
                yield _Token(str(found.lastgroup), found[0], offset)
            offset = found.end()
        while True:
            yield _Token("end", "", len(self.text))

    def read(self) -> Node:
        tokens = self.tokens()
        root = self._value(next(tokens))
        open_: list[Mapping | Sequence] = [] if isinstance(root, Scalar) else [root]
        fresh = True  # nothing in the innermost collection yet
        while open_:
            token = next(tokens)
            inner = open_[-1]
            if token.text == ("}" if isinstance(inner, Mapping) else "]") and token.kind == "mark":
                open_.pop()
                fresh = False
                continue
            child = self._member(inner, token, tokens, fresh=fresh)
            fresh = not isinstance(child, Scalar)
            if isinstance(child, (Mapping, Sequence)):
                open_.append(child)
                if len(open_) > MAX_DEPTH:
                    raise _Stop(token.offset, f"more than {MAX_DEPTH} levels")
        last = next(tokens)
        if last.kind != "end":
            raise _Stop(last.offset, "something follows the value")
        return root

    def _member(
        self, inner: Mapping | Sequence, token: _Token, tokens: Iterator[_Token], *, fresh: bool
    ) -> Node:
        """One more element of the innermost collection, with its comma and its key."""
        if not fresh:
            token = self._after(token, ",", tokens)
        if isinstance(inner, Sequence):
            child = self._value(token)
            inner.items.append(child)
            return child
        if token.kind != "text":
            raise _Stop(token.offset, "a key in quotes is expected here")
        key, place = self._string(token), self.place(token.offset)
        child = self._value(self._after(next(tokens), ":", tokens))
        if key in inner.entries:
            self.report.warning(place, f"the key {shown(key)} is there twice, the last one counts")
        inner.entries[key], inner.keys[key] = child, place
        return child

    def _after(self, token: _Token, mark: str, tokens: Iterator[_Token]) -> _Token:
        if token.kind != "mark" or token.text != mark:
            raise _Stop(token.offset, f"'{mark}' is expected here")
        return next(tokens)

    def _value(self, token: _Token) -> Node:
        self.count += 1
        if self.count > MAX_VALUES:
            raise _Stop(token.offset, f"more than {MAX_VALUES} values")
        place = self.place(token.offset)
        if token.kind == "text":
            text = self._string(token)
            return Scalar(place, text, "str", text)
        if token.kind == "number":
            return self._number(token, place)
        if token.kind == "word":
            word = WORDS[token.text]
            return Scalar(place, token.text, "null" if word is None else "bool", word)
        if token.text == "{":
            return Mapping(place, {}, {})
        if token.text == "[":
            return Sequence(place, [])
        raise _Stop(token.offset, "a value is expected here")

    def _string(self, token: _Token) -> str:
        try:
            text: str = json.loads(token.text)
        except ValueError:
            raise _Stop(token.offset, "this text has a wrong escape") from None
        return text.encode("utf-8", "replace").decode("utf-8")  # half of a surrogate pair is nothing

    def _number(self, token: _Token, place: Place) -> Scalar:
        if len(token.text) > MAX_NUMBER:
            raise _Stop(token.offset, f"this number has more than {MAX_NUMBER} characters")
        value = json.loads(token.text)
        if value in (float("inf"), float("-inf")):
            raise _Stop(token.offset, "this number is too large")
        return Scalar(place, token.text, "int" if isinstance(value, int) else "float", value)
