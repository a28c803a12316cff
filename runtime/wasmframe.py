"""One running guest as host functions and conventions see it; subclasses say how memory is reached."""

from abc import ABC, abstractmethod

from runtime.host import HostCall
from runtime.wasmtypes import EXHAUSTED, Limits, Trap

# Copies beyond this cost one fuel a byte; smaller ones are in the tariff.
FREE_BYTES = 1_024
MASK32 = 0xFFFF_FFFF


class Frame(ABC):
    """Context, limits, the pending error, and a WASI program's arguments and streams."""

    __slots__ = ("argument", "call", "error", "giving", "limits", "stdin", "stdin_place", "stdout")

    call: HostCall
    limits: Limits

    def begin(self, call: HostCall, limits: Limits) -> None:
        """Point this frame at a new call; nothing of the previous one stays."""
        self.call = call
        self.limits = limits
        self.error: BaseException | None = None
        self.giving = False

    def program(self, argument: str, stdin: bytes) -> None:
        """Set up what a WASI command reads."""
        self.argument = argument
        self.stdin = stdin
        self.stdin_place = 0
        self.stdout = bytearray()

    @abstractmethod
    def size(self) -> int:
        """Bytes of guest memory now; 0 when it exports none."""

    @abstractmethod
    def copy(self, place: int, size: int) -> bytes:
        """Copy memory whose bounds were checked."""

    @abstractmethod
    def store(self, place: int, data: bytes) -> None:
        """Write memory whose bounds were checked."""

    @abstractmethod
    def fuel(self) -> int:
        """Fuel that is left."""

    @abstractmethod
    def set_fuel(self, fuel: int) -> None:
        """Set the fuel that is left."""

    def check(self, place: int, size: int) -> None:
        """A range that a guest named in a host call has to lie inside memory as it is now."""
        if place + size > self.size():
            raise Trap("bad_pointer", f"a host call named {size} bytes at {place}, outside memory")

    def read(self, place: int, size: int) -> bytes:
        """Memory a guest pointed at in a host call."""
        self.check(place, size)
        self.toll(size)
        return self.copy(place, size)

    def write(self, place: int, data: bytes) -> None:
        """Memory a guest asked to have filled in a host call."""
        self.check(place, len(data))
        self.toll(len(data))
        self.store(place, data)

    def put(self, place: int, data: bytes) -> None:
        """Fill what the guest's allocator returned."""
        if not place or place + len(data) > self.size():
            raise Trap("bad_result", f"alloc({len(data)}) returned {place}, outside memory")
        self.store(place, data)

    def take(self, place: int, size: int, limit: int | None = None) -> bytes:
        """The bytes of a result."""
        if size > (limit or self.limits.output_bytes):
            raise Trap("bad_result", f"the result is {size} bytes; the limit is {self.limits.output_bytes}")
        if place + size > self.size():
            raise Trap("bad_result", f"the result names {size} bytes at {place}, outside memory")
        return self.copy(place, size)

    def refuse_nesting(self) -> None:
        """An allocator that asks for host data while host data is being returned would nest without end."""
        if self.giving:
            raise Trap("host_calls", "the allocator may not call host functions that return data")

    def charge(self, tariff: int) -> None:
        """Count one host call and deduct its price."""
        call = self.call
        call.host_calls += 1
        if call.host_calls > self.limits.host_calls:
            raise Trap("host_calls", f"more than {self.limits.host_calls} host calls in one run")
        self.deduct(tariff)

    def toll(self, size: int) -> None:
        """Take fuel for a large copy."""
        if size > FREE_BYTES:
            self.deduct(size)

    def deduct(self, fuel: int) -> None:
        """Take fuel for work that the host does for the guest."""
        left = self.fuel()
        if left <= fuel:
            self.set_fuel(0)
            raise Trap("fuel", EXHAUSTED)
        self.set_fuel(left - fuel)
