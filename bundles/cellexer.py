"""Splits the text of an expression into tokens, each with its place, in linear time."""

import re
from dataclasses import dataclass
from typing import Literal

from bundles.celerror import MAX_INTEGER, MAX_SOURCE, CelError

TokenKind = Literal["int", "double", "string", "bytes", "name", "quoted", "op", "end"]
NUMBER = r"0[xX][0-9a-fA-F]+[uU]?|[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|[0-9]+[uU]?"
TOKEN = re.compile(
    rf"""(?P<space>[\ \t\n\r\f]+|//[^\n]*)
    |(?P<number>{NUMBER})
    |(?P<prefix>[rR][bB]?|[bB][rR]?)?(?P<quote>\"\"\"|\'\'\'|\"|\')
    |(?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
    |`(?P<quoted>[^`\n]*)`
    |(?P<op>&&|\|\||[<>=!]=|[-+*/%<>!?:.,()\[\]{{}}])""",
    re.VERBOSE,
)
# What a string holds up to its closing quote; every alternative begins differently, so nothing is tried twice.
BODY = {
    (quote, raw): re.compile(inside + quote, re.DOTALL)
    for quote, one, end in (('"', '"', r"\n\r"), ("'", "'", r"\n\r"), ('"""', '"', ""), ("'''", "'", ""))
    for raw, inside in (
        (False, rf"((?:[^\\{one}{end}]|\\.{'' if end else f'|{one}(?!{one}{one})'})*)"),
        (True, rf"((?:[^{one}{end}]{'' if end else f'|{one}(?!{one}{one})'})*)"),
    )
}
ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\?\"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.?))",
    re.DOTALL,
)
SHORT = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the language; `value` is what a literal stands for."""

    kind: TokenKind
    text: str
    column: int
    value: int | float | str | bytes = 0


def tokens(text: str, start: int = 0, *, closed: bool = False) -> tuple[list[Token], int]:
    """The tokens from `start` to the end; when closed, to the `}` that opens nothing. Also where they end."""
    found: list[Token] = []
    at, open_braces = start, 0
    while at < len(text):
        if at - start > MAX_SOURCE:
            raise CelError(f"the expression is longer than {MAX_SOURCE} characters", start + 1)
        if closed and text[at] == "}" and not open_braces:
            return [*found, Token("end", "", at + 1)], at
        token, at = _next(text, at)
        if token:
            open_braces += (token.text == "{") - (token.text == "}") if token.kind == "op" else 0
            found.append(token)
    if closed:
        raise CelError("the expression has no closing }", start + 1)
    if at - start > MAX_SOURCE:
        raise CelError(f"the expression is longer than {MAX_SOURCE} characters", start + 1)
    return [*found, Token("end", "", at + 1)], at


def _next(text: str, at: int) -> tuple[Token | None, int]:
    match = TOKEN.match(text, at)
    if not match:
        raise CelError(_unknown(text[at]), at + 1)
    if match["quote"]:
        return _string(text, at, match)
    if match["number"]:
        return _number(match["number"], at), match.end()
    if match["quoted"] is not None:
        return Token("quoted", match["quoted"], at + 1), match.end()
    if match["name"]:
        return Token("name", match["name"], at + 1), match.end()
    return (Token("op", match["op"], at + 1) if match["op"] else None), match.end()


def _unknown(character: str) -> str:
    meant = {"=": "==", "&": "&&", "|": "||"}.get(character)
    if meant:
        return f"{character} is not an operator, did you mean {meant}?"
    return "this character is not expected here"


def _number(text: str, at: int) -> Token:
    """Whole numbers up to 2**63: the one that only exists with a minus is looked at by the parser."""
    digits = text.rstrip("uU")
    if digits[:2] in ("0x", "0X"):
        value = int(digits, 16) if len(digits) < 40 else MAX_INTEGER + 2
    elif digits.isdecimal():
        value = int(digits) if len(digits) < 40 else MAX_INTEGER + 2
    else:
        return _double(digits, at)
    if value > MAX_INTEGER + 1:
        raise CelError("the number does not fit into 64 bits", at + 1)
    return Token("int", text, at + 1, value)


def _double(text: str, at: int) -> Token:
    value = float(text)
    if value == float("inf"):
        raise CelError("the number is too large", at + 1)
    return Token("double", text, at + 1, value)


def _string(text: str, at: int, match: re.Match[str]) -> tuple[Token, int]:
    prefix = (match["prefix"] or "").lower()
    body = BODY[match["quote"], "r" in prefix].match(text, match.end())
    if not body:
        raise CelError("the text has no closing quote", at + 1)
    inner = body[1]
    if "b" in prefix:
        return Token("bytes", "", at + 1, _bytes(inner, "r" in prefix, match.end())), body.end()
    value = inner if "r" in prefix else _unescaped(inner, match.end())
    return Token("string", "", at + 1, value), body.end()


def _unescaped(text: str, at: int) -> str:
    return ESCAPE.sub(lambda escape: _character(escape, at), text) if "\\" in text else text


def _character(escape: re.Match[str], at: int) -> str:
    short, byte, four, eight, octal, _ = escape.groups()
    if short:
        return SHORT.get(short, short)
    code = next((int(digits, 16) for digits in (byte, four, eight) if digits), -1)
    code = int(octal, 8) if octal else code
    if not 0 <= code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise CelError("this escape sequence is not known", at + escape.start() + 1)
    return chr(code)


def _bytes(text: str, raw: bool, at: int) -> bytes:
    """Characters as UTF-8; \\x and octal escapes as single bytes."""
    if raw or "\\" not in text:
        return text.encode()
    parts, last = [], 0
    for escape in ESCAPE.finditer(text):
        parts += [text[last : escape.start()].encode(), _byte(escape, at)]
        last = escape.end()
    return b"".join([*parts, text[last:].encode()])


def _byte(escape: re.Match[str], at: int) -> bytes:
    character = _character(escape, at)
    return bytes([ord(character)]) if escape[2] or escape[5] else character.encode()
