"""One call on its way through the waist, and what came of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from billing.ids import uuid7_text
from bundles.contract import Contract
from bundles.target import Target
from runtime.answer import Reply
from runtime.live import LiveBundle

if TYPE_CHECKING:
    from runtime.promptrun import Wish
    from runtime.purse import Purse


@dataclass(slots=True)
class Job:
    """What is to be executed, for whom and why; ``request`` is the JSON the function gets."""

    bundle: LiveBundle
    service: str
    name: str
    target: Target
    contract: Contract
    request: bytes
    trigger: str
    id: str = field(default_factory=uuid7_text)
    caller: str = ""
    payload: bytes = b""  # the body within the request, when its door has it at hand
    parent: str | None = None
    depth: int = 0
    attempts: int = 0
    restarts: int = 0
    level: int = 0  # how many functions and flows called each other to come here
    primitive: str = ""
    purse: "Purse | None" = None  # what the market lets it use; None: whatever its budget is
    announced: bool = False  # its row was written because it takes long; its caller waits for it all the same
    added: bool = False  # a row of it exists already: its end is a "finish"
    wish: "Wish | None" = None  # of a prompt, when its door has read and checked it already
    said: "asyncio.Future[Outcome] | None" = None  # gets the first answer, when the run goes on after it
    forget: "Callable[[], Awaitable[None]] | None" = (
        None  # what was kept to begin it again, once its end is known
    )
    created_us: int = field(default_factory=lambda: time.time_ns() // 1000)
    started: float = field(default_factory=time.perf_counter)

    async def known(self) -> None:
        """Its end is written down. Not before: a process that dies in between would do all of it a second time."""
        if self.forget is not None:
            with suppress(RedisError):  # what stays ends by itself
                await self.forget()


@dataclass(slots=True)
class Effects:
    """What a finished function did beside answering."""

    writes: dict[str, bytes | None] = field(default_factory=dict)
    fires: list[tuple[str, bytes]] = field(default_factory=list)
    signals: list[tuple[str, float]] = field(default_factory=list)
    logs: list[tuple[str, str]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """The end of a job: ``status`` of the execution, the reply to its caller, what it cost."""

    status: str
    reply: Reply
    fuel: int = 0
    error: str = ""
    effects: Effects = field(default_factory=Effects)
    retryable: bool = False
    due_us: int | None = None  # it waits until then: nothing has ended
    price: int = 0  # of the round that served it last
    spent: int = 0  # credits that were charged for it
    round: int | None = None  # of the market, the last that served it
    waited_us: int = 0
    backoffs: int = 0  # how often it left the queue for a while (R30)
    degraded: bool = False  # cut to one entry by its contract (R32)
    away: bool = False  # the platform's own store did not answer: nobody's failure, so it costs no try
