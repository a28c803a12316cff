"""A guest is called, by each convention, on the fast path and on the public classes alike."""
# ruff: noqa: E501 - guests are WAT text

import json

import pytest

from runtime.wasm import Limits, Suspend, Trap
from tests.runtime.sandbox import both, context, load, trap_of
from tests.runtime.wat import ALLOC, ECHO, guest, handler, wasm

LENGTH_PREFIXED = """(func (export "handle_check-out") (param $p i32) (param $l i32) (result i32)
  (local $r i32) (local.set $r (call $alloc (i32.add (local.get $l) (i32.const 4))))
  (i32.store (local.get $r) (local.get $l))
  (memory.copy (i32.add (local.get $r) (i32.const 4)) (local.get $p) (local.get $l))
  (local.get $r))"""
STRINGS = f"""(module (memory (export "memory") 1) {ALLOC}
  (func (export "__new") (param i32 i32) (result i32) (local $p i32)
    (local.set $p (i32.add (call $alloc (i32.add (local.get 0) (i32.const 8))) (i32.const 8)))
    (i32.store (i32.sub (local.get $p) (i32.const 4)) (local.get 0)) (local.get $p))
  (func (export "__pin") (param i32) (result i32) (local.get 0))
  (func (export "same") (param i32) (result i32) (local.get 0))
  (func (export "nothing") (param i32) (result i32) (i32.const 0)))"""
NUMBERS = """(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "wide") (param i64) (result i64) (local.get 0))
  (func (export "half") (param f64) (result f64) (f64.div (local.get 0) (f64.const 2)))
  (func (export "single") (param f32) (result f32) (f32.add (local.get 0) (f32.const 0.5)))
  (func (export "infinite") (result f64) (f64.const inf))
  (func (export "quiet") (param i32)))"""


@both
def test_a_plain_function_gets_json_and_gives_json(raw: bool) -> None:
    answer = load(guest(ECHO), raw).call("echo", b'{"a":1}', context())
    assert answer.body == b'{"a":1}'
    assert 0 < answer.fuel < 200


@both
def test_a_length_prefixed_function_is_found_under_its_other_spellings(raw: bool) -> None:
    module = load(guest(LENGTH_PREFIXED), raw)
    for name in ("handle_check-out", "check-out", "checkOut", "check_out"):
        assert module.call(name, b"[7]", context()).body == b"[7]"


@both
@pytest.mark.parametrize("text", ["{}", '{"name":"Žofie 🛒"}', "[" + "1," * 5000 + "1]"])
def test_an_assemblyscript_string_goes_there_and_back(raw: bool, text: str) -> None:
    module = load(wasm(STRINGS), raw)
    assert module.info.interface == "assemblyscript"
    assert module.call("same", text.encode(), context()).body.decode() == text


@both
def test_an_assemblyscript_null_is_json_null(raw: bool) -> None:
    assert load(wasm(STRINGS), raw).call("nothing", b"{}", context()).body == b"null"


@both
@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        ("add", [2, 3], 5),
        ("add", [2147483647, 1], -2147483648),
        ("add", [4294967295, 0], -1),
        ("add", [2.0, 3], 5),
        ("wide", [-9223372036854775808], -9223372036854775808),
        ("half", [5], 2.5),
        ("single", [1.25], 1.75),
        ("quiet", [1], None),
    ],
)
def test_a_numeric_function_takes_an_array(
    raw: bool, function: str, arguments: list[float], expected: object
) -> None:
    module = load(wasm(NUMBERS), raw)
    bare = module.call(function, json.dumps(arguments).encode(), context())
    wrapped = module.call(function, json.dumps({"method": "POST", "body": arguments}).encode(), context())
    assert json.loads(bare.body) == expected
    assert wrapped == bare


@both
@pytest.mark.parametrize(
    "request_body",
    [b"", b"{}", b"[1]", b"[1,2,3]", b'["1",2]', b"[1.5,2]", b"[true,1]", b"[1e99,1]", b"[4294967296,1]", b"{nope",
     b"[NaN,1]", b"[" * 100_000, b"[null,1]"],
)  # fmt: skip
def test_wrong_numeric_arguments_are_refused(raw: bool, request_body: bytes) -> None:
    assert trap_of(load(wasm(NUMBERS), raw), "add", request_body).kind == "bad_arguments"


@both
def test_infinity_is_no_json_number(raw: bool) -> None:
    assert trap_of(load(wasm(NUMBERS), raw), "infinite", b"[]").kind == "bad_result"


@both
@pytest.mark.parametrize(
    "name",
    ["memory", "alloc", "_start", "_initialize", "__new", "cabi_realloc", "nope", "", "../echo", "e" * 200],
)
def test_only_callable_exports_answer_to_a_name(raw: bool, name: str) -> None:
    module = load(guest(ECHO, '(func (export "cabi_realloc") (param i32 i32) (result i64) i64.const 0)'), raw)
    assert trap_of(module, name).kind == "missing_export"


@both
def test_a_function_of_an_impossible_signature_is_not_callable(raw: bool) -> None:
    module = load(guest('(func (export "two") (result i32 i32) i32.const 1 i32.const 2)'), raw)
    assert trap_of(module, "two").kind == "missing_export"


@both
def test_more_numbers_than_there_is_room_for_are_not_callable(raw: bool) -> None:
    for count, callable_ in ((32, True), (33, False), (999, False)):
        module = load(
            wasm(
                f'(module (func (export "many") (param {"i32 " * count}) (result i32) (local.get {count - 1})))'
            ),
            raw,
        )
        request = json.dumps(list(range(count))).encode()
        if callable_:
            assert module.call("many", request, context()).body == str(count - 1).encode()
        else:
            assert trap_of(module, "many", request).kind == "missing_export"


@both
def test_a_reactor_is_initialised_before_it_is_called(raw: bool) -> None:
    module = guest(
        '(global $ready (mut i32) (i32.const 0)) (func (export "_initialize") (global.set $ready (i32.const 1)))',
        handler(
            "ready",
            "(i32.store8 (i32.const 16) (i32.add (global.get $ready) (i32.const 48))) (call $pack (i32.const 16) (i32.const 1))",
        ),
    )
    assert load(module, raw).call("ready", b"", context()).body == b"1"


@both
def test_a_request_beyond_the_limit_never_reaches_the_guest(raw: bool) -> None:
    trap = trap_of(load(guest(ECHO), raw), "echo", b"x" * 11, limits=Limits(input_bytes=10))
    assert (trap.kind, trap.fuel) == ("input", 0)


@both
def test_fuel_is_the_same_every_time(raw: bool) -> None:
    module = load(guest(ECHO), raw)
    assert len({module.call("echo", b"{}" * 100, context()).fuel for _ in range(50)}) == 1


def test_both_ways_cost_the_same_fuel() -> None:
    for module, function, request in (
        (guest(ECHO), "echo", b"{}"),
        (wasm(STRINGS), "same", b'"x"'),
        (wasm(NUMBERS), "add", b"[1,2]"),
        (guest(LENGTH_PREFIXED), "check_out", b"{}"),
    ):
        raw, public = (load(module, way).call(function, request, context()) for way in (True, False))
        assert raw == public


@both
def test_a_call_beyond_the_inline_budget_suspends_and_a_written_small_budget_ends(raw: bool) -> None:
    module = load(guest(handler("forever", "(loop $l (br $l)) unreachable")), raw)
    with pytest.raises(Suspend, match="fuel"):
        module.call("forever", b"", context())
    with pytest.raises(Trap) as caught:
        module.call("forever", b"", context(), Limits(fuel=100_000))
    assert (caught.value.kind, caught.value.fuel) == ("fuel", 100_000)
