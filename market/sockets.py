"""/ws/market: the public state of the market, and one's own wins and losses, while they happen."""

import asyncio
from typing import Any

from channels.db import database_sync_to_async

from billing import access
from billing.access import Principal
from billing.websocket import FORBIDDEN, FULL, UNKNOWN, Receive, Send
from market.board import Full, Socket, board


async def market(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    await receive()  # websocket.connect
    # Accepted first: a refused handshake would hide the code that says why.
    await send({"type": "websocket.accept"})
    who, code = await database_sync_to_async(judge)(scope)
    if who is None or code:
        await send({"type": "websocket.close", "code": code})
        return
    socket = Socket(send, who)
    try:
        await attend(socket, receive)
    except asyncio.CancelledError:
        if not socket.closed:
            raise
    finally:
        socket.closed = True
        board().leave(socket)


def judge(scope: dict[str, Any]) -> tuple[Principal | None, int]:
    who = access.of_scope(scope)
    if who is None:
        return None, UNKNOWN
    return who, 0 if who.may("read") else FORBIDDEN


async def attend(socket: Socket, receive: Receive) -> None:
    try:
        await board().join(socket)
    except Full:
        await socket.close(FULL)
        return
    await socket.listen(receive)
