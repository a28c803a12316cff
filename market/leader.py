"""The leader of the market in its surroundings: a thread that takes messages, turns rounds and sends what they give.

Any number of drivers may run; one holds the lease. The rules of it are in market/leading.py, the money in rounds.py.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from secrets import token_hex

import orjson
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from redis.exceptions import RedisError

from billing import writing
from market import inbound, office, reservations, rounds
from market.keeper import Keeper
from market.leading import Leader
from market.office import Lease, Lost
from market.reservation import Reservation
from market.result import RoundResult
from market.turn import Turn

LOOK_S = 0.5  # the longest that a leader waits for messages; its lease is renewed in between
ASK_S = 1.0  # between two tries to become the leader
RETRY_S = (0.1, 0.2, 0.5, 1.0, 2.0)
TIDY_S = 60.0
STATE_MS = 500
SECOND_MS = 1_000
Broken = (DatabaseError, InterfaceError)
log = logging.getLogger(__name__)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Driver(threading.Thread):
    """`start()` and `stop()`; it leads when nobody else does."""

    def __init__(self, *, clock: Callable[[], int] = now_ms) -> None:
        super().__init__(name="market", daemon=True)
        self.ending = threading.Event()
        self.clock = clock
        self.holder = f"{socket.gethostname()}:{os.getpid()}"

    def stop(self) -> None:
        self.ending.set()
        self.join(10)

    def run(self) -> None:
        while not self.ending.is_set():
            try:
                self._lead()
            except Lost:
                log.warning("somebody else leads the market")
            except rounds.Deposed as problem:
                log.warning("deposed: %s", problem)
            except (RedisError, OSError, *Broken) as problem:
                log.warning("the market's leader begins anew: %s", problem)
                connection.close()
            except Exception:  # the edge of this loop: whatever it was, the rounds must go on
                log.exception("the market's leader fell over and begins anew")
                connection.close()
            self.ending.wait(ASK_S)
        connection.close()

    def _lead(self) -> None:
        lease = Lease(f"{self.holder}:{token_hex(8)}")
        if not lease.gain():
            return
        try:
            taken = office.take(self.holder, lease.processes(), *lease.debts())
            log.info("leading the market in term %s", taken.term)
            leader = Leader(
                settings.MARKET, settings.ROUND_SECONDS, settings.ROUND_MIN_MS, taken, self.clock()
            )
            with Keeper(lease) as keeper:
                Term(leader, lease, self.clock).serve(self.ending, keeper.alive)
        finally:
            self._leave(lease)

    def _leave(self, lease: Lease) -> None:
        try:
            lease.leave()
        except (RedisError, OSError):
            log.info("the lease of the market ends by itself")


class Term:
    """One leader's time in office."""

    def __init__(self, leader: Leader, lease: Lease, clock: Callable[[], int]) -> None:
        self.leader, self.lease, self.clock = leader, lease, clock
        self._stuck: Turn | None = None  # its transaction ended in a way that is not known
        self._tries = 0
        self._retry_at = self._looked = self._told = self._passed = self._tidied = 0
        self._owed = -1
        self._held: list[tuple[int, int, Reservation]] = []
        self._known: set[str] = set(leader.register.heard)
        self._contended: bool | None = None

    def serve(self, ending: threading.Event, alive: Callable[[], None]) -> None:
        while not ending.is_set():
            alive()
            for data in self._messages():
                message = inbound.read(data)
                if message is not None:
                    self.leader.handle(message, self.clock())
            self._step()

    def _messages(self) -> Iterator[bytes]:
        """All that has come; without any it waits until something is to be done."""
        some = self.lease.take()
        if not some:
            now = self.clock()
            due = max(self._retry_at, now if self._stuck else self.leader.due(now))
            if due > now:
                self.lease.wait(min((due - now) / 1000, LOOK_S))
            some = self.lease.take()
        while some:
            yield from some
            some = self.lease.take() if len(some) == office.BATCH else []

    def _step(self) -> None:
        """What is to be done now; a database that is away delays it, and nothing is forgotten."""
        leader = self.leader
        leader.tick(self.clock())
        if self.clock() >= self._retry_at:
            try:
                self._owe()
                self._regrant()
                self._refund()
                self._round()
                self._send()  # who was granted something waits for it, the chores wait for nobody
                self._tries = 0
                self._chores()
            except Broken as problem:
                self._away(problem)
        self._send()
        self._state()

    def _away(self, problem: Exception) -> None:
        log.warning("the market waits for the database: %s", problem)
        connection.close()
        self._retry_at = self.clock() + round(RETRY_S[min(self._tries, len(RETRY_S) - 1)] * 1000)
        self._tries += 1

    def _regrant(self) -> None:
        reruns = self.leader.reruns
        if reruns:
            seconds = settings.ROUND_SECONDS
            since = min(told.submitted for _, told in reruns)
            before = rounds.before((told.id for _, told in reruns), int(since / 1000 / seconds))
            for process, told in reruns:
                self.leader.regranted(process, told, before[told.id], self.clock())
            reruns.clear()

    def _refund(self) -> None:
        while self.leader.refunds:
            rounds.refund(self.leader.refunds[0])
            self.leader.debts.over(self.leader.refunds.pop(0).id)

    def _round(self) -> None:
        leader, term = self.leader, self.leader.term
        if self._stuck is not None:
            found = rounds.settle(self._stuck, term)
            if found is not None:
                leader.carried(self._stuck, found, stored=True)
            self._stuck = None
        turn = leader.turn(self.clock())
        if turn is None:
            return
        pressed = leader.pressed(turn)
        found = None if pressed else self._calm(turn)
        if found is not None:
            return leader.carried(turn, found, stored=False)
        self._stuck = turn
        found = rounds.clear(turn, term)
        self._stuck = None
        leader.carried(turn, found, stored=True)

    def _calm(self, turn: Turn) -> RoundResult | None:
        """None when a pool is to be drawn from: that takes a transaction, of which each second has at most one."""
        found = rounds.calm(turn, self._holding(turn))
        if not found.drawn:
            return found
        return None if self.leader.may_store(turn.at) else rounds.calm(turn, ())

    def _holding(self, turn: Turn) -> Iterator[Reservation]:
        """Reservations of this moment, looked up once a second."""
        if turn.queue.actions and turn.at - self._looked >= SECOND_MS:
            self._held = reservations.around(moment(turn.at))
            self._looked = turn.at
        for start, end, one in self._held:
            if start <= turn.at < end:
                yield replace(one, start=turn.number, end=turn.number + 1)

    def _chores(self) -> None:
        now = self.clock()
        while self.leader.sums:
            with writing.first():
                rounds.note(self.leader.sums[0], self.leader.term)
            self.leader.sums.pop(0)
        if now - self._passed >= SECOND_MS:
            self._passed = now
            with writing.first():
                reservations.pass_time(moment(now))
        if now - self._tidied >= TIDY_S * 1000:
            self._tidied = now
            office.stay(self.leader.term)
            rounds.tidy(moment(now))

    def _send(self) -> None:
        self._meet()
        self._owe()
        numbered = list(self.leader.out.take())
        if not numbered:
            return
        self.lease.send([(process, data) for process, data, _ in numbered])
        for process, _, seq in numbered:
            if seq is not None:
                self.leader.sent(process, seq)

    def _meet(self) -> None:
        """The list of processes, for whoever leads next."""
        heard = self.leader.register.heard.keys()
        if fresh := heard - self._known:
            self.lease.met(fresh)
        if gone := self._known - heard:
            self.lease.gone(gone)
        if fresh or gone:
            self._known = set(heard)

    def _owe(self) -> None:
        """Before anybody hears of a round: what is to be paid back if this leader goes as well."""
        changed = self.leader.debts.take()
        if changed or self.leader.stored > self._owed:
            self._owed = self.leader.stored
            self.lease.owe(changed, self._owed)

    def _state(self) -> None:
        leader, now = self.leader, self.clock()
        changed = leader.contended != self._contended
        fresh = leader.last is not None and leader.opened != self._told
        urgent = changed or (fresh and leader.contended)
        if urgent or (fresh and now - self._told >= STATE_MS):
            self.lease.tell(orjson.dumps(leader.state(now)))
            self._contended, self._told = leader.contended, leader.opened


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


__all__ = ["Driver", "Leader"]
