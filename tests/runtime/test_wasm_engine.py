"""The engine of a process: its self-test, its fallback, its clock, its figures."""

import multiprocessing
import multiprocessing.connection
import time

import pytest

from runtime import wasmselftest
from runtime.wasm import Engine, Guest, Limits
from runtime.wasmconfig import VERSION
from runtime.wasmengine import engine as shared
from runtime.wasmlib import PINNED
from runtime.wasmticker import IDLE_TICKS
from tests.runtime.sandbox import context
from tests.runtime.wat import ECHO, guest, handler


def test_the_pinned_library_passes_its_self_test() -> None:
    assert VERSION == PINNED
    assert Engine().raw


def test_the_library_is_at_or_above_the_fixed_line() -> None:
    # Below 50.0.1 there are known sandbox escapes and host panics.
    assert tuple(map(int, VERSION.split("."))) >= (50, 0, 1)


def test_a_failed_self_test_falls_back_to_the_public_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(engine: Engine) -> None:
        raise RuntimeError("not as expected")

    monkeypatch.setattr(wasmselftest, "check", refuse)
    engine = Engine()
    assert not engine.raw
    assert Guest.compile(engine, guest(ECHO)).call("echo", b"x", context()).body == b"x"


def test_a_self_test_notices_a_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wasmselftest, "_inline", lambda *args: "something else")
    with pytest.raises(RuntimeError, match="expected"):
        wasmselftest.check(Engine(raw=True))


def test_several_engines_live_in_one_process() -> None:
    # Hazard: one FuncType used with two engines aborts Python.
    for raw in (True, False, True):
        module = Guest.compile(Engine(raw=raw), guest(ECHO, imports="log kv_get"))
        assert module.call("echo", b"x", context()).body == b"x"


def test_there_is_one_engine_for_each_process() -> None:
    assert shared() is shared()
    reader, writer = multiprocessing.get_context("fork").Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_in_child, args=(writer,))
    child.start()
    assert reader.poll(20)
    assert reader.recv() == (True, b"forked")
    child.join(10)


def _in_child(writer: multiprocessing.connection.Connection) -> None:
    mine = shared()
    answer = Guest.compile(mine, guest(ECHO)).call("echo", b"forked", context())
    writer.send((mine.pid == multiprocessing.current_process().pid, answer.body))


def test_the_clock_sleeps_when_idle_and_wakes_for_a_call() -> None:
    engine = Engine(raw=True)
    spin = Guest.compile(engine, guest(handler("forever", "(loop $l (br $l)) unreachable")))
    deadline = time.monotonic() + IDLE_TICKS * 0.01 * 5
    while not engine.ticker.asleep and time.monotonic() < deadline:
        time.sleep(0.02)
    assert engine.ticker.asleep
    with pytest.raises(Exception, match="time limit"):
        spin.call("forever", b"", context(), Limits(fuel=1 << 50, inline_fuel=1 << 50, wall_ms=30))
    assert not engine.ticker.asleep


def test_figures_of_the_pool() -> None:
    engine = Engine(raw=True, slots=100)
    module = Guest.compile(engine, guest(ECHO))
    for _ in range(10):
        module.call("echo", b"x", context())
    assert engine.stats() == {
        "size": 100,
        "used": 0,
        "peak": 1,
        "calls": 10,
        "reused": 9,
        "reuse_rate": 0.9,
        "utilisation": 0.0,
    }


def test_the_largest_admitted_module_fits_a_slot() -> None:
    functions = "".join(f'(func (export "f{n}") (result i32) (i32.const {n}))' for n in range(9_990))
    module = Guest.compile(Engine(raw=True), guest(functions, "(table 10000 funcref)", ECHO, pages=256))
    assert module.call("f9989", b"[]", context()).body == b"9989"
