"""Functions of one run of a flow in one store: a module is instantiated once and called for each step that needs it.

Same tenant, same run: what a module keeps in its memory may be seen by later steps of that run, and by nobody else.
A session lives for one stretch that waits for nothing; whatever goes wrong in it ends it, and the next call begins
anew. Fuel, memory and time are bounded for each call as they are for a fresh one.
"""

import threading
from ctypes import addressof, memmove, string_at
from time import monotonic
from typing import TYPE_CHECKING

from runtime import wasmlib as lib
from runtime.host import HostCall
from runtime.hostcalls import Unknown
from runtime.hostwasi import ProgramExit
from runtime.wasmconvention import INITIALIZE, Entry, Target
from runtime.wasmraw import RawFrame, _plain, _steps, current, spent
from runtime.wasmtypes import TICK_MS, Answer, Limits, Suspend, Trap

if TYPE_CHECKING:
    from runtime.wasmengine import Engine
    from runtime.wasmguest import Guest

MAX_MODULES = 8  # instances that one session may hold in the pool
MAX_CALLS = 200  # of one instance: most allocators of guests never free
MAX_GROWTH = 1024 * 1024  # bytes of its memory
LOOK = 8  # after so many calls the size of its memory is looked at, whatever its allocator says
MAX_SEATS = 64
REARM_S = 0.05  # a call may last that much longer than its limit
REASONS = {"kv": "kv", "list": "list", "http": "async", "call": "async"}


class Seat(RawFrame):
    """A module's instance in a session, with its exports found once."""

    __slots__ = ("base", "known", "places", "ready", "room")

    def __init__(self, engine: int) -> None:
        super().__init__(engine)
        self.places: dict[str, lib.Extern] = {}
        self.ready: dict[str, int] = {}  # export -> address of what was found, in this instance
        self.base = self.known = self.room = 0

    def sit(self, guest: "Guest", store: int, context: int) -> None:
        """A new instance in the session's store."""
        self.store_address, self.context, self.guest = store, context, guest
        self.ready.clear()
        self.calls, self.memory_known = 0, False
        self.start(guest)
        # Memories of the pool stay where they are, however they grow.
        self.base = lib.memory_data(context, self.p_memory_of) if self.memory_known else 0
        if guest.initializes:
            self.invoke(INITIALIZE, ())
        self.known = self.size()  # memories never shrink: what was once inside stays inside
        self.room = self.known + MAX_GROWTH

    def copy(self, place: int, size: int) -> bytes:
        return string_at(self.base + place, size)

    def store(self, place: int, data: bytes) -> None:
        memmove(self.base + place, data, len(data))

    def put(self, place: int, data: bytes) -> None:
        if place + len(data) > self.known or not place:
            self.known = self.size()
            return super().put(place, data)
        memmove(self.base + place, data, len(data))

    def take(self, place: int, size: int, limit: int | None = None) -> bytes:
        if place + size > self.known or size > (limit or self.limits.output_bytes):
            self.known = self.size()
            return super().take(place, size, limit)
        return string_at(self.base + place, size)

    def find(self, target: Target) -> None:
        place = self.ready.get(target.name)
        if place is None:
            place = self.look(target)
        self.p_function_of = place

    def look(self, target: Target) -> int:
        if len(self.places) > MAX_CALLS:
            self.places.clear()
        extern = self.places.setdefault(target.name, lib.Extern())
        self.p_function = addressof(extern)
        super().find(target)
        place = self.ready[target.name] = self.p_function + lib.EXTERN_OF
        return place


class Seats(threading.local):
    """The scratch of this thread's sessions: one is open at a time."""

    def __init__(self) -> None:
        self.known: dict[Guest, Seat] = {}
        self.taken = False


_seats = Seats()


class Session:
    """`call` is as Guest.call; `close` gives everything back."""

    __slots__ = ("armed", "context", "engine", "seats", "store", "wall_ms")

    def __init__(self, engine: "Engine") -> None:
        self.engine = engine
        self.store = self.context = 0
        self.seats: dict[Guest, Seat] = {}
        self.armed, self.wall_ms = 0.0, 0  # when, and for how long, the store was given time

    def call(self, guest: "Guest", function: str, request: bytes, call: HostCall, limits: Limits) -> Answer:
        engine = self.engine
        if not engine.raw or guest.wasi or not (guest in self.seats or self.takes(guest)):
            return guest.call(function, request, call, limits)
        entry = guest.entry(function)
        if len(request) > limits.input_bytes:
            raise Trap("input", f"the request is {len(request)} bytes; the limit is {limits.input_bytes}")
        engine.calls += 1
        engine.ticker.begin()
        fuel = limits.inline_fuel if limits.inline_fuel < limits.fuel else limits.fuel
        began = monotonic()
        try:
            return self.run(guest, entry, request, call, limits, fuel, began)
        except Unknown as unknown:
            self.close()
            call.missing.append(unknown.missing)
            raise Suspend(REASONS[unknown.missing.kind])
        except Trap as trap:
            seat = self.seats.get(guest)
            trap.fuel = spent(seat, trap, fuel, began) if seat is not None else fuel
            self.close()
            if trap.kind == "fuel" and fuel < limits.fuel:
                raise Suspend("fuel")
            raise
        except BaseException:
            self.close()
            raise

    def run(
        self,
        guest: "Guest",
        entry: Entry,
        request: bytes,
        call: HostCall,
        limits: Limits,
        fuel: int,
        began: float,
    ) -> Answer:
        if not self.store:
            self.open(guest, limits)
        context = self.context
        lib.set_fuel(context, fuel)
        if limits.wall_ms != self.wall_ms or began - self.armed > REARM_S:
            self.armed, self.wall_ms = began, limits.wall_ms
            lib.set_epoch(context, int(limits.wall_ms + 1000 * REARM_S) // TICK_MS + 2)
        seat = self.seats.get(guest) or self.seat(guest, call, limits)
        seat.begin(call, limits)
        current.frame = seat
        try:
            if entry.kind == "plain-i64":
                body = _plain(seat, entry, request)
            else:
                body = _steps(seat, entry, request)
        except ProgramExit as exit:
            raise Trap("exit", str(exit))
        answer = Answer(body, fuel - seat.fuel())
        seat.calls += 1
        if seat.calls % LOOK == 0:
            seat.known = seat.size()
        if seat.calls >= MAX_CALLS or seat.known > seat.room:
            self.close()
        return answer

    def takes(self, guest: "Guest") -> bool:
        """Whether there is room: modules beyond the eighth are called fresh, so is a session within a session."""
        if self.store:
            return guest in self.seats or len(self.seats) < MAX_MODULES
        return not _seats.taken

    def open(self, guest: "Guest", limits: Limits) -> None:
        self.store = lib.store_new(self.engine.address, None, None)
        self.context = lib.store_context(self.store)
        memory, tables = guest.memory(limits), 4 * MAX_MODULES
        lib.store_limiter(self.store, memory, limits.table_elements, MAX_MODULES, tables, MAX_MODULES)
        _seats.taken = True

    def seat(self, guest: "Guest", call: HostCall, limits: Limits) -> Seat:
        if len(_seats.known) > MAX_SEATS:
            _seats.known.clear()
        seat = _seats.known.get(guest)
        if seat is None:
            seat = _seats.known[guest] = Seat(self.engine.address)
        self.seats[guest] = seat
        seat.begin(call, limits)
        current.frame = seat
        seat.sit(guest, self.store, self.context)
        return seat

    def __del__(self) -> None:
        self.close()  # of a run that was dropped on its way

    def close(self) -> None:
        """Drop all instances; the next call makes new ones."""
        if self.store:
            lib.store_delete(self.store)
            self.store = self.context = 0
            self.seats.clear()
            self.armed = 0.0
            _seats.taken = False
