"""JavaScript's numbers: how they print, how texts become numbers, and arithmetic that never raises."""

import math
import re
from typing import Any

from bundles.nunjucks.undefined import INFINITY, NAN

EXACT = 2**53
SPACE = (
    "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
DECIMAL = re.compile(r"[+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
PREFIXED = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def number_text(number: float) -> str:
    """A number as JavaScript prints it."""
    if type(number) is int:
        if -EXACT <= number <= EXACT:
            return str(number)
        number = as_float(number)
    if number != number:
        return "NaN"
    if number in (INFINITY, -INFINITY):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    return ("-" if number < 0 else "") + _positive(abs(number))


def as_float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return INFINITY if number > 0 else -INFINITY


def _positive(number: float) -> str:
    digits, point = digits_of(number)
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    return scientific(digits, point - 1)


def digits_of(number: float) -> tuple[str, int]:
    """The shortest digits that give a positive number back, and where its point is from their left."""
    mantissa, _, exponent = repr(float(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).rstrip("0")
    bare = digits.lstrip("0")
    return bare, len(whole) + int(exponent or 0) - (len(digits) - len(bare))


def scientific(digits: str, exponent: int) -> str:
    head = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{head}e{'+' if exponent >= 0 else '-'}{abs(exponent)}"


def text_number(text: str) -> float:
    """What Number(text) gives."""
    text = text.strip(SPACE)
    if not text:
        return 0
    if DECIMAL.fullmatch(text):
        return _decimal(text)
    return whole(int(text, 0)) if PREFIXED.fullmatch(text) and len(text) < 400 else NAN


def _decimal(text: str) -> float:
    if len(text) < 16 and text.isdigit():
        return int(text)
    return simple(float(text.replace("Infinity", "inf")))


def parse_float(text: str) -> float:
    found = DECIMAL.match(text.strip(SPACE))
    return _decimal(found[0]) if found else NAN


def parse_int(text: str, base: float) -> float:
    """What parseInt(text, base) gives: the digits at the start, or NaN."""
    text = text.strip(SPACE)
    sign = -1 if text.startswith("-") else 1
    text = text[1:] if text[:1] in ("+", "-") else text
    radix = int(base) if math.isfinite(base) else 0
    if radix in (0, 16) and text[:2].lower() == "0x":
        text, radix = text[2:], 16
    radix = radix or 10
    if not 2 <= radix <= 36:
        return NAN
    return _leading(text, radix) * sign


def _leading(text: str, radix: int) -> float:
    allowed = DIGITS[:radix]
    end = 0
    while end < len(text) and end < 400 and text[end].lower() in allowed:
        end += 1
    return whole(int(text[:end], radix)) if end else NAN


def whole(number: int) -> float:
    """An int while doubles are exact, else the double that is nearest."""
    return number if -EXACT <= number <= EXACT else as_float(number)


def simple(number: float) -> float:
    """An int for a double that is a small whole number, so that it works as an index."""
    if -EXACT <= number <= EXACT and number == (small := int(number)) and (small or str(number)[0] != "-"):
        return small
    return number


def divide(left: float, right: float) -> float:
    if right == 0:
        if left == 0 or left != left:
            return NAN
        negative = (math.copysign(1, left) * math.copysign(1, right)) < 0
        return -INFINITY if negative else INFINITY
    return simple(float_of(left) / float_of(right))


def float_of(number: float) -> float:
    return as_float(number) if type(number) is int else number


def modulo(left: float, right: float) -> float:
    """The remainder with the sign of the left side, as JavaScript's %."""
    if right == 0 or left != left or right != right or left in (INFINITY, -INFINITY):
        return NAN
    return simple(math.fmod(float_of(left), float_of(right)))


def power(base: float, exponent: float) -> float:
    """Math.pow: 1 and -1 to an infinite power are NaN, nothing raises."""
    if exponent != exponent or (abs(base) == 1 and exponent in (INFINITY, -INFINITY)):
        return NAN
    try:
        return simple(math.pow(float_of(base), float_of(exponent)))
    except OverflowError:
        return -INFINITY if base < 0 and exponent % 2 == 1 else INFINITY
    except ValueError:
        return _pole(base, exponent)


def _pole(base: float, exponent: float) -> float:
    if base != 0:
        return NAN
    odd = exponent % 2 == 1 and math.copysign(1, base) < 0
    return -INFINITY if odd else INFINITY


def multiply(left: float, right: float) -> float:
    if type(left) is int and type(right) is int and left and right:
        return whole(left * right)
    return simple(float_of(left) * float_of(right))


def add(left: float, right: float) -> float:
    if type(left) is int and type(right) is int:
        return whole(left + right)
    return simple(float_of(left) + float_of(right))


def negate(number: float) -> float:
    return -number if number else simple(-float_of(number))


def floor(number: float) -> float:
    return math.floor(number) if type(number) is float and math.isfinite(number) and number else number


def round_half_up(number: float) -> float:
    """Math.round: halves go up, also below zero."""
    if type(number) is int or not math.isfinite(number):
        return number
    low = math.floor(number)
    return simple(float(low + 1 if number - low >= 0.5 else low))


def is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float
