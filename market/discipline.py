"""Three ways to serve a queue of actions round by round: first come first served, round robin, and the market."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple, Protocol

from market.account import Account
from market.action import Action, Instance
from market.clearing import clear
from market.population import Population
from market.result import Queue, RoundResult

PARTS = 10  # of a round in which nobody bids


class Done(NamedTuple):
    """An action that is over; `source` says what served it last, "expired" that nothing did."""

    action: Action
    source: str


class Discipline(Protocol):
    """`used` are the CU of the last round, `revenue` the credits of all so far."""

    used: int
    revenue: int

    def round(self, now: int, arrived: Iterable[Action]) -> list[Done]: ...

    def waiting(self) -> int: ...


class FirstCome:
    """The oldest action takes all it needs."""

    def __init__(self, population: Population) -> None:
        self.capacity = population.capacity
        self.line: deque[Action] = deque()
        self.used = self.revenue = 0
        self.begun = 0  # CU that the first in the line has had

    def round(self, now: int, arrived: Iterable[Action]) -> list[Done]:
        self.line.extend(arrived)
        free, done = self.capacity, []
        while free and self.line:
            taken = min(free, self.line[0].need - self.begun)
            free, self.begun = free - taken, self.begun + taken
            if self.begun == self.line[0].need:
                done.append(Done(self.line.popleft(), "free"))
                self.begun = 0
        self.used = self.capacity - free
        return done

    def waiting(self) -> int:
        return len(self.line)


class RoundRobin:
    """Every service instance in turn gets up to one entry: deficit round robin with work that can be cut."""

    def __init__(self, population: Population) -> None:
        self.capacity, self.entry = population.capacity, population.settings.free_cu
        self.lines: dict[Instance, deque[Action]] = {}
        self.turns: deque[Instance] = deque()
        self.used = self.revenue = 0

    def round(self, now: int, arrived: Iterable[Action]) -> list[Done]:
        for action in arrived:
            line = self.lines.get(action.instance)
            if line is None:
                line = self.lines[action.instance] = deque()
                self.turns.append(action.instance)
            line.append(action)
        free = self.capacity
        done: list[Done] = []
        while free and self.turns:
            instance = self.turns.popleft()
            taken = self.turn(self.lines[instance], min(free, self.entry), done)
            free -= taken
            if self.lines[instance]:
                self.turns.append(instance)
            else:
                del self.lines[instance]
        self.used = self.capacity - free
        return done

    def turn(self, line: deque[Action], most: int, done: list[Done]) -> int:
        free = most
        while free and line:
            action = line[0]
            taken = min(free, action.left)
            free -= taken
            if taken == action.left:
                done.append(Done(line.popleft(), "free"))
            else:
                line[0] = action._replace(left=action.left - taken)
        return most - free

    def waiting(self) -> int:
        return sum(map(len, self.lines.values()))


class Accounts(dict[str, Account]):
    """Made when somebody asks, and only kept once it has paid: of a million most are asleep."""

    def __init__(self, population: Population) -> None:
        self.population = population

    def __missing__(self, name: str) -> Account:
        return self.population.account(name)


class Market:
    """The rules: while the price is 0 rounds are short (R2), so one round of the clock has as many as fit."""

    def __init__(self, population: Population) -> None:
        self.settings, self.capacity = population.settings, population.capacity
        self.accounts = Accounts(population)
        self.queue = Queue()
        self.alive: dict[int, Action] = {}
        self.used = self.revenue = self.dearest = 0
        self.bidding = 0  # rounds with a price

    def round(self, now: int, arrived: Iterable[Action]) -> list[Done]:
        """What arrives comes bit by bit; once there is a price, or no capacity, the rest waits for the next round."""
        coming, price = list(arrived), 0
        done: list[Done] = []
        self.used = 0
        for part in range(PARTS):
            bit = coming[part::PARTS]
            self.alive.update((action.number, action) for action in bit)
            self.queue = replace(self.queue, actions=(*self.queue.actions, *bit))
            served = True
            while served and self.queue.actions and not price and self.used < self.capacity:
                found = self.clear(now)
                done += self.ended(found)
                price, served = found.price, bool(found.served)
                self.used += sum(one.cu for one in found.served)
        return done

    def clear(self, now: int) -> RoundResult:
        found = clear(now, self.queue, self.accounts, (), self.settings)
        self.queue = found.queue
        self.revenue += found.revenue
        self.bidding += found.price > 0
        self.dearest = max(self.dearest, found.price)
        for name in found.winners:
            account = self.accounts[name]
            self.accounts[name] = replace(account, balance=account.balance - found.price)
        return found

    def ended(self, found: RoundResult) -> list[Done]:
        last = {one.number: one.source for one in found.served}
        return [
            Done(self.alive.pop(number), last[number] if fate == "done" else "expired")
            for number, fate in found.ended.items()
        ]

    def waiting(self) -> int:
        return len(self.queue.actions)
