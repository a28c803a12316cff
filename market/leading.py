"""The leader of the market without its surroundings: messages and times go in, rounds and messages come out.

No clock, no input or output: market/leader.py connects it with Redis, the database and the time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from market import clearing, inbound, places, standing
from market.debts import NOBODY, Debt, Debts
from market.entry import Entry
from market.outgoing import Outgoing
from market.register import Register, arrived
from market.result import Queue, RoundResult
from market.rules import Settings
from market.turn import Past, Payer, Turn, by_id, granted
from market.wire import Granted, Message, Waiting

NEVER = 1 << 62
SETTLE_MS = 300  # how long a new leader waits for what processes hold
LATE_MS = 1_000  # a grant that its process does not know of after so long was lost
PLACES_MS = 1_000
FIRST = 1_000_000_000  # grants messages of one term


@dataclass(frozen=True, slots=True)
class Refund:
    """A platform's fault: the process of a caller is gone with what the tenant paid for (R22)."""

    id: str
    tenant: str
    credits: int
    payer: Payer


@dataclass(slots=True)
class Sums:
    """What the free rounds of one second did (R38)."""

    number: int
    at: int
    pressure: int = 0
    entries: int = 0
    cu: int = 0


@dataclass(slots=True)
class Office:
    """What a leader takes over from those before it."""

    term: int
    number: int = 0  # the last round with a transaction
    past: Sequence[Past] = ()
    processes: Iterable[str] = field(default_factory=list)
    debts: Mapping[str, Debt] = field(default_factory=dict)


class Leader:
    """Times are Unix milliseconds. While `turn` gives a round, it waits for `carried` or `failed`."""

    def __init__(self, rules: Settings, seconds: float, least_ms: int, office: Office, now: int) -> None:
        self.rules, self.least_ms = rules, least_ms
        self.long_ms = round(seconds * 1000)
        self.term, self.stored = office.term, office.number
        self.register = Register()
        self.out = Outgoing(office.term * FIRST)
        self.refunds: list[Refund] = []
        self.reruns: list[tuple[str, Waiting]] = []  # process and action: what were they granted before?
        self.sums: list[Sums] = []  # of seconds that are over
        self.contended = (
            bool(office.past) and office.past[-1].contended and office.number >= self._epoch(now) - 1
        )
        self.last: RoundResult | None = None
        self._sum: Sums | None = None
        self._since = Queue().since
        self._used = office.past[-1].used if office.past else None
        self._past = [past for past in office.past if past.served or past.ended]
        self._number = office.number
        self.opened = self._placed = 0
        self._idle = True  # nothing can be served before something changes
        self._working: dict[int, str] = {}  # grants messages whose work goes on, and their processes
        self._bid_from = now if self._epoch(now) > office.number else min(
            (office.number + 1) * self.long_ms, now + self.long_ms
        )  # fmt: skip
        self._began, self._greeted = now, dict[str, int]()
        self._unsettled = set(office.processes)
        self._settled_at = now + SETTLE_MS
        for process in sorted(self._unsettled):
            self.register.heard[process] = now
            self.out.hello(process, self.term)
        self.debts = Debts(office.debts)
        for process in self.debts.processes():
            self.register.heard.setdefault(process, now)  # gone already, most likely

    def _epoch(self, now: int) -> int:
        return now // self.long_ms

    # -- what processes say --------------------------------------------------------------------------

    def handle(self, message: Message, now: int) -> None:
        """A message that inbound.read has let through."""
        process, kind = message["p"], message["t"]
        if kind == "ask":
            lines = standing.answer(self.register, message["of"], self.rules.free_cu)
            return self.out.answer(process, lines)
        if process not in self.register.heard:
            self.out.hello(process, self.term)  # whoever led before may have known things of it
        self.register.heard[process] = now
        if kind == "submit" and 0 < message.get("term", 0) < self.term:
            self._greet(process, now)
        elif kind == "submit":
            self._unsettled.discard(process)
            all_told = list(inbound.submitted(message))
            for told in all_told:
                self._submitted(process, told, now)
            if message.get("whole") is True:
                self.debts.only(process, (told.id for told in all_told))
        elif kind == "end":
            for id, _ in inbound.over(message):
                self.register.remove(id)
                self.debts.over(id)
        elif kind == "idle":
            self._working.pop(message["n"], None)

    def _greet(self, process: str, now: int) -> None:
        """It spoke before it had heard what the last leader gave it. All of it comes again, as its answer to hello."""
        if now - self._greeted.get(process, self._began) > LATE_MS:
            self._greeted[process] = now
            self.out.hello(process, self.term)

    def _submitted(self, process: str, told: Waiting, now: int) -> None:
        known = self.register.entries.get(told.id)
        if known is not None and known.process == process:
            self._again(known, told, now)
        elif known is not None and not told.rerun:
            inbound.refuse(told, "is held by another process")
        elif told.rerun and not told.asof:
            self.register.remove(told.id)
            self.reruns.append((process, told))
        else:
            self._added(process, told, now)

    def _added(self, process: str, told: Waiting, now: int) -> None:
        """New, or of a time before this leader: what a stored round gave it then is sent once more."""
        self.register.remove(told.id)
        for past in self._past:
            if past.number <= told.asof:
                continue
            if told.id in past.ended:
                parcel = self.out.parcel(process, past.number, past.price, again=True)
                return parcel.ended.append((told.id, past.ended[told.id], past.price))
            for one in past.served.get(told.id, ()):
                told = told._replace(
                    left=max(0, told.left - one.cu), spent=told.spent + one.charged, asof=past.number
                )
                self.out.parcel(process, past.number, past.price, again=True).granted.append(one)
        self._owe(self.register.add(process, told, now))
        self._idle = False

    def _owe(self, one: Entry) -> None:
        """Its caller is to be paid back if its process goes (R22); whoever runs again gets what was paid for."""
        if one.api:
            self.debts.owe(
                one.id, Debt(one.process, one.action.account, one.action.spent, one.bundle, one.stranger)
            )

    def _again(self, known: Entry, told: Waiting, now: int) -> None:
        """It needs more; or it is told again, and shows which grants it does not know of."""
        if told.need > known.action.need:
            self.register.extend(known, told.need, told.left)
            self._idle = False
        elif told.asof < known.asof:
            for at, number, one in known.given:
                if number > told.asof and now - at > LATE_MS:
                    self.out.parcel(known.process, number, 0, again=True).granted.append(one)
        known.given = [given for given in known.given if given[1] > told.asof]

    def regranted(self, process: str, told: Waiting, before: Sequence[Granted], now: int) -> None:
        """It starts anew at another process, and has at once what it was granted and charged for."""
        cu, spent = sum(one.cu for one in before), sum(one.charged for one in before)
        if cu:
            told = told._replace(left=max(0, told.left - cu), spent=spent, asof=self.stored)
            parcel = self.out.parcel(process, self.stored, 0)
            parcel.granted.append(Granted(told.id, cu, before[0].source, 0))
        self._owe(self.register.add(process, told, now))
        self._idle = False

    # -- time ----------------------------------------------------------------------------------------

    def due(self, now: int) -> int:
        """When something has to be done, if nothing is said until then."""
        times = [self._next(now), self.register.next_deadline() or NEVER]
        if self._sum is not None:
            times.append((self._sum.number + 1) * self.long_ms)
        if self.register.waiting:
            times.append(self._placed + PLACES_MS)
        return max(now, min(times))

    def _next(self, now: int) -> int:
        """When the next round begins."""
        if not self.register.waiting:
            return self._bid_from if self.contended else NEVER
        if self._unsettled and now < self._settled_at:
            return self._settled_at
        if self.contended:
            return self._bid_from
        if self._working:
            return self.opened + self.long_ms
        if self._idle:
            return (self._epoch(self.opened) + 1) * self.long_ms
        return self.opened + self.least_ms

    def tick(self, now: int) -> None:
        """Deadlines, processes that are gone, seconds that are over, places in the queue."""
        for one, fate in self.register.overdue(now, self.rules.free_cu):
            parcel = self.out.parcel(one.process, self._number, self._price())
            if fate == "degraded":
                parcel.degraded.append(one.id)
                self._idle = False
            else:
                parcel.ended.append((one.id, fate, self._price()))
                self.debts.over(one.id)
        for process in self.register.silent(now):
            self._gone(process)
        if self._sum is not None and self._epoch(now) > self._sum.number:
            self.sums.append(self._sum)
            self._sum = None
        if not self.register.waiting:
            self._since = (
                Queue().since
            )  # nobody is busy: who comes next counts from then (R8), round or no round
        elif now - self._placed >= PLACES_MS:
            self._placed = now
            self._tell_places()

    def _price(self) -> int:
        return self.last.price if self.last is not None and self.contended else 0

    def _gone(self, process: str) -> None:
        self._unsettled.discard(process)
        self._working = {seq: other for seq, other in self._working.items() if other != process}
        self.register.leave(process)
        for id, debt in self.debts.of(process):
            payer = Payer(debt.bundle, debt.stranger)
            self.refunds.append(Refund(id, debt.tenant, debt.credits, payer))

    def _tell_places(self) -> None:
        held = self.register.waiting
        entries = places.per_round(self.last, self.rules)
        line = [one.action for one in held.values() if one.action.submitted >= 0]
        for number, position, rounds in places.places(line, self._number, self.rules, entries):
            one = held[number]
            one.place = position, rounds
            parcel = self.out.parcel(one.process, self._number, self._price())
            parcel.places.append((one.id, position, rounds))

    # -- rounds --------------------------------------------------------------------------------------

    def turn(self, now: int) -> Turn | None:
        """The round that begins now, if one does."""
        if self._next(now) > now:
            return None
        held = self.register.waiting
        number = max(self._epoch(now), self._number)
        if now >= self._bid_from:
            number = max(number, self.stored + 1)
        arrived(held.values(), number, self.long_ms)
        actions = tuple(one.action for one in held.values())
        pressed = clearing.pressure([one for one in actions if one.wake <= number], self.rules)
        if pressed > self.rules.threshold and now < self._bid_from:
            self.contended = True  # there was a stored round in this second: bidding begins with the next
            return None
        self._number, self.opened = number, now
        queue = Queue(actions, self._since, self._used)
        ids = {number: one.id for number, one in held.items()}
        payers = {number: Payer(one.bundle, one.stranger) for number, one in held.items()}
        holders = {number: one.process for number, one in held.items() if one.api}
        return Turn(self._number, now, queue, ids, payers, holders)

    def may_store(self, now: int) -> bool:
        """Each second has at most one round with a transaction."""
        return now >= self._bid_from

    def carried(self, turn: Turn, found: RoundResult, *, stored: bool) -> None:
        """The round was decided, and what it costs is paid: everybody is told."""
        self.last, self._since, self._used = found, found.queue.since, found.queue.used
        self.contended = found.pressure > self.rules.threshold
        if self.contended:
            self._working.clear()
        if stored:
            self.stored = max(self.stored, turn.number)
            self._bid_from = (self._epoch(turn.at) + 1) * self.long_ms
        if not self.contended:
            self._add_up(turn, found, stored)
        self._idle = not found.served
        given = granted(found, turn.ids)
        self._tell(turn, found, by_id(given))

    def _add_up(self, turn: Turn, found: RoundResult, stored: bool) -> None:
        """A stored round has a row already; the others of its second share one."""
        if self._sum is None:
            self._sum = Sums(turn.number, turn.at)
        self._sum.pressure = max(self._sum.pressure, found.pressure)
        if not stored:
            self._sum.entries += len(found.served)
            self._sum.cu += sum(one.cu for one in found.served)

    def _tell(self, turn: Turn, found: RoundResult, given: Mapping[str, list[Granted]]) -> None:
        entries = self.register.entries
        for number, action in found.changed.items():
            if (one := entries.get(turn.ids[number])) is not None:
                if action.misses > one.action.misses:
                    rested = self.out.parcel(one.process, turn.number, found.price).backoffs
                    rested.append((one.id, action.misses))
                self.register.update(one, action)
        for id, all_given in given.items():
            if (one := entries.get(id)) is None:
                self._lost(turn, all_given)
            else:
                parcel = self.out.parcel(one.process, turn.number, found.price)
                parcel.granted.extend(all_given)
                for each in all_given:
                    one.grant(each, turn.number, turn.at)
                    if each.charged:
                        self._owe(one)
        for number, fate in found.ended.items():
            if fate != "done" and (one := self.register.remove(turn.ids[number])) is not None:
                parcel = self.out.parcel(one.process, turn.number, found.price)
                parcel.ended.append((one.id, fate, found.price))
                self.debts.over(one.id)

    def _lost(self, turn: Turn, given: Iterable[Granted]) -> None:
        """It ended while its round could not be written, and was charged by it all the same."""
        numbers = {id: number for number, id in turn.ids.items()}
        accounts = {action.number: action.account for action in turn.queue.actions}
        for one in given:
            if one.charged:
                number = numbers[one.id]
                payer = turn.payers[number]
                self.refunds.append(Refund(one.id, accounts[number], one.charged, payer))
                self.debts.owe(one.id, Debt(NOBODY, accounts[number], one.charged, *payer))

    def sent(self, process: str, seq: int) -> None:
        """A grants message is out: a free round goes on until its work is done (R2)."""
        if not self.contended:
            self._working[seq] = process

    def pressed(self, turn: Turn) -> bool:
        """Whether it is a bidding round (R10)."""
        present = [one for one in turn.queue.actions if one.wake <= turn.number]
        return clearing.pressure(present, self.rules) > self.rules.threshold

    def state(self, now: int) -> Message:
        """What everybody is told of the market; the entries are those that wait now."""
        last, size = self.last or RoundResult(self._number, 0, 0, Queue()), self.rules.free_cu
        held = self.register.waiting.values()
        return {
            "term": self.term,
            "number": last.number,
            "at": now,
            "price": last.price,
            "pressure": last.pressure,
            "contended": self.contended,
            "waiting": len(held),
            "entries": sum(-(-one.action.left // size) for one in held),
            "bidders": len(last.bids),
            "winners": len(last.winners),
            "reserved": len(last.drawn),
            "free": sum(one.source in places.FREE for one in last.served),
            "revenue": last.revenue,
            "next": min(self._next(now), (self._epoch(now) + 1) * self.long_ms),
        }
