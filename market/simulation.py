"""Plays a scenario round by round: a dry run of the market that touches nothing."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from market.account import Account
from market.action import CLASSES, Action
from market.bookings import Bookings
from market.clearing import clear
from market.reservation import Reservation
from market.result import Queue, RoundResult
from market.scenario import ActionIn, Refused, Scenario
from market.wallets import Wallets

T = TypeVar("T")


def simulate(
    scenario: Scenario, *, most_work: int | None = None, told: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """The answer as JSON: each round, each action, each reservation, and where the credits are.

    Refused, if the actions take part in more rounds than `most_work` allows: it must end. ``told`` hears in the end
    how much work it was, also of what is refused.
    """
    game = Game(scenario)
    try:
        rounds = list(played(game, scenario.rounds, most_work))
    finally:
        if told is not None:
            told(game.work)
    last = max(scenario.rounds - 1, 0)
    wallets = game.wallets
    return {
        "rounds": rounds,
        "actions": game.fates(),
        "reservations": [game.bookings.told(key, last) for key in range(len(scenario.reservations))],
        "balances": {name: account.balance for name, account in wallets.accounts.items()},
        "escrow": wallets.escrow,
        "revenue": wallets.revenue,
    }


def played(game: "Game", rounds: int, most_work: int | None) -> Iterator[dict[str, Any]]:
    for now in range(rounds):
        yield game.told(game.play(now))
        if most_work is not None and game.work > most_work:
            raise Refused(
                [("rounds", f"up to round {now} there are more than {most_work:,} turns of actions")]
            )


class Game:
    """The state between two rounds."""

    def __init__(self, scenario: Scenario) -> None:
        self.settings = scenario.settings.settings()
        self.wallets = Wallets(Account(**one.model_dump()) for one in scenario.accounts)
        self.bookings = Bookings(self.wallets, self.settings)
        self.queue = Queue()
        self.work = 0  # how often an action took part in a round, and what rounds and reservations cost
        self._places = places(scenario)
        self._actions = {n: action(n, scenario.actions[place]) for n, place in enumerate(self._places)}
        self._arriving = by_round((one.submitted, one) for one in self._actions.values())
        self._top_ups = by_round((one.round, one) for one in scenario.top_ups)
        self._asked = by_round(
            (one.at, Reservation(key, one.account, one.start, one.end, one.credits))
            for key, one in enumerate(scenario.reservations)
        )
        self._cancels = by_round((one.at, one.reservation) for one in scenario.cancels)
        self._ended: dict[int, tuple[str, int | None]] = {}

    def play(self, now: int) -> RoundResult:
        """Top-ups, reservations, cancels, submissions, each in the order of its list; then the round."""
        for top_up in self._top_ups.get(now, ()):
            self.wallets.top_up(top_up.account, top_up.credits)
        for asked in self._asked.get(now, ()):
            self.bookings.make(asked, now)
        for key in self._cancels.get(now, ()):
            self.bookings.cancel(key, now)
        self.bookings.begin(now)
        queue = replace(self.queue, actions=(*self.queue.actions, *self._arriving.get(now, ())))
        self.work += 1 + len(queue.actions) + len(self.bookings.made) // 10
        found = clear(now, queue, self.wallets.accounts, self.bookings.active(now), self.settings)
        self._carry_out(found)
        return found

    def _carry_out(self, found: RoundResult) -> None:
        self.wallets.charge(found.charged)
        self.bookings.draw(found.drawn)
        self.queue = found.queue
        self._actions.update(found.changed)
        for number, ending in found.ended.items():
            self._ended[number] = ending, found.number if ending == "done" else None

    def fates(self) -> list[dict[str, Any]]:
        """In the order of the scenario's list."""
        numbers = sorted(self._actions, key=self._places.__getitem__)
        return [self._fate(number) for number in numbers]

    def _fate(self, number: int) -> dict[str, Any]:
        state, done = self._ended.get(number, ("pending", None))
        action = self._actions[number]
        return {"state": state, "doneRound": done, "spent": action.spent, "degraded": action.degraded}

    def told(self, found: RoundResult) -> dict[str, Any]:
        places = self._places
        return {
            "round": found.number,
            "price": found.price,
            "pressure": found.pressure,
            "bids": dict(found.bids),
            "winners": list(found.winners),
            "charged": found.charged,
            "served": [
                {"action": places[one.number], "cu": one.cu, "source": one.source} for one in found.served
            ],
        }


def places(scenario: Scenario) -> list[int]:
    """Which action of the list is the first to be submitted, the second, and so on."""
    return sorted(range(len(scenario.actions)), key=lambda index: scenario.actions[index].round)


def by_round(timed: Iterable[tuple[int, T]]) -> dict[int, list[T]]:
    found: dict[int, list[T]] = {}
    for now, one in timed:
        found.setdefault(now, []).append(one)
    return found


def action(number: int, given: ActionIn) -> Action:
    contract = given.contract
    return Action(
        number=number,
        account=given.account,
        service=given.service,
        need=given.need,
        left=given.need,
        submitted=given.round,
        deadline=given.round + contract.max_wait_time,
        max_wait=contract.max_wait_time,
        priority=CLASSES.index(contract.priority),
        fallback=contract.fallback_behavior,
        ceiling=contract.cost_ceiling,
        auto_bid=contract.auto_bid,
    )
