"""Which names may be written, and which name may have been meant."""

import difflib
import itertools
import re
import unicodedata
from collections.abc import Iterable

MAX_NAME = 100
MAX_COMPARED = 64  # characters; difflib takes quadratic time
# Printable by Unicode, yet drawn as nothing: two names could look alike.
INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U000e0100-\U000e01ef]")


def fault(name: str) -> str:
    """Why this cannot be a name; empty when it can."""
    if not name:
        return "is empty"
    if len(name) > MAX_NAME:
        return f"has {len(name)} characters, the limit is {MAX_NAME}"
    for character in name:
        if not character.isprintable() or INVISIBLE.match(character):
            return f"contains the invisible character U+{ord(character):04X}"
    if name != name.strip():
        return "begins or ends with a space"
    if "/" in name or "\\" in name or name in (".", ".."):
        return "contains a slash or is only dots"
    if not unicodedata.is_normalized("NFC", name):
        return "is not in Unicode normal form NFC"
    return ""


def nearest(word: str, among: Iterable[str]) -> str:
    """The known name that looks most like this one, or nothing."""
    if not 0 < len(word) <= MAX_COMPARED:
        return ""
    known = [name for name in itertools.islice(among, 1000) if len(name) <= MAX_COMPARED]
    for name in known:
        if name.lower() == word.lower():
            return name
    return next(iter(difflib.get_close_matches(word, known[:100], n=1, cutoff=0.6)), "")


def did_you_mean(word: str, among: Iterable[str]) -> str:
    """The end of a message: `, did you mean 'order'?` or nothing."""
    name = nearest(word, among)
    return f", did you mean '{name}'?" if name else ""
