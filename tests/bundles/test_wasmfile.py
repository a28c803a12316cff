"""Modules are read from their bytes: facts for good ones, an exact reason for bad ones, never a crash (A058, A060–A062)."""
# ruff: noqa: E501 - guests are WAT text

import random
import time

import pytest
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles.wasmfile import MAX_BYTES, Signature, WasmError, WasmInfo, inspect, resolve
from bundles.wasmimports import signature_of

HEAD = b"\0asm\1\0\0\0"
MEMORY = '(memory (export "memory") 2 9)'
ALLOC = '(func (export "alloc") (param i32) (result i32) (i32.const 64))'
PLAIN = (
    f'(module {MEMORY} {ALLOC} (func (export "handle_addToCart") (param i32 i32) (result i64) (i64.const 0)))'
)
WASI = '(module (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))'


def wasm(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


def refusal(data: bytes) -> str:
    with pytest.raises(WasmError) as caught:
        inspect(data)
    return caught.value.reason


def section(number: int, body: bytes) -> bytes:
    return bytes([number]) + leb(len(body)) + body


def leb(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def test_facts_of_a_plain_module() -> None:
    info = inspect(wasm(PLAIN))
    assert info == WasmInfo(
        exports={
            "memory": "memory",
            "alloc": Signature(("i32",), ("i32",)),
            "handle_addToCart": Signature(("i32", "i32"), ("i64",)),
        },
        imports=(),
        memory_min=2 * 65536,
        memory_max=9 * 65536,
        interface="plain-i64",
        permissions=(),
    )
    assert info.functions == ("handle_addToCart",)
    assert str(info.exports["alloc"]) == "(i32) -> i32"


@pytest.mark.parametrize("name", ["handle_addToCart", "addToCart", "add-to-cart", "add_to_cart"])
def test_a_function_answers_to_its_spellings(name: str) -> None:
    assert inspect(wasm(PLAIN)).resolve(name) == "handle_addToCart"


@pytest.mark.parametrize(
    "name", ["memory", "alloc", "_start", "__new", "cabi_realloc", "", "add to cart", "x" * 101]
)
def test_plumbing_and_what_no_target_can_say_resolve_to_nothing(name: str) -> None:
    exports = {**inspect(wasm(PLAIN)).exports, name: Signature(("i32", "i32"), ("i64",))}
    assert name == "_start" or resolve(exports, name) is None


@pytest.mark.parametrize("name", ["héllo", "日本", "0digit", "$dollar", "a.b", "#9"])
def test_an_odd_name_is_found_as_it_is_and_no_other_for_it(name: str) -> None:
    function = Signature(("i32", "i32"), ("i64",))
    exports = {**inspect(wasm(PLAIN)).exports, "h-llo": function, "digit": function}
    assert resolve(exports | {name: function}, name) == name
    assert resolve(exports, "héllo") is None


def test_a_program_answers_to_any_name_and_what_it_exports_to_its_own() -> None:
    start = Signature((), ())
    for more in ({}, {"main": Signature(("i32", "i32"), ("i32",))}):
        exports = {"memory": "memory", "_start": start, **more}
        assert [resolve(exports, name) for name in ("main", "whatever")] == ["_start", "_start"]
    plain = {**inspect(wasm(PLAIN)).exports, "_start": start}
    assert resolve(plain, "addToCart") == "handle_addToCart"
    assert resolve(plain, "other") == "_start"


def test_a_signature_is_read_as_it_was_written() -> None:
    two = Signature(("i32", "i64"), ("i32", "i32"))
    for one in (Signature((), ()), Signature(("i32",), ()), Signature((), ("f64",)), two):
        assert signature_of(str(one)) == one
    assert signature_of("memory") == "memory"


def test_the_exact_name_goes_first() -> None:
    both = {"memory": "memory", "alloc": Signature(("i32",), ("i32",))}
    for name in ("handle_get", "get"):
        both[name] = Signature(("i32", "i32"), ("i64",))
        assert resolve(both, "get") == name


@pytest.mark.parametrize(
    ("text", "interface"),
    [
        (PLAIN, "plain-i64"),
        (
            f'(module {MEMORY} {ALLOC} (func (export "handle_x") (param i32 i32) (result i32) (i32.const 0)))',
            "plain-i32",
        ),
        (f'{WASI} {MEMORY} (func (export "_start")))', "wasi"),
        (
            f'(module {MEMORY} (func (export "__new") (param i32 i32) (result i32) (i32.const 0)) (func (export "__pin")'
            ' (param i32) (result i32) (i32.const 0)) (func (export "greet") (param i32) (result i32) (i32.const 0)))',
            "assemblyscript",
        ),
        ('(module (func (export "add") (param i32 i32) (result i32) (i32.const 0)))', "numeric"),
        ("(module)", "numeric"),
    ],
)
def test_the_interface_is_recognised(text: str, interface: str) -> None:
    assert inspect(wasm(text)).interface == interface


def test_imports_become_permissions_in_plain_words() -> None:
    info = inspect(
        wasm(
            '(module (import "priostack" "http" (func (param i32 i32) (result i64)))'
            '(import "priostack" "kv_set" (func (param i32 i32 i32 i32) (result i32)))'
            '(import "env" "abort" (func (param i32 i32 i32 i32))))'
        )
    )
    assert info.permissions == (
        "Changes stored values of its own bundle.",
        "Sends requests to the hosts that the bundle was granted.",
    )
    assert info.waits
    assert info.imports[0][:2] == ("priostack", "http")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "truncated"),
        (b"\0as", "truncated"),
        (b"\0asm\1\0", "truncated"),
        (b"MZ" + b"\0" * 20, "not a WebAssembly module"),
        (b"  (module)", "text format"),
        (b"PK\3\4" + b"\0" * 9, "ZIP file"),
        (b"\0asm\x0d\0\1\0", "component"),
        (b"\0asm\2\0\0\0", "version 2"),
        (HEAD + b"\1", "truncated"),
        (HEAD + b"\1\xff\xff\xff\xff\x0f", "truncated"),
        (HEAD + b"\1\xff\xff\xff\xff\xff\1", "too large"),
        (HEAD + section(1, leb(60_000_000)), "too many types"),
        (HEAD + section(3, leb(1_000_000)), "too many functions"),
        (HEAD + section(10, leb(1_000_000)), "too many function bodies"),
        (HEAD + section(1, b"\0") * 2, "repeated or out of order"),
        (HEAD + section(3, b"\0") + section(1, b"\0"), "repeated or out of order"),
        (HEAD + section(13, b"\0"), "exceptions"),
        (HEAD + section(99, b"\0"), "unknown section 99"),
        (HEAD + section(1, b"\0extra"), "longer than its contents"),
        (HEAD + section(1, b"\1\x5f\0"), "garbage-collected"),
        (HEAD + section(1, b"\1\x60\1\x69\0"), "not supported"),
        (HEAD + section(3, b"\1\0"), "type 0 does not exist"),
        (HEAD + section(5, b"\1\4\1"), "64-bit memory"),
        (HEAD + section(5, b"\1\3\1\2"), "shared memory"),
        (HEAD + section(5, b"\2\0\1\0\1"), "2 memories"),
        (HEAD + section(5, b"\1\1\2\1"), "maximum is below"),
        (HEAD + section(5, b"\1\0" + leb(257)), "the limit is 16777216"),
        (HEAD + section(4, b"\1\x70\0" + leb(10_001)), "limit is 10000"),
        (HEAD + section(7, b"\1\1f\0\0"), "function 0, which does not exist"),
        (HEAD + section(7, b"\1\1\xff\0\0"), "not UTF-8"),
        (HEAD + section(1, b"\1\x60\0\0") + section(3, b"\1\0"), "declares 1 functions and has 0 bodies"),
        (HEAD + section(1, b"\1\x60\0\0") + section(3, b"\1\0") + section(10, b"\1" + section(8, leb(1) + leb(60_000) + b"\x7f")[1:]), "local variables"),
        (wasm('(module (import "env" "memory" (memory 1)))'), "export one instead"),
        (wasm('(module (import "env" "system" (func)) (import "wasi:sockets/tcp" "connect" (func)))'), "env.system, wasi:sockets/tcp.connect"),
        (wasm('(module (import "env" "system" (func)))'), "kv_get"),
        (wasm('(module (import "priostack" "log" (func (param i64))))'), "it must be (i32, i32, i32) -> nothing"),
        (wasm('(module (import "extism:host/env" "input_length" (func (result i64))))'), "Extism PDK"),
        (HEAD + b"\0" * MAX_BYTES, "5 MB"),
    ],
)  # fmt: skip
def test_a_bad_module_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    assert reason in refusal(data)


def test_wasi_programs_may_begin_larger_and_callers_may_decide() -> None:
    large = f'{WASI} (memory (export "memory") 1000) (func (export "_start")))'
    assert inspect(wasm(large)).memory_min == 1000 * 65536
    assert inspect(wasm(f'{WASI} (memory 1000) (func (export "_initialize")))')).memory_min == 1000 * 65536
    with pytest.raises(WasmError, match="the limit is 65536"):
        inspect(wasm(PLAIN), max_memory=65536)


def test_every_truncation_is_refused_or_read() -> None:
    whole = wasm(PLAIN)
    for size in range(len(whole)):
        _only_wasm_errors(whole[:size])


def _only_wasm_errors(data: bytes) -> None:
    try:
        inspect(data)
    except WasmError as error:
        assert error.reason  # noqa: PT017 - any other exception is the failure


@settings(max_examples=2_000, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_never_crash_the_reader(tail: bytes) -> None:
    _only_wasm_errors(HEAD + tail)
    _only_wasm_errors(tail)


def test_a_hundred_thousand_damaged_modules_never_crash_the_reader() -> None:
    chance = random.Random(60)
    samples = [
        wasm(PLAIN),
        wasm(f'{WASI} {MEMORY} (func (export "_start")))'),
        wasm("(module (table 3 funcref))"),
    ]
    for _ in range(100_000):
        data = bytearray(chance.choice(samples))
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(8, len(data))] = chance.randrange(256)
        _only_wasm_errors(bytes(data))


def test_what_the_reader_admits_the_compiler_knows() -> None:
    # The reader may be kinder than the compiler about code, but never disagrees about exports.
    engine = wasmtime.Engine()
    for text in (PLAIN, f'{WASI} {MEMORY} (func (export "_start")))'):
        module = wasmtime.Module(engine, wasm(text))
        assert [export.name for export in module.exports] == list(inspect(wasm(text)).exports)


def test_the_largest_admitted_module_is_read_in_linear_time() -> None:
    types = section(1, b"\1\x60\0\0")
    count = 50_000
    bodies = section(10, leb(count) + b"\2\0\x0b" * count)
    exports = section(
        7, leb(10_000) + b"".join(leb(len(n)) + n + b"\0\0" for n in (b"f%d" % i for i in range(10_000)))
    )
    data = HEAD + types + section(3, leb(count) + b"\0" * count) + exports + bodies
    began = time.perf_counter()
    assert len(inspect(data).exports) == 10_000
    assert time.perf_counter() - began < 2
