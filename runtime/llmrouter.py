"""A question goes to the backends of an `llm` section: in what order, how often again, how much at a time."""

import asyncio
import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace

from runtime import llmcounts, llmrehearsal, llmsend
from runtime.llmbackends import Backend, Load, Section
from runtime.llmsend import Try
from runtime.llmtypes import LlmError, Reply, Request, Usage

JITTER = 0.25


@dataclass(frozen=True, slots=True)
class Backends:
    """Where a question may go: the section, how a key is opened (LlmError when it may not be), until when."""

    section: Section
    key: Callable[[Backend], str]
    deadline: float  # on time.monotonic()
    masks: tuple[str, ...] = ()
    log: Callable[[str, str], None] = lambda level, text: None
    tenant: str = ""  # on whose behalf

    @property
    def left(self) -> float:
        return self.deadline - time.monotonic()


async def complete(request: Request, where: Backends) -> Reply:
    """The reply of the first backend that gives one; LlmError when none does."""
    where = llmrehearsal.cast(where, request)
    rounds = Rounds(request, where)
    while True:
        load = await rounds.next()
        try:
            async with admitted(load, request, where):
                with watched(load):
                    return settled(load, request, await whole(load, request, where))
        except LlmError as error:
            rounds.failed(load, error)


async def stream(request: Request, where: Backends) -> AsyncGenerator[str | Reply, None]:
    """Pieces of the text, at last the reply. After the first piece a failure is not tried elsewhere."""
    where = llmrehearsal.cast(where, request)
    rounds = Rounds(request, where)
    while True:
        load, begun = await rounds.next(), False
        try:
            async with admitted(load, request, where), aclosing(pieces(load, request, where)) as parts:
                with watched(load):
                    async for part in parts:
                        if not begun:
                            load.breaker.answers()
                        begun = True
                        yield settled(load, request, part) if isinstance(part, Reply) else part
            return
        except LlmError as error:
            if begun:
                raise
            rounds.failed(load, error)


async def whole(load: Load, request: Request, where: Backends) -> Reply:
    if load.backend.rehearses:
        return llmrehearsal.whole(request)
    return await llmsend.whole(ready(load, request, where))


def pieces(load: Load, request: Request, where: Backends) -> AsyncGenerator[str | Reply, None]:
    if load.backend.rehearses:
        return llmrehearsal.streamed(request)
    return llmsend.streamed(ready(load, request, where))


@contextmanager
def watched(load: Load) -> Iterator[None]:
    """One try, for the breaker of its backend and for the figures of this process."""
    with llmcounts.counted(load), load.breaker.watched():
        yield


def ready(load: Load, request: Request, where: Backends) -> Try:
    backend = load.backend
    timeout = min(backend.timeout_s, where.left)
    if timeout <= 0:
        raise LlmError("timeout", "there is no time left for a language model")
    return Try(backend, request, where.key(backend), timeout, where.masks, where.tenant)


def settled(load: Load, request: Request, reply: Reply) -> Reply:
    """The reply with its backend; what it really cost is taken from the bucket."""
    usage = reply.usage
    if not usage.total:
        usage = Usage(
            request.estimate(), len(reply.text) // 4 + sum(len(one.written) for one in reply.calls) // 4
        )
    load.tokens = min(load.backend.tpm, load.tokens + request.estimate() - usage.total)
    return replace(reply, usage=usage, backend=load.backend.name, cost=load.backend.cost(usage))


@asynccontextmanager
async def admitted(load: Load, request: Request, where: Backends) -> AsyncIterator[None]:
    """One of its places, and the tokens out of its bucket."""
    load.busy += 1
    try:
        try:
            async with asyncio.timeout(max(0.0, where.left)):
                await load.slots.acquire()
        except TimeoutError:
            raise LlmError(
                "timeout", f"{load.backend.name} is busy with other requests", retryable=True
            ) from None
        try:
            while wait := load.take(request.estimate()):
                if wait > where.left:
                    message = f"{load.backend.name}: more than {load.backend.tpm} tokens a minute"
                    raise LlmError("budget", message, retryable=True, retry_after_s=wait)
                await asyncio.sleep(wait)
            yield
        finally:
            load.slots.release()
    finally:
        load.busy -= 1


@dataclass(slots=True)
class Rounds:
    """The tries of one request: each backend once, a pause, each once more, `retries` + 1 tries in all.

    Backends count by their place in the list: two of one provider are two. A backend that cannot answer this
    request at all (no key, no such model) is left out and costs no try.
    """

    request: Request
    where: Backends
    tries: int = 0
    round: int = 0
    tried: set[int] = field(default_factory=set)
    dead: set[int] = field(default_factory=set)
    told: set[int] = field(default_factory=set)  # those that said how long to wait
    last: LlmError | None = None

    async def next(self) -> Load:
        """The backend to ask now, after the pause that is due; the last failure when nobody is left."""
        section = self.where.section
        loads = [load for load in section.order(self.request.model) if load.backend.number not in self.dead]
        if not loads or self.tries > section.retries:
            raise self.last or nobody(section, self.request.model)
        loads = self.closed(loads)
        fresh = [load for load in loads if load.backend.number not in self.tried]
        if not fresh:
            await self.pause(min(self.due(load) for load in loads))
            self.tried.clear()
            self.round += 1
            return await self.next()
        rest = fresh[0].resting_until - time.monotonic()
        if rest > 0:
            await self.pause(rest)
        return fresh[0]

    def closed(self, loads: list[Load]) -> list[Load]:
        """Those whose breaker lets a request through; the last failure when there are none."""
        found = [load for load in loads if not load.breaker.wait()]
        if found:
            return found
        first = min(loads, key=lambda load: load.breaker.wait())
        wait, name = first.breaker.wait(), first.backend.name
        message = f"{name} failed {first.breaker.faults} times in a row: it is left alone for {wait:.0f} s"
        raise self.last or LlmError("handler", message, retryable=True, retry_after_s=wait)

    def due(self, load: Load) -> float:
        """Seconds until it may be asked again: as it said, else base * 2^n with jitter, up to the limit."""
        if load.backend.number in self.told:
            return max(0.0, load.resting_until - time.monotonic())
        section = self.where.section
        spread = (
            zlib.crc32(f"{self.request.key}:{self.tries}".encode()) / 2**31 - 1
        )  # -1 … 1, the same after a restart
        return min(section.max_s, section.base_s * float(1 << min(self.round, 20))) * (1 + JITTER * spread)

    async def pause(self, seconds: float) -> None:
        if seconds >= self.where.left:
            message = self.last.message if self.last else "the backend asked us to wait"
            code = self.last.code if self.last else "handler"
            raise LlmError(code, message, retryable=True, retry_after_s=seconds)
        await asyncio.sleep(seconds)

    def failed(self, load: Load, error: LlmError) -> None:
        """Remember it; raise it again when asking anybody again is useless."""
        if not error.elsewhere:
            raise error
        self.where.log("warning", f"language model: {error.message}")
        number = load.backend.number
        if self.last is None or not error.unset:  # what a server said tells more than that another has no key
            self.last = error
        if not error.retryable:
            self.dead.add(number)
            return
        self.tries += 1
        self.tried.add(number)
        if error.retry_after_s is not None:
            self.told.add(number)
            load.resting_until = max(load.resting_until, time.monotonic() + error.retry_after_s)
        else:
            self.told.discard(number)


def nobody(section: Section, model: str) -> LlmError:
    if not section.loads:
        hint = "write `llm: {backends: [{provider: openai, api_key_env: NAME_OF_A_SECRET}]}` in the flow or in bundle.yaml"
        return LlmError("not-available", f"no language model is set up: {hint}")
    return LlmError("not-available", f"none of the backends has the model “{model[:100]}”")
