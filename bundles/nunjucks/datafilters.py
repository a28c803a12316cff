"""Filters beyond the built-in ones, as prompts use them: CSV, JSON, lines, lists of objects, Markdown."""

import random
import re
from collections.abc import Iterator
from typing import Any

from bundles.nunjucks import jsontext, numbers, units, values
from bundles.nunjucks.entry import absent, entries
from bundles.nunjucks.errors import Exhausted, Failure
from bundles.nunjucks.limits import Run
from bundles.nunjucks.members import member
from bundles.nunjucks.undefined import UNDEFINED

LINE = re.compile(r"\r?\n")
GAP = re.compile(f"[{numbers.SPACE}]+")
MARKS = re.compile('([",])')
INDENT = re.compile(f"[{numbers.SPACE}]*")


def is_text(value: Any) -> bool:
    return type(value) is str and value != ""


def fromcsv(run: Run, value: Any = UNDEFINED) -> Any:
    """Objects by the names of the first line; empty lines are left out, fields are trimmed."""
    if not is_text(value):
        return []
    run.make(len(value))
    run.spend(value.count("\n"))
    rows = [units.strip(row) for row in LINE.split(units.strip(value))]
    names = [units.strip(name) for name in _fields(rows[0])]
    made = []
    for row in rows[1:]:
        if row:
            run.spend(len(names) + len(row) // 8 + 1)
            fields = [units.strip(field) for field in _fields(row)]
            made.append({name: fields[at] if at < len(fields) else "" for at, name in enumerate(names)})
    return made


def _fields(row: str) -> Iterator[str]:
    """Commas between quotes belong to the field; two quotes between quotes are one."""
    field: list[str] = []
    inside = closed = False
    for piece in MARKS.split(row):
        if piece == '"':
            if closed:
                field.append(piece)  # the second of two: the quotes go on
            inside, closed = not inside, inside
            continue
        if piece:
            closed = False
        if piece == "," and not inside:
            yield "".join(field)
            field = []
        else:
            field.append(piece)
    yield "".join(field)


def fromjson(run: Run, value: Any = UNDEFINED) -> Any:
    if absent(value):
        return None
    if type(value) is not str:
        return value
    try:
        return jsontext.parse(run, value)
    except ValueError:
        return None


def tojson(run: Run, value: Any = UNDEFINED, indent: Any = UNDEFINED) -> Any:
    try:
        return jsontext.stringify(run, value, indent)
    except Exhausted:
        raise
    except Failure:
        return "{}"


def lines(run: Run, value: Any = UNDEFINED) -> Any:
    if not is_text(value):
        return []
    run.make(len(value))
    run.spend(value.count("\n"))
    return LINE.split(value)


def dedent(run: Run, value: Any = UNDEFINED) -> Any:
    found = lines(run, value)
    depths = [len(INDENT.match(line)[0]) for line in found if units.strip(line)]  # type: ignore[index]
    depth = min(depths, default=0)
    return "\n".join(line[depth:] for line in found)


def truncate(run: Run, value: Any = UNDEFINED, length: Any = UNDEFINED, suffix: Any = UNDEFINED) -> Any:
    if not is_text(value):
        return ""
    run.make(len(value))
    cut = units.units(value)
    wanted = 80 if length is UNDEFINED else values.number(run, length)
    if len(cut) <= wanted:
        return value
    end = "..." if suffix is UNDEFINED else suffix
    count = wanted - values.number(run, member(run, end, "length", must=True))
    kept = cut[: int(max(-1e9, min(count, 1e9)))] if count == count else ""
    return values.add(run, units.whole(kept), end)


def codeblock(run: Run, value: Any = UNDEFINED, language: Any = UNDEFINED) -> Any:
    if not is_text(value):
        return ""
    name = "" if language is UNDEFINED else values.text(run, language)
    return values.glue(run, ["```", name, "\n", value, "\n```"])


def unique(run: Run, value: Any = UNDEFINED) -> Any:
    """The first of each, by value for texts and numbers, by identity for lists and objects."""
    if type(value) is not list:
        return []
    run.spend(len(value))
    return list({_identity(item): item for item in reversed(value)}.values())[::-1] if value else []


def _identity(item: Any) -> Any:
    kind = type(item)
    if kind is str:
        return item
    if kind is int or kind is float:
        return ("number", item if item == item else "NaN")
    return id(item)


def pluck(run: Run, value: Any = UNDEFINED, name: Any = UNDEFINED) -> Any:
    found = [member(run, item, name) for item in _list(run, value)]
    return [item for item in found if item is not UNDEFINED]


def where(run: Run, value: Any = UNDEFINED, name: Any = UNDEFINED, wanted: Any = UNDEFINED) -> Any:
    found = _list(run, value)
    run.spend(len(found) * values.weight(wanted))
    return [item for item in found if values.strict(member(run, item, name), wanted)]


def groupby(run: Run, value: Any = UNDEFINED, name: Any = UNDEFINED) -> Any:
    made: dict[str, list[Any]] = {}
    for item in _list(run, value):
        found = member(run, item, name)
        made.setdefault("undefined" if absent(found) else values.text(run, found), []).append(item)
    return made


def shuffle(run: Run, value: Any = UNDEFINED) -> Any:
    found = list(_list(run, value))
    random.shuffle(found)
    return found


def sample(run: Run, value: Any = UNDEFINED, count: Any = UNDEFINED) -> Any:
    wanted = 1 if count is UNDEFINED else values.number(run, count)
    found = shuffle(run, value)
    return found[: int(max(-1e9, min(wanted, len(found))))] if wanted == wanted else []


def wordwrap(run: Run, value: Any = UNDEFINED, width: Any = UNDEFINED) -> Any:
    if not is_text(value):
        return ""
    run.make(len(value))
    wide = 80 if width is UNDEFINED else values.number(run, width)
    run.spend(len(value) // 8)
    words = GAP.split(value)
    run.spend(len(words))
    made: list[str] = []
    line, size = "", 0
    for word in words:
        count = units.length(word)
        if size + count + 1 <= wide:
            line += (" " if line else "") + word
        else:
            made += [line] if line else []
            line, size = word, 0
        size = units.length(line)
    return "\n".join([*made, line] if line else made)


def _items(run: Run, value: Any) -> list[str]:
    """Lines of a list: elements, or the lines of a text, without the blank ones."""
    found: list[Any] = value if type(value) is list else []
    if type(value) is not list:
        text = values.text(run, value)
        run.spend(text.count("\n"))
        found = LINE.split(text)
    run.spend(len(found))
    return [text for text in (values.text(run, item) for item in found) if units.strip(text)]


def bulletlist(run: Run, value: Any = UNDEFINED) -> Any:
    return values.glue(run, [f"- {item}" for item in _items(run, value)], "\n")


def numberedlist(run: Run, value: Any = UNDEFINED) -> Any:
    return values.glue(run, [f"{at}. {item}" for at, item in enumerate(_items(run, value), 1)], "\n")


def _list(run: Run, value: Any) -> list[Any]:
    if type(value) is not list:
        return []
    run.spend(len(value))
    return value


DATA_FILTERS = entries(
    {
        **{"fromcsv": fromcsv, "fromjson": fromjson, "tojson": tojson, "lines": lines, "dedent": dedent},
        **{"truncate": truncate, "codeblock": codeblock, "unique": unique, "pluck": pluck, "where": where},
        **{"groupby": groupby, "shuffle": shuffle, "sample": sample, "wordwrap": wordwrap},
        **{"bulletlist": bulletlist, "numberedlist": numberedlist},
    }
)
