"""replace: a text by a text, or what a regex matches by a text with $1 and its kin."""

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bundles.nunjucks import units, values
from bundles.nunjucks.limits import Run
from bundles.nunjucks.regex import Match, Regex, matches
from bundles.nunjucks.undefined import UNDEFINED, Function

DOLLAR = re.compile(r"\$(?:\$|&|`|'|[0-9]{1,2})")


def replace_text(run: Run, text: str, pair: tuple[str, str], most: Any) -> str | None:
    """The filter: all that are found, or `most` of them; None when the text stays as it is."""
    old, new = pair
    run.read(len(text))
    if not old:
        cut = units.units(text)
        run.spend(len(cut))
        run.make(len(text) + len(new) * (len(cut) + 1))
        return new + new.join(cut) + new if cut else new + new
    count = text.count(old)
    if most is UNDEFINED:
        most = -1
    if values.strict(most, 0) or not count:
        return None
    if not values.strict(most, -1):
        limit = values.number(run, most)
        count = math.ceil(min(count, limit)) if limit > 0 else 0
    run.make(len(text) + len(new) * count)
    return text.replace(old, new, count)


def replace_pattern(run: Run, text: str, regex: Regex, new: Any) -> str:
    """The method: the first match, or with the flag g all of them."""
    cut = units.units(text)
    return _put(run, cut, matches(run, regex, cut), new)


def replace_plain(run: Run, text: str, pair: tuple[str, Any], *, every: bool) -> str:
    """The method for a text: the first place where it stands, or all of them."""
    cut = units.units(text)
    return _put(run, cut, _places(run, cut, units.units(pair[0]), every), pair[1])


def _places(run: Run, text: str, old: str, every: bool) -> Iterator[Match]:
    run.read(len(text))
    at = text.find(old)
    while at >= 0:
        yield Match(at, at + len(old), [])
        if not every or at >= len(text):
            return
        at = text.find(old, at + max(1, len(old)))


def _put(run: Run, cut: str, found: Iterable[Match], new: Any) -> str:
    parts: list[str] = []
    start = 0
    for each in found:
        run.spend(1)
        parts += [cut[start : each.start], _written(run, cut, each, new)]
        run.make(len(parts[-1]))
        start = each.end
    return values.glue(run, [*parts, cut[start:]])


def _written(run: Run, text: str, found: Match, new: Any) -> str:
    if type(new) is Function:
        groups = [UNDEFINED if group is None else group for group in found.groups]
        return values.text(run, new.call(run, [text[found.start : found.end], *groups, found.start, text]))
    pattern = units.units(values.text(run, new))
    return expanded(text, found, pattern) if "$" in pattern else pattern


def expanded(text: str, found: Match, pattern: str) -> str:
    """$$, $&, $`, $' and $1 to $99 in what is put in place of a match."""

    def one(mark: re.Match[str]) -> str:
        name = mark[0][1:]
        if name == "$":
            return "$"
        if name == "&":
            return text[found.start : found.end]
        if name in "`'":
            return text[: found.start] if name == "`" else text[found.end :]
        return _group(found, mark[0])

    return DOLLAR.sub(one, pattern)


def _group(found: Match, mark: str) -> str:
    count = len(found.groups)
    for digits in (mark[1:], mark[1:2]):
        if 1 <= int(digits) <= count:
            return (found.groups[int(digits) - 1] or "") + mark[1 + len(digits) :]
    return mark
