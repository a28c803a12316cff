"""The state of one clearing while it is made: what is left of each action, and what was served."""

from collections.abc import Iterable, Sequence

from market.action import Action, Instance
from market.order import ordered
from market.result import Served, Source
from market.rules import Settings


class Workbench:
    """Begins with the actions that take part, and is thrown away after the round."""

    def __init__(
        self, actions: Iterable[Action], now: int, settings: Settings, *, since: dict[Instance, int]
    ) -> None:
        self.now, self.settings, self.since = now, settings, since
        self.line = ordered(actions, now, settings.aging_rounds)
        self.rank = {action.number: place for place, action in enumerate(self.line)}
        self.left = {action.number: action.left for action in self.line}
        self.free: dict[Instance, int] = {}  # free CU of each instance in this round
        self.served: list[Served] = []
        self._accounts: dict[str, list[Action]] = {}
        for action in self.line:
            self._accounts.setdefault(action.account, []).append(action)

    def waiting(self) -> dict[str, list[Action]]:
        """Each account's unfinished actions in their order."""
        left = self.left
        kept = ((name, [one for one in own if left[one.number]]) for name, own in self._accounts.items())
        return {name: own for name, own in kept if own}

    def of(self, account: str) -> Sequence[Action]:
        return self._accounts.get(account, ())

    def serve(self, action: Action, cu: int, source: Source) -> None:
        self.left[action.number] -= cu
        self.served.append(Served(action.number, cu, source))

    def spend(self, actions: Iterable[Action], budget: int, source: Source) -> int:
        """A grant or a pool has no entries: each action takes what it still needs (R14, R16). What was used."""
        unused = budget
        for action in actions:
            if not unused:
                break
            if cu := min(self.left[action.number], unused):
                self.serve(action, cu, source)
                unused -= cu
        return budget - unused

    def used(self, *sources: Source) -> int:
        return sum(one.cu for one in self.served if one.source in sources)
