"""The same calls through wasmtime's public classes: slower, for when the fast path refuses its self-test."""

import threading
from time import monotonic
from typing import TYPE_CHECKING, Any

import wasmtime

from runtime.hostwasi import ProgramExit
from runtime.wasmconvention import INITIALIZE, Entry, Target
from runtime.wasmframe import Frame
from runtime.wasmtrap import of_code, of_error
from runtime.wasmtypes import FUEL_PER_MS, TICK_MS, Answer, Limits, Trap

if TYPE_CHECKING:
    from runtime.host import HostCall
    from runtime.wasmguest import Guest

_MASKS = {"i32": 0xFFFF_FFFF, "i64": 0xFFFF_FFFF_FFFF_FFFF}


class Current(threading.local):
    """The frame whose guest runs on this thread."""

    frame: "PublicFrame"


current = Current()


class PublicFrame(Frame):
    """One call's store, instance and memory."""

    __slots__ = ("guest", "instance", "left", "memory", "public")

    def __init__(self, guest: "Guest", limits: Limits, fuel: int) -> None:
        self.guest = guest
        self.public = wasmtime.Store(guest.engine.engine)
        self.public.set_limits(guest.memory(limits), limits.table_elements, 1, 4, 1)
        self.public.set_fuel(fuel)
        self.public.set_epoch_deadline(limits.wall_ms // TICK_MS + 2)
        self.instance: Any = None
        self.memory: Any = None
        self.left: int | None = None

    def size(self) -> int:
        return 0 if self.memory is None else int(self.memory.data_len(self.public))

    def copy(self, place: int, size: int) -> bytes:
        return bytes(self.memory.read(self.public, place, place + size))

    def store(self, place: int, data: bytes) -> None:
        if data:
            self.memory.write(self.public, data, place)

    def fuel(self) -> int:
        return self.public.get_fuel() if self.left is None else self.left

    def set_fuel(self, fuel: int) -> None:
        self.public.set_fuel(fuel)

    def stop(self, error: BaseException) -> None:
        """Public host functions cannot trap without raising, so the guest is starved of fuel instead."""
        if self.error is None:
            self.error = error
            self.left = self.public.get_fuel()
        self.public.set_fuel(0)

    def start(self) -> None:
        """Instantiate, run the start function, find the memory."""
        self.instance = self.guarded(lambda: self.guest.pre.instantiate(self.public))
        if self.guest.has_memory:
            self.memory = self.instance.exports(self.public)["memory"]

    def invoke(self, target: Target, arguments: tuple[int | float, ...]) -> Any:
        """Call one export; integers come back unsigned."""
        function = self.instance.exports(self.public).get(target.name)
        if function is None:
            raise Trap("missing_export", f"the module exports no {target.name}")
        values = [_signed(kind, v) for kind, v in zip(target.params, arguments, strict=True)]
        result = self.guarded(lambda: function(self.public, *values))
        return result & _MASKS[target.results[0]] if isinstance(result, int) else result

    def guarded(self, run: Any) -> Any:
        """Run guest code and turn its failures into ours."""
        trap: Trap | None = None
        result = None
        try:
            result = run()
        except wasmtime.Trap as found:
            trap = of_public(found)
        except wasmtime.WasmtimeError as found:
            trap = of_error(str(found))
        if isinstance(self.error, Trap) and trap is not None:
            self.error.function, self.error.offset = trap.function, trap.offset
        if self.error is not None:
            raise self.error
        if trap is not None:
            raise trap
        return result


def _signed(kind: str, value: int | float) -> int | float:
    if isinstance(value, float):
        return value
    bits = 32 if kind == "i32" else 64
    return value - (1 << bits) if value >> (bits - 1) else value


def of_public(trap: wasmtime.Trap) -> Trap:
    """Our Trap for one of the public classes'."""
    frames = trap.frames
    name = (frames[0].func_name or f"function {frames[0].func_index}")[:200] if frames else ""
    found = frames[0].module_offset if frames else None
    offset = found if found is not None and found < 1 << 32 else None
    code = trap.trap_code
    return of_code(None if code is None else code.value, trap.message, function=name, offset=offset)


def run(guest: "Guest", entry: Entry, request: bytes, call: "HostCall", limits: Limits, fuel: int) -> Answer:
    """One call from a fresh store to its answer; raises Trap with the fuel that was used."""
    frame = PublicFrame(guest, limits, fuel)
    frame.begin(call, limits)
    frame.program(entry.function, request if entry.kind == "wasi" else b"")
    current.frame = frame
    began = monotonic()
    try:
        frame.start()
        if guest.initializes:
            frame.invoke(INITIALIZE, ())
        return Answer(_steps(frame, entry, request), fuel - frame.fuel())
    except ProgramExit as exit:
        raise Trap("exit", str(exit), fuel=fuel - frame.fuel())
    except Trap as trap:
        charged = int((monotonic() - began) * 1000 * FUEL_PER_MS)
        trap.fuel = min(fuel, charged) if trap.kind == "interrupt" else fuel - frame.fuel()
        raise
    finally:
        frame.public.close()


def _steps(frame: PublicFrame, entry: Entry, request: bytes) -> bytes:
    steps = entry.steps(frame, entry, request)
    try:
        target, arguments = next(steps)
        while True:
            try:
                result = frame.invoke(target, arguments)
            except ProgramExit as exit:
                frame.error = None
                target, arguments = steps.throw(exit)
            else:
                target, arguments = steps.send(result)
    except StopIteration as end:
        return bytes(end.value)
