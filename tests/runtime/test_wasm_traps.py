"""Whatever a guest does to itself ends as a Trap that says what and where; process and next call live (A057, A058)."""
# ruff: noqa: E501 - guests are WAT text

import threading
import time

import pytest

from runtime.wasm import Guest, Limits
from runtime.wasmtypes import FUEL_PER_MS, units
from tests.runtime.sandbox import both, context, load, trap_of
from tests.runtime.wat import ECHO, guest, handler, wasm

SMALL = Limits(fuel=1_000_000)


def alive(module: Guest) -> bool:
    return module.call("echo", b"1", context()).body == b"1"


@both
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("(loop $l (br $l)) unreachable", "fuel"),
        ("unreachable", "unreachable"),
        ("(i64.load (i32.const 0x7fffffff))", "memory"),
        ("(i64.load offset=0xffffffff (i32.const -1))", "memory"),
        ("(i64.div_u (i64.const 1) (i64.const 0))", "division"),
        ("(i64.div_s (i64.const 0x8000000000000000) (i64.const -1))", "division"),
        ("(i64.trunc_f64_s (f64.const nan))", "conversion"),
        ("(memory.fill (i32.const 0) (i32.const 1) (i32.const -1)) (i64.const 0)", "memory"),
    ],
)
def test_a_trap_has_a_kind_a_function_and_an_offset(raw: bool, body: str, kind: str) -> None:
    module = load(guest(ECHO, handler("bad", body)), raw)
    trap = trap_of(module, "bad", limits=SMALL)
    assert trap.kind == kind
    assert trap.function
    assert trap.offset is not None
    assert 0 < trap.fuel <= SMALL.fuel
    assert alive(module)


@both
def test_endless_recursion_ends(raw: bool) -> None:
    recursion = '(func $r (export "deep") (param i32 i32) (result i64) (i64.add (i64.const 1) (call $r (local.get 0) (local.get 1))))'
    module = load(guest(ECHO, recursion), raw)
    trap = trap_of(module, "deep")
    assert (trap.kind, trap.function) == ("stack_overflow", "r")
    assert alive(module)


@both
def test_a_loop_in_the_start_function_ends(raw: bool) -> None:
    module = guest(ECHO, "(func $s (loop $l (br $l))) (start $s)")
    assert trap_of(load(module, raw), "echo", limits=SMALL).kind == "fuel"


@both
def test_a_data_segment_outside_memory_is_a_trap(raw: bool) -> None:
    assert trap_of(load(guest(ECHO, '(data (i32.const 131070) "abcd")'), raw), "echo").kind == "memory"


@both
def test_a_loop_in_alloc_ends(raw: bool) -> None:
    module = wasm("""(module (memory (export "memory") 1)
      (func (export "alloc") (param i32) (result i32) (loop $l (br $l)) unreachable)
      (func (export "f") (param i32 i32) (result i64) (i64.const 0)))""")
    assert trap_of(load(module, raw), "f", limits=SMALL).kind == "fuel"


@both
def test_time_is_limited_where_fuel_is_cheap(raw: bool) -> None:
    fill = "(memory.fill (i32.const 0) (i32.const 1) (i32.const 8388608))"
    module = load(guest(ECHO, handler("slow", f"(loop $l {fill} (br $l)) unreachable"), pages=130), raw)
    limits = Limits(fuel=1 << 50, inline_fuel=1 << 50, wall_ms=60)
    began = time.monotonic()
    trap = trap_of(module, "slow", limits=limits)
    took = time.monotonic() - began
    assert trap.kind == "interrupt"
    assert took < 2
    assert 50 * FUEL_PER_MS < trap.fuel <= (took * 1000 + 1) * FUEL_PER_MS
    assert alive(module)


@both
def test_memory_grows_to_the_limit_and_no_further(raw: bool) -> None:
    grow = """(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
      (i32.store (i32.const 64) (memory.size)) (call $pack (i32.const 64) (i32.const 4))"""
    answer = load(guest(handler("grow", grow)), raw).call("grow", b"", context(), Limits(memory=1 << 20))
    assert int.from_bytes(answer.body, "little") <= 16


@both
def test_a_table_does_not_grow_beyond_its_limit(raw: bool) -> None:
    grow = "(i64.extend_i32_s (table.grow $t (ref.null func) (i32.const 100000)))"
    module = load(
        guest(
            "(table $t 1 funcref)",
            handler(
                "grow",
                f"(drop {grow}) (i32.store (i32.const 64) (table.size $t)) (call $pack (i32.const 64) (i32.const 4))",
            ),
        ),
        raw,
    )
    assert int.from_bytes(module.call("grow", b"", context()).body, "little") == 1


@both
def test_a_module_that_starts_above_the_calls_memory_is_told_so(raw: bool) -> None:
    trap = trap_of(load(guest(ECHO, pages=100), raw), "echo", limits=Limits(memory=1 << 20))
    assert trap.kind == "memory"
    assert "memory" in trap.message


@both
@pytest.mark.parametrize(
    "packed",
    [
        "0x00000400_7fffffff",
        "0x00020000_00000001",
        "0x0001ffff_00000002",
        "0xffffffff_ffffffff",
        "0x80000000_00000000",
    ],
)
def test_a_result_outside_memory_is_refused(raw: bool, packed: str) -> None:
    module = load(guest(ECHO, handler("lie", f"(i64.const {packed})")), raw)
    assert trap_of(module, "lie").kind == "bad_result"
    assert alive(module)


@both
@pytest.mark.parametrize("pointer", ["-1", "0x20000", "0x1fffd", "0x1fffc"])
def test_a_length_prefix_outside_memory_is_refused(raw: bool, pointer: str) -> None:
    lie = f'(func (export "lie") (param i32 i32) (result i32) (i32.store (i32.const 0x1fffc) (i32.const 100)) (i32.const {pointer}))'
    assert trap_of(load(guest(lie), raw), "lie").kind == "bad_result"


@both
@pytest.mark.parametrize("pointer", ["0", "-1", "0x20000", "0x1fffe"])
def test_an_allocator_that_lies_is_refused(raw: bool, pointer: str) -> None:
    module = wasm(f"""(module (memory (export "memory") 2)
      (func (export "alloc") (param i32) (result i32) (i32.const {pointer}))
      (func (export "f") (param i32 i32) (result i64) (i64.const 0)))""")
    assert trap_of(load(module, raw), "f", b"1234").kind == "bad_result"


@both
def test_an_answer_above_the_limit_is_refused(raw: bool) -> None:
    module = load(guest(ECHO), raw)
    trap = trap_of(module, "echo", b"x" * 101, limits=Limits(output_bytes=100))
    assert trap.kind == "bad_result"
    assert "limit is 100" in trap.message


def test_many_threads_call_at_once_and_each_gets_its_own_answer() -> None:
    module = load(guest(ECHO))
    wrong: list[bytes] = []

    def work(number: int) -> None:
        text = str(number).encode() * 50
        wrong.extend(body for _ in range(300) if (body := module.call("echo", text, context()).body) != text)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert module.engine.used() == 0


def test_units_are_rounded_up_and_at_least_one() -> None:
    assert [units(f) for f in (0, 1, 100_000, 100_001, 22_500_000)] == [1, 1, 1, 2, 225]
    assert units(99_999, 2) == 2
