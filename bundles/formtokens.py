"""The tokens of a stylesheet, after CSS Syntax 3: what a browser would see, with where each stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Escapes outside of strings are kept as one token of their own kind: nobody needs them, and they hide words.
NAME = r"(?:--|-?[A-Za-z_\x80-\U0010ffff\\])(?:[-\w\x80-\U0010ffff]|\\.)*"
NUMBER = r"[+-]?(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?"
TOKEN = re.compile(
    rf"""(?P<comment>/\*.*?(?:\*/|\Z))
    |(?P<space>[ \t\n]+)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<badstring>["'](?:[^\n\\]|\\.)*)
    |(?P<comments><!--|-->)
    |(?P<dimension>{NUMBER}(?:%|{NAME}))
    |(?P<number>{NUMBER})
    |(?P<hash>\#(?:[-\w\x80-\U0010ffff]|\\.)+)
    |(?P<at>@{NAME})
    |(?P<function>{NAME}\()
    |(?P<ident>{NAME})
    |(?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
PLAIN = re.compile(r"[-\w%#@(.+]*", re.ASCII)
CLOSING = {"{": "}", "(": ")", "[": "]", "function": ")"}


@dataclass(frozen=True, slots=True)
class Token:
    """``kind`` is the group of the pattern, or the mark itself; ``text`` is in lower case where case means nothing."""

    kind: str
    text: str
    line: int
    column: int

    @property
    def opens(self) -> str:
        """The mark that closes what this one opens."""
        return CLOSING.get(self.kind, "")


class Refused(ValueError):
    """A part of a stylesheet that may not be there."""

    def __init__(self, token: Token, why: str) -> None:
        super().__init__(why)
        self.token = token


def words(text: str) -> frozenset[str]:
    """A list of names as it is easiest to read."""
    return frozenset(text.split())


def tokens(text: str) -> Iterator[Token]:
    """A comment is a space, so that what it parts stays apart; names with escapes or beyond ASCII are "odd"."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n").replace("\0", "\ufffd")
    line, start, before = 1, 0, ""
    for match in TOKEN.finditer(text):
        kind, found = match.lastgroup or "mark", match.group()
        if kind == "comment" and found.endswith("*/") and len(found) >= 4:
            kind = "" if before == "space" else "space"
        if kind:
            yield _token(kind, found, line, match.start() - start + 1)
            before = kind
        if breaks := found.count("\n"):
            line += breaks
            start = match.start() + found.rindex("\n") + 1


def _token(kind: str, found: str, line: int, column: int) -> Token:
    if kind == "mark":
        return Token(found, found, line, column)
    if kind in ("dimension", "hash", "at", "function", "ident") and not PLAIN.fullmatch(found):
        return Token("odd", found, line, column)
    if kind in ("at", "function", "dimension"):
        found = found.lower()
    return Token(kind, " " if kind == "space" else found, line, column)
