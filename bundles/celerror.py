"""What goes wrong with an expression, and where; the limits that no expression gets past."""

from collections.abc import Iterable
from typing import Any

from bundles import names

MAX_SOURCE = 10_000  # characters of one expression
MAX_NESTING = 60  # brackets, conditionals and unary operators inside each other
MAX_DEPTH = 120  # operators on top of each other, as in a + b + c …
MAX_STEPS = (
    500_000  # of one evaluation: visited nodes of loops, elements, 32 characters of text each; about 50 ms
)
FAILURE = 15  # steps for an error that does not matter: it takes that much longer than what goes well
MAX_SIZE = 4_000_000  # of a made value, as characters of JSON, roughly
MAX_LEVELS = 100  # of lists and maps inside each other
MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)


class CelError(ValueError):
    """An expression that cannot be read or evaluated. Messages hold names, never values: those may be secrets."""

    def __init__(self, message: str, column: int = 0) -> None:
        super().__init__(message)
        self._message = message
        self.column = column  # from 1; 0 while it is not known
        self.path = ""  # where in a template's value, as `headers.authorization` or `items[0]`

    @property
    def message(self) -> str:
        return self._message

    def __str__(self) -> str:
        where = [part for part in (self.path, f"column {self.column}" if self.column else "") if part]
        return f"{', '.join(where)}: {self.message}" if where else self.message


class CelMissing(CelError):
    """Something is not there: a field, an element, a name. What may have been meant is only looked for when asked."""

    def __init__(
        self, message: str, column: int = 0, *, word: str = "", among: Iterable[object] = ()
    ) -> None:
        super().__init__(message, column)
        self._word = word
        self._among = among

    @property
    def message(self) -> str:
        known = (name for name in self._among if isinstance(name, str))
        return self._message + (names.did_you_mean(self._word, known) if self._word else "")


class CelLimit(CelError):
    """Too much work or too large a value; `&&` and `||` do not absorb it."""


def spend(work: list[Any], steps: int) -> None:
    """Takes steps from the budget of this evaluation, which is the first element of its state."""
    work[0] -= steps
    if work[0] < 0:
        raise CelLimit(f"the expression takes more than {MAX_STEPS} steps")
