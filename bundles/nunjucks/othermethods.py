"""The methods of numbers, booleans, objects and regexes that templates may call."""

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from bundles.nunjucks import numbers, units, values
from bundles.nunjucks.entry import count_of, entries
from bundles.nunjucks.errors import Failure
from bundles.nunjucks.limits import Run
from bundles.nunjucks.regex import Regex, matches
from bundles.nunjucks.undefined import UNDEFINED

EXACTLY = Context(prec=1200)


def rounded(exact: Decimal, places: int) -> str:
    """Halves away from zero."""
    return f"{exact.quantize(Decimal(1).scaleb(-places, EXACTLY), ROUND_HALF_UP, EXACTLY):f}"


def to_fixed(run: Run, value: Any, places: Any = UNDEFINED) -> Any:
    count = count_of(run, places, 0)
    number = numbers.float_of(value)
    if not 0 <= count <= 100:
        raise Failure("toFixed() digits argument must be between 0 and 100")
    if not math.isfinite(number) or abs(number) >= 1e21:
        return numbers.number_text(value)
    return rounded(Decimal(number or 0), count)


def to_precision(run: Run, value: Any, digits: Any = UNDEFINED) -> Any:
    number = numbers.float_of(value)
    if digits is UNDEFINED or not math.isfinite(number):
        return numbers.number_text(value)
    count = count_of(run, digits, 0)
    if not 1 <= count <= 100:
        raise Failure("toPrecision() argument must be between 1 and 100")
    found = Decimal(abs(number)).normalize(Context(prec=count, rounding=ROUND_HALF_UP))
    exponent = found.adjusted() if found else 0
    sign = "-" if number < 0 else ""
    if -7 < exponent < count:
        return sign + f"{found:.{max(0, count - 1 - exponent)}f}"
    made = "".join(map(str, found.as_tuple().digits)).ljust(count, "0")
    head = made[0] + ("." + made[1:] if count > 1 else "")
    return f"{sign}{head}e{'+' if exponent >= 0 else '-'}{abs(exponent)}"


def number_text(run: Run, value: Any, base: Any = UNDEFINED) -> Any:
    radix = count_of(run, base, 10)
    if not 2 <= radix <= 36:
        raise Failure("toString() radix must be between 2 and 36")
    number = abs(numbers.float_of(value))
    if radix == 10 or not math.isfinite(number):
        return numbers.number_text(value)
    digits, carried = _fraction(number, radix)
    made = _whole(math.floor(number) + carried, radix) + ("." + digits if digits else "")
    return ("-" if value < 0 else "") + made


def _whole(number: int, radix: int) -> str:
    made = ""
    while number:
        number, digit = divmod(number, radix)
        made = numbers.DIGITS[digit] + made
    return made or "0"


def _fraction(number: float, radix: int) -> tuple[str, int]:
    """As few digits as tell the double from its neighbours, and what is carried over the point."""
    rest = number - math.floor(number)
    delta = max(0.5 * math.ulp(number), 5e-324)
    digits: list[int] = []
    while rest >= delta:
        rest *= radix
        delta *= radix
        digits.append(int(rest))
        rest -= digits[-1]
        if (rest > 0.5 or (rest == 0.5 and digits[-1] % 2)) and rest + delta > 1:
            return _carried(digits, radix)
    return "".join(numbers.DIGITS[digit] for digit in digits), 0


def _carried(digits: list[int], radix: int) -> tuple[str, int]:
    while digits and digits[-1] == radix - 1:
        digits.pop()
    if not digits:
        return "", 1
    digits[-1] += 1
    return "".join(numbers.DIGITS[digit] for digit in digits), 0


def number_local(run: Run, value: Any) -> Any:
    """As in English: commas between thousands, at most three places."""
    number = numbers.float_of(value)
    if not math.isfinite(number):
        return "NaN" if number != number else ("-∞" if number < 0 else "∞")
    whole, _, places = rounded(Decimal(repr(number)), 3).partition(".")
    places = places.rstrip("0")
    made = ("-" if whole.startswith("-") else "") + f"{abs(int(whole)):,}"
    return made + ("." + places if places else "")


def same(run: Run, value: Any) -> Any:
    return value


def simple_text(run: Run, value: Any) -> Any:
    return values.text(run, value)


def is_match(run: Run, value: Regex, text: Any = UNDEFINED) -> Any:
    return execute(run, value, text) is not None


def execute(run: Run, value: Regex, text: Any = UNDEFINED) -> Any:
    """Regexes with the flag g or y go on where the last match ended."""
    cut = units.units(values.text(run, text))
    run.make(len(cut))
    sticky = "g" in value.flags or "y" in value.flags
    start = value.last if sticky else 0
    found = next(iter(matches(run, value, cut, start=start)), None) if start <= len(cut) else None
    if sticky:
        value.last = found.end if found else 0
    return found.as_list(cut) if found else None


COMMON_METHODS = entries({"toString": simple_text, "valueOf": same, "toLocaleString": simple_text})
NUMBER_METHODS = entries(
    {
        **{"toFixed": to_fixed, "toPrecision": to_precision, "toString": number_text},
        **{"toLocaleString": number_local},
    }
)
REGEX_METHODS = entries({"test": is_match, "exec": execute})
