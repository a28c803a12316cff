"""The rounds of one process while the price is 0 (R1 to R3): what may start at once, without asking anybody.

Amounts are grains: so many of them are one CU that a call which needs a hundredth of a CU costs no whole one. A round
lasts at least ROUND_MIN and ends as soon as nothing that was begun in it is at work, at the latest after ROUND.
What waits for an answer of the world outside is not at work, so it keeps no round open.
"""

from collections import Counter
from dataclasses import dataclass, field

GRAINS = 100_000  # of one CU


@dataclass(slots=True)
class Local:
    """`room` is what an instance may use in a round; `least` what has to be left of it for something to begin."""

    room: int = 100 * GRAINS
    least: int = 20 * GRAINS
    shortest: float = 0.005
    longest: float = 1.0
    contended: bool = False  # a price is paid, or too much waits: nothing is granted here
    queued: Counter[str] = field(default_factory=Counter)  # instances with actions in the shared queue
    working: int = 0  # how much of what was begun is at work this moment
    _used: dict[str, int] = field(default_factory=dict)
    _opened: float = 0.0
    _until: float = 0.0

    def open(self, instance: str, now: float) -> bool:
        """Whether an action of this instance may start or go on at once."""
        if self.contended or instance in self.queued:
            return False
        if now >= self._until:
            self._turn(now)
        return self._used.get(instance, 0) <= self.room - self.least

    def left(self, instance: str, now: float) -> int:
        """Grains that it may use at once."""
        return self.room - self._used.get(instance, 0) if self.open(instance, now) else 0

    def spend(self, instance: str, grains: int) -> None:
        """What was used, or given back when it is negative."""
        self._used[instance] = max(0, self._used.get(instance, 0) + grains)

    def rest(self, now: float) -> float:
        """Seconds until this round may end; 0 when it is over."""
        if now >= self._until:
            self._turn(now)
        return max(0.0, self._until - now) if self._used else 0.0

    def join(self, instance: str) -> None:
        """An action of it waits in the shared queue: those that come later wait behind it (R5)."""
        self.queued[instance] += 1

    def leave(self, instance: str) -> None:
        if self.queued[instance] > 1:
            self.queued[instance] -= 1
        else:
            del self.queued[instance]

    def _turn(self, now: float) -> None:
        """A new round, unless something is at work that was begun in this one."""
        if self.working and now < self._opened + self.longest:
            self._until = now + self.shortest / 5
            return
        self._used.clear()
        self._opened, self._until = now, now + self.shortest
