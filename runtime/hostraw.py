"""Host functions as C callbacks. They never raise into wasmtime: an error goes into the frame and traps."""

import ctypes
from collections.abc import Callable
from ctypes import c_double, c_int64, string_at
from struct import Struct
from typing import Any

import wasmtime

from bundles.wasmimports import Signature
from runtime import wasmlib as lib
from runtime.hosttable import FUNCTIONS, HostFunction
from runtime.wasmraw import RawFrame, current

# Argument slots are 16 bytes wide.
_SLOTS = {"i32": "I12x", "i64": "q8x", "f32": "f12x", "f64": "d8x"}
Keep = list[Any]


def unpacker(signature: Signature) -> Struct:
    return Struct("<" + "".join(_SLOTS[kind] for kind in signature.params))


def trap(frame: RawFrame, error: BaseException) -> int:
    """Remember why (the first reason, when an allocator failed inside a host call), and stop the guest."""
    if frame.error is None:
        frame.error = error
    return int(lib.trap_new_code(lib.UNREACHABLE))  # one with a code carries the guest's frames


def memory_of(frame: RawFrame, caller: int) -> None:
    """A start function runs before the exports are known; the caller's memory is the same one."""
    if not frame.memory_known:
        frame.memory_known = lib.caller_export(caller, b"memory", 6, frame.p_memory)


def callback(function: HostFunction) -> Callable[[Any, int, int, int], int | None]:
    shape = unpacker(function.signature)
    size, unpack = shape.size, shape.unpack
    run, tariff, gives = function.run, function.tariff, function.gives
    results = function.signature.results

    def enter(_env: Any, caller: int, raw: int, _count: int) -> int | None:
        frame = current.frame
        try:
            memory_of(frame, caller)
            frame.charge(tariff)
            if gives:
                frame.refuse_nesting()
            value: Any = run(frame, *unpack(string_at(raw, size)))
            if gives:
                value = give(frame, value)
            if results:
                (c_double if results[0] == "f64" else c_int64).from_address(raw).value = value
        except BaseException as error:  # the edge to C: whatever it is, it must not escape here
            return trap(frame, error)
        return None

    return enter


def give(frame: RawFrame, value: bytes | int | None) -> int:
    """Put bytes where the guest's allocator says; ptr << 32 | len, 0 for absent, negative for an error."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    target, more, pin = frame.guest.giver()
    frame.giving = True
    place = frame.allocate(target, (max(len(value), 1), *more))
    if pin is not None:
        frame.allocate(pin, (place,))
    frame.giving = False
    frame.toll(len(value))
    frame.put(place, value)
    return place << 32 | len(value)


def linker(engine: Any, keep: Keep) -> Any:
    """A linker with every host function; what must outlive it goes into `keep`."""
    made = wasmtime.Linker(engine)
    for function in FUNCTIONS:
        entered = lib.HostCallback(callback(function))
        keep.append(entered)
        define(made, function, lib.define, entered)
    return made


def define(made: Any, function: HostFunction, definer: Callable[..., Any], callback: Any) -> None:
    # A FuncType used with two engines aborts the process: one for each definition.
    kinds = {"i32": wasmtime.ValType.i32, "i64": wasmtime.ValType.i64, "f64": wasmtime.ValType.f64}
    signature = function.signature
    kind = wasmtime.FuncType([kinds[p]() for p in signature.params], [kinds[r]() for r in signature.results])
    module, name = function.module.encode(), function.name.encode()
    error = definer(
        lib.address(made),
        *(module, len(module), name, len(name)),
        lib.address(kind),
        ctypes.cast(callback, ctypes.c_void_p),
        *(None, None),
    )
    if error:
        raise RuntimeError(lib.take_message(lib.error_message, error))


__all__ = ["Keep", "callback", "define", "give", "linker", "memory_of", "trap", "unpacker"]
