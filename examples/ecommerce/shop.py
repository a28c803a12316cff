"""A shopper: buys something from the running e-commerce bundle, looks on, and gives it back.

Usage: python shop.py --url http://127.0.0.1:8000/demo --key KEY   (or PRIOSTACK_URL and PRIOSTACK_KEY)
"""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any

PATIENCE_S = 20.0


class Surprise(Exception):
    """The shop answered with something a shopper does not expect."""


class Shop:
    """The API of one tenant's shop."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self.key = key

    def ask(self, method: str, path: str, body: Any = None, *, expect: int = 200) -> Any:
        """Send one request, print it as one line, return the JSON of the answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Authorization", f"Bearer {self.key}")
        request.add_header("Content-Type", "application/json")
        status, headers, text = self.send(request)
        cost = f"{headers.get('X-Compute-Units', '?')} CU"
        print(f"    {method:6} {path:48} {status}  {cost}")
        if status != expect:
            raise Surprise(f"{method} {path} answered {status} instead of {expect}: {text[:500]}")
        try:
            return json.loads(text)
        except ValueError:
            raise Surprise(f"{method} {path} answered with something that is no JSON: {text[:200]}") from None

    def send(self, request: urllib.request.Request) -> tuple[int, Any, str]:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode(errors="replace")
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise Surprise(f"the shop does not answer: {error}") from None

    def wait(self, path: str, *wanted: str, patience_s: float = PATIENCE_S) -> Any:
        """Ask until the status is one of those wanted: intents run behind the request that fired them."""
        end = time.monotonic() + patience_s
        while True:
            found = self.ask("GET", path)
            if found["status"] in wanted:
                return found
            if time.monotonic() > end:
                raise Surprise(f"{path} is still {found['status']}, not {' or '.join(wanted)}")
            time.sleep(0.3)


def say(line: str) -> None:
    print(f"\n• {line}")


def euro(cents: int) -> str:
    return f"{cents / 100:,.2f} EUR"


def check(right: bool, otherwise: str) -> None:
    if not right:
        raise Surprise(otherwise)


def browse(shop: Shop) -> dict[str, Any]:
    """Look around; returns the product to buy."""
    say("What is there?")
    listed = shop.ask("GET", "/api/v1/catalog/products")["products"]
    for product in listed:
        print(
            f"      {product['name']:24} {euro(product['priceCents']):>14}   {product['stock']:>4} in stock"
        )
    check(bool(listed), "the shelf is empty")
    word = listed[0]["name"].split()[-1]
    say(f"Search for “{word}”")
    query = urllib.parse.urlencode({"q": word})
    found = shop.ask("GET", f"/api/v1/catalog/products/search?{query}")
    check(found["count"] >= 1, f"the search does not find {word}")
    wanted = next((product for product in listed if product["stock"] >= 2), None)
    if wanted is None:
        raise Surprise("everything is sold out")
    one: dict[str, Any] = shop.ask("GET", f"/api/v1/catalog/products/{wanted['id']}")
    return one


def fill(shop: Shop, user: str, product: dict[str, Any]) -> str:
    """Put two into the cart, one thing in and out again; returns the id of the checkout."""
    say(f"Two of “{product['name']}” into the cart")
    items = f"/api/v1/cart/{user}/items"
    cart = shop.ask("POST", items, {"productId": product["id"], "quantity": 2}, expect=201)
    check(cart["subtotalCents"] == 2 * product["priceCents"], f"the cart sums up wrongly: {cart}")
    say("None at all: the shop must refuse")
    shop.ask("POST", items, {"productId": product["id"], "quantity": 0}, expect=400)
    say("Change of mind: out, and in again")
    shop.ask("DELETE", f"{items}/{product['id']}")
    shop.ask("POST", items, {"productId": product["id"], "quantity": 2}, expect=201)
    cart = shop.ask("GET", f"/api/v1/cart/{user}")
    check([item["quantity"] for item in cart["items"]] == [2], f"the cart is not what was put in: {cart}")
    say("Checkout")
    draft = shop.ask("POST", f"/api/v1/cart/{user}/checkout")
    print(
        f"      {euro(draft['subtotalCents'])} + {euro(draft['taxCents'])} tax = {euro(draft['totalCents'])}"
    )
    return str(draft["checkoutId"])


def order(shop: Shop, user: str, checkout: str) -> str:
    """Make the order and see it processed; returns its id."""
    say("Order")
    made = shop.ask("POST", "/api/v1/orders/", {"userId": user, "checkoutId": checkout}, expect=201)
    print(f"      {made['orderId']}: {made['status']}, {euro(made['totalCents'])}")
    say("The sensor newOrder has been fired: an intent takes the goods from the shelf")
    path = f"/api/v1/orders/{made['orderId']}"
    print(f"      {shop.wait(path, 'processing')['status']}")
    mine = shop.ask("GET", f"/api/v1/orders/user/{user}")
    check(mine["count"] == 1, f"the list of my orders is wrong: {mine}")
    return str(made["orderId"])


def pay(shop: Shop, order_id: str) -> str:
    """Pay and see the parcel sent; returns the id of the payment."""
    say("Pay")
    body = {"orderId": order_id, "method": "card", "token": "tok_ok"}
    payment = shop.ask("POST", "/api/v1/payments/process", body, expect=202)
    path = f"/api/v1/payments/{payment['paymentId']}"
    print(f"      {payment['paymentId']}: {shop.wait(path, 'paid')['status']}")
    say("The sensor orderPaid has been fired: an intent hands the parcel over")
    sent = shop.wait(f"/api/v1/orders/{order_id}", "shipped")
    print(f"      {sent['status']}, tracking number {sent['trackingNumber']}")
    shop.ask("POST", f"/api/v1/orders/{order_id}/cancel", expect=409)
    return str(payment["paymentId"])


def give_back(shop: Shop, payment_id: str) -> None:
    """Ask for the money. The refund's intent runs once a minute: within its cooldown the refund waits."""
    say("It does not fit: refund")
    path = f"/api/v1/payments/{payment_id}"
    shop.ask("POST", f"{path}/refund", expect=202)
    time.sleep(0.3)
    try:
        state = shop.wait(path, "refunded", patience_s=3)["status"]
    except Surprise:
        state = shop.wait(path, "refund_pending")["status"]
        print("      a refund ran less than a minute ago; the next one takes this one along")
    print(f"      {state}")


def cancel(shop: Shop, user: str, product: dict[str, Any]) -> None:
    say("A second order, cancelled before it is paid")
    items = [{"productId": product["id"], "quantity": 1}]
    made = shop.ask("POST", "/api/v1/orders/", {"userId": user, "items": items}, expect=201)
    gone = shop.ask("POST", f"/api/v1/orders/{made['orderId']}/cancel")
    check(gone["status"] == "cancelled", f"the order is {gone['status']}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Shop end to end at a running e-commerce bundle.")
    parser.add_argument("--url", default=os.environ.get("PRIOSTACK_URL"), help="address with the tenant")
    parser.add_argument("--key", default=os.environ.get("PRIOSTACK_KEY"), help="API key of the tenant")
    given = parser.parse_args()
    if not given.url or not given.key:
        parser.error("say --url and --key, or set PRIOSTACK_URL and PRIOSTACK_KEY")
    shop, user = Shop(given.url, given.key), f"shopper-{uuid.uuid4().hex[:8]}"
    try:
        product = browse(shop)
        order_id = order(shop, user, fill(shop, user, product))
        give_back(shop, pay(shop, order_id))
        cancel(shop, user, product)
    except (Surprise, KeyError) as surprise:
        print(f"\nA surprise: {surprise}", file=sys.stderr)
        return 1
    say(f"{user} is happy.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
