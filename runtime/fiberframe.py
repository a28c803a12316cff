"""A raw frame whose guest may be suspended: in the middle of its fuel, or inside a host function."""

import ctypes
from collections.abc import Callable
from ctypes import c_void_p
from typing import Any

from runtime import wasmlib as lib
from runtime.fiberask import Ask
from runtime.hostcalls import Unknown
from runtime.wasmconvention import Target
from runtime.wasmraw import RawFrame, load, store_float
from runtime.wasmtrap import take_error, take_trap
from runtime.wasmtypes import EXHAUSTED, Trap

Number = int | float


class Future:
    """One asynchronous guest call; owns every buffer that the C library points at."""

    __slots__ = ("_args", "_error", "_function", "_results", "_trap", "address", "target")

    def __init__(self, frame: RawFrame, target: Target, arguments: tuple[Number, ...]) -> None:
        self.target = target
        self._function = lib.Extern()
        place = ctypes.addressof(self._function)
        name = target.encoded
        if not lib.export_get(frame.context, frame.p_instance, name, len(name), place):
            raise Trap("missing_export", f"the module exports no {target.name}")
        self._args = (lib.Value * max(1, len(arguments)))()
        for slot, kind, value in zip(self._args, target.params, arguments, strict=False):
            _fill(slot, kind, value)
        self._results = (lib.Value * max(1, len(target.results)))()
        self._trap, self._error = c_void_p(), c_void_p()
        self.address: int | None = lib.call_async(
            frame.context,
            place + lib.EXTERN_OF,
            *(ctypes.addressof(self._args), len(arguments)),
            *(ctypes.addressof(self._results), len(target.results)),
            *(ctypes.addressof(self._trap), ctypes.addressof(self._error)),
        )

    def poll(self) -> bool:
        return bool(lib.future_poll(self.address))

    def close(self) -> None:
        if self.address is not None:
            lib.future_delete(self.address)
            self.address = None

    def result(self) -> Any:
        """After poll was true: the result, integers unsigned; raises the guest's Trap."""
        self.close()
        if self._error.value:
            raise take_error(self._error.value)
        if self._trap.value:
            raise take_trap(self._trap.value)
        return load(ctypes.addressof(self._results) + lib.VALUE_OF, self.target.results)


def _fill(slot: Any, kind: str, value: Number) -> None:
    slot.kind = lib.KIND_CODES[kind]
    place = ctypes.addressof(slot) + lib.VALUE_OF
    if kind[0] == "i":
        ctypes.c_uint64.from_address(place).value = int(value)
    else:
        store_float(place, kind, float(value))


class FiberFrame(RawFrame):
    """Adds what a waiting host function remembers; at most one waits at a time."""

    __slots__ = (
        "_arguments",
        "_pin",
        "_run",
        "allocation",
        "ask",
        "failed",
        "owed",
        "result_place",
        "trap_place",
        "value",
    )

    def __init__(self, engine: int) -> None:
        super().__init__(engine)
        self.ask: Ask | None = None
        self.allocation: Future | None = None
        self.failed = False
        self.owed = 0
        self.value: bytes = b""
        self._pin: Target | None = None

    def fuel(self) -> int:
        """Fuel left after what host calls cost; below zero when the guest ran on past its end."""
        return super().fuel() - self.owed

    def deduct(self, fuel: int) -> None:
        """Remember the price until the slice ends: setting fuel inside it would begin the slice anew."""
        left = self.fuel()
        if left <= fuel:
            self.owed += left
            raise Trap("fuel", EXHAUSTED)
        self.owed += fuel

    def settle(self) -> None:
        """Between slices: take what host calls cost."""
        if self.owed:
            self.set_fuel(max(0, self.fuel()))
            self.owed = 0

    def wait(self, run: Callable[..., Any], arguments: tuple[int, ...], results: int, trap: int) -> None:
        """Begin a host call; `proceed` brings it to its end."""
        self._run, self._arguments = run, arguments
        self.result_place, self.trap_place = results, trap
        self.ask = None

    def proceed(self) -> int | None:
        """One step of the waiting host call; its i64 result, or None when it has to wait on."""
        if self.allocation is None:
            value = self._answer()
            if value is None or isinstance(value, int):
                return value
            target, more, self._pin = self.guest.giver()
            self.value, self.giving = value, True
            self.allocation = Future(self, target, (max(len(value), 1), *more))
        if not self.allocation.poll():
            return None
        allocation, self.allocation = self.allocation, None
        place = int(allocation.result())
        if self._pin is not None:
            self.allocation, self._pin = Future(self, self._pin, (place,)), None
            return self.proceed()
        self.giving = False
        self.toll(len(self.value))
        self.put(place, self.value)
        return place << 32 | len(self.value)

    def _answer(self) -> bytes | int | None:
        """The host function's value, 0 for absent; None while the answer is outstanding."""
        if self.ask is not None and not self.ask.answered:
            return None
        if self.ask is not None and self.ask.failure is not None:
            raise Trap("unavailable", self.ask.failure.message)
        try:
            value = self._run(self, *self._arguments)
        except Unknown as unknown:
            self.ask = Ask(self.call, unknown.missing)
            return None
        self.ask = None
        return 0 if value is None else value
