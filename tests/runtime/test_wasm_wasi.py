"""WASI commands: arguments, JSON in and out, our clock and randomness, and nothing else of the machine."""
# ruff: noqa: E501 - guests are WAT text

import pytest

from runtime.fiber import Fiber
from runtime.wasm import Guest, Limits
from tests.runtime.sandbox import NOW, context, finish, load, trap_of
from tests.runtime.wat import wasm

W = "wasi_snapshot_preview1"
PROGRAM = f"""(module
  (import "{W}" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (import "{W}" "args_get" (func $args (param i32 i32) (result i32)))
  (import "{W}" "environ_sizes_get" (func $env_sizes (param i32 i32) (result i32)))
  (import "{W}" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "{W}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "{W}" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "{W}" "random_get" (func $random (param i32 i32) (result i32)))
  (import "{W}" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "{W}" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (import "{W}" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
  (import "{W}" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 2)
  (func $out (param $fd i32) (param $p i32) (param $l i32)
    (i32.store (i32.const 0) (local.get $p)) (i32.store (i32.const 4) (local.get $l))
    (drop (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $echo
    (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 100))
    (loop $more
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (if (i32.load (i32.const 8)) (then
        (call $out (i32.const 1) (i32.const 4096) (i32.load (i32.const 8)))
        (i32.store (i32.const 4) (i32.const 100)) (br $more)))))
  (func $machine
    (i32.store (i32.const 4096) (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0)))
    (i32.store (i32.const 4100) (call $prestat (i32.const 3) (i32.const 0)))
    (i32.store (i32.const 4104) (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
    (drop (call $env_sizes (i32.const 4108) (i32.const 4112)))
    (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 4116)))
    (drop (call $random (i32.const 4124) (i32.const 8)))
    (call $out (i32.const 1) (i32.const 4096) (i32.const 36)))
  (func (export "_start") (local $c i32)
    (drop (call $args_sizes (i32.const 16) (i32.const 20)))
    (drop (call $args (i32.const 32) (i32.const 64)))
    (local.set $c (i32.load8_u (i32.load (i32.const 36))))
    (if (i32.eq (local.get $c) (i32.const 101)) (then (call $echo)))
    (if (i32.eq (local.get $c) (i32.const 109)) (then (call $machine)))
    (if (i32.eq (local.get $c) (i32.const 108)) (then (call $out (i32.const 2) (i32.load (i32.const 36)) (i32.const 4))))
    (if (i32.eq (local.get $c) (i32.const 120)) (then (call $exit (i32.const 3))))
    (if (i32.eq (local.get $c) (i32.const 113)) (then (call $echo) (call $exit (i32.const 0)) unreachable))
    (if (i32.eq (local.get $c) (i32.const 112)) (then (call $out (i32.const 1) (i32.const -1) (i32.const 10))))
    (if (i32.eq (local.get $c) (i32.const 98)) (then (loop $l (call $out (i32.const 1) (i32.const 0) (i32.const 65536)) (br $l))))))"""


@pytest.fixture(params=[True, False], ids=["raw", "public"])
def program(request: pytest.FixtureRequest) -> Guest:
    return load(wasm(PROGRAM), request.param)


def test_a_command_reads_json_and_writes_json(program: Guest) -> None:
    request = b'{"body":' + b'"x"' * 200 + b"}"
    assert program.info.interface == "wasi"
    assert program.call("echo", request, context()).body == request
    assert finish(Fiber(program, "echo", request, context())).body == request


def test_leaving_with_code_zero_is_an_answer_and_any_other_an_error(program: Guest) -> None:
    assert program.call("quit", b"7", context()).body == b"7"
    for trap in (trap_of(program, "x"),):
        assert (trap.kind, trap.message) == ("exit", "the program ended with exit code 3")


def test_silence_is_null(program: Guest) -> None:
    assert program.call("nothing", b"7", context()).body == b"null"


def test_standard_error_is_the_log(program: Guest) -> None:
    call = context()
    program.call("logs", b"", call)
    assert call.logs == [("info", "logs")]


def test_there_is_no_file_no_socket_no_environment_and_no_clock_but_ours(program: Guest) -> None:
    body = program.call("machine", b"", context()).body
    numbers = [int.from_bytes(body[i : i + 4], "little") for i in range(0, 20, 4)]
    assert numbers == [76, 8, 52, 0, 0]
    assert int.from_bytes(body[20:28], "little") == NOW * 1_000_000
    assert program.call("machine", b"", context()).body == body
    assert program.call("machine", b"", context("other")).body[28:] != body[28:]


def test_pointers_of_a_command_are_checked(program: Guest) -> None:
    assert trap_of(program, "pointer").kind == "bad_pointer"


def test_output_is_bounded(program: Guest) -> None:
    assert trap_of(program, "big", limits=Limits(output_bytes=100_000)).kind == "bad_result"


@pytest.mark.parametrize("name", ["_start", "memory", "", "a b", "--flag", "a\0b"])
def test_odd_names_never_become_arguments(program: Guest, name: str) -> None:
    assert trap_of(program, name).kind == "missing_export"


def test_a_library_that_exits_is_an_error() -> None:
    module = wasm(f"""(module (import "{W}" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)
      (func (export "alloc") (param i32) (result i32) (i32.const 64))
      (func (export "f") (param i32 i32) (result i64) (call $exit (i32.const 0)) (i64.const 0)))""")
    for raw in (True, False):
        assert trap_of(load(module, raw), "f").kind == "exit"


START = """(module (memory (export "memory") 1)
  (data (i32.const 16) "\\"plain\\"") (func (export "_start") (i32.store8 (i32.const 17) (i32.const 80)))
  (func (export "alloc") (param i32) (result i32) (i32.const 64))
  (func (export "f") (param i32 i32) (result i64) (i64.const 0x10_00000007)))"""


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "public"])
def test_a_program_without_wasi_says_nothing_least_of_all_what_another_one_said(raw: bool) -> None:
    talks, silent = load(wasm(PROGRAM), raw), load(wasm(START), raw)
    assert talks.call("echo", b'"secret of Bob"', context()).body == b'"secret of Bob"'
    assert silent.call("other", b"{}", context()).body == b"null"
    assert finish(Fiber(silent, "other", b"{}", context())).body == b"null"
    assert silent.call("f", b"{}", context()).body == b'"plain"'
