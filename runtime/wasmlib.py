"""The C functions of the pinned wasmtime wheel, bound twice: keeping the GIL, and releasing it for guests.

Addresses travel as plain integers; whoever makes a call keeps alive what the addresses point at.
"""

import ctypes
from collections.abc import Callable
from ctypes import c_bool, c_char_p, c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from typing import Any

from wasmtime import _ffi as ffi

PINNED = "50.0.1"

_keep = ctypes.PyDLL(str(ffi.filename))
_free = ctypes.CDLL(str(ffi.filename))


def _bind(library: ctypes.CDLL, name: str, result: Any, *args: Any) -> Callable[..., Any]:
    function = library[name]  # item access makes a new object, so both prototypes can differ
    function.restype = result
    function.argtypes = list(args)
    return function


_P = c_void_p
store_new = _bind(_keep, "wasmtime_store_new", _P, _P, _P, _P)
store_delete = _bind(_keep, "wasmtime_store_delete", None, _P)
store_context = _bind(_keep, "wasmtime_store_context", _P, _P)
store_limiter = _bind(_keep, "wasmtime_store_limiter", None, _P, c_int64, c_int64, c_int64, c_int64, c_int64)
set_fuel = _bind(_keep, "wasmtime_context_set_fuel", _P, _P, c_uint64)
get_fuel = _bind(_keep, "wasmtime_context_get_fuel", _P, _P, _P)
set_epoch = _bind(_keep, "wasmtime_context_set_epoch_deadline", None, _P, c_uint64)
yield_interval = _bind(_keep, "wasmtime_context_fuel_async_yield_interval", _P, _P, c_uint64)
increment_epoch = _bind(_keep, "wasmtime_engine_increment_epoch", None, _P)
# Start functions are guest code: the GIL is released. Without one, instantiation is a few microseconds.
instantiate = _bind(_keep, "wasmtime_instance_pre_instantiate", _P, _P, _P, _P, _P)
instantiate_free = _bind(_free, "wasmtime_instance_pre_instantiate", _P, _P, _P, _P, _P)
instantiate_async = _bind(_keep, "wasmtime_instance_pre_instantiate_async", _P, _P, _P, _P, _P, _P)
export_get = _bind(_keep, "wasmtime_instance_export_get", c_bool, _P, _P, c_char_p, c_size_t, _P)
caller_export = _bind(_keep, "wasmtime_caller_export_get", c_bool, _P, c_char_p, c_size_t, _P)
call = _bind(_free, "wasmtime_func_call_unchecked", _P, _P, _P, _P, c_size_t, _P)
call_async = _bind(_keep, "wasmtime_func_call_async", _P, _P, _P, _P, c_size_t, _P, c_size_t, _P, _P)
future_poll = _bind(_free, "wasmtime_call_future_poll", c_bool, _P)
future_delete = _bind(_keep, "wasmtime_call_future_delete", None, _P)
memory_data = _bind(_keep, "wasmtime_memory_data", _P, _P, _P)
memory_size = _bind(_keep, "wasmtime_memory_data_size", c_size_t, _P, _P)
define = _bind(
    _keep,
    "wasmtime_linker_define_func_unchecked",
    *(_P, _P, c_char_p, c_size_t, c_char_p, c_size_t, _P, _P, _P, _P),
)
define_async = _bind(
    _keep,
    "wasmtime_linker_define_async_func",
    *(_P, _P, c_char_p, c_size_t, c_char_p, c_size_t, _P, _P, _P, _P),
)
trap_new_code = _bind(_keep, "wasmtime_trap_new_code", _P, c_uint8)
trap_code = _bind(_keep, "wasmtime_trap_code", c_bool, _P, _P)
trap_message = _bind(_keep, "wasm_trap_message", None, _P, _P)
trap_trace = _bind(_keep, "wasm_trap_trace", None, _P, _P)
trap_delete = _bind(_keep, "wasm_trap_delete", None, _P)
frame_name = _bind(_keep, "wasmtime_frame_func_name", _P, _P)
frame_index = _bind(_keep, "wasm_frame_func_index", c_uint32, _P)
frame_offset = _bind(_keep, "wasm_frame_module_offset", c_size_t, _P)
frames_delete = _bind(_keep, "wasm_frame_vec_delete", None, _P)
error_message = _bind(_keep, "wasmtime_error_message", None, _P, _P)
error_delete = _bind(_keep, "wasmtime_error_delete", None, _P)
bytes_delete = _bind(_keep, "wasm_byte_vec_delete", None, _P)

Instance = ffi.wasmtime_instance_t
Extern = ffi.wasmtime_extern_t
EXTERN_OF: int = Extern.of.offset
Value = ffi.wasmtime_val_t
VALUE_OF: int = Value.of.offset
VALUE_SIZE = ctypes.sizeof(Value)
Continuation = ffi.wasmtime_async_continuation_t

# (env, caller, args and results, how many) -> trap or nothing
HostCallback = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_void_p, c_size_t)
# (env, caller, args, how many, results, how many, trap, continuation)
AsyncCallback = ctypes.CFUNCTYPE(
    None, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p, c_void_p
)
ContinuationCallback = ctypes.CFUNCTYPE(c_bool, c_void_p)

NO_CODE = 255
UNREACHABLE = 9
KIND_CODES = {"i32": 0, "i64": 1, "f32": 2, "f64": 3}


def address(managed: Any) -> int:
    """The address behind an object of the public classes (which must be kept alive)."""
    return ctypes.cast(managed.ptr(), c_void_p).value or 0


def take_message(reader: Callable[..., Any], pointer: int) -> str:
    """The text of a trap or an error."""
    vector = ffi.wasm_byte_vec_t()
    reader(pointer, ctypes.addressof(vector))
    message = ctypes.string_at(vector.data, vector.size).rstrip(b"\0").decode("utf-8", "replace")
    bytes_delete(ctypes.addressof(vector))
    return message


def code_of(trap: int) -> int | None:
    code = c_uint8(NO_CODE)
    return code.value if trap_code(trap, ctypes.addressof(code)) else None


def innermost(trap: int) -> tuple[str, int | None]:
    """Function name and module offset of the innermost guest frame of a trap."""
    vector = ffi.wasm_frame_vec_t()
    trap_trace(trap, ctypes.addressof(vector))
    try:
        if not vector.size:
            return "", None
        frame = ctypes.cast(vector.data[0], c_void_p).value
        name = frame_name(frame)
        offset = frame_offset(frame)
        return _name(name) or f"function {frame_index(frame)}", offset if offset < 1 << 32 else None
    finally:
        frames_delete(ctypes.addressof(vector))


def _name(pointer: int | None) -> str:
    if not pointer:
        return ""
    vector = ffi.wasm_byte_vec_t.from_address(pointer)
    return ctypes.string_at(vector.data, min(vector.size, 200)).decode("utf-8", "replace")
