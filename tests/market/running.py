"""A scenario of the simulation played by the running market: the leader, the database and Redis, with a clock of ours."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.test import override_settings

from billing import wallet
from billing.ids import uuid7
from billing.models import Plan, Tenant, Wallet
from billing.redis import redis
from market import office, reservations, wire
from market.action import CLASSES
from market.leader import Term
from market.leading import Leader
from market.models import Bidding, Round
from market.office import Lease
from market.rules import Settings
from market.wire import Waiting

START = 1_800_000_000  # seconds: round 0
PROCESS = "test:1"


def tenant(name: str, balance: int = 0, *, auto_bid: bool = False, bid_cap: int = 0) -> Tenant:
    plan, _ = Plan.objects.get_or_create(slug="pro", defaults={"name": "Pro"})
    found = Tenant.objects.create(slug=f"{name}-{uuid7().hex[-12:]}"[:39], plan=plan)
    if balance:
        wallet.grant(found.pk, balance, key=f"test:{found.pk}", note="for a test")
    Bidding.objects.create(tenant=found, auto_bid=auto_bid, bid_cap=bid_cap)
    return found


def balance(owner: Tenant) -> int:
    return wallet.balances([owner.pk])[owner.pk]


def waiting(owner: Any, need: int = 100, at: float = START, wait: float = 1_000, **more: Any) -> Waiting:
    """An action as its process submits it; times in seconds."""
    given = {
        "id": str(uuid7()),
        "tenant": str(getattr(owner, "pk", owner)),
        "service": f"{owner}/s",
        "need": need,
        "left": need,
        "submitted": int(at * 1000),
        "deadline": int((at + wait) * 1000),
        "max_wait": int(wait * 1000),
        "priority": 1,
        "fallback": "queue",
        "ceiling": None,
        "auto_bid": None,
        "bundle": "none",
    }
    return Waiting(**(given | more))


@dataclass
class Clock:
    ms: int = START * 1000

    def __call__(self) -> int:
        return self.ms


@dataclass
class Told:
    """What one process was told."""

    granted: dict[str, list[tuple[int, str, int]]] = field(default_factory=dict)  # CU, source, charged
    ended: dict[str, tuple[str, int]] = field(default_factory=dict)
    degraded: list[str] = field(default_factory=list)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    hellos: int = 0
    messages: list[Any] = field(default_factory=list)


def hear(told: Told, process: str = PROCESS) -> Told:
    for data in redis().lpop(wire.outbox(process), 10_000) or []:
        message = orjson.loads(data)
        told.messages.append(message)
        if message["t"] == "hello":
            told.hellos += 1
            continue
        for id, cu, source, charged in message["g"]:
            told.granted.setdefault(id, []).append((cu, source, charged))
        told.ended |= {id: (fate, price) for id, fate, price in message["e"]}
        told.degraded += message["d"]
        told.places |= {id: (position, rounds) for id, position, rounds in message["q"]}
    return told


class House:
    """One leader in office."""

    def __init__(self, clock: Clock, *, token: str = "t") -> None:
        self.clock = clock
        self.lease = Lease(token)
        redis().set(office.LEASE, token)
        self.term = Term(self.leader(), self.lease, clock)

    def leader(self) -> Leader:
        taken = office.take(self.lease.token, self.lease.processes(), *self.lease.debts())
        return Leader(settings.MARKET, settings.ROUND_SECONDS, settings.ROUND_MIN_MS, taken, self.clock())

    def submit(self, *actions: Waiting, process: str = PROCESS) -> None:
        self.handle(wire.submit(process, actions))

    def handle(self, data: bytes) -> None:
        self.term.leader.handle(orjson.loads(data), self.clock())

    def step(self, ms: int | None = None) -> None:
        if ms is not None:
            self.clock.ms = ms
        redis().set(office.LEASE, self.lease.token)
        self.term._step()


@contextmanager
def rules(**given: Any) -> Iterator[Settings]:
    found = Settings(**given)
    with override_settings(MARKET=found, ROUND_SECONDS=1.0):
        yield found


def moment(number: int) -> datetime:
    return datetime.fromtimestamp(START, UTC) + timedelta(seconds=number)


class Played:
    """A scenario as for `market.simulation`, told in the words of its result."""

    def __init__(self, scenario: Any) -> None:
        self.scenario = scenario
        self.clock = Clock()
        redis().flushall()
        self.house = House(self.clock)
        self.tenants = {
            one.id: tenant(f"a{index}", one.balance, auto_bid=one.auto_bid, bid_cap=one.bid_cap)
            for index, one in enumerate(scenario.accounts)
        }
        self.names = {str(owner.pk): name for name, owner in self.tenants.items()}
        self.ids: dict[str, int] = {}
        self.states: dict[str, tuple[str, int | None]] = {}
        self.left: dict[str, int] = {}
        self.told = Told()
        self.reserved: dict[int, Any] = {}
        self.rounds: list[dict[str, Any]] = []

    def play(self) -> dict[str, Any]:
        for number in range(self.scenario.rounds):
            self.clock.ms = (START + number) * 1000
            self._money(number)
            reservations.pass_time(moment(number))
            self._submit(number)
            self.house.step()
            self._note(number)
        return self.result()

    def _money(self, number: int) -> None:
        for index, top_up in enumerate(self.scenario.top_ups):
            if top_up.round == number and top_up.credits:
                owner = self.tenants[top_up.account]
                key = f"top:{owner.pk}:{index}"
                wallet.grant(owner.pk, top_up.credits, key=key, note="top up")
        for index, asked in enumerate(self.scenario.reservations):
            if asked.at == number:
                self._reserve(index, asked, number)
        for cancel in self.scenario.cancels:
            made = self.reserved.get(cancel.reservation)
            if cancel.at == number and made is not None and not isinstance(made, str):
                with suppress(reservations.Refused):
                    reservations.cancel(made.tenant_id, made.pk, now=moment(number))

    def _reserve(self, index: int, asked: Any, number: int) -> None:
        wanted = reservations.Wanted(moment(asked.start), moment(asked.end), asked.credits)
        try:
            owner = self.tenants[asked.account]
            self.reserved[index] = reservations.make(owner.pk, wanted, now=moment(number))
        except reservations.Refused as refused:
            self.reserved[index] = refused.reason

    def _submit(self, number: int) -> None:
        arriving = []
        for index, one in enumerate(self.scenario.actions):
            if one.round == number:
                terms = one.contract
                action = waiting(
                    self.tenants[one.account],
                    one.need,
                    START + number,
                    terms.max_wait_time,
                    service=f"{one.account}/{one.service}",
                    priority=CLASSES.index(terms.priority),
                    fallback=terms.fallback_behavior,
                    ceiling=terms.cost_ceiling,
                    auto_bid=terms.auto_bid,
                )
                self.ids[action.id] = index
                self.left[action.id] = one.need
                arriving.append(action)
        if arriving:
            self.house.submit(*arriving)

    def _note(self, number: int) -> None:
        now = hear(Told())
        for id in now.degraded:
            self.left[id] = min(self.left[id], self.scenario.settings.free_cu)
        for id, grants in now.granted.items():
            self.left[id] -= sum(cu for cu, _, _ in grants)
            if not self.left[id]:
                self.states[id] = "done", number
                self.house.handle(wire.end(PROCESS, [(id, 1)]))
        self.states |= {id: (fate, None) for id, (fate, _) in now.ended.items()}
        self.told.granted = {**self.told.granted}
        for id, grants in now.granted.items():
            self.told.granted.setdefault(id, []).extend(grants)
        self.told.degraded += now.degraded
        for message in now.messages:  # idle: the work of this round is done within it
            if message["t"] == "grants":
                self.house.handle(wire.idle(PROCESS, message["n"]))
        self.rounds.append({"round": number, "granted": now.granted})

    def result(self) -> dict[str, Any]:
        """Keys as the simulation has them, served summed for each action and source."""
        rows = {row.number - START: row for row in Round.objects.all()}
        return {
            "rounds": [self._round(number, rows.get(number)) for number in range(self.scenario.rounds)],
            "actions": self._actions(),
            "balances": {name: balance(owner) for name, owner in self.tenants.items()},
            "escrow": sum(Wallet.objects.values_list("held", flat=True)),
            "pools": [getattr(one, "pk", one) and self._pool(one) for one in self.reserved.values()],
        }

    def _pool(self, made: Any) -> Any:
        if isinstance(made, str):
            return made
        made.refresh_from_db()
        return made.status if made.status == "cancelled" else made.pool

    def _round(self, number: int, row: Round | None) -> dict[str, Any]:
        bids = {self.names[one]: cap for one, cap in row.bids.items()} if row else {}
        won = sorted(self.names[one] for one in row.won) if row else []
        granted = self.rounds[number]["granted"]
        served = sorted(
            (self.ids[id], source, cu) for id, grants in granted.items() for cu, source, _ in grants
        )
        return {"price": row.price if row else 0, "bids": bids, "winners": won, "served": served}

    def _actions(self) -> list[dict[str, Any]]:
        found = {}
        for id, index in self.ids.items():
            state, done = self.states.get(id, ("pending", None))
            spent = sum(charged for *_, charged in self.told.granted.get(id, []))
            degraded = id in self.told.degraded
            found[index] = {"state": state, "doneRound": done, "spent": spent, "degraded": degraded}
        return [found[index] for index in sorted(found)]
