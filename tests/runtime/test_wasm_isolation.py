"""Nothing of one call is seen by another: not memory, not globals, not errors, not effects."""
# ruff: noqa: E501 - guests are WAT text

import sys
import threading

import pytest

from runtime.wasm import Limits, Trap
from tests.runtime.sandbox import both, context, load
from tests.runtime.wat import ECHO, guest, handler

SECRET = b"tenant A's secret"
KEEP = guest(
    ECHO,
    "(global $seen (mut i32) (i32.const 0)) (table $t 4 funcref) (elem declare func $alloc)",
    handler("keep", """(global.set $seen (i32.const 7)) (table.set $t (i32.const 1) (ref.func $alloc))
      (memory.copy (i32.const 100) (local.get $p) (local.get $l))
      (memory.copy (i32.const 120000) (local.get $p) (local.get $l)) (i64.const 0)"""),
    handler("look", """(i32.store (i32.const 64) (global.get $seen))
      (i32.store8 (i32.const 68) (i32.eqz (ref.is_null (table.get $t (i32.const 1))))) (call $pack (i32.const 64) (i32.const 60))"""),
    handler("far", "(call $pack (i32.const 120000) (i32.const 100))"),
    handler("grow", """(drop (memory.grow (i32.const 60))) (memory.fill (i32.const 2900000) (i32.const 255) (i32.const 200000))
      (i64.const 0)"""),
    handler("grown", "(drop (memory.grow (i32.const 60))) (call $pack (i32.const 3000000) (i32.const 1000))"),
)  # fmt: skip


@both
def test_a_secret_of_one_call_is_gone_in_the_next(raw: bool) -> None:
    module = load(KEEP, raw)
    for _ in range(20):
        module.call("keep", SECRET, context())
        assert module.call("look", b"", context()).body == bytes(60)
        assert module.call("far", b"", context()).body == bytes(100)


@both
def test_grown_memory_comes_back_zeroed(raw: bool) -> None:
    module = load(KEEP, raw)
    for _ in range(5):
        module.call("grow", b"", context())
        assert module.call("grown", b"", context()).body == bytes(1000)


@both
def test_another_module_in_the_same_slot_sees_nothing(raw: bool) -> None:
    first = load(KEEP, raw)
    second = load(guest(handler("all", "(call $pack (i32.const 0) (i32.const 4096))")), raw)
    first.call("keep", SECRET, context())
    assert SECRET not in second.call("all", b"", context()).body


@both
def test_an_error_of_one_tenant_never_surfaces_in_anothers_call(raw: bool) -> None:
    # Hazard: the public classes pass host exceptions through a global of their module.
    module = load(
        guest(
            handler(
                "fail",
                "(drop (call $kv_set (local.get $p) (local.get $l) (local.get $p) (local.get $l))) (i64.const 0)",
            ),
            ECHO,
            imports="kv_set",
        ),
        raw,
    )
    wrong: list[str] = []

    def failing() -> None:
        for _ in range(300):
            try:
                module.call("fail", b"k", context(readonly=True))
                wrong.append("no trap")
            except Trap as trap:
                wrong.extend([trap.kind] if trap.kind != "readonly" else [])

    def innocent() -> None:
        for number in range(300):
            try:
                call = context()
                module.call("fail", str(number).encode(), call)
                wrong.extend(["mixed"] if call.writes != {str(number): str(number).encode()} else [])
            except Trap as trap:
                wrong.append(f"innocent: {trap}")

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work) for work in (failing, innocent, failing, innocent)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert wrong == []


@both
def test_an_error_inside_our_own_host_code_traps_and_names_itself(raw: bool) -> None:
    module = load(
        guest(
            handler("f", "(drop (call $kv_get (local.get $p) (local.get $l))) (i64.const 0)"),
            ECHO,
            imports="kv_get",
        ),
        raw,
    )
    call = context()
    call.reads = None  # type: ignore[assignment]
    with pytest.raises(TypeError):
        module.call("f", b"k", call)
    assert module.call("echo", b"fine", context()).body == b"fine"


def test_a_full_pool_says_so_and_recovers() -> None:
    from runtime.fiber import Fiber
    from runtime.wasm import Engine, Guest

    engine = Engine(raw=True, slots=2)
    module = Guest.compile(engine, guest(ECHO, handler("forever", "(loop $l (br $l)) unreachable")))
    fiber = Fiber(module, "forever", b"", context(), Limits(fuel=1 << 40))
    fiber.poll()
    with pytest.raises(Trap) as caught:
        Fiber(module, "forever", b"", context())
    assert caught.value.kind == "pool_full"
    assert module.call("echo", b"x", context()).body == b"x"
    fiber.close()
    assert engine.stats()["used"] == 0
