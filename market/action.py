"""An action that waits for compute: one call, one firing of an intent or one step of a flow."""

from typing import NamedTuple

CLASSES = ("low", "normal", "high", "critical")
FALLBACKS = ("queue", "retry", "degrade", "fail")
Instance = tuple[str, str]  # account, and service within its bundle


class Action(NamedTuple):
    """Times are rounds. `number` is the order of submission: of two actions the smaller number is older.

    A tuple, because a round makes thousands of them anew.
    """

    number: int
    account: str
    service: str
    need: int
    left: int
    submitted: int
    deadline: int
    max_wait: int
    priority: int = 1  # index in CLASSES
    fallback: str = "queue"
    ceiling: int | None = None
    auto_bid: bool | None = None
    spent: int = 0
    wake: int = 0  # the first round after a back-off
    misses: int = 0
    degraded: bool = False

    @property
    def instance(self) -> Instance:
        return self.account, self.service

    def after(self, left: int, paid: int) -> "Action":
        """Once it was served and charged."""
        return self._replace(left=left, spent=self.spent + paid)

    def affords(self, price: int) -> bool:
        """Whether its ceiling has room for this payment (R20)."""
        return self.ceiling is None or self.ceiling - self.spent >= price

    def may_bid(self, toggle: bool) -> bool:
        """R19. The written priority counts: to grow old in the queue is no order to spend money."""
        wanted = self.auto_bid is True or (self.auto_bid is None and self.priority > 0)
        return toggle and wanted
