"""A resumable call on a wasmtime fiber: so much fuel per poll, exact accounts, no thread while it waits."""

import ctypes
from ctypes import c_void_p
from time import monotonic
from typing import TYPE_CHECKING, Any

from runtime import wasmlib as lib
from runtime.fiberask import Ask
from runtime.fiberframe import FiberFrame, Future
from runtime.host import HostCall
from runtime.hostwasi import ProgramExit
from runtime.wasmconvention import INITIALIZE
from runtime.wasmraw import current
from runtime.wasmtrap import take_error, take_trap
from runtime.wasmtypes import EXHAUSTED, FUEL_PER_MS, TICK_MS, Answer, Limits, Trap

if TYPE_CHECKING:
    from runtime.wasmguest import Guest


class Start:
    """The instantiation as a future: a start function may need slices too."""

    def __init__(self, frame: FiberFrame, guest: "Guest") -> None:
        self._trap, self._error = c_void_p(), c_void_p()
        self.address: int | None = lib.instantiate_async(
            lib.address(guest.fiber_pre),
            frame.context,
            frame.p_instance,
            ctypes.addressof(self._trap),
            ctypes.addressof(self._error),
        )

    def poll(self) -> bool:
        return bool(lib.future_poll(self.address))

    def close(self) -> None:
        if self.address is not None:
            lib.future_delete(self.address)
            self.address = None

    def result(self) -> None:
        self.close()
        if self._error.value:
            raise take_error(self._error.value)
        if self._trap.value:
            raise take_trap(self._trap.value)


class RawFiber:
    """`poll` and `close` belong to one thread at a time."""

    def __init__(
        self,
        guest: "Guest",
        function: str,
        request: bytes,
        *,
        call: HostCall,
        limits: Limits,
        slice_fuel: int,
    ) -> None:
        self.guest, self.limits, self._slice = guest, limits, slice_fuel
        self.entry = guest.entry(function)
        if not guest.engine.room():
            raise Trap("pool_full", "all sandbox slots are in use")
        self.frame = frame = FiberFrame(guest.engine.address)
        frame.guest = guest
        frame.begin(call, limits)
        frame.program(self.entry.function, request if self.entry.kind == "wasi" else b"")
        frame.open(limits, guest.memory(limits), limits.fuel)
        lib.yield_interval(frame.context, slice_fuel)
        self._steps = self.entry.steps(frame, self.entry, request)
        self._stage = "start"
        self._future: Start | Future | None = None
        self._ran = 0.0
        self.spent = 0
        self.answer: Answer | None = None
        self.error: BaseException | None = None
        self.closed = False
        guest.engine.hold(self)

    @property
    def ask(self) -> Ask | None:
        """What the guest waits for, or None when polling would advance it."""
        ask = self.frame.ask
        return ask if ask is not None and not ask.answered else None

    @property
    def done(self) -> bool:
        return self.answer is not None or self.error is not None

    def poll(self) -> bool:
        """Run one slice; true when the call has ended."""
        if self.done or self.ask is not None:
            return self.done
        self.guest.engine.ticker.begin()
        current.frame = self.frame
        began, before = monotonic(), self.spent
        self._limit_time()
        self.frame.settle()
        try:
            while self._advance() and self.spent - before < self._slice:
                pass
        except (Trap, ProgramExit, StopIteration) as error:
            self._fail(error, began)
        self._ran += monotonic() - began
        if not self.done and self._ran * 1000 > self.limits.wall_ms:
            self._fail(Trap("interrupt", "the time limit was reached"), began)
        return self.done

    def _limit_time(self) -> None:
        left = self.limits.wall_ms - self._ran * 1000
        lib.set_epoch(self.frame.context, max(0, int(left)) // TICK_MS + 2)

    def _advance(self) -> bool:
        """Poll the current future once; true when there is another one to poll at once."""
        if self._future is None:
            self._future = Start(self.frame, self.guest)
        finished = self._future.poll()
        left = self.frame.fuel()
        self.spent = self.limits.fuel - max(0, left)
        if left < 0:
            raise Trap("fuel", EXHAUSTED)
        if not finished:
            return False
        self._next(self._future)
        return not self.done

    def _next(self, future: Start | Future) -> None:
        try:
            result = self._take(future)
            if self._stage == "start":
                self._started()
            elif self._stage == "initialize":
                self._stage = "call"
                self._begin(next(self._steps))
            else:
                self._begin(self._steps.send(result))
        except ProgramExit as exit:
            self._exit(exit)
        except StopIteration as end:
            self.answer = Answer(end.value, self.spent)

    def _exit(self, exit: ProgramExit) -> None:
        if self._stage != "call":
            raise Trap("exit", str(exit))
        self._begin(self._steps.throw(exit))

    def _take(self, future: Start | Future) -> Any:
        """The future's result; what a host function left behind goes before the guest's own trap."""
        try:
            return future.result()
        except Trap as trap:
            pending = self.frame.error
            if isinstance(pending, Trap):
                pending.function, pending.offset = trap.function, trap.offset
            raise pending or trap

    def _started(self) -> None:
        frame = self.frame
        if self.guest.has_memory:
            frame.memory_known = lib.export_get(frame.context, frame.p_instance, b"memory", 6, frame.p_memory)
        if self.guest.initializes:
            self._stage = "initialize"
            self._future = Future(frame, INITIALIZE, ())
        else:
            self._stage = "call"
            self._begin(next(self._steps))

    def _begin(self, step: tuple[Any, tuple[int | float, ...]]) -> None:
        self._future = Future(self.frame, *step)

    def _fail(self, error: Trap | ProgramExit | StopIteration, began: float) -> None:
        if isinstance(error, StopIteration):
            self.answer = Answer(error.value, self.spent)
            return
        trap = error if isinstance(error, Trap) else Trap("exit", str(error))
        if trap.kind == "interrupt":
            ran = self._ran + monotonic() - began
            self.spent = max(self.spent, min(self.limits.fuel, int(ran * 1000 * FUEL_PER_MS)))
        else:
            self.spent = self.limits.fuel - max(0, self.frame.fuel())
        trap.fuel = self.spent
        self.error = trap

    def close(self) -> None:
        """Give the slot back, also in the middle of a call; safe to repeat."""
        if self.closed:
            return
        self.closed = True
        current.frame = self.frame
        for future in (self.frame.allocation, self._future):
            if future is not None:
                future.close()
        self.frame.close()
        self.guest.engine.fibers.discard(self)
