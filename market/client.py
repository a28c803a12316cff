"""A process's side of the market: hands in what has to wait, and hears what was granted.

The tickets that are held here are the truth of what waits; whoever leads is told all of them again when it asks.
"""

import asyncio
import logging
import os
import socket
import time
from collections import defaultdict
from secrets import token_hex

import orjson
from redis.exceptions import RedisError

from billing.background import end
from billing.redis import aredis, patient
from market import wire
from market.local import Local
from market.ticket import Denied, Ticket
from market.wire import Message, Waiting

LOST_S = 5.0  # nobody leads: the process goes on alone, free of charge
MOST = 20_000  # tickets of a process
MOST_OF_TENANT = 5_000
log = logging.getLogger(__name__)


class Client:
    """Belongs to one event loop."""

    def __init__(self, local: Local, name: str = "") -> None:
        self.local = local
        self.name = name or f"{socket.gethostname()}:{os.getpid()}:{token_hex(3)}"
        self.tickets: dict[str, Ticket] = {}
        self.last = 0  # the last round that was heard of
        self.term = 0  # of the last leader that greeted us
        self.state: Message = {}  # of the market, as it was told last
        self._of_tenant: dict[str, int] = defaultdict(int)
        self._out: list[bytes] = []
        self._fresh: dict[str, Waiting] = {}
        self._over: list[tuple[str, int]] = []
        self._flushing = False
        self._rounds: dict[int, set[str]] = {}  # grants message -> actions that are at work with it
        self._heard = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        self._sends: set[asyncio.Task[None]] = set()

    # -- in and out of the queue --------------------------------------------------------------------

    def enter(self, action: Waiting, allowed: int) -> Ticket:
        """A place in the queue; Denied when this process or this tenant holds too many already."""
        if len(self.tickets) >= MOST or self._of_tenant[action.tenant] >= MOST_OF_TENANT:
            raise Denied("no_capacity")
        ticket = self.tickets[action.id] = Ticket(action, allowed, time.monotonic())
        self._of_tenant[action.tenant] += 1
        self.local.join(action.service)
        self._fresh[action.id] = action
        self._wake()
        return ticket

    def extend(self, ticket: Ticket, cu: int) -> None:
        """It needs more than it was thought to: another entry, with the age of the first."""
        action = ticket.action._replace(need=ticket.action.need + cu, left=cu)
        ticket.action = self._fresh[action.id] = action
        self._wake()

    def leave(self, ticket: Ticket, used: int) -> None:
        """It is over: what it was not served yet vanishes."""
        action = ticket.action
        if self.tickets.pop(action.id, None) is None:
            return
        if not ticket.loose:
            self.local.leave(action.service)
        self._of_tenant[action.tenant] -= 1
        if not self._of_tenant[action.tenant]:
            del self._of_tenant[action.tenant]
        self.rests(action.id)
        if self._fresh.pop(action.id, None) is None or ticket.rounds:
            self._over.append((action.id, used))
            self._wake()

    def rests(self, id: str) -> None:
        """It does not work any more with what it was granted: a round that waited for it alone may end."""
        for seq in [seq for seq, at_work in self._rounds.items() if id in at_work]:
            at_work = self._rounds[seq]
            at_work.discard(id)
            if not at_work:
                del self._rounds[seq]
                self._out.append(wire.idle(self.name, seq))
                self._wake()

    # -- with the leader ----------------------------------------------------------------------------

    async def start(self) -> None:
        self._heard = time.monotonic()
        self._tasks = [
            asyncio.create_task(self._hear()),
            asyncio.create_task(self._watch()),
            asyncio.create_task(self._beat()),
        ]

    async def stop(self) -> None:
        await end(self._tasks)
        await asyncio.gather(*self._sends, return_exceptions=True)

    def _all(self) -> bytes:
        held = [one.action for one in self.tickets.values()]
        return wire.submit(self.name, held, whole=True, term=self.term)

    def _wake(self) -> None:
        """One message to the leader for all that happens in this turn of the loop."""
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        out, self._out = self._out, []
        if self._fresh:
            out.append(wire.submit(self.name, self._fresh.values(), term=self.term))
            self._fresh = {}
        if self._over:
            out.append(wire.end(self.name, self._over))
            self._over = []
        if out:
            task = asyncio.ensure_future(self._send(out))
            self._sends.add(task)
            task.add_done_callback(self._sends.discard)

    async def _send(self, messages: list[bytes]) -> None:
        """Lost ones are made good by the next beat, which tells all tickets again after a silence."""
        try:
            await aredis().rpush(wire.INBOX, *messages)
        except (RedisError, OSError) as problem:
            log.warning("the market cannot be told: %s", problem)

    async def _hear(self) -> None:
        while True:
            try:
                async with patient() as client:
                    while True:
                        came = await client.blpop([wire.outbox(self.name)], timeout=2)
                        if came is not None:
                            self.take(wire.read(came[1]))
            except (RedisError, OSError, orjson.JSONDecodeError) as problem:
                log.warning("the market is not heard: %s", problem)
                await asyncio.sleep(0.5)

    def take(self, message: Message) -> None:
        self._heard = time.monotonic()
        if message["t"] == "hello":
            self.term = message["term"]
            self._out.append(self._all())
            return self._wake()
        number, price = message["round"], message["price"]
        self.last = max(self.last, number)
        working = set()
        self._told(message, price)  # first: a deadline comes before what its round grants (R28)
        for ticket, given in self._fresh_of(message):
            ticket.grant(given, number, price)
            working.add(given.id)
        if working:
            self._rounds[message["n"]] = working
        elif message["g"]:
            self._out.append(wire.idle(self.name, message["n"]))
            self._wake()

    def _fresh_of(self, message: Message) -> list[tuple[Ticket, wire.Granted]]:
        """Its grants, but for those that were heard of when it is sent once more."""
        number, again = message["round"], message.get("again", False)
        found = ((self.tickets.get(given.id), given) for given in wire.granted(message))
        held = [(ticket, given) for ticket, given in found if ticket is not None]
        return [
            (ticket, given)
            for ticket, given in held
            if not again or (number, given.source) not in ticket.heard
        ]

    def _told(self, message: Message, price: int) -> None:
        for id in message["d"]:
            if ticket := self.tickets.get(id):
                ticket.degrade()
        for id, ending, lost_at in message["e"]:
            if ticket := self.tickets.get(id):
                ticket.end(ending, lost_at or price)
        for id, times in message.get("b", ()):
            if ticket := self.tickets.get(id):
                ticket.backoffs = times
        for id, position, rounds in message["q"]:
            if ticket := self.tickets.get(id):
                ticket.place = position, rounds
                ticket.change()

    async def _watch(self) -> None:
        """Whether a price is paid: the state is told to everybody."""
        while True:
            try:
                async with patient() as client, client.pubsub() as inbox:
                    await inbox.subscribe(wire.STATE)
                    self._know(await client.get(wire.STATE))
                    async for message in inbox.listen():
                        if message["type"] == "message":
                            self._know(message["data"])
            except (RedisError, OSError) as problem:
                log.warning("the state of the market is not heard: %s", problem)
                await asyncio.sleep(0.5)

    def _know(self, data: bytes | str | None) -> None:
        state = orjson.loads(data) if data else {}
        if not state or time.time() * 1000 - state["at"] > LOST_S * 1000:
            return
        self._heard = time.monotonic()
        self.state = state
        self.local.contended = bool(state["contended"])

    async def _beat(self) -> None:
        told_again = 0.0
        while True:
            now = time.monotonic()
            silent = now - self._heard
            if (self.tickets or self.local.contended) and silent > LOST_S:
                self._alone()
            if self.tickets and silent > 2 * wire.BEAT_S and now - told_again > 2 * wire.BEAT_S:
                told_again = now
                self._out.append(self._all())
            self._out.append(wire.here(self.name, self.last))
            self._wake()
            await asyncio.sleep(wire.BEAT_S)

    def _alone(self) -> None:
        """Rather free for everybody than nobody served: no leader has spoken for a while."""
        if self.local.contended:
            log.warning("nobody leads the market: calls are served as they come until somebody does")
            self.local.contended = False
        for ticket in self.tickets.values():
            if not ticket.loose:
                ticket.loose = True
                self.local.leave(ticket.action.service)
                ticket.change()
