"""Proves at start that the private half of wasmtime's library still behaves as the fast path believes."""

from typing import TYPE_CHECKING

import wasmtime

from runtime.fiber import Fiber
from runtime.host import HostCall, Missing
from runtime.wasmguest import Guest
from runtime.wasmtypes import Answer, Limits, Suspend, Trap

if TYPE_CHECKING:
    from runtime.wasmengine import Engine

_GUEST = """
(module
  (import "priostack" "kv_get" (func $get (param i32 i32) (result i64)))
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "stored") (param i32 i32) (result i64) (call $get (local.get 0) (local.get 1)))
  (func (export "forever") (param i32 i32) (result i64) (loop $l (br $l)) unreachable))
"""
_SMALL = Limits(fuel=20_000)


def check(engine: "Engine") -> None:
    """Raises RuntimeError when any of the four ways of ending a call is not as expected."""
    guest = Guest.compile(engine, bytes(wasmtime.wat2wasm(_GUEST)))
    call = HostCall("self-test", 0)
    _expect(_inline(guest, "stored", call), "kv")
    call.restart()
    _expect(_inline(guest, "forever", call), "fuel")
    fiber = Fiber(guest, "stored", b"key", call, slice_fuel=1_000)
    try:
        _expect(fiber.poll() or [ask.name for ask in fiber.asks], ["key"])
        fiber.asks[0].answer(b"value")
        while not fiber.poll():
            pass
        answer = fiber.result()
    finally:
        fiber.close()
    call.restart()
    call.learn(Missing("kv", "key"), b"value")
    _expect(_inline(guest, "stored", call), answer)
    _expect(answer.body, b"value")


def _inline(guest: Guest, function: str, call: HostCall) -> Answer | str:
    try:
        return guest.call(function, b"key", call, _SMALL)
    except Suspend as suspend:
        return suspend.reason
    except Trap as trap:
        return trap.kind


def _expect(found: object, expected: object) -> None:
    if found != expected:
        raise RuntimeError(f"expected {expected!r}, found {found!r}")
