"""Regular expressions in linear time: RE2, which knows no lookaround and no references to groups."""

from typing import Any

import re2  # type: ignore[import-untyped]

from bundles.celerror import CelError, spend
from bundles.celfunction import Function, text_of
from bundles.celvalues import Work

MAX_PATTERN = 1_000
MAX_PROGRAM = 2_000  # instructions; the time is at most that, times the length of the text
MAX_MEMORY = 1 << 18
MAX_KEPT = 512
READING = 5_000  # steps for a pattern that is made while the expression runs
kept: dict[str, Any] = {}


def pattern(text: str, work: Work | None = None) -> Any:
    """A compiled pattern, the same one compiled once."""
    found = kept.get(text)
    if found is None:
        spend(work or [READING], READING)
        found = _compiled(text)
        if len(kept) >= MAX_KEPT:
            kept.clear()
        kept[text] = found
    return found


def _compiled(text: str) -> Any:
    if len(text) > MAX_PATTERN:
        raise CelError(f"the pattern is longer than {MAX_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    try:
        found = re2.compile(text, options)
    except (re2.error, UnicodeError) as wrong:
        raise CelError(f"the pattern cannot be used: {_reason(wrong)}") from None
    if found.programsize > MAX_PROGRAM:
        raise CelError("the pattern is too large")
    return found


def _reason(wrong: Exception) -> str:
    said = wrong.args[0] if wrong.args else ""
    said = said.decode("utf-8", "replace") if isinstance(said, bytes) else "it is not valid Unicode"
    return said.split(":")[0] + " (patterns are RE2: no lookaround, no references to groups)"


def matches(work: Work, text: Any, regex: Any) -> bool:
    return _search(work, text, regex) is not None


def extract(work: Work, text: Any, regex: Any) -> str:
    """The first group, or all that matched when there is none; an empty text when nothing did."""
    found = _search(work, text, regex)
    if found is None:
        return ""
    return found[1 if found.re.groups else 0] or ""


def _search(work: Work, text: Any, regex: Any) -> Any:
    text, compiled = text_of(text), pattern(text_of(regex, 1), work)
    spend(work, len(text) * compiled.programsize >> 4)
    return compiled.search(text)


TEXT = "Texts"
FUNCTIONS = (
    Function(
        name="matches",
        signature="text.matches(pattern)",
        doc="Whether the pattern (RE2) is found in the text.",
        group=TEXT,
        call=matches,
        args=(2, 2),
        style="both",
        cost="work",
    ),
    Function(
        name="regex.extract",
        signature="regex.extract(text, pattern)",
        doc="What the pattern's first group found, an empty text when nothing.",
        group=TEXT,
        call=extract,
        args=(2, 2),
        cost="work",
    ),
)
