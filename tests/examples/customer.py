"""What a customer of the example shop does, in one call each."""

from typing import Any

from tests.examples.host import Answer, Host


def add(host: Host, product: str, quantity: Any = 1, user: str = "ann") -> Answer:
    body = {"productId": product, "quantity": quantity}
    return host.call("cart:addToCart", {"params": {"userId": user}, "body": body})


def order(host: Host, order_id: str = "o1", **body: Any) -> Answer:
    return host.call("order:createOrder", {"body": {"userId": "ann", "orderId": order_id} | body})


def pay(host: Host, payment_id: str = "p1", order_id: str = "o1", **body: Any) -> Answer:
    return host.call(
        "payment:processPayment", {"body": {"orderId": order_id, "paymentId": payment_id} | body}
    )


def get(host: Host, target: str, **params: str) -> Answer:
    return host.call(target, {"params": params})


def stock(host: Host, product: str) -> int:
    return int(get(host, "catalog:getProductById", id=product).body["stock"])


def paid_order(host: Host) -> None:
    order(host, items=[{"productId": "mug", "quantity": 2}])
    host.drain()
    pay(host)
    host.drain()
