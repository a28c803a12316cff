"""The built-in filters for texts."""

import math
import re
from typing import Any
from urllib.parse import quote

from bundles.nunjucks import numbers, units, values
from bundles.nunjucks.entry import absent, alike, entries, given, items_of, text_for
from bundles.nunjucks.errors import Failure
from bundles.nunjucks.limits import Run
from bundles.nunjucks.members import member
from bundles.nunjucks.regex import Regex
from bundles.nunjucks.replacing import replace_pattern, replace_text
from bundles.nunjucks.tags import without_tags
from bundles.nunjucks.undefined import UNDEFINED, Safe

ESCAPES = str.maketrans({"&": "&amp;", '"': "&quot;", "'": "&#39;", "<": "&lt;", ">": "&gt;", "\\": "&#92;"})
SPACES = re.compile(f"[{numbers.SPACE}]+")
WORD = re.compile("[A-Za-z0-9_]+")
SAFE_IN_URLS = "!'()*-._~"


def capitalized(text: str) -> str:
    low = text.lower()
    return low[:1].upper() + low[1:]


def capitalize(run: Run, value: Any = UNDEFINED) -> Any:
    text = text_for(given(value), "toLowerCase")
    run.make(len(text) * 2)
    return alike(value, capitalized(text))


def title(run: Run, value: Any = UNDEFINED) -> Any:
    text = text_for(given(value), "split")
    run.make(len(text) * 2)
    run.spend(text.count(" ") // 2)
    return alike(value, " ".join(map(capitalized, text.split(" "))))


def lower(run: Run, value: Any = UNDEFINED) -> Any:
    text = text_for(given(value), "toLowerCase")
    run.make(len(text) * 2)
    return text.lower()


def upper(run: Run, value: Any = UNDEFINED) -> Any:
    text = text_for(given(value), "toUpperCase")
    run.make(len(text) * 2)
    return text.upper()


def trim(run: Run, value: Any = UNDEFINED) -> Any:
    text = text_for(value, "replace")
    run.make(len(text))
    return alike(value, units.strip(text))


def center(run: Run, value: Any = UNDEFINED, width: Any = UNDEFINED) -> Any:
    value = given(value)
    size = values.number(run, member(run, value, "length"))
    spaces = (values.number(run, width) if values.truthy(width) else 80) - size
    if spaces <= 0:
        return value
    spaces = min(spaces, 1e9) if spaces == spaces else 0
    before, after = math.ceil(spaces / 2 - spaces % 2), math.ceil(spaces / 2)
    text = values.text(run, value)
    run.make(len(text) + before + after)
    return alike(value, " " * before + text + " " * after)


def escape(run: Run, value: Any = UNDEFINED) -> Any:
    return value if type(value) is Safe else forceescape(run, value)


def forceescape(run: Run, value: Any = UNDEFINED) -> Any:
    text = "" if absent(value) else values.text(run, value)
    run.make(len(text) * 6)
    return Safe(text.translate(ESCAPES))


def safe(run: Run, value: Any = UNDEFINED) -> Any:
    if type(value) is Safe:
        return value
    return Safe("" if absent(value) else values.text(run, value))


def string(run: Run, value: Any = UNDEFINED) -> Any:
    if type(value) is Safe:
        return value
    if absent(value):
        raise Failure(f"Cannot read properties of {values.text(run, value)} (reading 'toString')")
    return values.text(run, value)


def indent(run: Run, value: Any = UNDEFINED, width: Any = UNDEFINED, first: Any = UNDEFINED) -> Any:
    value = given(value)
    if type(value) is str and not value:
        return ""
    text = text_for(value, "split")
    wide = values.number(run, width) if values.truthy(width) else 4
    size = math.ceil(min(wide, 1e9)) if wide > 0 else 0
    run.make(len(text) + size * (text.count("\n") + 1))
    made = text.replace("\n", "\n" + " " * size)
    return alike(value, " " * size + made if values.truthy(first) else made)


def nl2br(run: Run, value: Any = UNDEFINED) -> Any:
    if absent(value):
        return ""
    text = text_for(value, "replace")
    run.make(len(text) + 6 * text.count("\n"))
    return alike(value, re.sub("\r\n|\n", "<br />\n", text))


def replace(
    run: Run, value: Any = UNDEFINED, old: Any = UNDEFINED, new: Any = UNDEFINED, most: Any = UNDEFINED
) -> Any:
    if type(old) is Regex:
        return replace_pattern(run, text_for(value, "replace"), old, new)
    if type(old) in (int, float):
        old = numbers.number_text(old)
    elif type(old) is not str:
        return value
    if type(value) in (int, float):
        value = numbers.number_text(value)
    if type(value) is not str and type(value) is not Safe:
        return value
    if old == "" and new is UNDEFINED:  # joined by undefined is joined by commas
        return alike(value, f"undefined{','.join(to_units(run, value))}undefined")
    made = replace_text(run, text_for(value, "replace"), (old, values.text(run, new)), most)
    return value if made is None else alike(value, made)


def to_units(run: Run, value: Any) -> list[str]:
    return items_of(run, text_for(value, "split"))


def striptags(run: Run, value: Any = UNDEFINED, keep_lines: Any = UNDEFINED) -> Any:
    value = given(value)
    text = text_for(value, "replace")
    run.make(len(text) * 2)
    run.spend(len(text) // 16)
    bare = units.strip(without_tags(text))
    if not values.truthy(keep_lines):
        return alike(value, SPACES.sub(" ", bare))
    lines = [line.strip(" ") for line in re.split("(\r\n|[\n\r\u2028\u2029])", bare)]
    made = re.sub(" +", " ", "".join(lines)).replace("\r\n", "\n")
    return alike(value, re.sub("\n\n\n+", "\n\n", made))


def urlencode(run: Run, value: Any = UNDEFINED) -> Any:
    if type(value) is str:
        return _encoded(run, value)
    if type(value) is Safe:
        value = {"val": value.text, "length": units.length(value.text)}
    if type(value) is list:
        pairs = [(member(run, pair, 0, must=True), member(run, pair, 1)) for pair in value]
    else:
        pairs = [(name, value[name]) for name in values.keys(value)] if isinstance(value, dict) else []
    return values.glue(run, [f"{_encoded(run, name)}={_encoded(run, each)}" for name, each in pairs], "&")


def _encoded(run: Run, value: Any) -> str:
    text = values.text(run, value)
    run.read(len(text) * 3)
    try:
        made = quote(text, safe=SAFE_IN_URLS)
    except UnicodeEncodeError:
        raise Failure("URI malformed") from None
    run.make(len(made))
    return made


def urlize(run: Run, value: Any = UNDEFINED, length: Any = UNDEFINED, nofollow: Any = UNDEFINED) -> Any:
    text = text_for(value, "split")
    run.make(len(text) * 4)
    run.spend(len(text) // 8)
    limit = values.number(run, length)
    cut = None if limit != limit else int(max(0, min(limit, 1e9)))
    mark = ' rel="nofollow"' if nofollow is True else ""
    words = re.split(f"([{numbers.SPACE}]+)", text)
    run.spend(4 * len(words))
    return values.glue(run, [_linked(word, cut, mark) for word in words if word])


BEFORE = re.compile(r"\(|<|&lt;")
AFTER = re.compile(r"(?:\.|,|\)|\n|&gt;)\Z")
EMAIL = re.compile(r"[A-Za-z0-9_.!#$%&'*+\-/=?^`{|}~]+@[a-zA-Z\d\-]+(?:\.[a-zA-Z\d\-]+)+", re.ASCII)
TOP = re.compile(r"\.(?:org|net|com)(?::|/|\Z)")


def _linked(word: str, cut: int | None, mark: str) -> str:
    before = BEFORE.match(word)
    inner = word[before.end() :] if before else word
    after = AFTER.search(inner)
    address = inner[: after.start()] if after else inner
    short = address[:cut]
    if address.startswith(("http://", "https://")):
        return f'<a href="{address}"{mark}>{short}</a>'
    if address.startswith("www."):
        return f'<a href="http://{address}"{mark}>{short}</a>'
    if EMAIL.fullmatch(address):
        return f'<a href="mailto:{address}">{address}</a>'
    return f'<a href="http://{address}"{mark}>{short}</a>' if TOP.search(address) else word


def wordcount(run: Run, value: Any = UNDEFINED) -> Any:
    value = given(value)
    if not values.truthy(value):
        return None
    text = text_for(value, "match")
    run.read(len(text) * 4)
    return sum(1 for _ in WORD.finditer(text)) or None


TEXT_FILTERS = entries(
    {
        **{"capitalize": capitalize, "center": center, "e": escape, "escape": escape, "safe": safe},
        **{"forceescape": forceescape, "indent": indent, "lower": lower, "nl2br": nl2br, "replace": replace},
        **{"string": string, "striptags": striptags, "title": title, "trim": trim, "upper": upper},
        **{"urlencode": urlencode, "urlize": urlize, "wordcount": wordcount},
    }
)
