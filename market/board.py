"""Those who follow the market live, of one event loop: heard once, told to all of them, at most 4 times a second."""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
from channels.db import database_sync_to_async
from django.db import DatabaseError
from redis.exceptions import RedisError

from billing import wallet
from billing.access import Principal
from billing.redis import aredis
from billing.still import still_all
from billing.websocket import FORBIDDEN, Peer, Send
from market import asking, figures, history, reservations, wire
from market.asking import UNKNOWN, Mine
from market.wire import Message

TICK_S = 0.25
MINE_TICKS, LOOK_TICKS = 4, 8
MOST = 5_000  # on one loop
MOST_OF_TENANT = 500
ROUNDS = 20  # that receipts are told of after a pause
log = logging.getLogger(__name__)


class Full(Exception):
    """Too many follow already."""


class Socket(Peer):
    """What is not sent yet is replaced by what is newer; receipts wait in line, as many as make sense."""

    __slots__ = ("mine", "receipts", "state")

    def __init__(self, send: Send, who: Principal) -> None:
        super().__init__(send, who)
        self.state: dict[str, Any] | None = None
        self.mine: dict[str, Any] | None = None
        self.receipts: deque[dict[str, Any]] = deque(maxlen=50)

    async def rest(self) -> None:
        while not self.closed and (message := self.message()):
            await self.data(message)

    def message(self) -> dict[str, Any]:
        parts = {"state": self.state, "mine": self.mine, "receipts": list(self.receipts)}
        self.state = self.mine = None
        self.receipts.clear()
        return {name: part for name, part in parts.items() if part}


class Board:
    def __init__(self) -> None:
        self.sockets: dict[Socket, None] = {}
        self._of_tenant: Counter[UUID] = Counter()
        self._known: Message = {}
        self._told: dict[str, Any] = {}
        self._mine: dict[UUID, dict[str, Any]] = {}
        self._number = 0  # receipts are told up to this round
        self._task: asyncio.Task[None] | None = None

    async def join(self, socket: Socket) -> None:
        """It is told of now at once, and from here on of what changes."""
        tenant = socket.who.tenant_id
        if len(self.sockets) >= MOST or self._of_tenant[tenant] >= MOST_OF_TENANT:
            raise Full
        self.sockets[socket] = None
        self._of_tenant[tenant] += 1
        if self._task is None or self._task.done():
            self._told, self._number = {}, 0
            self._task = asyncio.create_task(self._run())
        socket.main = asyncio.current_task()
        if self._told:
            socket.state = {**self._told, "now": figures.now_ms()}
        socket.mine = self._mine.get(tenant)
        socket.wake()

    def leave(self, socket: Socket) -> None:
        if self.sockets.pop(socket, socket) is None:
            self._of_tenant[socket.who.tenant_id] -= 1

    async def _run(self) -> None:
        tick = 0
        while self.sockets:
            began = time.monotonic()
            try:
                await self._tick(tick)
            except (RedisError, OSError, DatabaseError, orjson.JSONDecodeError) as problem:
                log.warning("the market is not told for now: %s", problem)
            tick += 1
            await asyncio.sleep(max(0.01, TICK_S - (time.monotonic() - began)))
        self._mine.clear()

    async def _tick(self, tick: int) -> None:
        data = await aredis().get(wire.STATE)
        self._known = orjson.loads(data) if data else {}
        self._tell_state()
        await self._tell_receipts()
        if tick % MINE_TICKS == 0:
            await self._tell_mine()
        if tick % LOOK_TICKS == LOOK_TICKS - 1:
            await self._look()

    def _tell_state(self) -> None:
        now = figures.now_ms()
        state = figures.public(self._known, now)
        del state["now"]
        if state != self._told:
            self._told = state
            for socket in self.sockets:
                socket.state = {**state, "now": now}
                socket.wake()

    async def _tell_receipts(self) -> None:
        """Rounds since the last look in which somebody bid or drew; who just came is told none of the past."""
        number = int(self._known.get("number", 0))
        before, self._number = self._number, max(self._number, number)
        if before and number > before:
            rows = await database_sync_to_async(history.rounds_between)(before, number, ROUNDS)
            for row in rows:
                for socket in self.sockets:
                    if found := history.of(row, socket.who.tenant_id):
                        socket.receipts.append(found.data())
                        socket.wake()

    async def _tell_mine(self) -> None:
        """Balances, and what waits; the leader is only asked while anything waits at all."""
        tenants = {socket.who.tenant_id for socket in self.sockets}
        balances = await database_sync_to_async(wallet.balances)(tenants)
        reserved = await database_sync_to_async(reservations.standing)(tenants)
        asked: dict[str, Mine] = {}
        if self._told.get("waiting") or any(one["actions"] for one in self._mine.values()):
            asked = await asking.all_of(map(str, tenants))
        for tenant in tenants:
            mine = own(balances[tenant], asked.get(str(tenant), UNKNOWN))
            mine["reservations"] = reserved.get(tenant, [])
            if mine != self._mine.get(tenant):
                self._mine[tenant] = mine
                self._to(tenant, mine)

    def _to(self, tenant: UUID, mine: dict[str, Any]) -> None:
        for socket in self.sockets:
            if socket.who.tenant_id == tenant:
                socket.mine = mine
                socket.wake()

    async def _look(self) -> None:
        """Sockets of those who may no longer look are closed; a peer that vanished is noticed."""
        everybody = list({socket.who for socket in self.sockets})
        valid = await database_sync_to_async(still_all)(everybody)
        lost = {who for who, holds in zip(everybody, valid, strict=True) if not holds}
        now = time.monotonic()
        for socket in list(self.sockets):
            with suppress(OSError, RuntimeError):
                await (socket.close(FORBIDDEN) if socket.who in lost else socket.ping(now))


def own(balance: int, mine: Mine) -> dict[str, Any]:
    queue: Iterable[dict[str, Any]] = (one._asdict() for one in mine.lines)
    return {"balance": balance, "actions": mine.actions, "entries": mine.entries, "queue": list(queue)}


_boards: "WeakKeyDictionary[asyncio.AbstractEventLoop, Board]" = WeakKeyDictionary()


def board() -> Board:
    """That of the running loop."""
    return _boards.setdefault(asyncio.get_running_loop(), Board())
