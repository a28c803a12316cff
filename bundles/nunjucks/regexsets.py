"""Sets of characters in regexes, as ranges of 16-bit units."""

from __future__ import annotations

import re

from bundles.nunjucks.numbers import SPACE

LAST = 0xFFFF
SMALL = 512  # characters of a range
Ranges = list[tuple[int, int]]


def of(text: str) -> Ranges:
    return [(ord(each), ord(each)) for each in text]


def inverted(ranges: Ranges) -> Ranges:
    made: Ranges = []
    start = 0
    for low, high in sorted(ranges):
        if low > start:
            made.append((start, low - 1))
        start = max(start, high + 1)
    return [*made, (start, LAST)] if start <= LAST else made


DIGIT = [(48, 57)]
WORD = [(48, 57), (65, 90), (95, 95), (97, 122)]
BLANK = of(SPACE)
ANY = inverted(of("\n\r\u2028\u2029"))
CLASSES = {
    **{"d": DIGIT, "w": WORD, "s": BLANK},
    **{"D": inverted(DIGIT), "W": inverted(WORD), "S": inverted(BLANK)},
}


def body(ranges: Ranges) -> str:
    return "".join(f"\\u{low:04x}-\\u{high:04x}" for low, high in ranges)


def folded(ranges: Ranges) -> Ranges:
    """Both cases of each letter; large ranges hold both already, or come of turning around a small one."""
    made = list(ranges)
    for low, high in ranges:
        for code in range(low, high + 1) if high - low < SMALL else ():
            made += [(ord(other), ord(other)) for other in variants(chr(code))]
    return made


def variants(char: str) -> list[str]:
    """Letters with the same capital; those beyond ASCII never meet those within."""
    capital = char.upper()
    found = {char.lower(), capital, capital.lower()} - {char}
    return [
        each
        for each in found
        if len(each) == 1 and each.isascii() == char.isascii() and each.upper() == capital
    ]


def pattern(ranges: Ranges, *, many: bool = False) -> re.Pattern[str]:
    """One character of the set, or as many as there are."""
    text = f"[{body(ranges)}]" if ranges else "(?!)"
    return re.compile(text + ("*+" if ranges else "|") if many else text)
