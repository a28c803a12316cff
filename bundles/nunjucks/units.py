"""UTF-16: JavaScript counts and cuts texts in units of 16 bits; characters beyond U+FFFF are two of them."""

import re

from bundles.nunjucks.numbers import SPACE

ASTRAL = re.compile("[\U00010000-\U0010ffff]")
PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
LONE = re.compile("[\ud800-\udfff]")


def length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def units(text: str) -> str:
    """The same text with one character for each 16 bits, ready to be cut and counted."""
    if text.isascii() or not ASTRAL.search(text):
        return text
    return ASTRAL.sub(_split, text)


def _split(found: re.Match[str]) -> str:
    point = ord(found[0]) - 0x10000
    return chr(0xD800 + (point >> 10)) + chr(0xDC00 + (point & 0x3FF))


def whole(text: str) -> str:
    """Halves that stand side by side become one character again."""
    if text.isascii() or not LONE.search(text):
        return text
    return PAIR.sub(_join, text)


def _join(found: re.Match[str]) -> str:
    high, low = map(ord, found[0])
    return chr(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00)


def sound(text: str) -> str:
    """What leaves us is valid Unicode: a half that stands alone becomes U+FFFD."""
    if text.isascii() or not LONE.search(text):
        return text
    return LONE.sub("\ufffd", whole(text))


def strip(text: str) -> str:
    return text.strip(SPACE)


def order(text: str) -> bytes:
    """A key that sorts as JavaScript compares."""
    return text.encode("utf-16-be", "surrogatepass")
