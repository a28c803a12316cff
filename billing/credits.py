"""What counts as an amount of credits: a whole number above 0, not beyond any sense."""

from typing import Any

MOST = 10**12  # of one entry


def checked(value: Any, what: str = "credits") -> int:
    """``value`` as it is, or ValueError with the reason; True and 1.0 are not numbers of credits."""
    if type(value) is not int:
        raise ValueError(f"{what}: a whole number is needed, not {shown(value)}.")
    if value <= 0:
        raise ValueError(f"{what}: more than 0 is needed, not {shown(value)}.")
    if value > MOST:
        raise ValueError(f"{what}: at most {MOST:,} at a time.")
    return value


def shown(value: Any) -> str:
    if isinstance(value, int) and abs(value) > 10 * MOST:
        return "a number that long"
    return repr(value)[:40]
