"""The methods of texts that templates may call."""

import math
import unicodedata
from typing import Any

from bundles.nunjucks import units, values
from bundles.nunjucks.entry import count_of, entries
from bundles.nunjucks.errors import Failure
from bundles.nunjucks.limits import Run
from bundles.nunjucks.numbers import SPACE
from bundles.nunjucks.regex import Regex, matches
from bundles.nunjucks.replacing import replace_pattern, replace_plain
from bundles.nunjucks.undefined import NAN, UNDEFINED, Function

MAKING = 5_000  # steps for a regex


def cut_of(run: Run, value: Any) -> str:
    """The text of a value in units, charged for."""
    found = values.text(run, value)
    run.make(len(found))
    run.spend(0 if found.isascii() else len(found) // 8)
    return units.units(found)


def at_of(run: Run, value: Any, default: float) -> int:
    return count_of(run, value, default)


def char_at(run: Run, value: Any, at: Any = UNDEFINED) -> Any:
    cut, index = cut_of(run, value), at_of(run, at, 0)
    return cut[index : index + 1] if index >= 0 else ""


def at(run: Run, value: Any, at: Any = UNDEFINED) -> Any:
    cut, index = cut_of(run, value), at_of(run, at, 0)
    index += len(cut) if index < 0 else 0
    return cut[index] if 0 <= index < len(cut) else UNDEFINED


def char_code(run: Run, value: Any, at: Any = UNDEFINED) -> Any:
    found = char_at(run, value, at)
    return ord(found) if found else NAN


def code_point(run: Run, value: Any, at: Any = UNDEFINED) -> Any:
    cut, index = cut_of(run, value), at_of(run, at, 0)
    if not 0 <= index < len(cut):
        return UNDEFINED
    return ord(units.whole(cut[index : index + 2])[0])


def concat(run: Run, value: Any, *others: Any) -> Any:
    return values.glue(run, [values.text(run, each) for each in (value, *others)])


def plain(run: Run, value: Any, name: str) -> str:
    if type(value) is Regex:
        raise Failure(f"First argument to String.prototype.{name} must not be a regular expression")
    return cut_of(run, value)


def includes(run: Run, value: Any, other: Any = UNDEFINED, start: Any = UNDEFINED) -> Any:
    return plain(run, other, "includes") in cut_of(run, value)[max(0, at_of(run, start, 0)) :]


def starts_with(run: Run, value: Any, other: Any = UNDEFINED, start: Any = UNDEFINED) -> Any:
    return cut_of(run, value).startswith(plain(run, other, "startsWith"), max(0, at_of(run, start, 0)))


def ends_with(run: Run, value: Any, other: Any = UNDEFINED, end: Any = UNDEFINED) -> Any:
    cut = cut_of(run, value)
    return cut[: max(0, at_of(run, end, len(cut)))].endswith(plain(run, other, "endsWith"))


def index_of(run: Run, value: Any, other: Any = UNDEFINED, start: Any = UNDEFINED) -> Any:
    cut = cut_of(run, value)
    return cut.find(cut_of(run, other), min(len(cut), max(0, at_of(run, start, 0))))


def last_index_of(run: Run, value: Any, other: Any = UNDEFINED, start: Any = UNDEFINED) -> Any:
    cut, wanted = cut_of(run, value), cut_of(run, other)
    run.spend(len(cut) * len(wanted) // 4096)  # Python searches backwards in that time, at worst
    limit = values.number(run, start)
    last = len(cut) if limit != limit else max(0, at_of(run, start, 0))
    return cut.rfind(wanted, 0, last + len(wanted))


def lower(run: Run, value: Any) -> Any:
    return units.whole(cut_of(run, value)).lower()


def upper(run: Run, value: Any) -> Any:
    text = units.whole(cut_of(run, value))
    run.make(len(text) * 2)
    return text.upper()


def trim(run: Run, value: Any) -> Any:
    return units.strip(values.text(run, value))


def trim_start(run: Run, value: Any) -> Any:
    return values.text(run, value).lstrip(SPACE)


def trim_end(run: Run, value: Any) -> Any:
    return values.text(run, value).rstrip(SPACE)


def pad_start(run: Run, value: Any, width: Any = UNDEFINED, fill: Any = UNDEFINED) -> Any:
    return padding(run, value, (width, fill)) + values.text(run, value)


def pad_end(run: Run, value: Any, width: Any = UNDEFINED, fill: Any = UNDEFINED) -> Any:
    return values.text(run, value) + padding(run, value, (width, fill))


def padding(run: Run, value: Any, how: tuple[Any, Any]) -> str:
    width, fill = how
    missing = at_of(run, width, 0) - units.length(values.text(run, value))
    unit = " " if fill is UNDEFINED else cut_of(run, fill)
    if missing <= 0 or not unit:
        return ""
    run.make(missing + len(unit))
    return units.whole((unit * (missing // len(unit) + 1))[:missing])


def repeat(run: Run, value: Any, count: Any = UNDEFINED) -> Any:
    times = values.number(run, count)
    if times < 0 or times == math.inf:
        raise Failure("Invalid count value")
    text = values.text(run, value)
    number = at_of(run, count, 0) if times == times else 0
    run.make(len(text) * number)
    return text * number


def replace(run: Run, value: Any, old: Any = UNDEFINED, new: Any = UNDEFINED) -> Any:
    return replaced(run, value, (old, new), every=False)


def replace_all(run: Run, value: Any, old: Any = UNDEFINED, new: Any = UNDEFINED) -> Any:
    if type(old) is Regex and "g" not in old.flags:
        raise Failure("replaceAll must be called with a global RegExp")
    return replaced(run, value, (old, new), every=True)


def replaced(run: Run, value: Any, pair: tuple[Any, Any], *, every: bool) -> str:
    old, new = pair
    text = values.text(run, value)
    run.make(len(text))
    new = new if type(new) is Function else values.text(run, new)
    if type(old) is Regex:
        return replace_pattern(run, text, old, new)
    return replace_plain(run, text, (values.text(run, old), new), every=every)


def piece(run: Run, value: Any, start: Any = UNDEFINED, end: Any = UNDEFINED) -> Any:
    cut = cut_of(run, value)
    first, last = at_of(run, start, 0), len(cut) if end is UNDEFINED else at_of(run, end, 0)
    first = max(0, first + len(cut)) if first < 0 else first
    last = max(0, last + len(cut)) if last < 0 else last
    return units.whole(cut[first:last])


def substring(run: Run, value: Any, start: Any = UNDEFINED, end: Any = UNDEFINED) -> Any:
    cut = cut_of(run, value)
    first = max(0, at_of(run, start, 0))
    last = len(cut) if end is UNDEFINED else max(0, at_of(run, end, 0))
    return units.whole(cut[min(first, last) : max(first, last)])


def substr(run: Run, value: Any, start: Any = UNDEFINED, count: Any = UNDEFINED) -> Any:
    cut = cut_of(run, value)
    first = at_of(run, start, 0)
    first = max(0, first + len(cut)) if first < 0 else first
    return units.whole(cut[first : first + max(0, at_of(run, count, len(cut) if count is UNDEFINED else 0))])


def split(run: Run, value: Any, separator: Any = UNDEFINED, limit: Any = UNDEFINED) -> Any:
    cut = cut_of(run, value)
    if separator is UNDEFINED:
        found: list[Any] = [cut]
    elif type(separator) is Regex:
        found = _split_by(run, cut, separator)
    else:
        by = cut_of(run, separator)
        run.spend(cut.count(by) if by else len(cut))
        found = cut.split(by) if by else list(cut)
    most = len(found) if limit is UNDEFINED else at_of(run, limit, 0)
    return [units.whole(each) if type(each) is str else each for each in found[: max(0, most)]]


def _split_by(run: Run, cut: str, regex: Regex) -> list[Any]:
    found: list[Any] = []
    start = 0
    run.spend(MAKING + 20 * len(regex.source))
    everywhere = Regex(regex.source, regex.flags.replace("y", "").replace("g", "") + "g")
    for match in matches(run, everywhere, cut):
        if match.start < len(cut) and match.end > start:
            found.append(cut[start : match.start])
            found += [UNDEFINED if group is None else group for group in match.groups]
            start = match.end
    if not cut:
        return [] if regex.program.match(run, cut, 0) else [cut]
    return [*found, cut[start:]]


def normalize(run: Run, value: Any, form: Any = UNDEFINED) -> Any:
    name = "NFC" if form is UNDEFINED else values.text(run, form)
    text = values.text(run, value)
    run.make(len(text) * 4)
    run.spend(0 if text.isascii() else len(text) ** 2 // 4096)  # marks in a row are sorted, one by one
    if name not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise Failure("The normalization form should be one of NFC, NFD, NFKC, NFKD.")
    return unicodedata.normalize(name, text)  # type: ignore[arg-type]


def compare(run: Run, value: Any, other: Any = UNDEFINED) -> Any:
    """Letters before their capitals, both before the next letter: a plain stand-in for a collation."""
    one, two = values.text(run, value), values.text(run, other)
    run.make(2 * (len(one) + len(two)))
    left, right = ((each.casefold(), each.swapcase()) for each in (one, two))
    return (left > right) - (left < right)


def regex_of(run: Run, value: Any) -> Regex:
    """A text as a regex; making one costs, for it is done while rendering."""
    if type(value) is Regex:
        return value
    source = "" if value is UNDEFINED else values.text(run, value)
    run.spend(MAKING + 20 * len(source))
    return Regex(source, "")


def match(run: Run, value: Any, regex: Any = UNDEFINED) -> Any:
    regex = regex_of(run, regex)
    cut = cut_of(run, value)
    if "g" in regex.flags:
        return [units.whole(cut[each.start : each.end]) for each in matches(run, regex, cut)] or None
    for found in matches(run, regex, cut):
        return found.as_list(cut)
    return None


def search(run: Run, value: Any, regex: Any = UNDEFINED) -> Any:
    regex = regex_of(run, regex)
    cut = cut_of(run, value)
    return next((each.start for each in matches(run, regex, cut)), -1)


def to_text(run: Run, value: Any) -> Any:
    return values.text(run, value)


TEXT_METHODS = entries(
    {
        **{"at": at, "charAt": char_at, "charCodeAt": char_code, "codePointAt": code_point, "concat": concat},
        **{"includes": includes, "startsWith": starts_with, "endsWith": ends_with, "indexOf": index_of},
        **{"lastIndexOf": last_index_of, "toLowerCase": lower, "toUpperCase": upper, "trim": trim},
        **{"toLocaleLowerCase": lower, "toLocaleUpperCase": upper, "trimStart": trim_start},
        **{"trimEnd": trim_end, "trimLeft": trim_start, "trimRight": trim_end, "padStart": pad_start},
        **{
            "padEnd": pad_end,
            "repeat": repeat,
            "replace": replace,
            "replaceAll": replace_all,
            "slice": piece,
        },
        **{"substring": substring, "substr": substr, "split": split, "normalize": normalize},
        **{
            "localeCompare": compare,
            "match": match,
            "search": search,
            "toString": to_text,
            "valueOf": to_text,
        },
    }
)
