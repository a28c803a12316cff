"""The values that JSON does not have: undefined, functions, safe strings, regexes, keyword arguments."""

from collections.abc import Callable
from typing import Any, Final


class Undefined:
    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = Undefined()
NAN: Final = float("nan")
INFINITY: Final = float("inf")


class Function:
    """Something that a template may call: a macro, a method bound to its value, a global."""

    __slots__ = ("call", "name")

    def __init__(self, name: str, call: Callable[[Any, list[Any]], Any]) -> None:
        self.name = name
        self.call = call  # (run, arguments) -> value


class Safe:
    """What `safe`, `escape` and macros give: an object in JavaScript, so true even when it is empty."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Keywords(dict[str, Any]):
    """Keyword arguments: the last argument of a call, as an object."""

    __slots__ = ()
