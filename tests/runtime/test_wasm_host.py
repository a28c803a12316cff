"""What a guest may ask of its host, what each answer looks like, and what is refused (A063, A065, A068)."""
# ruff: noqa: E501 - guests are WAT text

import json

import pytest

from runtime.fiber import Fiber
from runtime.host import MAX_LOGS, MAX_VALUE, MAX_WRITES, HostCall, HostFailure, Missing
from runtime.hostcalls import TARIFF
from runtime.wasm import Guest, Limits
from tests.runtime.sandbox import NOW, both, context, finish, load, suspended, trap_of
from tests.runtime.wat import guest, handler, wasm

ALL = "log signal fire kv_get kv_set kv_delete kv_list secret now_ms random http call"
CODE = "(i32.store (i32.const 8) {0}) (call $pack (i32.const 8) (i32.const 4))"
WIDE = "(i64.store (i32.const 8) {0}) (call $pack (i32.const 8) (i32.const 8))"
BOTH = "(local.get $p) (local.get $l)"
MODULE = guest(
    handler("log", f"(call $log (i32.const 2) {BOTH}) (i64.const 0)"),
    handler("loud", f"(call $log (i32.const 99) {BOTH}) (i64.const 0)"),
    handler("signal", CODE.format(f"(call $signal {BOTH} (f64.const 1.5))")),
    handler("signal_nan", CODE.format(f"(call $signal {BOTH} (f64.const nan))")),
    handler("fire", CODE.format(f"(call $fire {BOTH} {BOTH})")),
    handler("get", f"(call $kv_get {BOTH})"),
    handler("raw_get", WIDE.format(f"(call $kv_get {BOTH})")),
    handler("set", CODE.format(f"(call $kv_set {BOTH} {BOTH})")),
    handler("set_get", f"(drop (call $kv_set {BOTH} {BOTH})) (call $kv_get {BOTH})"),
    handler("delete", CODE.format(f"(call $kv_delete {BOTH})")),
    handler("set_delete_get", f"(drop (call $kv_set {BOTH} {BOTH})) (drop (call $kv_delete {BOTH}))"
            + WIDE.format(f"(call $kv_get {BOTH})")),
    handler("list", f"(call $kv_list {BOTH})"),
    handler("set_list", f"(drop (call $kv_set {BOTH} {BOTH})) (call $kv_list (i32.const 0) (i32.const 0))"),
    handler("secret", f"(call $secret {BOTH})"),
    handler("raw_secret", WIDE.format(f"(call $secret {BOTH})")),
    handler("now", WIDE.format("(call $now_ms)")),
    handler("random", WIDE.format("(call $random)")),
    handler("http", f"(call $http {BOTH})"),
    handler("raw_http", WIDE.format(f"(call $http {BOTH})")),
    handler("call", f"(call $call {BOTH} {BOTH})"),
    handler("storm", f"(loop $l (call $log (i32.const 1) {BOTH}) (br $l)) unreachable"),
    handler("writes", f"(local $i i32) (loop $l (i32.store (local.get $p) (local.get $i))"
            f" (i32.store8 (local.get $p) (i32.const 65))"
            f" (drop (call $kv_set {BOTH} {BOTH})) (local.set $i (i32.add (local.get $i) (i32.const 256)))"
            f" (br_if $l (i32.lt_u (local.get $i) (i32.const 65536)))) (i64.const 0)"),
    imports=ALL,
)  # fmt: skip
FREE = Limits(fuel=1 << 40, inline_fuel=1 << 40, host_calls=1 << 30)


@pytest.fixture(params=[True, False], ids=["raw", "public"])
def module(request: pytest.FixtureRequest) -> Guest:
    return load(MODULE, request.param)


def code(module: Guest, function: str, request: bytes, call: HostCall) -> int:
    return int.from_bytes(module.call(function, request, call).body, "little", signed=True)


def test_log_lines_keep_their_order_and_level(module: Guest) -> None:
    call = context()
    module.call("log", "första".encode(), call)
    module.call("loud", b"\xff\xfe", call)
    assert call.logs == [("warning", "första"), ("info", "\ufffd\ufffd")]


def test_signals_and_fires_are_collected(module: Guest) -> None:
    call = context()
    assert code(module, "signal", b"orders", call) == 0
    assert code(module, "fire", b"newOrder", call) == 0
    assert (call.signals, call.fires) == ([("orders", 1.5)], [("newOrder", b"newOrder")])


@pytest.mark.parametrize("name", [b"", b"\xff", b"n" * 201])
def test_bad_names_are_refused_and_nothing_is_kept(module: Guest, name: bytes) -> None:
    call = context()
    assert [code(module, f, name, call) for f in ("signal", "fire")] == [-1, -1]
    assert code(module, "signal_nan", b"ok", call) == -1
    assert (call.signals, call.fires) == ([], [])


def test_an_unknown_value_suspends_and_a_known_one_is_given(module: Guest) -> None:
    call = context()
    assert suspended(module, "get", b"cart:1", call) == "kv"
    assert call.missing == [Missing("kv", "cart:1")]
    call.learn(call.missing[0], b'{"items":[]}')
    call.restart()
    assert module.call("get", b"cart:1", call).body == b'{"items":[]}'


def test_an_absent_value_is_zero_and_an_empty_one_is_not(module: Guest) -> None:
    call = context()
    call.reads.update({"absent": None, "empty": b""})
    assert code(module, "raw_get", b"absent", call) == 0
    assert code(module, "raw_get", b"empty", call) > 0
    assert module.call("get", b"empty", call).body == b""


def test_reads_see_own_writes_without_asking(module: Guest) -> None:
    call = context()
    assert module.call("set_get", b"k", call).body == b"k"
    assert call.writes == {"k": b"k"}
    assert code(module, "set_delete_get", b"k", call) == 0
    assert call.writes == {"k": None}
    assert call.missing == []


@pytest.mark.parametrize("key", [b"", b"\xc3", b"k" * 513])
def test_bad_keys_are_refused_and_nothing_is_written(module: Guest, key: bytes) -> None:
    call = context()
    assert [code(module, f, key, call) for f in ("set", "delete")] == [-1, -1]
    assert code(module, "raw_get", key, call) == -1
    assert (call.writes, call.missing) == ({}, [])


def test_a_value_above_256_kib_is_refused(module: Guest) -> None:
    big = guest(handler("set", CODE.format(f"(call $kv_set {BOTH} (i32.const 0) (i32.const {MAX_VALUE + 1}))")),
                imports="kv_set", pages=8)  # fmt: skip
    call = context()
    assert code(load(big, module.engine.raw), "set", b"k", call) == -1
    assert call.writes == {}


def test_no_more_than_a_thousand_keys_are_written() -> None:
    call = context()
    assert [call.write(f"k{n}", b"") for n in range(MAX_WRITES + 1)][-2:] == [0, -2]
    assert call.write("k0", b"again") == 0
    assert len(call.writes) == MAX_WRITES
    assert call.write("k0", b"x" * (17 << 20)) == -2


def test_a_listing_is_asked_once_and_shows_own_changes(module: Guest) -> None:
    call = context()
    assert suspended(module, "set_list", b"b", call) == "list"
    call.learn(call.missing[0], ["a", "c"])
    call.restart()
    assert json.loads(module.call("set_list", b"b", call).body) == ["a", "b", "c"]
    call.write("a", None)
    assert json.loads(module.call("set_list", b"b", call).body) == ["b", "c"]


def test_only_granted_secrets_are_read(module: Guest) -> None:
    call = context(secrets={"STRIPE": "sk_test"})
    assert module.call("secret", b"STRIPE", call).body == b"sk_test"
    assert code(module, "raw_secret", b"OTHER", call) == 0


def test_time_stands_still_and_random_repeats_for_the_same_execution(module: Guest) -> None:
    assert code(module, "now", b"", context()) == NOW
    first, again, other = (code(module, "random", b"", context(name)) for name in ("a", "a", "b"))
    assert first == again != other
    call = context("a")
    drawn = [code(module, "random", b"", call) for _ in range(2)]
    assert drawn[0] == first != drawn[1]
    call.restart()
    assert code(module, "random", b"", call) == first


@pytest.mark.parametrize("kind", ["http", "call"])
def test_outside_calls_suspend_and_their_answers_replay(module: Guest, kind: str) -> None:
    call = context()
    assert suspended(module, kind, b"wasm:a:b", call) == "async"
    assert call.missing[0] == Missing(kind, "wasm:a:b" if kind == "call" else "", b"wasm:a:b")
    call.learn(call.missing[0], b'{"ok":true}')
    call.restart()
    assert module.call(kind, b"wasm:a:b", call).body == b'{"ok":true}'


def test_a_failed_outside_call_is_a_negative_code_and_a_log_line(module: Guest) -> None:
    call = context()
    call.learn(Missing("http", ""), HostFailure("connection refused"))
    assert code(module, "raw_http", b"{}", call) == -4
    assert call.logs == [("warning", "http: connection refused")]


def test_a_validation_may_not_write_or_fire(module: Guest) -> None:
    for function in ("set", "delete", "fire"):
        call = context(readonly=True)
        assert trap_of(module, function, b"k", call).kind == "readonly"
        assert (call.writes, call.fires) == ({}, [])


def test_a_storm_of_host_calls_ends_at_the_cap(module: Guest) -> None:
    call = context()
    trap = trap_of(module, "storm", b"x", call, Limits(fuel=1 << 40, inline_fuel=1 << 40))
    assert trap.kind == "host_calls"
    assert len(call.logs) == 1000
    assert trap.fuel > 1000 * TARIFF["log"]


def test_logs_end_with_one_marker_after_64_kib(module: Guest) -> None:
    call = context()
    trap_of(module, "storm", b"y" * 1000, call)
    text = [line for _, line in call.logs]
    assert sum(map(len, text[:-1])) <= MAX_LOGS
    assert "64 KiB" in text[-1]
    assert "64 KiB" not in text[-2]


def test_host_calls_cost_their_tariff_and_run_out_of_fuel(module: Guest) -> None:
    plain = module.call("now", b"", context()).fuel
    assert plain > TARIFF["now_ms"]
    trap = trap_of(module, "storm", b"x", limits=Limits(fuel=5 * TARIFF["log"] + 500))
    assert (trap.kind, trap.fuel) == ("fuel", 5 * TARIFF["log"] + 500)


def test_large_copies_cost_a_fuel_a_byte(module: Guest) -> None:
    small, large = (module.call("set", b"k" * size, context()).fuel for size in (512, 2_048))
    assert large - small == 2_048  # the value; a key this long is refused before it is copied
    call = context(secrets={"K": "v" * 5_000})
    assert module.call("secret", b"K", call).fuel > 5_000 + TARIFF["secret"]


def test_a_restart_forgets_effects_and_keeps_what_was_learned(module: Guest) -> None:
    call = context()
    module.call("log", b"x", call)
    module.call("set", b"x", call)
    call.learn(Missing("kv", "a"), b"1")
    call.restart()
    assert (call.logs, call.writes, call.fires, call.signals, call.missing, call.host_calls) == (
        [],
        {},
        [],
        [],
        [],
        0,
    )
    assert call.reads == {"a": b"1"}


POINTERS = [(-1, 4), (0x20000, 1), (0x1FFFF, 2), (0, -1), (-1, -1), (0x7FFFFFFF, 0x7FFFFFFF), (8, 0x20000)]


@both
@pytest.mark.parametrize(("place", "size"), POINTERS)
@pytest.mark.parametrize("name", ["log", "kv_set", "fire", "kv_get", "secret", "http"])
def test_pointers_outside_memory_never_reach_it(raw: bool, name: str, place: int, size: int) -> None:
    pair = f"(i32.const {place}) (i32.const {size})"
    calls = {
        "log": f"(call $log (i32.const 1) {pair})",
        "kv_set": f"(drop (call $kv_set (i32.const 8) (i32.const 1) {pair}))",
        "fire": f"(drop (call $fire (i32.const 8) (i32.const 1) {pair}))",
    }
    body = calls.get(name, f"(drop (call ${name} {pair}))") + "(i64.const 0)"
    module = load(guest(handler("f", "(i32.store8 (i32.const 8) (i32.const 65))" + body), imports=name), raw)
    call = context()
    assert trap_of(module, "f", call=call).kind == "bad_pointer"
    assert (call.writes, call.fires, call.logs, call.missing) == ({}, [], [], [])


@both
def test_a_pointer_is_checked_against_memory_as_it_is_now(raw: bool) -> None:
    body = "(drop (memory.grow (i32.const 1))) (call $log (i32.const 1) (i32.const 0x20000) (i32.const 3)) (i64.const 0)"
    call = context()
    load(guest(handler("f", body), imports="log"), raw).call("f", b"", call)
    assert call.logs == [("info", "\0\0\0")]


@both
def test_host_functions_work_in_the_start_function(raw: bool) -> None:
    start = '(data (i32.const 8) "hello") (func $s (call $log (i32.const 1) (i32.const 8) (i32.const 5))) (start $s)'
    call = context()
    load(guest(start, handler("f", "(i64.const 0)"), imports="log"), raw).call("f", b"", call)
    assert call.logs == [("info", "hello")]


@both
def test_a_module_without_memory_may_not_log(raw: bool) -> None:
    module = wasm("""(module (import "priostack" "log" (func $log (param i32 i32 i32)))
      (func (export "f") (call $log (i32.const 1) (i32.const 0) (i32.const 1))))""")
    assert trap_of(load(module, raw), "f", b"[]").kind == "bad_pointer"


@both
def test_a_host_result_without_an_allocator_is_a_clear_error(raw: bool) -> None:
    module = wasm("""(module (import "priostack" "secret" (func $secret (param i32 i32) (result i64)))
      (memory (export "memory") 1) (data (i32.const 8) "K")
      (func (export "f") (result i64) (call $secret (i32.const 8) (i32.const 1))))""")
    trap = trap_of(load(module, raw), "f", b"[]", context(secrets={"K": "v"}))
    assert trap.kind == "missing_export"
    assert "alloc" in trap.message


MANAGED = """(module (import "priostack" "kv_get" (func $get (param i32 i32) (result i64)))
  (memory (export "memory") 1) (data (i32.const 8) "K") (global $pins (mut i32) (i32.const 0))
  (func (export "__new") (param i32 i32) (result i32) (i32.add (i32.const 64) (i32.mul (local.get 1) (i32.const 256))))
  (func (export "__pin") (param i32) (result i32)
    (global.set $pins (i32.add (global.get $pins) (i32.const 1))) (local.get 0))
  (func (export "place") (result i64) (call $get (i32.const 8) (i32.const 1)))
  (func (export "pins") (result i32) (drop (call $get (i32.const 8) (i32.const 1))) (global.get $pins)))"""


@both
def test_without_alloc_results_go_into_a_pinned_array_buffer(raw: bool) -> None:
    module = load(wasm(MANAGED), raw)
    for function, expected in (("place", str(320 << 32 | 5).encode()), ("pins", b"1")):
        call = context()
        waited = finish(Fiber(module, function, b"[]", call), {"kv": b"value"})
        call.restart()
        assert module.call(function, b"[]", call) == waited
        assert waited.body == expected


@both
def test_an_allocator_may_not_ask_for_more_host_data(raw: bool) -> None:
    module = wasm("""(module (import "priostack" "secret" (func $secret (param i32 i32) (result i64)))
      (memory (export "memory") 1) (data (i32.const 8) "K") (global $on (mut i32) (i32.const 0))
      (func (export "alloc") (param i32) (result i32)
        (if (global.get $on) (then (drop (call $secret (i32.const 8) (i32.const 1))))) (i32.const 64))
      (func (export "f") (param i32 i32) (result i64)
        (global.set $on (i32.const 1)) (call $secret (i32.const 8) (i32.const 1))))""")
    assert trap_of(load(module, raw), "f", b"{}", context(secrets={"K": "v"})).kind == "host_calls"


@both
def test_assemblyscripts_abort_carries_its_text(raw: bool) -> None:
    text = "".join(f"\\{b:02x}" for b in "boom".encode("utf-16-le"))
    module = wasm(f"""(module (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
      (import "env" "trace" (func $trace (param i32 i32 f64 f64 f64 f64 f64))) (import "env" "seed" (func $seed (result f64)))
      (memory (export "memory") 1) (data (i32.const 8) "\\08\\00\\00\\00{text}")
      (func (export "fail") (call $abort (i32.const 12) (i32.const 12) (i32.const 3) (i32.const 7)))
      (func (export "wild") (call $abort (i32.const -5) (i32.const 0) (i32.const 3) (i32.const 7)))
      (func (export "seed") (result f64) (call $seed))
      (func (export "trace") (call $trace (i32.const 12) (i32.const 2) (f64.const 1.5) (f64.const 2) (f64.const 3) (f64.const 4) (f64.const 5))))""")
    loaded = load(module, raw)
    trap = trap_of(loaded, "fail", b"[]")
    assert (trap.kind, trap.message) == ("abort", "boom (boom:3:7)")
    assert (trap.offset is not None) == raw  # the public classes cannot trap from a host function
    assert trap_of(loaded, "wild", b"[]").kind == "bad_pointer"
    call = context()
    loaded.call("trace", b"[]", call)
    assert call.logs == [("debug", "boom 1.5 2")]
    assert loaded.call("seed", b"[]", context()) == loaded.call("seed", b"[]", context())


@both
def test_what_assemblyscript_imports_for_its_console_and_its_clock_is_there(raw: bool) -> None:
    text = "".join(f"\\{b:02x}" for b in "hié".encode("utf-16-le"))
    names = ("debug", "info", "log", "warn", "error")
    imports = "".join(f'(import "env" "console.{n}" (func ${n} (param i32)))' for n in names)
    module = wasm(f"""(module {imports} (import "env" "Date.now" (func $now (result f64)))
      (import "env" "performance.now" (func $lap (result f64)))
      (memory (export "memory") 1) (data (i32.const 8) "\\06\\00\\00\\00{text}")
      (func (export "say") {" ".join(f"(call ${n} (i32.const 12))" for n in names)})
      (func (export "wild") (call $log (i32.const -5)))
      (func (export "none") (call $log (i32.const 0)))
      (func (export "now") (result f64) (f64.add (call $now) (call $lap))))""")
    loaded, call = load(module, raw), context()
    loaded.call("say", b"[]", call)
    loaded.call("none", b"[]", call)
    levels = ("debug", "info", "info", "warning", "error")
    assert call.logs == [*((level, "hié") for level in levels), ("info", "")]
    assert trap_of(loaded, "wild", b"[]").kind == "bad_pointer"
    assert loaded.call("now", b"[]", context()).body == f"{NOW:.1f}".encode()
