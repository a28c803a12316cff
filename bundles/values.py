"""The one YAML loader: bytes in, a tree that knows where every key and value stands, and exact problems.

Nothing in here raises, whatever the bytes are, and no input of 1 MB takes more than about 100 ms.
"""

import re

from bundles.composer import MAX_VALUES, compose
from bundles.nodes import (
    NOWHERE,
    Document,
    Mapping,
    Node,
    Place,
    Problem,
    Report,
    Scalar,
    Sequence,
    Severity,
    plain,
    shown,
)

__all__ = [
    "MAX_BYTES",
    "NOWHERE",
    "Document",
    "Mapping",
    "Node",
    "Place",
    "Problem",
    "Report",
    "Scalar",
    "Sequence",
    "Severity",
    "decode",
    "parse",
    "plain",
    "shown",
]

MAX_BYTES = 1024 * 1024
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# libyaml compares every %TAG line with all others: 80,000 of them are minutes of work.
TAG_DIRECTIVE = re.compile("^%(?!YAML )", re.MULTILINE)


def parse(data: bytes, *, file: str, most: int = MAX_VALUES) -> Document:
    """The tree of one YAML file with so many values. Never raises, whatever the bytes are."""
    report = Report()
    text = decode(data, file=file, report=report)
    root = None if text is None else compose(text, file, report, most=most)
    return Document(root, report.problems())


def decode(data: bytes, *, file: str, report: Report) -> str | None:
    """The text of a file in UTF-8, or None and a problem that says where it is not."""
    if len(data) > MAX_BYTES:
        report.error(Place(file, 1, 1), f"the file has {len(data)} bytes, the limit is {MAX_BYTES}")
        return None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        report.error(Place(file, 1, 1), "the file is UTF-16", "save it as UTF-8")
        return None
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as wrong:
        before = data[: wrong.start].decode("utf-8")
        report.error(_place_after(before, file), "the file is not valid UTF-8", "save it as UTF-8")
        return None
    return text if _is_clean(text, file, report) else None


def _is_clean(text: str, file: str, report: Report) -> bool:
    if found := UNPRINTABLE.search(text):
        code = ord(found.group())
        name = "a NUL character" if code == 0 else f"the control character U+{code:04X}"
        report.error(_place_after(text[: found.start()], file), f"the file contains {name}")
        return False
    if found := TAG_DIRECTIVE.search(text):
        message = "a line that begins with % is a YAML directive, which is not allowed here"
        report.error(_place_after(text[: found.start()], file), message)
        return False
    return True


def _place_after(before: str, file: str) -> Place:
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Place(file, len(lines), len(lines[-1]) + 1)
