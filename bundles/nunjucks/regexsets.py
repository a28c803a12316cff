"""Sets of characters in regexes, as ranges of 16-bit units."""

from __future__ import annotations

import re

from bundles.nunjucks.numbers import SPACE

LAST = 0xFFFF
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


def pattern(ranges: Ranges, *, fold: bool, many: bool = False) -> re.Pattern[str]:
    """One character of the set, or as many as there are."""
    text = f"[{body(ranges)}]" if ranges else "(?!)"
    return re.compile(text + ("*+" if many and ranges else ""), re.IGNORECASE if fold else 0)
