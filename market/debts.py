"""What was paid for calls that are not over yet: due back when the process of one is gone, whoever leads then (R22).

No input or output: the leader keeps them in Redis, and a round's own row names those that it charged, until then.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Key = str  # of an action
NOBODY = "-"  # the process of a call that had ended before it was charged


class Debt(NamedTuple):
    """`credits` of all its rounds."""

    process: str
    tenant: str
    credits: int
    bundle: str
    stranger: bool


class Debts:
    """Those that are known, and which of them changed since they were last written down."""

    def __init__(self, known: Mapping[Key, Debt]) -> None:
        self.known = dict(known)
        self._changed: dict[Key, Debt | None] = {**known}

    def owe(self, id: Key, debt: Debt) -> None:
        if debt.credits:
            self.known[id] = self._changed[id] = debt

    def over(self, id: Key) -> None:
        """It came to an end, or was paid back."""
        if self.known.pop(id, None) is not None:
            self._changed[id] = None

    def only(self, process: str, ids: Iterable[Key]) -> None:
        """All that this process holds: its others are over, and the word of it was lost."""
        held = set(ids)
        for id, debt in list(self.known.items()):
            if debt.process == process and id not in held:
                self.over(id)

    def of(self, process: str) -> list[tuple[Key, Debt]]:
        return [(id, debt) for id, debt in self.known.items() if debt.process == process]

    def processes(self) -> set[str]:
        return {debt.process for debt in self.known.values()}

    def take(self) -> dict[Key, Debt | None]:
        """None: it is over."""
        changed, self._changed = self._changed, {}
        return changed


def of_row(served: Iterable[Any]) -> dict[Key, Debt]:
    """Those of a stored round: behind id, CU, source and payment stand process, tenant, bundle and whether a stranger."""
    found: dict[Key, Debt] = {}
    for id, _, _, credits, *holder in served:
        if holder:
            process, tenant, bundle, stranger = holder
            found[id] = Debt(process, tenant, credits, bundle, bool(stranger))
    return found


def merged(known: Mapping[Key, Debt], later: Iterable[Mapping[Key, Debt]]) -> dict[Key, Debt]:
    """With those of rounds that were not written down any more."""
    found = dict(known)
    for debts in later:
        for id, debt in debts.items():
            before = found[id].credits if id in found else 0
            found[id] = debt._replace(credits=before + debt.credits)
    return found
