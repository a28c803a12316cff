"""The tests of `is`."""

from typing import Any

from bundles.nunjucks import numbers, values
from bundles.nunjucks.entry import entries, nothing, text_for
from bundles.nunjucks.limits import Run
from bundles.nunjucks.undefined import UNDEFINED, Function, Safe


def modulo(run: Run, one: Any, two: Any) -> float:
    return numbers.modulo(values.number(run, one), values.number(run, two))


def same(run: Run, one: Any = UNDEFINED, two: Any = UNDEFINED) -> bool:
    return values.strict(one, two)


def lower(run: Run, value: Any = UNDEFINED) -> bool:
    text = text_for(value, "toLowerCase")
    run.make(len(text))
    return type(value) is str and text.lower() == text


def upper(run: Run, value: Any = UNDEFINED) -> bool:
    text = text_for(value, "toUpperCase")
    run.make(len(text))
    return type(value) is str and text.upper() == text


def iterable(run: Run, value: Any = UNDEFINED) -> bool:
    if value is None or value is UNDEFINED:
        raise nothing(value, "Symbol(Symbol.iterator)")
    return type(value) in (list, str, Safe)


def greater(run: Run, one: Any = UNDEFINED, two: Any = UNDEFINED) -> bool:
    return values.less(run, two, one)


def at_least(run: Run, one: Any = UNDEFINED, two: Any = UNDEFINED) -> bool:
    return values.at_most(run, two, one)


def less(run: Run, one: Any = UNDEFINED, two: Any = UNDEFINED) -> bool:
    return values.less(run, one, two)


def at_most(run: Run, one: Any = UNDEFINED, two: Any = UNDEFINED) -> bool:
    return values.at_most(run, one, two)


def divisible(run: Run, one: Any = UNDEFINED, two: Any = UNDEFINED) -> bool:
    return modulo(run, one, two) == 0


TESTS = entries(
    {
        "callable": lambda run, value=UNDEFINED: type(value) is Function,
        "defined": lambda run, value=UNDEFINED: value is not UNDEFINED,
        "divisibleby": divisible,
        "escaped": lambda run, value=UNDEFINED: type(value) is Safe,
        **dict.fromkeys(["equalto", "eq", "sameas"], same),
        "even": lambda run, value=UNDEFINED: modulo(run, value, 2) == 0,
        "odd": lambda run, value=UNDEFINED: modulo(run, value, 2) == 1,
        "falsy": lambda run, value=UNDEFINED: not values.truthy(value),
        "truthy": lambda run, value=UNDEFINED: values.truthy(value),
        **dict.fromkeys(["greaterthan", "gt"], greater),
        **dict.fromkeys(["lessthan", "lt"], less),
        **{"ge": at_least, "le": at_most},
        **{"lower": lower, "upper": upper, "iterable": iterable},
        "ne": lambda run, one=UNDEFINED, two=UNDEFINED: not values.strict(one, two),
        "null": lambda run, value=UNDEFINED: value is None,
        "number": lambda run, value=UNDEFINED: numbers.is_number(value),
        "string": lambda run, value=UNDEFINED: type(value) is str,
        "undefined": lambda run, value=UNDEFINED: value is UNDEFINED,
        "mapping": lambda run, value=UNDEFINED: (
            values.kind_of(value) == "object" and value is not None and type(value) is not list
        ),
    }
)
