"""Calls that outlive a slice: Fiber is one of them, `run` drives it to its end beside an event loop."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from runtime.fiberask import Ask
from runtime.fiberraw import RawFiber
from runtime.fiberreplay import ReplayFiber
from runtime.host import HostCall, HostFailure, Outcome
from runtime.wasmguest import DEFAULT, Guest
from runtime.wasmtypes import SLICE_FUEL, Answer, Limits, Trap

__all__ = ["Ask", "Fiber", "run"]


class Purse(Protocol):
    """What a call may use, slice by slice (runtime/purse.py)."""

    def open(self) -> bool: ...
    async def ready(self) -> None: ...
    def spend(self, fuel: int) -> None: ...
    def work(self) -> None: ...
    def rest(self) -> None: ...
    def queue_rest(self) -> None: ...


Answerer = Callable[[Ask], Awaitable[Outcome | Iterable[str]]]


class Fiber:
    """A call from its start, one slice of fuel per poll; close it when it is done or no longer wanted.

    Polls may come from different threads, one at a time. Between polls nothing runs and `spent` is exact,
    so a market may stop after its grant and go on in a later round.
    """

    def __init__(  # what to call, with what, in which context, within which bounds
        self,
        guest: Guest,
        function: str,
        request: bytes,
        call: HostCall,
        limits: Limits = DEFAULT,
        *,
        slice_fuel: int = SLICE_FUEL,
    ) -> None:
        if len(request) > limits.input_bytes:
            raise Trap("input", f"the request is {len(request)} bytes; the limit is {limits.input_bytes}")
        guest.engine.calls += 1
        call.restart()
        kind = RawFiber if guest.engine.raw else ReplayFiber
        self._fiber = kind(guest, function, request, call=call, limits=limits, slice_fuel=slice_fuel)

    @property
    def asks(self) -> list[Ask]:
        """Questions the guest waits on; empty while polling advances it."""
        ask = self._fiber.ask
        return [ask] if ask is not None else []

    @property
    def spent(self) -> int:
        """Fuel used so far."""
        return self._fiber.spent

    @property
    def done(self) -> bool:
        return self._fiber.done

    def poll(self) -> bool:
        """Run one slice; true when the call has ended. Does nothing while a question is open."""
        return self._fiber.poll()

    def result(self) -> Answer:
        """After poll was true: the answer, or raises the Trap."""
        if self._fiber.error is not None:
            raise self._fiber.error
        if self._fiber.answer is None:
            raise RuntimeError("the fiber has not ended")
        return self._fiber.answer

    def close(self) -> None:
        """Give the sandbox slot back, also in the middle of a call."""
        self._fiber.close()


_runner: tuple[int, ThreadPoolExecutor] | None = None


def runner() -> ThreadPoolExecutor:
    """The one thread of this process on which fibers are polled, in turn."""
    global _runner
    if _runner is None or _runner[0] != os.getpid():
        _runner = os.getpid(), ThreadPoolExecutor(1, thread_name_prefix="wasm-runner")
    return _runner[1]


async def run(  # Fiber's five, who answers, and who pays
    guest: Guest,
    function: str,
    request: bytes,
    call: HostCall,
    limits: Limits,
    answer: Answerer,
    purse: Purse | None = None,
) -> Answer:
    """Run a call to its end; `answer` is awaited for each question. Cancelling gives everything back."""
    fiber = Fiber(guest, function, request, call, limits)
    try:
        if purse is None:
            await _poll(fiber, answer)
        else:
            await _poll_paid(fiber, answer, purse)
        return fiber.result()
    finally:
        # On the runner thread, so that it comes after a poll that a cancel left running.
        runner().submit(fiber.close)


async def _poll(fiber: Fiber, answer: Answerer) -> None:
    loop, thread = asyncio.get_running_loop(), runner()
    while not await loop.run_in_executor(thread, fiber.poll):
        for ask in fiber.asks:
            ask.answer(await _ask(answer, ask))


async def _poll_paid(fiber: Fiber, answer: Answerer, purse: Purse) -> None:
    """The same, no further than the purse allows; it rests while it waits for an answer."""
    loop, thread = asyncio.get_running_loop(), runner()
    purse.queue_rest()
    purse.work()
    try:
        done = False
        while not done:
            await _allowed(purse)
            before = fiber.spent
            done = await loop.run_in_executor(thread, fiber.poll)
            purse.spend(fiber.spent - before)
            for ask in fiber.asks:
                purse.rest()
                try:
                    ask.answer(await _ask(answer, ask))
                finally:
                    purse.work()
    finally:
        purse.rest()


async def _allowed(purse: Purse) -> None:
    """A slice may run. Only its own work rests while it waits: others of the same run may be at work."""
    if purse.open():
        return await purse.ready()
    purse.rest()
    try:
        await purse.ready()
    finally:
        purse.work()


async def _ask(answer: Answerer, ask: Ask) -> Outcome | Iterable[str]:
    try:
        return await answer(ask)
    except HostFailure as failure:
        return failure
