"""Catalog and cart of the example: lists, search, stock, lines, checkout."""

from typing import Any

import pytest

from tests.examples.customer import add, get, stock
from tests.examples.host import Host

DAY = 86_400_000


def test_a_new_shop_lists_eight_products_and_writes_nothing(host: Host) -> None:
    body = host.call("catalog:listProducts").body
    assert body["count"] == len(body["products"]) == 8
    assert all(isinstance(product["priceCents"], int) for product in body["products"])
    assert host.kv == {}
    assert host.signals == [("catalogHealth", 1.0)]


def test_a_category_narrows_the_list(host: Host) -> None:
    body = host.call("catalog:listProducts", {"query": {"category": "home"}}).body
    assert [product["id"] for product in body["products"]] == ["lamp", "mug"]


def test_one_product_by_id_and_404_for_an_unknown_one(host: Host) -> None:
    assert get(host, "catalog:getProductById", id="backpack").body["name"] == "Café backpack"
    answer = get(host, "catalog:getProductById", id="nope")
    assert (answer.status, answer.body) == (404, {"error": "there is no product nope"})


@pytest.mark.parametrize("word", ["DESK", " desk ", "Desk"])
def test_search_ignores_case_and_blanks(host: Host, word: str) -> None:
    body = host.call("catalog:searchProducts", {"query": {"q": word}}).body
    assert [product["id"] for product in body["products"]] == ["lamp", "desk"]


@pytest.mark.parametrize("query", [{}, {"q": ""}, {"q": "  "}, {"q": "x" * 101}])
def test_search_refuses_an_empty_or_endless_word(host: Host, query: dict[str, str]) -> None:
    assert host.call("catalog:searchProducts", {"query": query}).status == 400


def test_an_inventory_change_sets_and_moves_stock(host: Host) -> None:
    host.fire(
        "inventoryChange",
        {"products": [{"productId": "mug", "stock": 9}, {"productId": "lamp", "delta": -1}]},
    )
    assert (stock(host, "mug"), stock(host, "lamp")) == (9, 39)


def test_an_inventory_change_can_bring_a_new_product(host: Host) -> None:
    host.fire("inventoryChange", {"productId": "pen", "name": 'Pen "fine" 🖊', "priceCents": 120, "stock": 5})
    assert get(host, "catalog:getProductById", id="pen").body["name"] == 'Pen "fine" 🖊'
    assert host.call("catalog:listProducts").body["count"] == 9


@pytest.mark.parametrize(
    "payload",
    [
        None,
        7,
        [],
        {},
        {"productId": "mug"},
        {"productId": "mug", "stock": -1},
        {"productId": "mug", "stock": 1.5},
        {"productId": "new", "stock": 1},
        {"products": [{"productId": "mug", "stock": 1}, {"productId": "a b"}]},
    ],
)
def test_a_wrong_inventory_change_is_refused_and_changes_nothing(host: Host, payload: Any) -> None:
    (answer,) = host.fire("inventoryChange", payload)
    assert answer.status == 400
    assert host.kv == {}


def test_a_user_without_a_cart_has_an_empty_one(host: Host) -> None:
    body = get(host, "cart:getUserCart", userId="ann").body
    assert (body["items"], body["totalCents"]) == ([], 0)
    assert host.kv == {}


def test_adding_sums_lines_in_cents_with_tax(host: Host) -> None:
    add(host, "mug", 2)
    answer = add(host, "notebook", 1)
    assert answer.status == 201
    assert [(i["itemId"], i["lineCents"]) for i in answer.body["items"]] == [("mug", 2500), ("notebook", 890)]
    assert (answer.body["subtotalCents"], answer.body["taxCents"], answer.body["totalCents"]) == (
        3390,
        678,
        4068,
    )


def test_adding_twice_makes_one_line(host: Host) -> None:
    add(host, "mug", 2)
    assert [i["quantity"] for i in add(host, "mug", 3).body["items"]] == [5]


def test_adding_and_removing_fire_cart_modified(host: Host) -> None:
    add(host, "mug")
    get(host, "cart:removeFromCart", userId="ann", itemId="mug")
    assert [(name, payload["reason"]) for name, payload in host.fired] == [
        ("cartModified", "added"),
        ("cartModified", "removed"),
    ]


@pytest.mark.parametrize("quantity", [0, -1, 100, 1.5, "2", True, [], 10**20])
def test_an_odd_quantity_is_refused_and_the_cart_stays(host: Host, quantity: Any) -> None:
    assert add(host, "mug", quantity).status == 400
    assert host.kv == {}
    assert host.fired == []


@pytest.mark.parametrize(
    "body", [None, "mug", [], 3, {}, {"productId": None}, {"productId": "a:b"}, {"base64": "AA=="}]
)
def test_an_odd_body_is_refused(host: Host, body: Any) -> None:
    assert host.call("cart:addToCart", {"params": {"userId": "ann"}, "body": body}).status == 400


def test_unknown_products_and_short_stock_are_refused(host: Host) -> None:
    assert add(host, "nope").status == 404
    assert add(host, "desk", 9).status == 409
    add(host, "desk", 8)
    assert add(host, "desk", 1).status == 409


@pytest.mark.parametrize("user", ["", "a:b", "a b", "x" * 65, "é"])
def test_a_user_id_that_would_break_a_key_is_refused(host: Host, user: str) -> None:
    assert get(host, "cart:getUserCart", userId=user).status == 400
    assert add(host, "mug", user=user).status == 400
    assert host.kv == {}


def test_removing_what_is_not_there_is_404(host: Host) -> None:
    add(host, "mug")
    assert get(host, "cart:removeFromCart", userId="ann", itemId="desk").status == 404
    assert len(host.stored("cart:ann")["items"]) == 1


def test_checkout_takes_todays_price_and_an_empty_cart_has_none(host: Host) -> None:
    assert get(host, "cart:initiateCheckout", userId="ann").status == 409
    add(host, "mug")
    body = get(host, "cart:initiateCheckout", userId="ann").body
    assert body["totalCents"] == 1500
    assert host.stored("checkout:" + body["checkoutId"]) == body


def test_checkout_says_what_is_sold_out(host: Host) -> None:
    add(host, "mug", 2)
    host.fire("inventoryChange", {"productId": "mug", "stock": 1})
    answer = get(host, "cart:initiateCheckout", userId="ann")
    assert (answer.status, answer.body["error"]) == (409, "mug: only 1 are in stock")


def test_validation_signals_the_share_of_right_lines_and_writes_nothing(host: Host) -> None:
    add(host, "mug", 2)
    add(host, "lamp", 1)
    host.fire("inventoryChange", {"productId": "mug", "stock": 1})
    host.readonly = True
    host.fired.clear()
    answer = host.call("cart:validateCartItems", {"body": {"userId": "ann"}})
    assert answer.body["valid"] is False
    assert [p["productId"] for p in answer.body["problems"]] == ["mug"]
    assert host.signals[-1] == ("cartSync", 0.5)


def test_cleanup_removes_only_old_carts(host: Host) -> None:
    add(host, "mug", user="old")
    host.now += DAY + 1
    add(host, "mug", user="young")
    host.fired.clear()
    (answer,) = host.fire("cartInactive", {})
    assert answer.body == {"removed": 1, "checked": 2, "more": False}
    assert list(host.kv) == ["cart:young"]


def test_cleanup_of_one_user_leaves_longer_names_alone(host: Host) -> None:
    add(host, "mug", user="ann")
    add(host, "mug", user="anna")
    host.call("cart:cleanupExpiredCarts", {"body": {"userId": "ann", "olderThanMs": 0}})
    assert list(host.kv) == ["cart:anna"]
