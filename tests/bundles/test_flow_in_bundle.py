"""Flows as a part of a bundle: found, checked against its modules and prompts, and named by its services."""

from bundles import bundle
from bundles.bundle import Definition
from tests.bundles.flowsamples import ORDERS
from tests.bundles.samples import wasm

HEAD = b"name: shop\nservices:\n  - path: shop.yaml\n"
CALLING = """name: shop
api:
  basePath: /api
  endpoints:
    - {name: order, method: POST, path: /orders, to: "flow:orders"}
    - {name: look, method: GET, path: /orders, to: "flow:orders:lookup"}
    - {name: nothing, method: GET, path: /nothing, to: "flow:orders:lokup"}
    - {name: other, method: GET, path: /other, to: "flow:order"}
"""


def load(**files: str | bytes) -> Definition:
    named = {name.replace("__", "/").replace("_dot_", "."): data for name, data in files.items()}
    contents = {name: data if isinstance(data, bytes) else data.encode() for name, data in named.items()}
    return bundle.load({"bundle.yaml": b"name: shop\n", **contents})


def messages(found: Definition) -> list[str]:
    return [problem.message for problem in found.problems]


def test_a_bundle_has_its_flows_loaded_by_name() -> None:
    found = load(flows__orders_dot_yaml=ORDERS, wasm__order_dot_wasm=wasm())
    assert found.flows == {"orders": "flows/orders.yaml"}
    assert found.organisms["orders"].title == "order-intake"
    assert not found.problems


def test_modules_prompts_and_flows_that_a_flow_calls_are_checked_where_it_stands() -> None:
    text = """organism: {name: x}
listeners:
  - {name: a, handler: "wasm:ordr:go"}
  - {name: b, handler: "prompt:hello"}
  - {name: c, handler: "flow:other"}
  - {name: d, agent: true, promptRef: helo}
"""
    found = load(
        flows__x_dot_yaml=text,
        wasm__order_dot_wasm=wasm(),
        prompts__hello_dot_prmd=b"---\nid: hello\nname: H\nversion: 1.0.0\n---\n",
    )
    assert {(problem.severity, problem.file) for problem in found.problems} == {("warning", "flows/x.yaml")}
    assert messages(found) == [
        "module 'ordr' not found, did you mean 'order'?",
        "flow 'other' not found",
        "prompt 'helo' not found, did you mean 'hello'?",
    ]
    assert [problem.line for problem in found.problems] == [3, 5, 6]


def test_endpoints_may_enter_a_flow_at_a_listener_that_exists() -> None:
    files = {"bundle.yaml": HEAD, "shop.yaml": CALLING.encode(), "flows/orders.yaml": ORDERS.encode()}
    found = bundle.load({**files, "wasm/order.wasm": wasm()})
    assert messages(found) == [
        "flow 'orders' has no listener 'lokup', did you mean 'lookup'?",
        "flow 'order' not found, did you mean 'orders'?",
    ]


def test_an_error_in_a_flow_stands_in_its_own_file() -> None:
    found = load(flows__x_dot_yaml="listeners: []\n")
    assert found.has_errors
    assert [problem.file for problem in found.problems] == ["flows/x.yaml"]
    assert found.organisms["x"].has_errors


def test_one_name_for_two_kinds_of_file_is_an_error() -> None:
    found = load(flows__x_dot_yaml="organism: {name: x}\n", flows__x_dot_pdflow='{"nodes": []}')
    assert [p.severity for p in found.problems] == ["error"]
    assert "stands for two files" in messages(found)[0]


def test_a_module_beside_its_flow_belongs_to_the_bundle() -> None:
    text = "organism: {name: x}\nlisteners:\n  - {name: add, handler: wasm, wasm: {path: code/calc.wasm}}\n"
    found = load(calc__organism_dot_yaml=text, calc__code__calc_dot_wasm=wasm())
    assert found.modules == {"calc": "calc/code/calc.wasm"}
    assert not found.problems
    absent = load(calc__organism_dot_yaml=text)
    assert [(p.message, p.line, p.column) for p in absent.problems] == [("module 'calc' not found", 3, 38)]


def test_workflows_of_a_prompd_package_are_its_flows() -> None:
    found = load(
        workflows__main_dot_pdflow='{"nodes": []}',
        workflows__deep__other_dot_pdflow='{"nodes": []}',
        packages__workflows__vendored_dot_pdflow='{"nodes": []}',
    )
    assert found.flows == {"main": "workflows/main.pdflow", "other": "workflows/deep/other.pdflow"}
