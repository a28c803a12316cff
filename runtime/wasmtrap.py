"""Turns wasmtime's traps and errors into our Trap, alike for both ways of calling."""

from runtime import wasmlib as lib
from runtime.wasmtypes import EXHAUSTED, Trap

INTERRUPT = 10
OUT_OF_FUEL = 11
_KINDS = {
    0: ("stack_overflow", "the call stack is exhausted (endless recursion?)"),
    1: ("memory", "memory was accessed outside its bounds"),
    2: ("memory", "an atomic access is not aligned"),
    3: ("table", "a table was accessed outside its bounds"),
    4: ("table", "an indirect call met an empty table entry"),
    5: ("table", "an indirect call met a function of another signature"),
    6: ("division", "an integer overflowed in a division"),
    7: ("division", "an integer was divided by zero"),
    8: ("conversion", "a float does not fit into an integer"),
    9: ("unreachable", "an unreachable instruction was executed (a panic or a failed check)"),
    INTERRUPT: ("interrupt", "the time limit was reached"),
    OUT_OF_FUEL: ("fuel", EXHAUSTED),
}


def of_code(code: int | None, message: str, *, function: str = "", offset: int | None = None) -> Trap:
    """The Trap for a wasmtime trap code, or for a trap without one."""
    kind, text = _KINDS.get(NO if code is None else code, ("trap", message.splitlines()[0][:300]))
    return Trap(kind, text, function=function, offset=offset)


NO = -1


def of_error(message: str) -> Trap:
    """The Trap for an error that is not a guest's trap: a full pool, a limit at instantiation."""
    first = message.split("\nCaused by")[0].splitlines()[0] if message else "failed"
    if "maximum concurrent" in message:
        return Trap("pool_full", "all sandbox slots are in use")
    if "exceeds memory limits" in message or "exceeds table limits" in message:
        return Trap("memory", "the module needs more memory or table space at start than this call may use")
    return Trap("instantiate", first[:300])


def take_trap(pointer: int) -> Trap:
    """Consumes a trap of the C library."""
    function, offset = lib.innermost(pointer)
    found = of_code(
        lib.code_of(pointer), lib.take_message(lib.trap_message, pointer), function=function, offset=offset
    )
    lib.trap_delete(pointer)
    return found


def take_error(pointer: int) -> Trap:
    """Consumes an error of the C library."""
    message = lib.take_message(lib.error_message, pointer)
    lib.error_delete(pointer)
    return of_error(message)
