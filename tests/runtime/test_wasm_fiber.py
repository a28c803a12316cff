"""Suspended calls: sliced by fuel, waiting without a thread, cancelled at any moment, exactly metered."""
# ruff: noqa: E501 - guests are WAT text

import asyncio
import threading
from collections.abc import Iterable, Iterator

import pytest

from runtime.fiber import Ask, Fiber, run
from runtime.host import HostFailure, Outcome
from runtime.wasm import Guest, Limits, Trap
from tests.runtime.sandbox import both, context, engine, finish, load
from tests.runtime.wat import ALLOC, ECHO, guest, handler, wasm

BOTH = "(local.get $p) (local.get $l)"
COUNT = """(local $i i32) (loop $l (local.set $i (i32.add (local.get $i) (i32.const 1)))
  (br_if $l (i32.lt_u (local.get $i) (i32.const 1000000))))"""
MODULE = guest(
    ECHO,
    handler("get", f"(call $kv_get {BOTH})"),
    handler("list", f"(call $kv_list {BOTH})"),
    handler("http", f"(call $http {BOTH})"),
    handler("three", f"(local $r i64) (local.set $r (call $http {BOTH})) (drop (call $kv_get {BOTH})) (drop (call $call {BOTH} {BOTH})) (call $log (i32.const 1) {BOTH}) (local.get $r)"),
    handler("code", f"(i64.store (i32.const 8) (call $http {BOTH})) (call $pack (i32.const 8) (i32.const 8))"),
    handler("twice", f"(drop (call $kv_get {BOTH})) (call $kv_get {BOTH})"),
    handler("count", COUNT + "(i64.const 0)"),
    handler("forever", "(loop $l (br $l)) unreachable"),
    handler("write", COUNT + f"(drop (call $kv_set {BOTH} {BOTH})) (i64.const 0)"),
    imports="kv_get kv_list kv_set http call log",
)  # fmt: skip
ANSWERS = {"kv": b"value", "list": ["a", "b"], "http": b'{"status":200}', "call": b"null"}
ENDLESS = Limits(fuel=1 << 50)


@pytest.fixture(autouse=True)
def none_left_behind() -> Iterator[None]:
    """A failing test must not take the others' slots."""
    yield
    for fiber in list(engine(True).fibers):
        fiber.close()


@pytest.fixture(params=[True, False], ids=["raw", "public"])
def module(request: pytest.FixtureRequest) -> Guest:
    return load(MODULE, request.param)


@pytest.fixture
def raw() -> Guest:
    return load(MODULE)


async def answer(ask: Ask) -> Outcome | Iterable[str]:
    await asyncio.sleep(0)
    return ANSWERS[ask.kind]  # type: ignore[return-value]


def test_a_fiber_gives_what_an_inline_call_gives(module: Guest) -> None:
    inline = module.call("echo", b'{"a":1}', context())
    assert finish(Fiber(module, "echo", b'{"a":1}', context())) == inline


def test_a_long_call_takes_several_slices_and_the_same_fuel(module: Guest) -> None:
    fiber = Fiber(module, "count", b"", context())
    polls = 1
    while not fiber.poll():
        polls += 1
    expected = module.call("count", b"", context(), Limits(inline_fuel=10_000_000))
    assert fiber.result() == expected
    assert fiber.spent == expected.fuel
    assert polls == (9 if module.engine.raw else 1)
    fiber.close()


def test_what_was_spent_is_exact_between_polls(raw: Guest) -> None:
    fiber = Fiber(raw, "forever", b"", context(), ENDLESS, slice_fuel=100_000)
    assert [(fiber.poll(), fiber.spent) for _ in range(3)] == [
        (False, 100_000),
        (False, 200_000),
        (False, 300_000),
    ]
    fiber.close()


def test_host_calls_do_not_stretch_a_slice() -> None:
    count = COUNT.removeprefix("(local $i i32)").replace("1000000", "10000")
    body = f"""(local $i i32) (local $n i32) (loop $again (local.set $i (i32.const 0)) {count}
      (drop (call $now_ms)) (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const 100)))) (i64.const 0)"""
    module = load(guest(handler("busy", body), imports="now_ms"))
    inline = module.call("busy", b"", context(), Limits(inline_fuel=10_000_000))
    fiber = Fiber(module, "busy", b"", context(), slice_fuel=500_000)
    polls = 1
    while not fiber.poll():
        polls += 1
    assert polls >= 16
    assert finish(fiber) == inline
    with pytest.raises(Trap) as caught:
        finish(Fiber(module, "busy", b"", context(), Limits(fuel=inline.fuel - 1), slice_fuel=500_000))
    assert (caught.value.kind, caught.value.fuel) == ("fuel", inline.fuel - 1)


def test_a_market_may_stop_and_go_on_in_a_later_round(raw: Guest) -> None:
    fibers = [Fiber(raw, "count", b"", context(), slice_fuel=1_000_000) for _ in range(3)]
    rounds = 0
    while not all(fiber.done for fiber in fibers):
        rounds += 1
        for fiber in fibers:
            fiber.poll()
    assert rounds == 9
    assert len({finish(fiber).fuel for fiber in fibers}) == 1


@pytest.mark.parametrize(
    ("function", "body"), [("get", b"value"), ("list", b'["a","b"]'), ("http", b'{"status":200}')]
)
def test_a_question_suspends_until_it_is_answered(module: Guest, function: str, body: bytes) -> None:
    fiber = Fiber(module, function, b"key", context())
    assert not fiber.poll()
    (ask,) = fiber.asks
    assert b"key" in (ask.name.encode(), ask.payload)
    assert [fiber.poll() for _ in range(3)] == [False] * 3
    assert finish(fiber, ANSWERS).body == body


def test_fuel_does_not_depend_on_the_way_of_waiting(module: Guest) -> None:
    call = context()
    waited = finish(Fiber(module, "three", b"key", call), ANSWERS)
    call.restart()
    assert module.call("three", b"key", call) == waited


def test_a_known_value_is_not_asked_again(module: Guest) -> None:
    call = context()
    fiber = Fiber(module, "twice", b"key", call)
    fiber.poll()
    fiber.asks[0].answer(b"v")
    assert fiber.poll()
    assert finish(fiber).body == b"v"
    assert call.reads == {"key": b"v"}


def test_a_failed_request_reaches_the_guest_as_a_code(module: Guest) -> None:
    call = context()
    fiber = Fiber(module, "code", b"{}", call)
    body = finish(fiber, {"http": HostFailure("no route", -3)}).body
    assert int.from_bytes(body, "little", signed=True) == -3
    assert call.logs == [("warning", "http: no route")]


def test_a_store_that_cannot_be_read_ends_the_run(module: Guest) -> None:
    with pytest.raises(Trap) as caught:
        finish(Fiber(module, "get", b"k", context()), {"kv": HostFailure("store is away")})
    assert (caught.value.kind, caught.value.message) == ("unavailable", "store is away")


@both
@pytest.mark.parametrize(
    ("body", "kind"),
    [("unreachable", "unreachable"), ("(i64.load (i32.const -8))", "memory"), ("(i64.div_u (i64.const 1) (i64.const 0))", "division"),
     ("(i64.const -1)", "bad_result"), ("(loop $l (br $l)) unreachable", "fuel")],
)  # fmt: skip
def test_a_fiber_traps_like_an_inline_call(raw: bool, body: str, kind: str) -> None:
    module = load(guest(handler("bad", body)), raw)
    limits = Limits(fuel=1_500_000)
    with pytest.raises(Trap) as inline:
        module.call("bad", b"", context(), limits)
    with pytest.raises(Trap) as fiber:
        finish(Fiber(module, "bad", b"", context(), limits))
    assert (fiber.value.kind, fiber.value.function, fiber.value.offset, fiber.value.fuel) == (
        kind, inline.value.function, inline.value.offset, inline.value.fuel)  # fmt: skip
    assert module.engine.used() == 0


def test_time_counts_only_while_running(raw: Guest) -> None:
    fiber = Fiber(raw, "get", b"k", context(), Limits(wall_ms=40))
    fiber.poll()
    threading.Event().wait(0.1)
    fiber.asks[0].answer(b"late")
    assert finish(fiber).body == b"late"


def test_a_fiber_that_runs_too_long_is_interrupted(raw: Guest) -> None:
    limits = Limits(fuel=1 << 50, wall_ms=30)
    for slice_fuel in (1_000_000, 1 << 50):
        with pytest.raises(Trap) as caught:
            finish(Fiber(raw, "forever", b"", context(), limits, slice_fuel=slice_fuel))
        assert caught.value.kind == "interrupt"
        assert caught.value.fuel > 10_000_000


def test_an_allocator_that_is_slow_is_sliced_too() -> None:
    module = wasm(f"""(module (import "priostack" "kv_get" (func $kv_get (param i32 i32) (result i64)))
      (memory (export "memory") 1)
      (func (export "alloc") (param i32) (result i32) {COUNT} (i32.const 64))
      (func (export "get") (param i32 i32) (result i64) (call $kv_get (local.get 0) (local.get 1))))""")
    loaded = load(module)
    fiber = Fiber(loaded, "get", b"key", context(), Limits(fuel=1 << 30))
    polls = 0
    while not fiber.poll():
        polls += 1
        for ask in fiber.asks:
            ask.answer(b"v")
    assert polls > 10
    assert finish(fiber).body == b"v"
    for stop in range(1, polls):  # given back at every moment, also inside the nested allocation
        fiber = Fiber(loaded, "get", b"key", context(), Limits(fuel=1 << 30))
        for _ in range(stop):
            fiber.poll()
            for ask in fiber.asks:
                ask.answer(b"v")
        fiber.close()
    assert loaded.engine.used() == 0
    assert loaded.call("get", b"k", _known("k"), Limits(inline_fuel=1 << 30, fuel=1 << 30)).body == b"1"


def _known(key: str) -> object:
    call = context()
    call.reads[key] = b"1"
    return call


def test_a_start_function_is_sliced_too() -> None:
    module = guest(ECHO, f"(func $s {COUNT}) (start $s)")
    assert finish(Fiber(load(module), "echo", b"x", context())).body == b"x"


def test_a_thousand_fibers_wait_at_once(raw: Guest) -> None:
    fibers = [Fiber(raw, "get", str(n).encode(), context()) for n in range(1000)]
    for fiber in fibers:
        assert not fiber.poll()
    assert raw.engine.stats()["used"] == 1000
    assert raw.engine.stats()["peak"] >= 1000
    assert raw.call("echo", b"still", context()).body == b"still"
    for number, fiber in enumerate(fibers):
        fiber.asks[0].answer(str(number).encode())
    assert [finish(fiber).body for fiber in fibers] == [str(n).encode() for n in range(1000)]
    assert raw.engine.stats()["used"] == 0


def test_a_fiber_moves_between_threads(raw: Guest) -> None:
    fiber = Fiber(raw, "count", b"", context())
    done: list[bool] = []
    while not done or not done[-1]:
        thread = threading.Thread(target=lambda: done.append(fiber.poll()))
        thread.start()
        thread.join()
    assert len(done) == 9
    fiber.close()


async def test_run_answers_questions_beside_the_loop(module: Guest) -> None:
    bodies = await asyncio.gather(
        *(run(module, "three", str(n).encode(), context(), Limits(), answer) for n in range(20))
    )
    assert {body.body for body in bodies} == {b'{"status":200}'}


async def test_a_short_call_does_not_wait_for_a_long_one(raw: Guest) -> None:
    long = asyncio.create_task(run(raw, "forever", b"", context(), Limits(fuel=1 << 50), answer))
    short = await asyncio.wait_for(run(raw, "echo", b"quick", context(), Limits(), answer), 1)
    assert short.body == b"quick"
    assert not long.done()
    long.cancel()
    await _drained(raw)


async def test_a_cancelled_run_gives_its_slot_back(raw: Guest) -> None:
    async def never(ask: Ask) -> None:
        await asyncio.Event().wait()

    tasks = [
        asyncio.create_task(run(raw, name, b"k", context(), Limits(fuel=1 << 50), never))
        for name in ("forever", "get", "http") * 5
    ]
    await asyncio.sleep(0.05)
    assert raw.engine.used() == 15
    for task in tasks:
        task.cancel()
    assert all(
        isinstance(end, asyncio.CancelledError)
        for end in await asyncio.gather(*tasks, return_exceptions=True)
    )
    await _drained(raw)


async def _drained(guest: Guest) -> None:
    for _ in range(200):
        if guest.engine.used() == 0:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("a sandbox slot was not given back")


async def test_an_answerer_that_fails_ends_the_run_and_frees_it(raw: Guest) -> None:
    async def broken(ask: Ask) -> bytes:
        raise LookupError("no such service")

    with pytest.raises(LookupError):
        await run(raw, "get", b"k", context(), Limits(), broken)
    await _drained(raw)


async def test_a_refusal_of_the_answerer_is_told_to_the_guest(module: Guest) -> None:
    async def refusing(ask: Ask) -> bytes:
        raise HostFailure("not on the allow-list", -3)

    body = (await run(module, "code", b"{}", context(), Limits(), refusing)).body
    assert int.from_bytes(body, "little", signed=True) == -3


def test_writes_of_a_fiber_are_buffered_like_any(module: Guest) -> None:
    call = context()
    finish(Fiber(module, "write", b"k", call))
    assert call.writes == {"k": b"k"}


@both
def test_a_wasi_program_runs_on_a_fiber(raw: bool) -> None:
    module = wasm(f"""(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1) {ALLOC} (func (export "_start") (call $exit (i32.const 0))))""")
    assert finish(Fiber(load(module, raw), "main", b"{}", context())).body == b"null"
