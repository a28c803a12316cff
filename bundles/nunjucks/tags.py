"""HTML tags and comments taken out of a text, in one pass."""

import re

NAME = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?![A-Za-z0-9_])")


def without_tags(text: str) -> str:
    kept: list[str] = []
    start = at = 0
    last, last_comment = text.rfind(">"), text.rfind("-->")
    while (at := text.find("<", at)) >= 0 and at < last:
        end = _end(text, at, last_comment)
        if end:
            kept.append(text[start:at])
            start = at = end
        else:
            at += 1
    kept.append(text[start:])
    return "".join(kept)


def _end(text: str, at: int, last_comment: int) -> int:
    """Where the tag or comment that starts here ends; 0 when none starts here."""
    name = NAME.match(text, at)
    if name:
        return text.find(">", name.end()) + 1
    if text.startswith("<!--", at) and at + 4 <= last_comment:
        return text.find("-->", at + 4) + 3
    return 0
