"""What goes into a guest call and what comes out: limits, answer, trap, suspend, and the unit of charge."""

from dataclasses import dataclass
from typing import NamedTuple

FUEL_PER_UNIT = 100_000
# What a step outside of guests is charged as: of a template, an expression, a message of a flow. 0.1 µs or more.
STEP_FUEL = 1_000
# Fuel that one millisecond of running is charged as when the exact figure is lost (epoch kill).
FUEL_PER_MS = 5_000_000
INLINE_FUEL = 2_000_000
SLICE_FUEL = 1_000_000
TICK_MS = 10
EXHAUSTED = "the compute units of this call are used up"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one call; the contract and the plan move them."""

    fuel: int = 10_000_000
    memory: int = 16 * 1024 * 1024
    wasi_memory: int = 64 * 1024 * 1024
    input_bytes: int = 1024 * 1024
    output_bytes: int = 1024 * 1024
    host_calls: int = 1_000
    wall_ms: int = 2_000
    table_elements: int = 10_000
    inline_fuel: int = INLINE_FUEL


class Answer(NamedTuple):
    """The guest's own JSON bytes and the fuel they cost, host-call tariff included."""

    body: bytes
    fuel: int


class Trap(Exception):
    """The call ended without an answer; `kind` decides the status, the rest tells the author where."""

    def __init__(  # the five facts of a trap, all of them shown to the author
        self, kind: str, message: str, *, function: str = "", offset: int | None = None, fuel: int = 0
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.function = function
        self.offset = offset
        self.fuel = fuel
        self.logs: list[tuple[str, str]] = []  # what the guest logged before it fell

    def __str__(self) -> str:
        place = f" in {self.function}" if self.function else ""
        return f"{self.message}{place}" + (f" at 0x{self.offset:x}" if self.offset is not None else "")


class Suspend(Exception):
    """An inline attempt lacks something: kv, list, async or fuel. Nothing outside has happened."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def units(fuel: int, tariff: int = 0) -> int:
    """Compute units to charge for `fuel` (and a tariff that was not deducted inside the call); at least 1."""
    return max(1, -(-(fuel + tariff) // FUEL_PER_UNIT))
