"""Functions for numbers and for converting one kind of value into another."""

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from bundles.celerror import CelError
from bundles.celfunction import Function, number_of, whole_of
from bundles.celtimes import epoch
from bundles.celvalues import finite, kind, moment, rfc3339, seconds, whole, word

WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?")
TRUTHS = {
    **dict.fromkeys(("1", "t", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "false", "FALSE", "False"), False),
}


def to_int(value: Any) -> int:
    """Towards zero."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return whole(int(value))
    if isinstance(value, datetime):
        return math.floor(epoch(moment(value)))
    if isinstance(value, str):
        if WHOLE.fullmatch(value):
            return whole(int(value))
        raise CelError("the text is not a whole number")
    raise CelError(f"{word(value)} cannot become a whole number")


def to_uint(value: Any) -> int:
    found = to_int(value)
    if found < 0:
        raise CelError("the number is negative")
    return found


def to_double(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        if DECIMAL.fullmatch(value):
            return finite(float(value))
        raise CelError("the text is not a number")
    raise CelError(f"{word(value)} cannot become a number")


def to_string(value: Any) -> str:
    match kind(value):
        case "string":
            return str(value)
        case "bool":
            return "true" if value else "false"
        case "int":
            return str(whole(value))
        case "double":
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(float(value))
        case "bytes":
            return _decoded(value)
        case "timestamp":
            return rfc3339(value)
        case "duration":
            return seconds(value)
    raise CelError(f"{word(value)} cannot become a text, json() writes anything")


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise CelError("the bytes are not UTF-8") from None


def to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in TRUTHS:
        return TRUTHS[value]
    raise CelError("only true, false and texts like them can become true or false")


def to_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise CelError(f"{word(value)} cannot become bytes")


def same(value: Any) -> Any:
    return value


def absolute(value: Any) -> int | float:
    found = abs(number_of(value))
    return found if isinstance(found, float) else whole(found)


def sign(value: Any) -> int:
    found = number_of(value)
    return (found > 0) - (found < 0)


def rounding(how: Callable[[float], float]) -> Callable[[Any], float | int]:
    """Whole numbers stay what they are, and doubles stay doubles, as in CEL."""

    def run(value: Any) -> float | int:
        found = number_of(value)
        return float(how(found)) if isinstance(found, float) else found

    return run


def _half_away(value: float) -> float:
    return math.copysign(math.floor(abs(value) + 0.5), value) if abs(value) < 2**52 else value


def to_places(value: Any, places: Any = 0) -> int | float:
    """Half away from zero, as people do, also for 1.005 and 2 places."""
    found, digits = number_of(value), whole_of(places, 1)
    if not 0 <= digits <= 12:
        raise CelError("round takes 0 to 12 places")
    if not isinstance(found, float):
        return found
    shifted = float(f"{found!r}e{digits}") if "e" not in repr(found) else found * 10**digits
    rounded = _half_away(finite(shifted))
    return finite(float(f"{rounded:.0f}e-{digits}"))


def power(base: Any, exponent: Any) -> float:
    try:
        found = float(number_of(base)) ** float(number_of(exponent, 1))
    except (OverflowError, ZeroDivisionError):
        raise CelError("the power is too large") from None
    if isinstance(found, complex):
        raise CelError("a root of a negative number")
    return finite(found)


def square_root(value: Any) -> float:
    found = number_of(value)
    if found < 0:
        raise CelError("a root of a negative number")
    return math.sqrt(found)


def is_type(value: Any) -> str:
    return kind(value)


def _conversion(signature: str, doc: str, call: Any) -> Function:
    cost: Any = "text" if signature.startswith(("string", "bytes", "int", "double")) else ""
    return Function(signature.split("(")[0], signature, doc, "Conversions", call, (1, 1), "function", cost)


def _math(signature: str, doc: str, call: Any, args: tuple[int, int] = (1, 1)) -> Function:
    return Function(signature.split("(")[0], signature, doc, "Numbers", call, args)


FUNCTIONS = (
    _conversion("int(value)", "A whole number of a number, a text or a time (seconds since 1970).", to_int),
    _conversion("uint(value)", "The same, and not negative.", to_uint),
    _conversion("double(value)", "A number with decimals, of a number or a text.", to_double),
    _conversion(
        "string(value)", "A text of a number, a truth value, bytes, a time or a duration.", to_string
    ),
    _conversion("bool(value)", "true or false of a text.", to_bool),
    _conversion("bytes(text)", "The bytes of a text in UTF-8.", to_bytes),
    _conversion("dyn(value)", "The value itself.", same),
    _conversion(
        "type(value)", "int, double, string, bool, list, map, bytes, null_type, timestamp, duration.", is_type
    ),
    _math("math.abs(number)", "Without its sign.", absolute),
    _math("math.sign(number)", "-1, 0 or 1.", sign),
    _math("math.ceil(number)", "The next whole number above.", rounding(math.ceil)),
    _math("math.floor(number)", "The next whole number below.", rounding(math.floor)),
    _math("math.trunc(number)", "Without its decimals.", rounding(math.trunc)),
    _math("math.round(number, places?)", "Rounded, halves away from zero.", to_places, (1, 2)),
    _math("math.sqrt(number)", "The square root.", square_root),
    _math("math.pow(base, exponent)", "The base to the power of the exponent.", power, (2, 2)),
)
