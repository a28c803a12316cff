"""Many tenants and a day of theirs, drawn from a seed: what the simulation of a population is played with."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from market.account import Account
from market.action import Action
from market.rules import Settings

MEDIAN_CU, SPREAD, MOST_CU = 60, 1.1, 25_000
MEAN_CU = MEDIAN_CU * math.exp(SPREAD**2 / 2)
CLASSES, WEIGHTS = (0, 1, 2, 3), (15, 60, 20, 5)
CEILINGS = (None, None, None, 5, 20)
CAPS = (2, 5, 5, 10, 10, 20, 50, 0)
QUIET, HUMP = 0.35, 0.45  # load by night, and what noon adds
CALM = 3  # rushes' lengths between two of them
SCATTER = 2_654_435_761  # makes neighbouring tenants different ones


@dataclass(frozen=True, slots=True)
class Population:
    """`peak` is the load of a `rush` of so many rounds, beside what the machines can do.

    `overcommit` is how much more the market sells than that, because entries mostly are smaller than 100 CU.
    """

    tenants: int = 12_000
    rounds: int = 200
    rush: int = 50
    peak: float = 1.3
    patience: int = 100_000  # rounds that an action waits
    machines: int = 1
    overcommit: float = 1.3
    pressure_cap: int = 50
    seed: int = 1

    @property
    def settings(self) -> Settings:
        """More machines are more of everything that is a share of the capacity; so is to promise more than it is."""
        one, times = Settings(), self.machines * self.overcommit
        return Settings(
            threshold=round(one.threshold * times),
            slots=round(one.slots * times),
            free_lane=round(one.free_lane * times),
            tenant_pressure_cap=self.pressure_cap,
        )

    @property
    def capacity(self) -> int:
        """CU that the machines really do in a round."""
        return Settings().capacity * self.machines

    def load(self, now: int) -> float:
        """Quiet nights, a hump at noon, and rushes beyond what there is."""
        if now // self.rush % (CALM + 1) == CALM // 2 + 1:
            return self.peak
        return QUIET + HUMP * (1 - math.cos(2 * math.pi * now / self.rounds)) / 2

    def day(self) -> Iterator[list[Action]]:
        """What is submitted in each round; a few tenants submit much, most hardly anything."""
        chance = random.Random(self.seed)  # noqa: S311  a day, not a secret
        number = 0
        for now in range(self.rounds):
            mean = self.load(now) * self.capacity / MEAN_CU
            count = max(0, round(chance.gauss(mean, math.sqrt(mean))))
            yield [self.action(chance, number + more, now) for more in range(count)]
            number += count

    def action(self, chance: random.Random, number: int, now: int) -> Action:
        tenant = int(self.tenants * chance.random() ** 2)
        need = min(MOST_CU, max(1, round(chance.lognormvariate(math.log(MEDIAN_CU), SPREAD))))
        return Action(
            number=number,
            account=str(tenant),
            service="a" if chance.random() < 0.7 else "b",
            need=need,
            left=need,
            submitted=now,
            deadline=now + self.patience,
            max_wait=self.patience,
            priority=chance.choices(CLASSES, WEIGHTS)[0],
            ceiling=chance.choice(CEILINGS),
        )

    def account(self, name: str) -> Account:
        """Less than half bid by themselves, with caps as people choose them; the same ones for the same seed."""
        drawn = (int(name) + 1) * (SCATTER + 2 * self.seed) >> 7
        if drawn % 100 >= 45:
            return Account(name)
        wealth = 10 * 2 ** (drawn // 100 % 10)
        return Account(name, balance=wealth, auto_bid=True, bid_cap=CAPS[drawn // 1000 % len(CAPS)])
