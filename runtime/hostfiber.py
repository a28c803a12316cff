"""Host functions for fibers: those that return bytes are asynchronous, so waiting takes no thread."""

import ctypes
from collections.abc import Callable
from ctypes import c_int64, c_uint8, c_uint32, c_void_p
from typing import Any

import wasmtime

from runtime import hostraw
from runtime import wasmlib as lib
from runtime.fiberframe import FiberFrame
from runtime.hosttable import FUNCTIONS, HostFunction
from runtime.wasmraw import current

_I64 = lib.KIND_CODES["i64"]


def linker(engine: Any, keep: hostraw.Keep) -> Any:
    """A linker with every host function, the giving ones as asynchronous functions."""
    made = wasmtime.Linker(engine)
    for function in FUNCTIONS:
        if function.gives:
            callback: Any = lib.AsyncCallback(_waiting(function))
            hostraw.define(made, function, lib.define_async, callback)
        else:
            callback = lib.HostCallback(hostraw.callback(function))
            hostraw.define(made, function, lib.define, callback)
        keep.append(callback)
    return made


def _waiting(function: HostFunction) -> Callable[..., None]:
    count = len(function.signature.params)

    def callback(  # the C library's own eight
        _env: Any, caller: int, args: int, _n: int, results: int, _m: int, trap: int, continuation: int
    ) -> None:
        frame = current.frame
        assert isinstance(frame, FiberFrame)
        c_void_p.from_address(continuation).value = _RESUME_ADDRESS
        try:
            hostraw.memory_of(frame, caller)
            frame.charge(function.tariff)
            frame.refuse_nesting()
            place = args + lib.VALUE_OF
            values = tuple(c_uint32.from_address(place + i * lib.VALUE_SIZE).value for i in range(count))
            frame.wait(function.run, values, results, trap)
        except BaseException as error:  # the edge to C: whatever it is, it must not escape here
            frame.failed = True
            c_void_p.from_address(trap).value = hostraw.trap(frame, error)

    return callback


def _resume(_env: Any) -> bool:
    """Polled by wasmtime until it is true; then the result, or the trap, stands where wasmtime reads it."""
    frame = current.frame
    assert isinstance(frame, FiberFrame)
    if frame.failed:
        frame.failed = False
        return True
    try:
        value = frame.proceed()
    except BaseException as error:  # the edge to C, as above
        c_void_p.from_address(frame.trap_place).value = hostraw.trap(frame, error)
        return True
    if value is None:
        return False
    c_uint8.from_address(frame.result_place).value = _I64
    c_int64.from_address(frame.result_place + lib.VALUE_OF).value = value
    return True


_RESUME = lib.ContinuationCallback(_resume)
_RESUME_ADDRESS = ctypes.cast(_RESUME, c_void_p).value
