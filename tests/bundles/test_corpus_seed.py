"""The YAML blocks of the documentation, as real files."""

from pathlib import Path

import pytest

from bundles import bundle, values
from bundles.bundle import Definition

SERVICES = {"catalog": "000_L103", "cart": "000_L147", "order": "000_L202", "payment": "000_L257"}
STEP_4_OF = {"payment": "000_L312", "catalog": "000_L338", "cart": "000_L361", "order": "000_L377"}


def block(corpus: Path, start: str) -> bytes:
    return next((corpus / "seed").glob(f"{start}_*.yaml")).read_bytes()


def ecommerce(corpus: Path) -> dict[str, bytes]:
    files = {f"{name}/{name}-service.yaml": block(corpus, start) for name, start in SERVICES.items()}
    return {"bundle.yaml": block(corpus, "000_L086"), **files}


def stubs() -> dict[str, bytes]:
    return {f"wasm/{name}.wasm": b"\0asm\1\0\0\0" for name in SERVICES}


def orders(found: Definition) -> list[tuple[str, str, int, str]]:
    return [(p.severity, p.file, p.line, p.message) for p in found.problems]


TWO_WARNINGS = [
    ("warning", "order/order-service.yaml", line, "module 'orders' not found, did you mean 'order'?")
    for line in (18, 25)
]


def test_the_tutorial_has_exactly_the_two_known_warnings(corpus: Path) -> None:
    found = bundle.load({**ecommerce(corpus), **stubs()})
    assert orders(found) == TWO_WARNINGS
    assert sum(len(service.endpoints) for service in found.services) == 14
    assert sum(len(service.intents) for service in found.services) == 7


def test_without_modules_each_call_is_warned_about_once(corpus: Path) -> None:
    found = bundle.load(ecommerce(corpus))
    assert len(found.problems) == 21
    assert not found.has_errors


def test_step_4_in_bundle_yaml_gives_the_contracts_of_the_tutorial(corpus: Path) -> None:
    additions = b"".join(block(corpus, start).split(b"\n", 1)[1] for start in STEP_4_OF.values())
    files = {**ecommerce(corpus), **stubs()}
    found = bundle.load({**files, "bundle.yaml": files["bundle.yaml"] + additions})
    assert orders(found) == TWO_WARNINGS
    contracts = {service.name: service.endpoints[0].contract for service in found.services}
    payment, catalog = contracts["paymentService"], contracts["catalogService"]
    assert (payment.priority, payment.compute_units, payment.max_wait_ms) == ("critical", 200, 1000)
    assert (payment.fallback, payment.cost_ceiling, payment.futures_enabled) == ("fail", 10, True)
    assert (catalog.priority, catalog.compute_units, catalog.max_wait_ms) == ("high", 50, 5000)
    assert catalog.fallback == "degrade"
    assert contracts["cartService"].fallback == "retry"
    assert contracts["orderService"].max_wait_ms == 15_000


@pytest.mark.parametrize(("name", "start"), STEP_4_OF.items())
def test_step_4_at_the_top_of_the_service_file_works_too(corpus: Path, name: str, start: str) -> None:
    files = {**ecommerce(corpus), **stubs()}
    path = f"{name}/{name}-service.yaml"
    plain = {service.name: len(service.goals) for service in bundle.load(files).services}
    found = bundle.load({**files, path: block(corpus, start) + files[path]})
    assert not found.has_errors
    assert len(found.problems) == 2
    grown = [service.name for service in found.services if len(service.goals) > plain[service.name]]
    assert grown == [f"{name}Service"]


def test_the_composition_examples_load(corpus: Path) -> None:
    found = bundle.load({"bundle.yaml": block(corpus, "001_L120")})
    assert not found.problems
    assert found.services[0].contract.priority == "critical"
    assert found.services[0].contract.futures_enabled is True
    found = bundle.load({"bundle.yaml": b"name: x\n" + block(corpus, "001_L105")})
    assert not found.problems
    assert found.services[0].goals[0].contract.priority == "critical"


@pytest.mark.parametrize("start", ["000_L566", "001_L035", "001_L046", "001_L156", "001_L163"])
def test_the_fragments_load_in_a_service(corpus: Path, start: str) -> None:
    text = b"name: s\n" + block(corpus, start)
    found = bundle.load({"bundle.yaml": b"name: x\nservices: [{path: s.yaml}]\n", "s.yaml": text})
    assert not found.problems


def test_every_yaml_file_of_the_corpus_can_be_read(corpus: Path) -> None:
    for path in sorted(corpus.rglob("*.yaml")):
        document = values.parse(path.read_bytes(), file=path.name)
        assert document.root is not None, document.problems
