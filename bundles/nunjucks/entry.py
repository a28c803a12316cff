"""How filters, tests and methods are kept: a function, and how many arguments it takes besides the run."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from bundles.nunjucks import units, values
from bundles.nunjucks.errors import Failure
from bundles.nunjucks.limits import Run
from bundles.nunjucks.undefined import UNDEFINED, Safe


class Entry(NamedTuple):
    apply: Callable[..., Any]  # (run, value, …)
    arity: int  # further arguments are left out, as in JavaScript


def entries(found: dict[str, Callable[..., Any]]) -> dict[str, Entry]:
    return {name: Entry(apply, _arity(apply)) for name, apply in found.items()}


def _arity(apply: Callable[..., Any]) -> int:
    parameters = inspect.signature(apply).parameters.values()
    return 99 if any(each.kind is each.VAR_POSITIONAL for each in parameters) else len(parameters) - 1


def absent(value: Any) -> bool:
    return value is None or value is UNDEFINED


def given(value: Any) -> Any:
    """Null, undefined and false count as an empty text."""
    return "" if value is None or value is UNDEFINED or value is False else value


def nothing(value: Any, member: str) -> Failure:
    kind = "null" if value is None else "undefined"
    return Failure(f"Cannot read properties of {kind} (reading '{member}')")


def text_for(value: Any, method: str) -> str:
    """A text, or the failure that calling the method on anything else is."""
    if type(value) is str:
        return value
    if type(value) is Safe:
        return value.text
    if absent(value):
        raise nothing(value, method)
    raise Failure(f"{method} is not a function of what is not a text")


def list_for(value: Any, method: str) -> list[Any]:
    if type(value) is list:
        return value
    if absent(value):
        raise nothing(value, method)
    raise Failure(f"{method} is not a function of what is not a list")


def alike(source: Any, made: str) -> Any:
    """What comes of a safe text is safe."""
    return Safe(made) if type(source) is Safe else made


def items_of(run: Run, value: Any) -> list[Any]:
    """What a loop over indexes sees: elements, or the units of a text; nothing for all else."""
    if absent(value):
        raise nothing(value, "length")
    if type(value) is list:
        run.spend(len(value))
        return value
    if type(value) is str:
        run.make(len(value))
        run.spend(len(value))
        return list(units.units(value))
    if type(value) is Safe:
        run.spend(len(value.text))
        return [UNDEFINED] * units.length(value.text)
    return []


def count_of(run: Run, value: Any, default: float) -> int:
    """A number of times or characters, as an int that is safe to use."""
    number = values.number(run, value) if not absent(value) else default
    return int(max(-1e15, min(number, 1e15))) if number == number else 0
