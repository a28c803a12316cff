"""Orders and payments of the example, and the sensors between them."""

from typing import Any

import pytest

from runtime.wasm import Trap
from runtime.wasmtypes import FUEL_PER_UNIT
from tests.examples.customer import add, get, order, paid_order, pay, stock
from tests.examples.host import Host


def test_an_order_from_a_checkout_empties_the_cart_and_keeps_the_price(host: Host) -> None:
    add(host, "mug", 2)
    checkout = get(host, "cart:initiateCheckout", userId="ann").body
    host.fired.clear()
    answer = order(host, checkoutId=checkout["checkoutId"])
    assert (answer.status, answer.body["status"], answer.body["totalCents"]) == (201, "created", 3000)
    assert sorted(host.kv) == ["order:o1", "user-orders:ann"]
    assert host.fired == [("newOrder", {"orderId": "o1", "userId": "ann"})]


def test_a_checkout_serves_once_and_only_its_owner(host: Host) -> None:
    add(host, "mug")
    checkout = get(host, "cart:initiateCheckout", userId="ann").body["checkoutId"]
    assert order(host, userId="eve", checkoutId=checkout).status == 404
    assert order(host, checkoutId=checkout).status == 201
    assert order(host, "o2", checkoutId=checkout).status == 404


def test_an_order_from_items_leaves_the_cart(host: Host) -> None:
    add(host, "lamp")
    assert order(host, items=[{"productId": "mug", "quantity": 3}]).body["subtotalCents"] == 3750
    assert host.stored("cart:ann")["items"][0]["productId"] == "lamp"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"items": []}, 400),
        ({"items": "mug"}, 400),
        ({"items": [{}]}, 400),
        ({"items": [7]}, 400),
        ({"items": [{"productId": "nope"}]}, 404),
        ({"items": [{"productId": "mug", "quantity": 0}]}, 400),
        ({"items": [{"productId": "mug"}, {"productId": "mug"}]}, 400),
        ({"items": [{"productId": "desk", "quantity": 9}]}, 409),
        ({"userId": None}, 400),
        ({"orderId": "a b"}, 400),
        ({"checkoutId": 5}, 404),
    ],
)
def test_a_wrong_order_is_refused_and_nothing_is_written(
    host: Host, body: dict[str, Any], status: int
) -> None:
    assert order(host, **body).status == status
    assert host.kv == {}
    assert host.fired == []


def test_sending_an_order_again_answers_with_the_first(host: Host) -> None:
    order(host, items=[{"productId": "mug"}])
    again = order(host, items=[{"productId": "lamp"}])
    assert (again.status, again.body["items"][0]["productId"]) == (200, "mug")
    assert order(host, userId="eve").status == 409
    assert len(host.fired) == 1


def test_new_ids_differ_and_sort_by_time(host: Host) -> None:
    first = host.call("order:createOrder", {"body": {"userId": "ann", "items": [{"productId": "mug"}]}})
    host.now += 1
    second = host.call("order:createOrder", {"body": {"userId": "ann", "items": [{"productId": "mug"}]}})
    assert first.body["orderId"] < second.body["orderId"]


def test_the_users_list_has_the_newest_first_and_the_present_status(host: Host) -> None:
    order(host, "o1", items=[{"productId": "mug"}])
    order(host, "o2", items=[{"productId": "mug"}])
    get(host, "order:cancelOrder", orderId="o1")
    body = get(host, "order:getUserOrders", userId="ann").body
    assert [(o["orderId"], o["status"]) for o in body["orders"]] == [("o2", "created"), ("o1", "cancelled")]
    assert get(host, "order:getUserOrders", userId="bob").body == {"userId": "bob", "count": 0, "orders": []}


def test_processing_takes_the_stock_once(host: Host) -> None:
    order(host, items=[{"productId": "mug", "quantity": 5}])
    host.now += 40
    host.drain()
    host.fire("newOrder", {"orderId": "o1"})
    assert stock(host, "mug") == 195
    assert host.stored("order:o1")["status"] == "processing"
    assert host.signals.count(("orderProcessing", 40.0)) == 1


def test_an_order_that_came_too_late_is_backordered(host: Host) -> None:
    order(host, "o1", items=[{"productId": "desk", "quantity": 8}])
    order(host, "o2", items=[{"productId": "desk", "quantity": 1}])
    host.drain()
    assert [host.stored(f"order:{o}")["status"] for o in ("o1", "o2")] == ["processing", "backordered"]
    assert stock(host, "desk") == 0


def test_cancelling_returns_the_stock_and_a_paid_order_cannot_be_cancelled(host: Host) -> None:
    order(host, items=[{"productId": "mug", "quantity": 5}])
    host.drain()
    assert get(host, "order:cancelOrder", orderId="o1").body["status"] == "cancelled"
    assert get(host, "order:cancelOrder", orderId="o1").status == 200
    assert stock(host, "mug") == 200
    paid = Host()
    paid_order(paid)
    assert get(paid, "order:cancelOrder", orderId="o1").status == 409


@pytest.mark.parametrize("target", ["order:getOrder", "order:cancelOrder"])
def test_an_unknown_order_is_404(host: Host, target: str) -> None:
    assert get(host, target, orderId="o9").status == 404
    assert get(host, target, orderId="a:b").status == 404


@pytest.mark.parametrize("sensor", ["newOrder", "orderPaid", "paymentRequest"])
@pytest.mark.parametrize("payload", [None, {}, {"orderId": "o9", "paymentId": "p9"}])
def test_a_sensor_about_nothing_is_404_and_changes_nothing(host: Host, sensor: str, payload: Any) -> None:
    assert [answer.status for answer in host.fire(sensor, payload)] == [404]
    assert host.kv == {}


def test_a_payment_is_settled_and_the_parcel_sent(host: Host) -> None:
    order(host, items=[{"productId": "mug", "quantity": 2}])
    host.drain()
    answer = pay(host)
    assert (answer.status, answer.body["status"], answer.body["amountCents"]) == (202, "processing", 3000)
    assert host.fired == [("paymentRequest", {"paymentId": "p1", "orderId": "o1"})]
    host.drain()
    assert get(host, "payment:getPaymentStatus", paymentId="p1").body["status"] == "paid"
    shipped = get(host, "order:getOrder", orderId="o1").body
    assert shipped["status"] == "shipped"
    assert shipped["trackingNumber"].startswith("trk_")
    assert ("paymentValidation", 1.0) in host.signals


def test_a_declined_payment_leaves_the_order_unpaid_and_can_be_repeated(host: Host) -> None:
    order(host, items=[{"productId": "mug"}])
    host.drain()
    pay(host, "p1", token="tok_declined")
    host.drain()
    assert get(host, "payment:getPaymentStatus", paymentId="p1").body["reason"] == "declined by the provider"
    assert host.stored("order:o1")["status"] == "processing"
    assert host.signals[-1] == ("paymentValidation", 0.0)
    assert pay(host, "p2").status == 202


def test_an_order_is_not_paid_twice(host: Host) -> None:
    order(host, items=[{"productId": "mug"}])
    host.drain()
    pay(host, "p1")
    assert pay(host, "p2").status == 409
    assert pay(host, "p1").status == 202
    assert len(host.fired) == 1
    host.drain()
    assert pay(host, "p3").status == 409
    assert "payment:p2" not in host.kv


def test_a_cancelled_order_is_not_charged_by_a_late_request(host: Host) -> None:
    order(host, items=[{"productId": "mug"}])
    pay(host)
    get(host, "order:cancelOrder", orderId="o1")
    host.drain()
    assert host.stored("payment:p1")["status"] == "declined"
    assert host.stored("order:o1")["status"] == "cancelled"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"orderId": None}, 400),
        ({"orderId": "o9"}, 404),
        ({"amountCents": 1}, 409),
        ({"amountCents": "1500"}, 409),
        ({"method": "gold"}, 400),
        ({"method": 3}, 400),
        ({"paymentId": "a/b"}, 400),
    ],
)
def test_a_wrong_payment_is_refused_and_nothing_is_written(
    host: Host, body: dict[str, Any], status: int
) -> None:
    order(host, items=[{"productId": "mug"}])
    before = dict(host.kv)
    host.fired.clear()
    assert pay(host, **body).status == status
    assert (host.kv, host.fired) == (before, [])


def test_a_refund_gives_money_and_goods_back_once(host: Host) -> None:
    paid_order(host)
    assert get(host, "payment:refundPayment", paymentId="p1").status == 202
    host.drain()
    host.fire("refundRequest", {"paymentId": "p1"})
    assert host.stored("payment:p1")["status"] == host.stored("order:o1")["status"] == "refunded"
    assert stock(host, "mug") == 200
    assert get(host, "payment:refundPayment", paymentId="p1").status == 200


def test_a_refund_whose_firing_was_skipped_is_taken_along_by_the_next(host: Host) -> None:
    for n in ("1", "2"):
        order(host, "o" + n, items=[{"productId": "mug"}])
        host.drain()
        pay(host, "p" + n, "o" + n)
        host.drain()
        get(host, "payment:refundPayment", paymentId="p" + n)
        host.fired.clear()  # both firings fall into the cooldown
    (answer,) = host.fire("refundRequest", {})
    assert answer.body == {"refunded": 2, "more": False}
    assert not [key for key in host.kv if key.startswith("refund-due:")]


def test_only_a_paid_payment_is_refunded(host: Host) -> None:
    order(host, items=[{"productId": "mug"}])
    pay(host)
    assert get(host, "payment:refundPayment", paymentId="p1").status == 409
    assert get(host, "payment:refundPayment", paymentId="p9").status == 404
    assert get(host, "payment:getPaymentStatus", paymentId="p9").status == 404


def test_a_write_that_the_host_refuses_ends_the_call(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.host.MAX_WRITES", 0)
    with pytest.raises(Trap, match="kv_set refused cart:ann"):
        add(host, "mug")
    assert (host.kv, host.fired) == ({}, [])


def test_a_usual_call_costs_two_compute_units_at_most_its_host_calls_included(host: Host) -> None:
    calls = [
        host.call("catalog:listProducts"),
        host.call("catalog:searchProducts", {"query": {"q": "desk"}}),
        add(host, "mug", 2),
        add(host, "lamp", 1),
        get(host, "cart:getUserCart", userId="ann"),
        get(host, "cart:initiateCheckout", userId="ann"),
        order(host),
        get(host, "order:getOrder", orderId="o1"),
        get(host, "order:getUserOrders", userId="ann"),
        pay(host),
        get(host, "payment:getPaymentStatus", paymentId="p1"),
    ]
    assert max(call.status for call in calls) < 300
    assert max(call.fuel for call in calls) <= 2 * FUEL_PER_UNIT
