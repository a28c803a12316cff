"""The tutorial as it is printed, with four modules, through the doors: one upload, two known warnings."""

from pathlib import Path

from bundles.models import Binary, Bundle
from tests.bundles.samples import wasm, zipped
from tests.bundles.test_api_bundles import upload
from tests.bundles.test_corpus_seed import SERVICES, TWO_WARNINGS, ecommerce
from tests.conftest import Person

# The functions that the tutorial's YAML names; ours all answer alike here.
FUNCTIONS = (
    *("listProducts", "getProductById", "searchProducts", "updateInventoryCache"),
    *(
        "getUserCart",
        "addToCart",
        "removeFromCart",
        "initiateCheckout",
        "validateCartItems",
        "cleanupExpiredCarts",
    ),
    *("createOrder", "getOrder", "getUserOrders", "cancelOrder"),
    *("processPayment", "getPaymentStatus", "refundPayment", "processPaymentTransaction", "processRefund"),
)


def modules() -> dict[str, bytes]:
    from wasmtime import wat2wasm

    alloc = '(memory (export "memory") 1) (func (export "alloc") (param i32) (result i32) i32.const 4096)'
    echo = '(func (export "{}") (param i32 i32) (result i64) i64.const 0)'
    data = bytes(wat2wasm(f"(module {alloc} {' '.join(echo.format(name) for name in FUNCTIONS)})"))
    return {f"wasm/{name}.wasm": data for name in SERVICES}


def test_it_is_imported_with_exactly_the_two_known_warnings(alice: Person, corpus: Path) -> None:
    answer = upload(alice.api, zipped(ecommerce(corpus) | modules(), folder="ecommerce/"), name="ecommerce")
    assert answer.status_code == 201
    problems = answer.json()["problems"]
    assert [(p["severity"], p["file"], p["line"], p["message"]) for p in problems] == TWO_WARNINGS
    assert sum(len(service["endpoints"]) for service in answer.json()["services"]) == 14
    assert Binary.objects.count() == 1


def test_a_module_without_the_functions_is_told_at_every_call(alice: Person, corpus: Path) -> None:
    contents = ecommerce(corpus) | {path: wasm() for path in modules()}
    problems = upload(alice.api, zipped(contents)).json()["problems"]
    assert {problem["severity"] for problem in problems} == {"warning"}
    assert len(problems) == 21


def test_two_tenants_import_it_side_by_side(alice: Person, charlie: Person, corpus: Path) -> None:
    data = zipped(ecommerce(corpus) | modules())
    assert upload(alice.api, data).status_code == upload(charlie.api, data).status_code == 201
    assert Bundle.objects.count() == 2
    paths = [
        client.get("/api/bundles").json()["items"][0]["services"][0]["endpoints"][0]["path"]
        for client in (alice.api, charlie.api)
    ]
    assert [path.split("/")[1] for path in paths] == ["alice", "charlie"]
