"""What YAML 1.1 makes of an unquoted text, and when that would surprise its author."""

import datetime
import math
import re
from typing import Literal

import yaml

MAX_NUMBER = 40  # characters of a number; no field of ours needs more than 19 digits
SMALLEST, LARGEST = -(2**63), 2**64 - 1  # whole numbers that our JSON can hold
DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
STAMP = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d).*)?")
TAGS = yaml.CSafeLoader.yaml_implicit_resolvers

Kind = Literal["str", "int", "float", "bool", "null", "date"]
Resolved = tuple[Kind, str | int | float | bool | None, str]


class OddValue(ValueError):
    """A value that no field can use: not finite, far too long, or a day that does not exist."""


def resolve(text: str) -> Resolved:
    """Kind and value of an unquoted scalar, and a word on how YAML read it where that is odd."""
    if len(text) > 200:  # spares the patterns a megabyte; no number or date of use is that long
        if text.lstrip("+-").isdigit():
            return _integer(text)
        return "str", text, ""
    for tag, pattern in TAGS.get(text[:1], ()):
        if pattern.match(text):
            return _RESOLVERS.get(tag, _text)(text)
    return "str", text, ""


def _text(text: str) -> Resolved:
    return "str", text, ""


def _null(text: str) -> Resolved:
    return "null", None, ""


def _bool(text: str) -> Resolved:
    word = text.lower()
    return "bool", word in ("yes", "true", "on"), "" if word in ("true", "false") else "a boolean word"


def _integer(text: str) -> Resolved:
    if len(text) > MAX_NUMBER:
        raise OddValue(f"this number has {len(text)} characters, the limit is {MAX_NUMBER}")
    if DECIMAL.fullmatch(text):
        return "int", int(text), ""
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-").replace("_", "").lower()
    if digits in ("0b", "0x"):
        raise OddValue(f"YAML reads {text} as a number, but it has no digits")
    if digits.startswith("0b"):
        return "int", sign * int(digits, 2), "binary"
    if digits.startswith("0x"):
        return "int", sign * int(digits, 16), "hexadecimal"
    if ":" in digits:
        return "int", sign * int(_base60(digits)), "base 60"
    if digits.startswith("0") and digits != "0":
        return "int", sign * int(digits, 8), "octal"
    return "int", sign * int(digits), "a number with underscores"


def _float(text: str) -> Resolved:
    if len(text) > MAX_NUMBER:
        raise OddValue(f"this number has {len(text)} characters, the limit is {MAX_NUMBER}")
    sign = -1.0 if text[0] == "-" else 1.0
    digits = text.lstrip("+-").replace("_", "").lower()
    if digits in (".inf", ".nan"):
        meant = "infinity" if "inf" in digits else "not a number"
        raise OddValue(f"YAML reads {text} as {meant}; a finite number is needed")
    if ":" in digits:
        return "float", sign * _base60(digits), "base 60"
    value = sign * float(digits)
    if not math.isfinite(value):
        raise OddValue(f"YAML reads {text} as infinity; a finite number is needed")
    return "float", value, "a number with underscores" if "_" in text else ""


def _base60(digits: str) -> float:
    total = 0.0
    for part in digits.split(":"):
        total = total * 60 + float(part)
    return total


def _date(text: str) -> Resolved:
    found = STAMP.fullmatch(text)
    try:
        if found:
            year, month, day, hour, minute, second = (int(part) for part in found.groups(default="0"))
            datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.UTC)
    except ValueError as wrong:
        raise OddValue(f"YAML reads {text} as a date, but {wrong}") from None
    return "date", text, ""


_RESOLVERS = {
    "tag:yaml.org,2002:null": _null,
    "tag:yaml.org,2002:bool": _bool,
    "tag:yaml.org,2002:int": _integer,
    "tag:yaml.org,2002:float": _float,
    "tag:yaml.org,2002:timestamp": _date,
}


def held(number: int | float) -> int | float:
    """A whole number of 64 bits as it is, a longer one rounded as every reader of JSON does."""
    if isinstance(number, float) or SMALLEST <= number <= LARGEST:
        return number
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
