"""Whatever is sent, the example's functions answer with 2xx or 4xx; they never trap and never mangle text."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.wasm import HostCall
from tests.examples.host import Host, compiled, endpoints, intents

TARGETS = sorted({e["to"] for e in endpoints()} | {i["toFunc"] for i in intents()})
WORDS = ["mug", "desk", "ann", "o1", "p1", "", "a:b", "tok_declined", "card", "é"]
KEYS = ["productId", "quantity", "userId", "orderId", "paymentId", "items", "products", "stock", "delta"]
KEYS += ["checkoutId", "amountCents", "method", "token", "name", "priceCents", "olderThanMs", 'x"y\\']
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20) | st.sampled_from(WORDS) | st.integers(-2, 120)
)  # fmt: skip
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)
ids = st.sampled_from(WORDS) | st.text(max_size=10)
params = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("id", "userId", "itemId", "orderId", "paymentId"), ids)
)


def stocked() -> Host:
    """A shop in which something has happened."""
    host = Host()
    host.call("cart:addToCart", {"params": {"userId": "ann"}, "body": {"productId": "mug"}})
    host.call(
        "order:createOrder", {"body": {"userId": "ann", "orderId": "o1", "items": [{"productId": "desk"}]}}
    )
    host.call("payment:processPayment", {"body": {"orderId": "o1", "paymentId": "p1"}})
    return host


@settings(max_examples=400, deadline=None)
@given(target=st.sampled_from(TARGETS), body=trees, params=params, query=st.dictionaries(st.just("q"), ids))
def test_no_function_traps(target: str, body: Any, params: dict[str, str], query: dict[str, str]) -> None:
    host = stocked()
    answer = host.call(target.removeprefix("wasm:"), {"params": params, "query": query, "body": body})
    assert 200 <= answer.status < 500
    if answer.status >= 400:
        assert set(answer.body) == {"error"}
    for value in host.kv.values():
        assert isinstance(json.loads(value), dict | str)


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=40), ascii_only=st.booleans())
def test_text_comes_back_as_it_was_sent(text: str, ascii_only: bool) -> None:
    request = json.dumps(
        {"headers": {"q": "no"}, "query": {"q": f"a{text}"}}, ensure_ascii=ascii_only
    ).encode()
    host = Host()
    context = HostCall("x", 0)
    context.listings["product:"] = ()
    done = host.run(compiled(host.module("catalog")), "searchProducts", request, context)
    assert json.loads(done.body)["body"]["query"] == f"a{text}"


def test_half_of_a_surrogate_pair_becomes_a_replacement_character() -> None:
    request = b'{"query":{"q":"a\\ud83d b\\ude42"}}'
    context = HostCall("x", 0)
    context.listings["product:"] = ()
    host = Host()
    done = host.run(compiled(host.module("catalog")), "searchProducts", request, context)
    assert json.loads(done.body)["body"]["query"] == "a\ufffd b\ufffd"
