"""Host functions for the public classes. They never raise: an exception there may surface in another call."""

from collections.abc import Callable
from typing import Any

import wasmtime

from runtime.hosttable import FUNCTIONS, HostFunction
from runtime.wasmpublic import PublicFrame, current

_ZERO = {"i32": 0, "i64": 0, "f64": 0.0}


def linker(engine: Any) -> Any:
    """A linker with every host function."""
    kinds = {"i32": wasmtime.ValType.i32, "i64": wasmtime.ValType.i64, "f64": wasmtime.ValType.f64}
    made = wasmtime.Linker(engine)
    for function in FUNCTIONS:
        params, results = function.signature
        kind = wasmtime.FuncType([kinds[p]() for p in params], [kinds[r]() for r in results])
        made.define_func(function.module, function.name, kind, _callback(function), access_caller=True)
    return made


def _callback(function: HostFunction) -> Callable[..., Any]:
    params, results = function.signature
    default = _ZERO[results[0]] if results else None

    def callback(caller: Any, *arguments: Any) -> Any:
        frame = current.frame
        if frame.error is not None:
            return default
        try:
            if frame.memory is None:
                frame.memory = caller.get("memory")
            frame.charge(function.tariff)
            if function.gives:
                frame.refuse_nesting()
            value = function.run(frame, *map(_unsigned, params, arguments))
            return give(frame, caller, value) if function.gives else value
        except BaseException as error:  # the edge to C: whatever it is, it must not escape here
            frame.stop(error)
            return default

    return callback


def _unsigned(kind: str, value: Any) -> Any:
    return value & 0xFFFF_FFFF if kind == "i32" else value


def give(frame: PublicFrame, caller: Any, value: Any) -> int:
    """Put bytes where the guest's allocator says; ptr << 32 | len, 0 for absent, negative for an error."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    target, more, pin = frame.guest.giver()
    allocator, pinner = caller.get(target.name), pin and caller.get(pin.name)
    frame.giving = True
    found = int(frame.guarded(lambda: allocator(frame.public, max(len(value), 1), *more)))
    if pinner is not None:
        frame.guarded(lambda: pinner(frame.public, found))
    place = found & 0xFFFF_FFFF
    frame.giving = False
    frame.toll(len(value))
    frame.put(place, value)
    return place << 32 | len(value)
