"""A form that is sent twice is called once: whoever presses the button again, or reloads, gets the first answer."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from billing.redis import aredis
from runtime.answer import Reply

BEGUN = b"begun"
LONGEST_S = 330  # a call of a prompt takes at most five minutes
KEPT_S = 300  # an answer, for those who come back
MOST = 256 * 1024  # bytes of an answer that is kept
LOOK_S = 0.1
Call = Callable[[], Awaitable[Reply]]


def mark(values: Mapping[str, Any], *parts: str) -> str:
    """The same for the same values of the same page; nothing of them can be read in it."""
    whole = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for part in parts:
        whole.update(b"\0" + part.encode())
    return f"priostack:form:{whole.hexdigest()}"


async def once(key: str, call: Call) -> Reply:
    """The answer of the first who comes; when that one gives up or fails, the next one calls."""
    while not await aredis().set(key, BEGUN, nx=True, ex=LONGEST_S):
        kept = await heard(key)
        if kept is not None:
            return kept
    reply: Reply | None = None
    try:
        reply = await call()
        return reply
    finally:
        await keep(key, reply)


async def heard(key: str) -> Reply | None:
    """What the first was answered, as soon as it is; None when there is no first any more."""
    while (found := await aredis().get(key)) == BEGUN:
        await asyncio.sleep(LOOK_S)
    return Reply(200, found) if isinstance(found, bytes) else None


async def keep(key: str, reply: Reply | None) -> None:
    """Good answers alone: what failed may be tried again at once."""
    if reply is not None and reply.status == 200 and len(reply.body) <= MOST:
        await aredis().set(key, reply.body, ex=KEPT_S)
    else:
        await aredis().delete(key)
