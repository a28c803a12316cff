"""Functions for texts."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bundles.celerror import MAX_SIZE, CelError, CelLimit, spend
from bundles.celfunction import Function, expect, text_of, whole_of
from bundles.celvalues import Work, encode, kind, measure, weight, word


def room(size: int) -> None:
    """Refuses to make a larger text than that, before it is made."""
    if size > MAX_SIZE:
        raise CelLimit(f"the text is longer than {MAX_SIZE} characters")


def size(value: Any) -> int:
    if isinstance(value, (str, list, dict, bytes, tuple, Mapping)):
        return len(value)
    raise CelError(f"only texts, bytes, lists and maps have a size, this is {word(value)}")


def contains(text: Any, part: Any) -> bool:
    return text_of(part, 1) in text_of(text)


def starts_with(work: Work, text: Any, part: Any) -> bool:
    spend(work, weight((part,)))
    return text_of(text).startswith(text_of(part, 1))


def ends_with(work: Work, text: Any, part: Any) -> bool:
    spend(work, weight((part,)))
    return text_of(text).endswith(text_of(part, 1))


def lower(text: Any) -> str:
    """By way of bytes, which know no other letters than A to Z."""
    return text_of(text).encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def upper(text: Any) -> str:
    return text_of(text).encode("utf-8", "surrogatepass").upper().decode("utf-8", "surrogatepass")


def trim(text: Any) -> str:
    return text_of(text).strip()


def reverse(value: Any) -> Any:
    if kind(value) == "list":
        return list(value[::-1])
    return text_of(value)[::-1]


def replace(text: Any, old: Any, new: Any, limit: Any = -1) -> str:
    found, part, other, most = text_of(text), text_of(old, 1), text_of(new, 2), whole_of(limit)
    count = found.count(part) if most < 0 else min(found.count(part), most)
    room(len(found) + count * (len(other) - len(part)))
    return found.replace(part, other, count)


def split(text: Any, separator: Any, limit: Any = -1) -> list[str]:
    found, between, most = text_of(text), text_of(separator, 1), whole_of(limit)
    if most == 0:
        return []
    if between:
        return found.split(between, min(most, MAX_SIZE) - 1 if most > 0 else -1)
    return list(found) if most < 0 or most >= len(found) else [*found[: most - 1], found[most - 1 :]]


def join(values: Any, separator: Any = "") -> str:
    expect(values, "list")
    between = text_of(separator, 1)
    if any(not isinstance(value, str) for value in values):
        raise CelError("join needs a list of texts, this one has something else in it")
    room(sum(map(len, values)) + len(between) * max(len(values) - 1, 0))
    return between.join(values)


def substring(text: Any, start: Any, end: Any = None) -> str:
    found, first = text_of(text), whole_of(start, 1)
    last = len(found) if end is None else whole_of(end, 2)
    if not 0 <= first <= last <= len(found):
        raise CelError("substring goes beyond the ends of the text")
    return found[first:last]


def char_at(text: Any, place: Any) -> str:
    found, at = text_of(text), whole_of(place, 1)
    if not 0 <= at <= len(found):
        raise CelError("charAt goes beyond the ends of the text")
    return found[at : at + 1]


def index_of(text: Any, part: Any, start: Any = 0) -> int:
    found, first = text_of(text), whole_of(start, 2)
    if not 0 <= first <= len(found):
        raise CelError("indexOf goes beyond the ends of the text")
    return found.find(text_of(part, 1), first)


def last_index_of(text: Any, part: Any, start: Any = None) -> int:
    found, wanted = text_of(text), text_of(part, 1)
    last = len(found) if start is None else whole_of(start, 2)
    if not 0 <= last <= len(found):
        raise CelError("lastIndexOf goes beyond the ends of the text")
    return found.rfind(wanted, 0, last + len(wanted))


def url_encoded(work: Work, text: Any) -> str:
    found = text_of(text)
    spend(work, len(found) >> 1)
    room(len(found) * 3)
    return quote(found, safe="")


def as_json(work: Work, value: Any) -> str:
    spend(work, measure(value) >> 2)
    return encode(value)


def parse_json(work: Work, text: Any) -> Any:
    text = text_of(text)
    spend(work, len(text) >> 2)
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise CelError("the text is not JSON") from None


def _no_constant(_: str) -> None:
    raise ValueError


def base64_encode(value: Any) -> str:
    data = text_of(value).encode() if kind(value) == "string" else value
    expect(data, "bytes")
    return base64.b64encode(data).decode("ascii")


def base64_decode(text: Any) -> bytes:
    text = text_of(text)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise CelError("the text is not base64") from None


def _function(signature: str, doc: str, call: Any, args: tuple[int, int], **more: Any) -> Function:
    """A method of texts, unless more says otherwise."""
    name = (
        signature.split("(")[0].split(".", 1)[1]
        if signature[:5] in ("text.", "list.")
        else signature.split("(")[0]
    )
    style = "method" if signature[:5] in ("text.", "list.") else "function"
    return Function(name, signature, doc, "Texts", call, args, **{"style": style, "cost": "text", **more})


FUNCTIONS = (
    _function(
        "size(value)",
        "How many characters, bytes, elements or keys it has.",
        size,
        (1, 1),
        style="both",
        cost="",
    ),
    _function("text.contains(part)", "Whether the part is in the text.", contains, (2, 2)),
    _function(
        "text.startsWith(part)", "Whether the text begins with the part.", starts_with, (2, 2), cost="work"
    ),
    _function("text.endsWith(part)", "Whether the text ends with the part.", ends_with, (2, 2), cost="work"),
    _function("text.lowerAscii()", "A to Z as small letters.", lower, (1, 1)),
    _function("text.upperAscii()", "a to z as capital letters.", upper, (1, 1)),
    _function("text.trim()", "Without white space at both ends.", trim, (1, 1)),
    _function("text.reverse()", "The other way round; lists too.", reverse, (1, 1)),
    _function("text.replace(old, new, limit?)", "With every old part as the new one.", replace, (3, 4)),
    _function("text.split(separator, limit?)", "The list of parts between separators.", split, (2, 3)),
    _function("list.join(separator?)", "One text of a list of texts.", join, (1, 2)),
    _function(
        "text.substring(start, end?)",
        "The part from start (0 is the first) to before end.",
        substring,
        (2, 3),
    ),
    _function("text.charAt(place)", "The character at this place, from 0.", char_at, (2, 2), cost=""),
    _function("text.indexOf(part, start?)", "Where the part begins, -1 when nowhere.", index_of, (2, 3)),
    _function("text.lastIndexOf(part, start?)", "Where it begins for the last time.", last_index_of, (2, 3)),
    _function(
        "encode(text)", "As a part of a URL: what is special as %XX.", url_encoded, (1, 1), cost="work"
    ),
    _function("json(value)", "The value as compact JSON text.", as_json, (1, 1), cost="work"),
    _function(
        "parseJson(text)", "The value that this JSON text stands for.", parse_json, (1, 1), cost="work"
    ),
    _function("base64.encode(value)", "Bytes or a text (UTF-8) as base64.", base64_encode, (1, 1)),
    _function("base64.decode(text)", "The bytes that this base64 text stands for.", base64_decode, (1, 1)),
)
