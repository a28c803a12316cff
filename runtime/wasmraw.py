"""The fast path: one fresh store and instance per call through the C library, with reused scratch buffers."""

import ctypes
import threading
from ctypes import c_double, c_float, c_uint32, c_uint64, c_void_p, memmove, string_at
from time import monotonic
from typing import TYPE_CHECKING, Any

from runtime import wasmlib as lib
from runtime.hostwasi import ProgramExit
from runtime.wasmconvention import ALLOC, INITIALIZE, Entry, Target
from runtime.wasmframe import Frame
from runtime.wasmtrap import take_error, take_trap
from runtime.wasmtypes import FUEL_PER_MS, TICK_MS, Answer, Limits, Trap

if TYPE_CHECKING:
    from runtime.host import HostCall
    from runtime.wasmguest import Guest

MAX_ARGUMENTS = 64
MASK64 = 0xFFFF_FFFF_FFFF_FFFF


class Current(threading.local):
    """The frame whose guest runs on this thread; host functions find their context here."""

    frame: "RawFrame"


current = Current()


class RawFrame(Frame):
    """Scratch buffers for one call at a time; reused by the next, nothing of the guest is."""

    guest: "Guest"
    __slots__ = (
        *("busy", "context", "engine", "guest", "memory_known", "store_address", "wide", "narrow", "calls"),
        *("_instance", "_memory", "_function", "_raw", "_trap", "_fuel"),
        *("p_instance", "p_memory", "p_memory_of", "p_function", "p_function_of", "p_raw", "p_trap"),
        "p_fuel",
    )

    def __init__(self, engine: int) -> None:
        self.engine = engine
        self.busy = False
        self.calls = 0
        self.memory_known = False
        self._instance = lib.Instance()
        self._memory, self._function = lib.Extern(), lib.Extern()
        self._raw = ctypes.create_string_buffer(16 * MAX_ARGUMENTS)
        self._trap, self._fuel = c_void_p(), c_uint64()
        self.p_instance = ctypes.addressof(self._instance)
        self.p_memory = ctypes.addressof(self._memory)
        self.p_memory_of = self.p_memory + lib.EXTERN_OF
        self.p_function = ctypes.addressof(self._function)
        self.p_function_of = self.p_function + lib.EXTERN_OF
        self.p_raw = ctypes.addressof(self._raw)
        self.p_trap, self.p_fuel = ctypes.addressof(self._trap), ctypes.addressof(self._fuel)
        self.wide = (c_uint64 * (2 * MAX_ARGUMENTS)).from_address(self.p_raw)
        self.narrow = (c_uint32 * (4 * MAX_ARGUMENTS)).from_address(self.p_raw)

    # -- the store ----------------------------------------------------------------------------------

    def open(self, limits: Limits, memory: int, fuel: int) -> None:
        """A fresh store with all its limits on."""
        self.store_address = store = lib.store_new(self.engine, None, None)
        self.context = context = lib.store_context(store)
        lib.store_limiter(store, memory, limits.table_elements, 1, 4, 1)
        lib.set_fuel(context, fuel)
        lib.set_epoch(context, limits.wall_ms // TICK_MS + 2)
        self.memory_known = False

    def close(self) -> None:
        lib.store_delete(self.store_address)

    def start(self, guest: "Guest") -> None:
        """Instantiate, run the start function, find the memory."""
        run = lib.instantiate_free if guest.runs_at_start else lib.instantiate
        self._trap.value = None
        error = run(guest.address, self.context, self.p_instance, self.p_trap)
        if error or self._trap.value:
            self.fail(error)
        if guest.has_memory:
            self.memory_known = lib.export_get(self.context, self.p_instance, b"memory", 6, self.p_memory)

    def fail(self, error: int | None) -> None:
        """Raise what a host function left behind, else what the guest did."""
        trap = take_error(error) if error else take_trap(self._trap.value or 0)
        self._trap.value = None
        pending = self.error
        if isinstance(pending, Trap):
            pending.function, pending.offset = trap.function, trap.offset
        raise pending or trap

    # -- guest memory and fuel ------------------------------------------------------------------------

    def size(self) -> int:
        return lib.memory_size(self.context, self.p_memory_of) if self.memory_known else 0

    def copy(self, place: int, size: int) -> bytes:
        return string_at(lib.memory_data(self.context, self.p_memory_of) + place, size)

    def store(self, place: int, data: bytes) -> None:
        memmove(lib.memory_data(self.context, self.p_memory_of) + place, data, len(data))

    def fuel(self) -> int:
        lib.get_fuel(self.context, self.p_fuel)
        return self._fuel.value

    def set_fuel(self, fuel: int) -> None:
        lib.set_fuel(self.context, fuel)

    # -- calling --------------------------------------------------------------------------------------

    def find(self, target: Target) -> None:
        """Load the export into the function scratch."""
        if not lib.export_get(
            self.context, self.p_instance, target.encoded, len(target.encoded), self.p_function
        ):
            raise Trap("missing_export", f"the module exports no {target.name}")

    def invoke(self, target: Target, arguments: tuple[int | float, ...]) -> Any:
        """Call one export; integers come back unsigned."""
        self.find(target)
        wide = self.wide
        place = 0
        for kind, value in zip(target.params, arguments, strict=True):
            if kind[0] == "i":
                wide[place] = int(value)
            else:
                store_float(self.p_raw + 8 * place, kind, float(value))
            place += 2
        error = lib.call(self.context, self.p_function_of, self.p_raw, MAX_ARGUMENTS, self.p_trap)
        if error or self._trap.value:
            self.fail(error)
        return load(self.p_raw, target.results)

    def allocate(self, target: Target, arguments: tuple[int, ...]) -> int:
        """Call the guest's allocator inside a host function; the outer call's scratch stays as it was."""
        function, raw, trap = lib.Extern(), (c_uint64 * 4)(*_spread(arguments)), c_void_p()
        place = ctypes.addressof(function)
        lib.export_get(self.context, self.p_instance, target.encoded, len(target.encoded), place)
        error = lib.call(
            self.context, place + lib.EXTERN_OF, ctypes.addressof(raw), 2, ctypes.addressof(trap)
        )
        if error:
            raise take_error(error)
        if trap.value:
            raise take_trap(trap.value)
        return int(raw[0]) & 0xFFFF_FFFF


def _spread(arguments: tuple[int, ...]) -> list[int]:
    return [word for value in arguments for word in (value, 0)]


def store_float(place: int, kind: str, value: float) -> None:
    (c_float if kind == "f32" else c_double).from_address(place).value = value


def load(place: int, results: tuple[str, ...]) -> int | float | None:
    """The first result at an address, integers unsigned."""
    if not results:
        return None
    kind = results[0]
    if kind == "i64":
        return c_uint64.from_address(place).value
    if kind == "i32":
        return c_uint32.from_address(place).value
    return (c_float if kind == "f32" else c_double).from_address(place).value


def run(
    frame: RawFrame,
    guest: "Guest",
    entry: Entry,
    request: bytes,
    call: "HostCall",
    limits: Limits,
    fuel: int,
) -> Answer:
    """One call from a fresh store to its answer; raises Trap with the fuel that was used."""
    frame.begin(call, limits)
    frame.guest = guest
    current.frame = frame
    began = monotonic()
    frame.open(limits, guest.memory(limits), fuel)
    frame.busy = True
    try:
        if guest.wasi:
            frame.program(entry.function, request if entry.kind == "wasi" else b"")
        frame.start(guest)
        if guest.initializes:
            frame.invoke(INITIALIZE, ())
        if entry.kind == "plain-i64":
            body = _plain(frame, entry, request)
        else:
            body = _steps(frame, entry, request)
        return Answer(body, fuel - frame.fuel())
    except Trap as trap:
        trap.fuel = spent(frame, trap, fuel, began)
        raise
    except ProgramExit as exit:
        raise Trap("exit", str(exit), fuel=fuel - frame.fuel())
    finally:
        frame.busy = False
        frame.close()


def spent(frame: RawFrame, trap: Trap, fuel: int, began: float) -> int:
    """Fuel to charge for a failed call; after an epoch kill the exact figure is lost, so time is charged."""
    if trap.kind == "interrupt":
        return min(fuel, int((monotonic() - began) * 1000 * FUEL_PER_MS))
    return fuel - frame.fuel()


def _plain(frame: RawFrame, entry: Entry, request: bytes) -> bytes:
    """The plain-i64 convention of wasmconvention, unrolled: it is the one that has to be fast."""
    size = len(request)
    narrow = frame.narrow
    frame.find(ALLOC)
    narrow[0] = size
    error = lib.call(frame.context, frame.p_function_of, frame.p_raw, 2, frame.p_trap)
    if error or frame._trap.value:
        frame.fail(error)
    place = narrow[0]
    frame.put(place, request)
    frame.find(entry.target)
    narrow[0] = place
    narrow[4] = size
    error = lib.call(frame.context, frame.p_function_of, frame.p_raw, 2, frame.p_trap)
    if error or frame._trap.value:
        frame.fail(error)
    return frame.take(narrow[1], narrow[0])


def _steps(frame: RawFrame, entry: Entry, request: bytes) -> bytes:
    steps = entry.steps(frame, entry, request)
    try:
        target, arguments = next(steps)
        while True:
            try:
                result = frame.invoke(target, arguments)
            except ProgramExit as exit:
                target, arguments = steps.throw(exit)
            else:
                target, arguments = steps.send(result)
    except StopIteration as end:
        return bytes(end.value)
