"""Functions of one run of a flow in one store: a module is instantiated once and called for each step that needs it.

Same tenant, same run: what a module keeps in its memory may be seen by later steps of that run, and by nobody else.
A session lives for one stretch that waits for nothing; whatever goes wrong in it ends it, and the next call begins
anew. Fuel, memory and time are bounded for each call as they are for a fresh one.
"""

import threading
from ctypes import addressof, c_char, memmove, string_at
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from runtime import wasmlib as lib
from runtime.host import HostCall
from runtime.hostcalls import Unknown
from runtime.hostwasi import ProgramExit
from runtime.wasmconvention import ALLOC, INITIALIZE, Entry, Target
from runtime.wasmraw import RawFrame, _steps, current, spent
from runtime.wasmtypes import INLINE_FUEL, TICK_MS, Limits, Suspend, Trap

if TYPE_CHECKING:
    from runtime.wasmengine import Engine
    from runtime.wasmguest import Guest

MAX_MODULES = 8  # instances that one session may hold in the pool
MAX_CALLS = 200  # of one instance: most allocators of guests never free
MAX_GROWTH = 1024 * 1024  # bytes of its memory
LOOK = 8  # after so many calls the size of its memory is looked at, whatever its allocator says
MAX_SEATS = 64
REARM_S = 0.05  # a call may last that much longer than its limit
ENOUGH = INLINE_FUEL * 7 // 8  # left in the store, it need not be filled up for another call
lib_call, set_fuel, get_fuel = lib.call, lib.set_fuel, lib.get_fuel
FINAL = frozenset({"fuel", "interrupt", "missing_export", "exit"})  # a fresh instance would end in them too
REASONS = {"kv": "kv", "list": "list", "http": "async", "call": "async"}


class Way(NamedTuple):
    """An export of a seat's instance, found once; without an allocator it is called step by step."""

    entry: Entry
    alloc: int
    function: int


class Seat(RawFrame):
    """A module's instance in a session, with its exports found once."""

    __slots__ = ("base", "inside", "known", "places", "ready", "room", "view", "ways")

    def __init__(self, engine: int) -> None:
        super().__init__(engine)
        self.places: dict[str, lib.Extern] = {}
        self.ready: dict[str, int] = {}  # export -> address of what was found, in this instance
        self.ways: dict[str, Way] = {}  # function -> how it is called, in this instance
        self.base = self.known = self.room = 0
        # Its memory as far as it is known, to read (slices of it are bytes) and to write.
        self.inside: Any = (c_char * 0)()
        self.view = memoryview(b"")

    def sit(self, guest: "Guest", store: int, context: int) -> None:
        """A new instance in the session's store."""
        self.store_address, self.context, self.guest = store, context, guest
        self.ready.clear()
        self.ways.clear()
        self.calls, self.memory_known = 0, False
        self.start(guest)
        # Memories of the pool stay where they are, however they grow.
        base = lib.memory_data(context, self.p_memory_of) if self.memory_known else 0
        if guest.initializes:
            self.invoke(INITIALIZE, ())
        size = self.size()
        if base != self.base or size != self.known:
            self.base = base
            self.reach(size)
        self.room = size + MAX_GROWTH

    def reach(self, size: int) -> None:
        """Memories never shrink: what was once inside stays inside."""
        self.known = size
        self.inside = (c_char * size).from_address(self.base) if self.base else (c_char * 0)()
        self.view = memoryview(self.inside).cast("B")

    def look_again(self) -> None:
        size = self.size()
        if size != self.known:
            self.reach(size)

    def copy(self, place: int, size: int) -> bytes:
        return string_at(self.base + place, size)

    def store(self, place: int, data: bytes) -> None:
        memmove(self.base + place, data, len(data))

    def put(self, place: int, data: bytes) -> None:
        end = place + len(data)
        if end > self.known or not place:
            self.look_again()
            return super().put(place, data)
        self.view[place:end] = data

    def take(self, place: int, size: int, limit: int | None = None) -> bytes:
        if place + size > self.known or size > (limit or self.limits.output_bytes):
            self.look_again()
            return super().take(place, size, limit)
        data: bytes = self.inside[place : place + size]
        return data

    def way(self, entry: Entry) -> Way:
        """How to call a function that was looked up in the module."""
        if len(self.ways) > MAX_CALLS:
            self.ways.clear()
        plain = entry.kind == "plain-i64"
        alloc, function = (self.look(ALLOC), self.look(entry.target)) if plain else (0, 0)
        found = self.ways[entry.function] = Way(entry, alloc, function)
        return found

    def find(self, target: Target) -> None:
        self.p_function_of = self.look(target)

    def look(self, target: Target) -> int:
        place = self.ready.get(target.name)
        if place is not None:
            return place
        if len(self.places) > MAX_CALLS:
            self.places.clear()
            self.ready.clear()
            self.ways.clear()
        extern = self.places.get(target.name)
        if extern is None:
            extern = self.places[target.name] = lib.Extern()
        self.p_function = addressof(extern)
        super().find(target)
        place = self.ready[target.name] = self.p_function + lib.EXTERN_OF
        return place

    def plain(self, way: Way, request: bytes) -> bytes:
        """The plain-i64 convention of wasmconvention, unrolled: it is the one that has to be fast."""
        size, narrow, trap = len(request), self.narrow, self._trap
        narrow[0] = size
        error = lib_call(self.context, way.alloc, self.p_raw, 2, self.p_trap)
        if error or trap.value:
            self.fail(error)
        place = narrow[0]
        end = place + size
        if end > self.known or not place:
            self.put(place, request)
        else:
            self.view[place:end] = request
        narrow[0], narrow[4] = place, size
        error = lib_call(self.context, way.function, self.p_raw, 2, self.p_trap)
        if error or trap.value:
            self.fail(error)
        size, place = narrow[0], narrow[1]
        if place + size > self.known or size > self.limits.output_bytes:
            return self.take(place, size)
        data: bytes = self.inside[place : place + size]
        return data


class Seats(threading.local):
    """The scratch of this thread's sessions: one is open at a time."""

    def __init__(self) -> None:
        self.known: dict[Guest, Seat] = {}
        self.taken = False


_seats = Seats()


class Session:
    """`call` is as Guest.call; `close` gives everything back."""

    __slots__ = ("armed", "context", "engine", "fuel", "seats", "store", "wall_ms")

    def __init__(self, engine: "Engine") -> None:
        self.engine = engine
        self.store = self.context = 0
        self.seats: dict[Guest, Seat] = {}
        self.armed, self.wall_ms = 0.0, 0  # when, and for how long, the store was given time
        self.fuel = 0  # what the store has

    def call(
        self, guest: "Guest", function: str, request: bytes, call: HostCall, limits: Limits
    ) -> tuple[bytes, int]:
        seat = self.seats.get(guest)
        if seat is None and not self.takes(guest):
            return guest.call(function, request, call, limits)
        way = seat.ways.get(function) if seat is not None else None
        entry = guest.entry(function) if way is None else way.entry
        if len(request) > limits.input_bytes:
            raise Trap("input", f"the request is {len(request)} bytes; the limit is {limits.input_bytes}")
        self.engine.calls += 1
        fuel = limits.inline_fuel if limits.inline_fuel < limits.fuel else limits.fuel
        began = monotonic()
        try:
            if not self.store:
                self.open(guest, limits)
            if self.fuel < ENOUGH or fuel != INLINE_FUEL or fuel == limits.fuel:
                set_fuel(self.context, fuel)
                self.fuel = fuel
            if limits.wall_ms != self.wall_ms or began - self.armed > REARM_S:
                self.arm(limits.wall_ms, began)
            if seat is None:
                seat = self.seat(guest, call, limits)
            seat.call, seat.limits, seat.error, seat.giving = call, limits, None, False
            current.frame = seat
            if way is None:
                way = seat.way(entry)
            body = seat.plain(way, request) if way.alloc else _steps(seat, entry, request)
            get_fuel(self.context, seat.p_fuel)
            left = seat._fuel.value
        except BaseException as problem:
            kept = seat is not None and seat.calls
            ended = self.fell(problem, guest, call, limits, fuel, began)
            if kept and isinstance(ended, Trap) and ended.kind not in FINAL:
                return anew(guest, function, request, call, limits, ended)
            raise ended
        used, self.fuel = self.fuel - left, left
        seat.calls += 1
        if not seat.calls % LOOK:
            self.check(seat)
        return body, used

    def fell(
        self,
        problem: BaseException,
        guest: "Guest",
        call: HostCall,
        limits: Limits,
        fuel: int,
        began: float,
    ) -> BaseException:
        """Nothing is left of the session; what to raise of what went wrong in it."""
        if isinstance(problem, ProgramExit):
            problem = Trap("exit", str(problem))
        if isinstance(problem, Trap):
            seat = self.seats.get(guest)
            problem.fuel = spent(seat, problem, self.fuel, began) if seat is not None else fuel
        self.close()
        if isinstance(problem, Unknown):
            call.missing.append(problem.missing)
            return Suspend(REASONS[problem.missing.kind])
        if isinstance(problem, Trap) and problem.kind == "fuel" and fuel < limits.fuel:
            return Suspend("fuel")
        return problem

    def arm(self, wall_ms: int, now: float) -> None:
        """Time for the calls of the next moment, as much as each of them may have."""
        self.engine.ticker.begin()  # it goes on for longer than this holds
        self.armed, self.wall_ms = now, wall_ms
        lib.set_epoch(self.context, int(wall_ms + 1000 * REARM_S) // TICK_MS + 2)

    def check(self, seat: Seat) -> None:
        """Looked at now and then: whether the instance has grown too much or was called too often."""
        seat.look_again()
        if seat.calls >= MAX_CALLS or seat.known > seat.room:
            self.close()

    def takes(self, guest: "Guest") -> bool:
        """Whether there is room: modules beyond the eighth are called fresh, so is a session within a session."""
        if guest.wasi or not self.engine.raw:
            return False
        return len(self.seats) < MAX_MODULES if self.store else not _seats.taken

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
            self.armed, self.fuel = 0.0, 0
            _seats.taken = False


def anew(  # as Guest.call, after a fall
    guest: "Guest", function: str, request: bytes, call: HostCall, limits: Limits, fall: Trap
) -> tuple[bytes, int]:
    """Once more, fresh: what earlier calls left in the instance, as a heap that is full, may have been why it fell."""
    call.restart()
    try:
        body, fuel = guest.call(function, request, call, limits)
    except Trap as trap:
        trap.fuel += fall.fuel
        raise
    return body, fuel + fall.fuel
