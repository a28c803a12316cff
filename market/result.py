"""What one round decided; whoever asked for it carries it out, all of it or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from market.action import Action, Instance
from market.fallback import Ending

Source = Literal["free", "reserved", "aged", "won", "unsold"]


@dataclass(frozen=True, slots=True)
class Queue:
    """The waiting actions, and what the next round has to know of those before it."""

    actions: tuple[Action, ...] = ()
    # The round of an instance's last free entry, or the one in which it became busy.
    since: Mapping[Instance, int] = field(default_factory=dict)
    used: int | None = None  # CU that winners and reserved used, if the last round was sold out


@dataclass(frozen=True, slots=True)
class Served:
    """`cu` for one action; `number` is the action's."""

    number: int
    cu: int
    source: Source


@dataclass(frozen=True, slots=True)
class RoundResult:
    """Price 0 is a free round. `booked` is what each action was charged, `drawn` what left each pool."""

    number: int
    price: int
    pressure: int
    queue: Queue
    bids: Mapping[str, int] = field(default_factory=dict)
    winners: tuple[str, ...] = ()
    booked: Mapping[int, int] = field(default_factory=dict)
    drawn: Mapping[int, int] = field(default_factory=dict)
    served: tuple[Served, ...] = ()
    ended: Mapping[int, Ending] = field(default_factory=dict)
    changed: Mapping[int, Action] = field(default_factory=dict)  # those that are not as before

    @property
    def charged(self) -> dict[str, int]:
        """The same price for every winner."""
        return dict.fromkeys(self.winners, self.price)

    @property
    def revenue(self) -> int:
        return self.price * len(self.winners)
