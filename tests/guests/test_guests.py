"""The guests that tests and the bench stand on do what their first line says."""

import math
from typing import Any

import pytest

from runtime.wasm import Guest, HostCall, Limits, Suspend, Trap, engine
from tests.examples.host import Host
from tests.guests import guest, names

TEXTS = [
    '"a\\"b"',
    '"\\\\"',
    '"\\\\\\""',
    '"}]{["',
    '"body\\":1"',
    "{}",
    "[]",
    "0",
    "-1.5e3",
    "null",
    "true",
    '""',
]
HEADERS = ["{}", '{"body":"wrong"}', '{"x":"\\"body\\":"}', '{"long":"' + "y" * 99 + '"}']
NESTED = '{"a":[{"b":"]}","body":"no"},[[]]],"c":"\\"body\\":"}'


class Bench(Host):
    """A host whose modules are the guests of this folder."""

    def module(self, name: str) -> bytes:
        return guest(name)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def raw(name: str, request: bytes, function: str = "run") -> bytes:
    return Guest.compile(engine(), guest(name)).call(function, request, HostCall("x", 0)).body


def test_every_guest_compiles() -> None:
    assert {"echo", "total", "total_as", "counter", "spin", "trapper"} <= set(names())
    for name in names():
        Guest.compile(engine(), guest(name))


@pytest.mark.parametrize("name", ["echo", "echo32"])
@pytest.mark.parametrize("body", [*TEXTS, NESTED, '"' + "é\\n🙂" * 50 + '"'])
@pytest.mark.parametrize(
    "before", ["{}", '{"body":"wrong"}', '{"x":"\\"body\\":"}', '{"long":"' + "y" * 99 + '"}']
)
def test_echo_answers_with_the_body_byte_for_byte(name: str, body: str, before: str) -> None:
    for pattern in (
        '{"method":"POST","headers":%s,"body":%s,"tenant":"a"}',
        '{ "headers" : %s ,\n "body" : %s }',
    ):
        assert raw(name, (pattern % (before, body)).encode()) == body.encode()


@pytest.mark.parametrize("request_", [b"{}", b'{"a":1}', b"[]", b"", b"{", b'{"body":', b'{"body'])
def test_echo_of_a_request_without_body_is_null(request_: bytes) -> None:
    assert raw("echo", request_) == b"null"


@pytest.mark.parametrize("size", [0, 1, 70_000, 900_000])
def test_echo_takes_bodies_larger_than_its_first_memory(bench: Bench, size: int) -> None:
    assert bench.call("echo:run", {"body": "x" * size}).body == "x" * size


@pytest.mark.parametrize("name", ["total", "total_as"])
@pytest.mark.parametrize("prices", [[9.99] * 10, [0.01, 0.1, 1, 10, 1234.5], [], [99999.99] * 3])
def test_total_sums_items_and_adds_tax(bench: Bench, name: str, prices: list[float]) -> None:
    items = [{"sku": f"A{n}", "qty": n + 1, "price": price} for n, price in enumerate(prices)]
    body = bench.call(f"{name}:run", {"body": {"customer": "ann", "items": items}}).body
    cents = sum((n + 1) * round(price * 100) for n, price in enumerate(prices))
    tax = (cents * 20 + 50) // 100
    assert body["count"] == len(prices)
    wanted = {"subtotal": cents, "tax": tax, "total": cents + tax}
    assert {k: round(body[k] * 100) for k in wanted} == wanted


def test_both_totals_give_the_same_bytes(bench: Bench) -> None:
    body = {"items": [{"qty": 3, "price": 19.9}, {"price": 5, "qty": 2}, {"qty": 1, "price": 0.05}]}
    answers = [bench.call(f"{name}:run", {"body": body}).raw for name in ("total", "total_as")]
    assert answers[0] == answers[1] == b'{"count":3,"subtotal":69.75,"tax":13.95,"total":83.70}'


def test_counter_counts_in_the_store(bench: Bench) -> None:
    assert [bench.call("counter:run").body for _ in range(12)] == list(range(1, 13))
    assert bench.kv == {"n": b"12"}


@pytest.mark.parametrize("fuel", [10_000, 1_000_000, 5_000_000])
def test_spin_burns_the_fuel_it_was_told(bench: Bench, fuel: int) -> None:
    answer = bench.call("spin:run", {"body": {"n": fuel}})
    assert answer.body == fuel
    assert fuel <= answer.fuel < fuel + 5_000


def test_logger_logs(bench: Bench) -> None:
    assert bench.call("logger:run", {"body": {"text": "hello é", "n": 3, "level": 2}}).body == {"logged": 3}
    assert bench.logs == [("warning", "hello é")] * 3


def test_firer_fires(bench: Bench) -> None:
    request = {"body": {"sensor": "orderPaid", "payload": {"orderId": "o1"}, "n": 2}}
    assert bench.call("firer:run", request).body == {"result": 0}
    assert bench.fired == [("orderPaid", {"orderId": "o1"})] * 2
    assert bench.call("firer:run", {"body": {"payload": 1}}).body == {"result": -1}
    bench.call("firer:run", {"body": {"sensor": "s"}})
    assert bench.fired[2:] == [("s", None)]


def test_caller_answers_with_what_it_called(bench: Bench) -> None:
    request = {"body": {"target": "wasm:echo:run", "payload": {"a": [1, "}"]}}}
    assert bench.call("caller:run", request).body == {"a": [1, "}"]}
    assert bench.call("caller:run", {"body": {"target": "flow:none"}}).body == {"failed": -4}


def test_http_hands_the_body_over_and_says_when_it_failed(bench: Bench) -> None:
    assert bench.call("http:run", {"body": {"method": "GET", "url": "http://a.example/"}}).body == {
        "failed": -4
    }


@pytest.mark.parametrize(
    "function",
    ["unreachable", "divide", "outside", "overflow", "bad_pointer", "bad_length", "bad_host_pointer"],
)
def test_trapper_traps_and_the_process_lives_on(bench: Bench, function: str) -> None:
    with pytest.raises(Trap):
        bench.call(f"trapper:{function}")
    assert bench.call("echo:run", {"body": 1}).body == 1


def test_what_trapper_wrote_before_it_trapped_is_gone(bench: Bench) -> None:
    with pytest.raises(Trap):
        bench.call("trapper:writes_then_traps")
    assert bench.kv == {}


def test_forever_ends_with_its_fuel_and_chatter_with_its_host_calls() -> None:
    trapper = Guest.compile(engine(), guest("trapper"))
    with pytest.raises((Trap, Suspend)):
        trapper.call("forever", b"{}", HostCall("x", 0), Limits(fuel=500_000))
    with pytest.raises((Trap, Suspend)):
        trapper.call("chatters", b"{}", HostCall("x", 0), Limits(host_calls=50))


def test_hoarding_stops_at_the_limit_of_memory(bench: Bench) -> None:
    assert bench.call("trapper:hoard").body == 1


@pytest.mark.parametrize(
    ("function", "given", "wanted"), [("add", [2, 3], 5), ("mean", [1, 2], 1.5), ("double", [4], 8)]
)
def test_numbers_are_called_with_a_list(bench: Bench, function: str, given: list[Any], wanted: float) -> None:
    assert math.isclose(bench.call(f"numbers:{function}", {"body": given}).body, wanted)
