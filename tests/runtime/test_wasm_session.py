"""Functions of one run share a store: the same answers as fresh calls, nothing of it outlives the run or a failure."""

import pytest

from runtime.wasm import Guest, Limits, Suspend, Trap
from runtime.wasmengine import Engine
from runtime.wasmsession import LOOK, MAX_CALLS, MAX_MODULES, Session
from tests.guests import guest as built
from tests.runtime.sandbox import context, load
from tests.runtime.wat import ALLOC, ECHO, guest, wasm

COUNTS = f"""(module (memory (export "memory") 1) {ALLOC} (global $n (mut i32) (i32.const 0))
  (func (export "count") (param i32 i32) (result i64)
    (global.set $n (i32.add (global.get $n) (i32.const 1)))
    (i32.store8 (i32.const 0) (i32.add (i32.const 48) (global.get $n)))
    (i64.const 1))
  (func (export "fall") (param i32 i32) (result i64) unreachable)
  (func (export "spin") (param i32 i32) (result i64) (loop (br 0)) unreachable)
  (func (export "grow") (param i32 i32) (result i64) (drop (memory.grow (i32.const 20)))
    (i32.store8 (i32.const 0) (i32.const 49)) (i64.const 1)))"""


@pytest.fixture
def counts() -> Guest:
    return load(wasm(COUNTS), True)


def session_of(guest: Guest) -> Session:
    return Session(guest.engine)


def count(session: Session, guest: Guest) -> int:
    return int(session.call(guest, "count", b"{}", context(), Limits())[0])


def test_steps_of_one_run_may_see_what_the_module_kept_and_other_runs_never(counts: Guest) -> None:
    first = session_of(counts)
    assert [count(first, counts) for _ in range(3)] == [1, 2, 3]
    first.close()
    second = session_of(counts)
    assert count(second, counts) == 1
    second.close()
    assert int(counts.call("count", b"{}", context()).body) == 1


def test_answers_and_fuel_are_those_of_fresh_calls() -> None:
    module = load(guest(ECHO), True)
    session = session_of(module)
    for size in (0, 10, 70_000, *[10] * 150):  # the store is filled up now and then
        request = b'{"a":"' + b"x" * size + b'"}'
        assert session.call(module, "echo", request, context(), Limits()) == module.call(
            "echo", request, context()
        )
    session.close()


def test_a_function_that_falls_over_what_others_left_has_a_fresh_try() -> None:
    """This guest's allocator never frees: two requests of this size do not fit into its memory."""
    module = load(guest(ECHO), True)
    session = session_of(module)
    request = b'{"a":"' + b"x" * 70_000 + b'"}'
    for _ in range(5):
        body, fuel = session.call(module, "echo", request, context(), Limits())
        assert (body, fuel >= module.call("echo", request, context()).fuel) == (request, True)
    session.close()


def test_modules_do_not_see_each_other(counts: Guest) -> None:
    other = Guest.compile(counts.engine, wasm(COUNTS))
    session = session_of(counts)
    assert [count(session, counts), count(session, other), count(session, counts)] == [1, 1, 2]
    session.close()


@pytest.mark.parametrize(("function", "kind"), [("fall", "unreachable"), ("nowhere", "missing_export")])
def test_after_a_fall_everything_is_new(counts: Guest, function: str, kind: str) -> None:
    session = session_of(counts)
    assert count(session, counts) == 1
    with pytest.raises(Trap) as caught:
        session.call(counts, function, b"{}", context(), Limits())
    assert caught.value.kind in (kind, "trap", "missing_export")
    assert count(session, counts) == (2 if function == "nowhere" else 1)
    session.close()


def test_one_step_gets_no_more_than_a_fresh_call(counts: Guest) -> None:
    session = session_of(counts)
    with pytest.raises(Suspend) as caught:
        session.call(counts, "spin", b"{}", context(), Limits())
    assert caught.value.reason == "fuel"
    with pytest.raises(Trap) as trapped:
        session.call(counts, "spin", b"{}", context(), Limits(fuel=10_000))
    assert (trapped.value.kind, trapped.value.fuel) == ("fuel", 10_000)
    assert count(session, counts) == 1
    session.close()


def test_an_instance_that_grew_or_was_called_often_is_replaced(counts: Guest) -> None:
    session = session_of(counts)
    assert count(session, counts) == 1
    session.call(counts, "grow", b"{}", context(), Limits())
    assert min(count(session, counts) for _ in range(LOOK)) == 1
    session.close()
    module = load(guest(ECHO), True)
    long = session_of(module)
    for _ in range(2 * MAX_CALLS + 5):
        assert long.call(module, "echo", b"[1]", context(), Limits())[0] == b"[1]"
    long.close()


def test_what_is_asked_of_the_host_suspends_and_is_told() -> None:
    module = load(built("counter"), True)
    session = session_of(module)
    host = context()
    with pytest.raises(Suspend):
        session.call(module, "run", b'{"body":{}}', host, Limits())
    assert [missing.kind for missing in host.missing] == ["kv"]
    session.close()


def test_more_modules_than_fit_are_called_fresh(counts: Guest) -> None:
    others = [Guest.compile(counts.engine, wasm(COUNTS)) for _ in range(MAX_MODULES + 2)]
    session = session_of(counts)
    assert [count(session, other) for other in others] == [1] * len(others)
    assert [count(session, other) for other in others] == [2] * MAX_MODULES + [1, 1]
    session.close()


def test_a_session_within_a_session_calls_fresh(counts: Guest) -> None:
    outer, inner = session_of(counts), session_of(counts)
    assert count(outer, counts) == 1
    assert [count(inner, counts), count(inner, counts)] == [1, 1]
    assert count(outer, counts) == 2
    inner.close()
    outer.close()


def test_the_pool_gets_its_slots_back() -> None:
    engine = Engine(raw=True, slots=4)
    module = Guest.compile(engine, guest(ECHO))
    for _ in range(50):
        session = Session(engine)
        assert session.call(module, "echo", b"[1]", context(), Limits())[0] == b"[1]"
        session.close()


def test_the_public_classes_serve_as_well(counts: Guest) -> None:
    module = load(wasm(COUNTS), False)
    session = session_of(module)
    assert [count(session, module), count(session, module)] == [1, 1]
    session.close()
