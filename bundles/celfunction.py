"""What a function of the expression language is: how it is called, what it costs, what people read about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bundles.celerror import CelError
from bundles.celvalues import kind, word

Style = Literal["function", "method", "both"]
# What a call costs beside one step: nothing, a step for each 32 characters or each element, or what the function
# itself takes from the budget, which is then its first argument.
Cost = Literal["", "text", "items", "work"]
# What a call in a loop costs, as so many nodes: measured, a node is about 0.1 µs.
CALL = 5
DEAR = {
    **dict.fromkeys(("math.round", "timestamp", "matches", "regex.extract", "json"), 35),
    **dict.fromkeys(("duration", "parseJson", "encode", "lists.range", "merge"), 20),
    **dict.fromkeys(("join", "min", "max", "sum", "sort", "distinct", "replace", "base64.decode"), 15),
    **dict.fromkeys(
        ("string", "int", "double", "split", "substring", "indexOf", "lastIndexOf", "upperAscii"), 10
    ),
    **dict.fromkeys(("slice", "keys", "values", "reverse", "base64.encode"), 10),
}
PLACES = {0: "", 1: "the second argument ", 2: "the third argument "}


@dataclass(frozen=True, slots=True)
class Function:
    """One row of the table; the documentation and the editor show all but `call`."""

    name: str
    signature: str
    doc: str
    group: str
    call: Callable[..., Any]
    args: tuple[int, int]  # least and most, a method's target included
    style: Style = "function"
    cost: Cost = ""

    @property
    def nodes(self) -> int:
        """What a call counts for in a loop, beside its arguments."""
        return DEAR.get(self.name, 20 if self.name.startswith("get") else CALL)


def expect(value: Any, wanted: str, place: int = 0) -> None:
    """Refuses a value of another kind than this."""
    if kind(value) != wanted:
        raise CelError(f"{PLACES.get(place, '')}must be {WANTED[wanted]}, this is {word(value)}")


WANTED = {
    **{"string": "a text", "int": "a whole number", "list": "a list", "map": "a map", "bytes": "bytes"},
    **{"timestamp": "a time", "duration": "a duration", "bool": "true or false"},
}


def text_of(value: Any, place: int = 0) -> str:
    if type(value) is not str:
        expect(value, "string", place)
    return str(value)


def whole_of(value: Any, place: int = 0) -> int:
    """A whole number; 2.0 is one too, since JSON does not tell them apart."""
    if type(value) is float and value.is_integer():
        return int(value)
    expect(value, "int", place)
    return int(value)


def number_of(value: Any, place: int = 0) -> int | float:
    if kind(value) not in ("int", "double"):
        raise CelError(f"{PLACES.get(place, '')}must be a number, this is {word(value)}")
    number: int | float = value
    return number


def list_of(value: Any, place: int = 0) -> list[Any]:
    expect(value, "list", place)
    return list(value) if isinstance(value, tuple) else value
