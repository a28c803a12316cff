"""The target expression of a goal, `OP NUMBER[%|ms|s]`: `< 200ms`, `> 99.9%`, `>= 0.99`."""

import re
from decimal import Decimal
from typing import NamedTuple

GRAMMAR = 'a comparison (<, <=, >, >= or =), a number and %, ms, s or nothing, for example "< 200ms"'
WRITTEN = re.compile(r"\s{0,9}(<=|>=|<|>|=)\s{0,9}([0-9]{1,12}(?:\.[0-9]{1,9})?)\s{0,9}(%|ms|s)?\s{0,9}")


class ObjectiveError(ValueError):
    """Not a target expression; the message says why."""


class Objective(NamedTuple):
    """A comparison in base units: percent as a fraction, seconds as milliseconds."""

    op: str
    value: float
    unit: str  # "fraction", "ms" or "" when none was written


def parse(text: str) -> Objective:
    found = WRITTEN.fullmatch(text[:100])
    if not found:
        raise ObjectiveError(f"is not a target; write {GRAMMAR}")
    number, unit = Decimal(found[2]), found[3]
    if unit == "%":
        if number > 100:
            raise ObjectiveError("is more than 100%")
        return Objective(found[1], float(number / 100), "fraction")
    if unit:
        return Objective(found[1], float(number * 1000 if unit == "s" else number), "ms")
    return Objective(found[1], float(number), "")
