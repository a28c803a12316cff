"""What compiling costs of a minute's steps."""

from billing.access import Principal
from billing.effort import Effort

A_REQUEST = 1_000
A_WORD = 5  # of a template that is read
COMPILING = Effort(
    "compile", 30_000_000, "Too much was compiled in this minute."
)  # about half a minute of a core


def demand(who: Principal) -> None:
    COMPILING.demand(who)


def spend(who: Principal, *, words: int, steps: int) -> None:
    COMPILING.spend(who, A_REQUEST + A_WORD * words + steps)
