"""What can be written in an expression, as rows for the editor's completion and for the documentation."""

from typing import Literal, TypedDict

from bundles.cel import ROOTS
from bundles.celfunctions import TABLE

MACROS = (
    ("has", "has(map.field)", "Whether the field is there."),
    (
        "default",
        "default(value, otherwise)",
        "The value, or otherwise when a field of it is missing or it is null.",
    ),
    ("all", "list.all(x, condition)", "Whether the condition holds for every element x."),
    ("exists", "list.exists(x, condition)", "Whether it holds for at least one element."),
    ("exists_one", "list.exists_one(x, condition)", "Whether it holds for exactly one element."),
    ("map", "list.map(x, condition?, value)", "The list of values, of those x that fulfil the condition."),
    ("filter", "list.filter(x, condition)", "The elements that fulfil the condition."),
    ("sortBy", "list.sortBy(x, key)", "The elements in the order of their keys."),
)
OPERATORS = (
    ("a.b  a[b]", "A field of a map, an element of a list (from 0)."),
    ("!a  -a", "Not; the negative."),
    (
        "a * b  a / b  a % b",
        "Whole numbers divide to whole numbers, towards zero: 7 / 2 is 3, 7.0 / 2 is 3.5.",
    ),
    ("a + b  a - b", "Numbers, times and durations; + also puts texts and lists together."),
    ("a == b  a != b", "Values of unlike types are different; 1 == 1.0."),
    ("a < b  a <= b  a > b  a >= b", "Numbers, texts, times."),
    ("a in b", "Whether a list has the element, or a map the key."),
    ("a && b", "Both. When one is false, an error in the other does not matter."),
    ("a || b", "At least one. When one is true, an error in the other does not matter."),
    ("a ? b : c", "b when a is true, c when it is false."),
)


class Row(TypedDict):
    """One thing that can be written."""

    name: str
    kind: Literal["name", "macro", "function", "method", "operator"]
    signature: str
    doc: str
    group: str


def rows() -> list[Row]:
    """Names, macros and functions; functions of both styles are listed as methods."""
    return [
        *(Row(name=name, kind="name", signature=name, doc=doc, group="Names") for name, doc in ROOTS.items()),
        *(Row(name=name, kind="macro", signature=how, doc=doc, group="Macros") for name, how, doc in MACROS),
        *(
            Row(
                name=function.name,
                kind="function" if function.style == "function" else "method",
                signature=function.signature,
                doc=function.doc,
                group=function.group,
            )
            for function in TABLE.values()
        ),
    ]
