"""A whole bundle: heads, services by path, inline and added, collisions, targets; never an exception."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles import bundle
from bundles.bundle import Definition
from tests.bundles import tutorial

ORDERS = "module 'orders' not found, did you mean 'order'?"


def load(head: str, **files: str) -> Definition:
    """A bundle of a head and files named like `a__yaml`."""
    named = {path.replace("__", ".").replace("_in_", "/"): text.encode() for path, text in files.items()}
    return bundle.load({"bundle.yaml": head.encode(), **named})


def told(definition: Definition) -> list[tuple[str, str, int, int, str]]:
    return [(p.severity, p.file, p.line, p.column, p.message) for p in definition.problems]


def messages(definition: Definition, severity: str = "error") -> list[str]:
    return [problem.message for problem in definition.problems if problem.severity == severity]


def test_the_tutorial_loads_with_one_warning() -> None:
    found = bundle.load(tutorial.files())
    assert (found.name, found.version) == ("ecommerce", "")
    assert [one.name for one in found.services] == ["catalogService", "orderService"]
    assert found.modules == {"catalog": "wasm/catalog.wasm", "order": "wasm/order.wasm"}
    assert told(found) == [("warning", "order/order-service.yaml", 9, 13, ORDERS)]
    assert not found.has_errors


def test_the_tutorial_loads_within_20_ms() -> None:
    files = tutorial.files()
    bundle.load(files)
    times = []
    for _ in range(5):
        began = time.process_time()
        bundle.load(files)
        times.append(time.process_time() - began)
    assert min(times) < 0.02


def test_absent_modules_are_warnings_that_name_the_file_expected() -> None:
    files = {path: data for path, data in tutorial.files().items() if not path.endswith(".wasm")}
    found = bundle.load(files)
    assert not found.has_errors
    assert len(found.problems) == 7
    hints = {problem.hint for problem in found.problems}
    assert hints == {"expected wasm/catalog.wasm", "expected wasm/order.wasm", "expected wasm/orders.wasm"}
    assert ORDERS in messages(found, "warning")


def test_both_heads_mean_the_same() -> None:
    flat = load("name: shop\nresourceContract: {priority: high}\nservices: [{name: a}]\n")
    wrapped = load("bundle:\n  name: shop\n  resourceContract: {priority: high}\nservices: [{name: a}]\n")
    both = load(
        "name: shop\nbundle: {name: shop, resourceContract: {priority: high}}\nservices: [{name: a}]\n"
    )
    for found in (flat, wrapped, both):
        assert not found.problems
        assert found.name == "shop"
        assert found.services[0].contract.priority == "high"
        assert found.services[0].contract.sources["priority"] == "bundle"


def test_two_heads_with_different_names_are_an_error() -> None:
    found = load("name: shop\nbundle:\n  name: store\nservices: [{name: a}]\n")
    assert told(found) == [
        ("error", "bundle.yaml", 3, 9, "the bundle has two names, 'shop' on line 1 and 'store' here")
    ]


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("", "bundle.yaml must be a mapping (key: value), but here is nothing"),
        ("[a]", "must be a mapping"),
        ("services: [{name: a}]", "the bundle needs 'name'"),
        ("name: on\nservices: [{name: a}]", "YAML reads on as the boolean true"),
        ("name: a/b\nservices: [{name: a}]", "slash"),
        ("name: a", "the bundle has no services"),
        ("name: a\nservices:\n", "the bundle has no services"),
        ("name: a\nservices: []", "the bundle has no services"),
        ("name: a\nservices: x", "'services' must be a list"),
        ("name: a\nservices: [x.yaml]", "an entry of 'services' must be a mapping"),
        ("name: a\nservices: [{goals: []}]", "a service needs 'path' (a file) or 'name'"),
        ("name: a\nservices: [{name: on}]", "YAML reads on as the boolean true"),
        ("name: a\nservices: [{name: b}, {name: b}]", "the inline service 'b' is defined twice"),
        ("name: a\nservices: [{name: b, resourceContract: {prioritty: low}}]", "unknown field 'prioritty'"),
        ("name: a\nservices: [{name: b}]\nsecrets: ['not a name']", "is not a name of a secret"),
        ("name: a\nservices: [{name: b}]\nhttp: {allowedHosts: ['http://x']}", "is not a host"),
        ("name: a\nname: b\nservices: [{name: b}]", "'name' is written twice"),
    ],
)
def test_a_head_that_cannot_be_used_is_one_error(head: str, words: str) -> None:
    found = load(head)
    assert len(messages(found)) == 1
    assert words in messages(found)[0]


def test_a_bundle_without_bundle_yaml_says_so() -> None:
    found = bundle.load({"bundle.yml": b"name: a"})
    assert told(found) == [
        ("error", "bundle.yaml", 1, 1, "the bundle has no bundle.yaml, did you mean 'bundle.yml'?")
    ]
    assert bundle.load({}).has_errors


def test_further_keys_of_the_head_read() -> None:
    found = load(
        "name: a\nversion: 1.0\ndescription: d\nservices: [{name: b}]\nsecrets: [API_KEY]\nx-team: me\n"
        "http: {allowedHosts: [example.org, '*.example.org', 'localhost:80']}\n"
        "llm: {backends: [{provider: openai}]}\n"
    )
    assert not found.problems
    assert (found.version, found.description, found.secrets) == ("1.0", "d", ("API_KEY",))
    assert found.allowed_hosts == ("example.org", "*.example.org", "localhost:80")
    assert found.llm == {"backends": [{"provider": "openai"}]}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (
            "catalog/catalog-servce.yaml",
            "'catalog/catalog-servce.yaml' is not in the bundle, "
            "did you mean 'catalog/catalog-service.yaml'?",
        ),
        ("Catalog/catalog-service.yaml", "did you mean 'catalog/catalog-service.yaml'?"),
        ("catalog", "is a folder"),
        ("catalog/", "is a folder"),
        ("../../other/secret.yaml", "leaves the bundle folder"),
        ("catalog/../../x.yaml", "leaves the bundle folder"),
        ("/etc/passwd", "is absolute"),
        ("C:/x.yaml", "is absolute"),
        ("https://example.org/x.yaml", "is a URL"),
        ("catalog\\\\catalog-service.yaml", "backslash"),
        ("bundle.yaml", "is this bundle itself"),
        ("./bundle.yaml", "is this bundle itself"),
        (".", "is empty"),
        ("", "is empty"),
        ("a\\u200b.yaml", "invisible"),
    ],
)
def test_a_path_outside_or_absent_is_an_exact_error(path: str, words: str) -> None:
    head = f'name: a\nservices:\n  - path: order/order-service.yaml\n  - path: "{path}"\n'
    found = bundle.load(tutorial.files(head=head))
    errors = [problem for problem in found.problems if problem.severity == "error"]
    assert [(problem.file, problem.line, problem.column) for problem in errors] == [("bundle.yaml", 4, 11)]
    assert words in errors[0].message
    assert [one.name for one in found.services] == ["orderService"]


@pytest.mark.parametrize("path", ["./catalog/catalog-service.yaml", "catalog//catalog-service.yaml"])
def test_the_same_file_twice_is_an_error_however_it_is_written(path: str) -> None:
    found = bundle.load(tutorial.files(head=tutorial.HEAD + f"  - path: {path}\n"))
    assert messages(found) == [
        "the service file 'catalog/catalog-service.yaml' is defined twice, first on line 5"
    ]


@pytest.mark.parametrize("name", ["order", "orderService"])
def test_an_addition_finds_its_service_by_name(name: str) -> None:
    head = tutorial.HEAD + f"  - name: {name}\n    goals: [{{name: X, metric: latency, target: '< 1s'}}]\n"
    found = bundle.load(tutorial.files(head=head))
    assert messages(found) == []
    assert [goal.name for goal in found.services[1].goals] == ["OrderFulfillment", "X"]
    assert (found.services[1].goals[1].file, found.services[1].goals[1].line) == ("bundle.yaml", 8)
    assert len(found.services[1].endpoints) == 2


def test_an_addition_finds_its_service_by_folder() -> None:
    order = tutorial.ORDER.replace("orderService", "fulfilment")
    head = tutorial.HEAD + "  - name: order\n    resourceContract: {priority: critical}\n"
    found = bundle.load(tutorial.files(head=head, order=order))
    assert [(one.name, one.contract.priority) for one in found.services][1] == ("fulfilment", "critical")


def test_an_addition_may_stand_before_its_file() -> None:
    head = "name: a\nservices:\n  - name: order\n    description: added\n  - path: order/order-service.yaml\n"
    found = bundle.load(tutorial.files(head=head))
    assert [(one.name, one.description) for one in found.services] == [("orderService", "added")]


def test_an_addition_merges_goals_of_one_name() -> None:
    head = (
        tutorial.HEAD + "  - name: catalog\n    goals:\n      - name: HighAvailability\n"
        "        resourceContract: {priority: high}\n"
    )
    goal = bundle.load(tutorial.files(head=head)).services[0].goals[0]
    assert (goal.metrics[0].signal, goal.contract.priority) == ("catalogHealth", "high")


def test_an_addition_beside_the_path_goes_to_that_file() -> None:
    head = (
        "name: a\nservices:\n  - path: order/order-service.yaml\n"
        "    resourceContract: {priority: low}\n    name: other\n"
    )
    found = bundle.load(tutorial.files(head=head))
    assert [(one.name, one.contract.priority) for one in found.services] == [("orderService", "low")]
    assert "the file names this service 'orderService', not 'other'" in messages(found, "warning")


def test_an_addition_at_the_top_of_a_service_file_works() -> None:
    order = (
        "services:\n  - name: order\n    resourceContract: {priority: high}\n"
        "  - name: catalog\n    description: new\n" + tutorial.ORDER
    )
    found = bundle.load(tutorial.files(order=order))
    assert messages(found) == []
    assert found.services[1].contract.priority == "high"
    assert found.services[0].description == "new"


def test_a_service_file_of_additions_alone_is_no_service() -> None:
    found = bundle.load(tutorial.files(order="services:\n  - name: catalog\n    description: new\n"))
    assert messages(found) == []
    assert [(one.name, one.description) for one in found.services] == [("catalogService", "new")]


def test_service_files_cannot_name_files() -> None:
    found = bundle.load(tutorial.files(order="services:\n  - path: catalog/catalog-service.yaml\n"))
    assert messages(found) == ["only bundle.yaml may name service files by 'path'"]


def test_an_addition_to_nothing_becomes_a_service_with_a_warning() -> None:
    head = tutorial.HEAD + "  - name: ordr\n    resourceContract: {priority: low}\n"
    found = bundle.load(tutorial.files(head=head))
    assert [one.name for one in found.services] == ["catalogService", "orderService", "ordr"]
    assert ("warning", "bundle.yaml", 7, 5) in [problem[:4] for problem in told(found)]
    assert not found.has_errors


def test_an_addition_to_two_services_is_an_error() -> None:
    head = "name: a\nservices:\n  - path: x.yaml\n  - path: y.yaml\n  - name: cart\n"
    found = bundle.load(
        {"bundle.yaml": head.encode(), "x.yaml": b"name: cart-service", "y.yaml": b"name: cartService"}
    )
    assert messages(found) == ["the service 'cart' could be one of: cart-service, cartService"]


def test_inline_services_stand_alone() -> None:
    found = load(
        "name: a\nservices:\n  - name: api\n    resourceContract: {priority: high}\n"
        "    goals: [{name: g, resourceContract: {maxWaitTime: 2s}}]\n"
    )
    assert not found.problems
    assert found.services[0].file == "bundle.yaml"
    goal = found.services[0].goals[0]
    assert (goal.contract.priority, goal.contract.max_wait_ms) == ("high", 2000)
    assert goal.contract.sources["priority"] == "service api"
    assert goal.contract.sources["max_wait_ms"] == "goal g"


def test_two_services_of_one_name_are_an_error() -> None:
    found = bundle.load(tutorial.files(order=tutorial.ORDER.replace("orderService", "catalogService")))
    assert messages(found) == [
        "the service 'catalogService' is defined twice, first at catalog/catalog-service.yaml:1"
    ]


def test_two_services_may_not_claim_one_route() -> None:
    order = tutorial.ORDER.replace("/api/v1/orders", "/api/v1/catalog/products")
    found = bundle.load(tutorial.files(order=order))
    assert next(one for one in told(found) if one[0] == "error") == (
        "error", "order/order-service.yaml", 17, 43,
        "the route 'GET /api/v1/catalog/products/:' is defined twice, "
        "first at catalog/catalog-service.yaml:30",
    )  # fmt: skip


def test_a_broken_service_file_leaves_the_others() -> None:
    found = bundle.load(tutorial.files(order="name: [\n"))
    assert [one.name for one in found.services] == ["catalogService"]
    assert {problem.file for problem in found.problems} == {"order/order-service.yaml"}


@pytest.mark.parametrize(
    ("text", "words"), [("", "is empty"), ("- a", "must be a mapping"), ("description: x", "needs 'name'")]
)
def test_a_service_file_that_is_none_is_an_error(text: str, words: str) -> None:
    found = bundle.load(tutorial.files(order=text))
    assert len(messages(found)) == 1
    assert words in messages(found)[0]


def test_functions_are_checked_where_exports_are_known() -> None:
    exports = {
        "catalog": frozenset(
            {"listProducts", "handle_searchProducts", "get_product_by_id", "updateInventoryCach"}
        )
    }
    found = bundle.load(tutorial.files(), exports.get)
    assert messages(found, "warning") == [
        "module 'catalog' has no function 'updateInventoryCache', did you mean 'updateInventoryCach'?",
        ORDERS,
    ]


def test_a_module_known_elsewhere_is_not_missed() -> None:
    found = bundle.load(tutorial.files(), {"orders": frozenset({"processNewOrder"})}.get)
    assert found.problems == ()


def test_unknown_flows_and_prompts_are_warnings() -> None:
    head = (
        "name: a\nservices:\n  - name: s\n    intents:\n"
        "      - {name: i, whenSensor: x, toFunc: 'flow:reserch'}\n"
        "      - {name: j, whenSensor: x, toFunc: 'prompt:blog'}\n"
    )
    found = bundle.load({"bundle.yaml": head.encode(), "flows/research.yaml": b"organism: {name: r}"})
    assert messages(found, "warning") == [
        "flow 'reserch' not found, did you mean 'research'?",
        "prompt 'blog' not found",
    ]


def test_an_error_is_never_lost_among_warnings() -> None:
    noise = "".join(f"x{n}: 1\n" for n in range(500))
    found = load(f"name: a\n{noise}services: [{{name: b, resourceContract: {{prioritty: low}}}}]\n")
    assert found.has_errors
    assert len(found.problems) < 300


def test_many_services_cost_no_time() -> None:
    entries = "".join(f"  - name: s{n}\n" for n in range(3000))
    found = load("name: a\nservices:\n" + entries)
    assert "a bundle has at most 200 services" in messages(found)
    assert len(found.services) == 200


TEXTS = {path: data for path, data in tutorial.files().items() if path.endswith(".yaml")}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_no_mutation_of_the_tutorial_makes_it_raise(path: str, data: st.DataObject) -> None:
    text = bytearray(TEXTS[path])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 20))
        text[at : at + cut] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"\n", b": ", b"- ", b"{", b"[a]", b"~", b"*a"])
        )
    found = bundle.load({**tutorial.files(), path: bytes(text)})
    assert all(problem.line >= 1 and problem.column >= 1 and problem.file for problem in found.problems)


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["bundle.yaml", "a.yaml", "prompts/x.prmd", "flows/a.yaml"]), st.binary(max_size=60)
    )
)
def test_no_files_make_it_raise(files: dict[str, bytes]) -> None:
    assert bundle.load(files).has_errors


def test_looking_for_hints_takes_no_time() -> None:
    head = "name: a\nservices:\n" + "".join(f"  - path: {'x' * 90}{n}.yaml\n" for n in range(200))
    files = {f"{'x' * 90}z{n}.yaml": b"" for n in range(1000)} | {f"{'x' * 59}{n}": b"" for n in range(1000)}
    began = time.process_time()
    bundle.load({"bundle.yaml": head.encode(), **files})
    assert time.process_time() - began < 3


def test_exports_are_asked_once_for_a_module() -> None:
    asked: list[str] = []

    def exports(module: str) -> None:
        asked.append(module)

    bundle.load(tutorial.files(), exports)
    assert sorted(asked) == ["catalog", "order", "orders"]
