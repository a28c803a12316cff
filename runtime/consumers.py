"""The websockets of live logs: who may watch what, for how long, and the round that looks after them."""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.db import DatabaseError

from billing import access
from billing.access import Principal
from billing.still import still_all
from runtime.lines import DONE, Batch
from runtime.models import Execution
from runtime.told import Source, find
from runtime.watch import Full, hub, run_group
from runtime.websocket import ABSENT, FORBIDDEN, FULL, UNKNOWN, Receive, Send, Socket

ROUND_S = 2.0
ASKED_AT_ONCE = 500  # people and keys looked at in one round; more of them take several
log = logging.getLogger(__name__)


class Round:
    """Every two seconds, for all sockets of one loop: permissions that ended, runs that ended, pings."""

    def __init__(self) -> None:
        self.sockets: dict[Socket, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._next = 0
        self._people: dict[Principal, Principal] = {}

    def same(self, who: Principal) -> Principal:
        """One object for all sockets of one person or key."""
        return self._people.setdefault(who, who)

    def add(self, socket: Socket) -> None:
        self.sockets[socket] = None
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def remove(self, socket: Socket) -> None:
        self.sockets.pop(socket, None)

    async def _run(self) -> None:
        while self.sockets:
            await asyncio.sleep(ROUND_S)
            try:
                await self.look()
            except DatabaseError as problem:  # nobody is thrown out because the database is away
                log.warning("watchers are not looked after for now: %s", problem)

    async def look(self) -> None:
        self._people = {socket.who: socket.who for socket in self.sockets}
        asked = self._some(list(self._people))
        valid = await database_sync_to_async(still_all)(asked)
        lost = {who for who, holds in zip(asked, valid, strict=True) if not holds}
        now = time.monotonic()
        for index, socket in enumerate(list(self.sockets), 1):
            socket.told.settle(now)
            with suppress(OSError, RuntimeError):
                await (socket.close(FORBIDDEN) if socket.who in lost else socket.ping(now))
            if index % 500 == 0:
                await asyncio.sleep(0)
        await self._runs()

    def _some(self, everybody: list[Principal]) -> list[Principal]:
        start = self._next if self._next < len(everybody) else 0
        self._next = start + ASKED_AT_ONCE
        return everybody[start : start + ASKED_AT_ONCE]

    async def _runs(self) -> None:
        """Runs whose end nobody published, because their process died or another one ended them."""
        ids = {s.told.source.id for s in self.sockets if s.told.source.kind == "run"}
        for run, status in await database_sync_to_async(ended)(ids):
            await hub().deliver(run_group(run), Batch([], status=status))


def ended(ids: set[UUID]) -> list[tuple[UUID, str]]:
    some = list(ids)[:500]
    rows = Execution.objects.filter(pk__in=some, status__in=DONE) if some else Execution.objects.none()
    return list(rows.values_list("pk", "status"))


_rounds: "WeakKeyDictionary[asyncio.AbstractEventLoop, Round]" = WeakKeyDictionary()


def rounds() -> Round:
    return _rounds.setdefault(asyncio.get_running_loop(), Round())


async def bundle_logs(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    await door(scope, receive, send, kind="bundle")


async def run_logs(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    await door(scope, receive, send, kind="run")


async def door(scope: dict[str, Any], receive: Receive, send: Send, *, kind: str) -> None:
    await receive()  # websocket.connect
    # Accepted first: a refused handshake would hide the code that says why.
    await send({"type": "websocket.accept"})
    who, code, source = await database_sync_to_async(judge)(scope, kind)
    if who is None or source is None:
        await send({"type": "websocket.close", "code": code})
        return
    socket = Socket(send, source, rounds().same(who))
    try:
        await attend(socket, receive)
    except asyncio.CancelledError:
        if not socket.closed:
            raise
    finally:
        socket.closed = True
        rounds().remove(socket)
        await hub().leave(socket.watcher)


def judge(scope: dict[str, Any], kind: str) -> tuple[Principal | None, int, Source | None]:
    """Who asks, the code to close with, or what may be watched."""
    who = access.of_scope(scope)
    if who is None:
        return None, UNKNOWN, None
    if not who.may("read"):
        return who, FORBIDDEN, None
    source = find(who, kind, scope["url_route"]["kwargs"]["id"])
    return who, 0 if source else ABSENT, source


async def attend(socket: Socket, receive: Receive) -> None:
    try:
        await hub().join(socket.watcher)
    except Full:
        await socket.close(FULL)
        return
    rounds().add(socket)
    await socket.begin(*await socket.told.history())
    await socket.listen(receive)
