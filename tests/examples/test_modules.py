"""The example's modules: built from the sources beside them, and every function behaves."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import wasmtime
import yaml

from tests.examples.host import ECOMMERCE, Host, endpoints, intents
from tests.guests import HERE as GUESTS
from tests.guests import guest

SOURCES = ECOMMERCE / "modules"
OFFLINE = (b"ENOTFOUND", b"EAI_AGAIN", b"ECONNREFUSED", b"ECONNRESET", b"ETIMEDOUT", b"ENETUNREACH")
MODULES = ("catalog", "cart", "order", "payment")


def exports_of(data: bytes) -> dict[str, str]:
    module = wasmtime.Module(wasmtime.Engine(), data)
    return {export.name: signature(export.type) for export in module.exports}


def signature(kind: object) -> str:
    if not isinstance(kind, wasmtime.FuncType):
        return type(kind).__name__
    return f"{[str(p) for p in kind.params]} -> {[str(r) for r in kind.results]}"


@pytest.fixture(scope="session")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The modules compiled again from a copy of the sources; the folder of the new files."""
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("NO NODE HERE: the example's modules were NOT rebuilt from their sources")
    home = tmp_path_factory.mktemp("ecommerce")
    shutil.copytree(SOURCES, home / "modules", ignore=shutil.ignore_patterns("node_modules"))
    (home / "wasm").mkdir()
    extra_sources(home / "modules" / "assembly")
    npm = ["npm", "--no-audit", "--no-fund", "--loglevel=error"]
    installed = subprocess.run(
        [*npm, "ci"], cwd=home / "modules", capture_output=True, timeout=300, check=False
    )
    if installed.returncode:
        assert any(code in installed.stderr for code in OFFLINE), installed.stderr.decode()
        pytest.skip("NO PACKAGE REGISTRY HERE: the example's modules were NOT rebuilt from their sources")
    subprocess.run(
        [*npm, "run", "build", *MODULES, "greet", "total"], cwd=home / "modules", check=True, timeout=300
    )
    return home / "wasm"


def extra_sources(assembly: Path) -> None:
    """The module that the README shows, and the guest of the bench."""
    greet = (ECOMMERCE / "README.md").read_text().split("```ts\n")[1].split("```")[0]
    (assembly / "greet.ts").write_text(greet)
    total = (GUESTS / "total.ts").read_text().replace("../../examples/ecommerce/modules/assembly/", "./")
    (assembly / "total.ts").write_text(total)


def test_the_guest_that_totals_is_what_its_source_gives(rebuilt: Path) -> None:
    request = {"body": {"items": [{"qty": 2, "price": 3.5}, {"qty": 1, "price": 19.99}]}}
    committed = Host()
    committed.module = lambda _: guest("total_as")  # type: ignore[method-assign]
    assert Host(rebuilt).call("total:run", request).raw == committed.call("total:run", request).raw


def test_the_module_in_the_readme_compiles_and_runs(rebuilt: Path) -> None:
    host = Host(rebuilt)
    assert host.call("greet:greet").status == 400
    for times in (1, 2):
        answer = host.call("greet:greet", {"query": {"name": "Ann"}})
        assert answer.body == {"greeting": "Hello, Ann", "times": times}


@pytest.mark.parametrize("name", MODULES)
def test_rebuilding_gives_the_same_exports(rebuilt: Path, name: str) -> None:
    committed = (ECOMMERCE / "wasm" / f"{name}.wasm").read_bytes()
    assert exports_of((rebuilt / f"{name}.wasm").read_bytes()) == exports_of(committed)


def test_rebuilding_gives_the_same_behaviour(rebuilt: Path) -> None:
    assert shop(Host(rebuilt)) == shop(Host())


def shop(host: Host) -> list[bytes]:
    """One customer's day, as the bytes of every answer and of everything stored."""
    ann = {"params": {"userId": "ann"}}
    answers = [
        host.call("catalog:searchProducts", {"query": {"q": "desk"}}),
        host.call("cart:addToCart", ann | {"body": {"productId": "desk", "quantity": 2}}),
        host.call("cart:addToCart", ann | {"body": {"productId": "backpack"}}),
        host.call("cart:removeFromCart", {"params": {"userId": "ann", "itemId": "backpack"}}),
        host.call("cart:initiateCheckout", ann),
        host.call("order:createOrder", {"body": {"userId": "ann", "orderId": "o1"}}),
        *host.drain(),
        host.call("payment:processPayment", {"body": {"orderId": "o1", "paymentId": "p1"}}),
        *host.drain(),
        host.call("payment:refundPayment", {"params": {"paymentId": "p1"}}),
        *host.drain(),
        host.call("order:getUserOrders", ann),
    ]
    assert max(answer.status for answer in answers) < 300
    return [answer.raw for answer in answers] + [json.dumps(sorted(map(str, host.kv.items()))).encode()]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_keeps_to_the_plain_interface_and_the_hosts_imports(name: str) -> None:
    module = wasmtime.Module(wasmtime.Engine(), (ECOMMERCE / "wasm" / f"{name}.wasm").read_bytes())
    assert {"memory", "alloc"} <= {export.name for export in module.exports}
    assert {i.module for i in module.imports} <= {"priostack", "env"}
    assert [i.name for i in module.imports if i.module == "env"] in ([], ["abort"])


def test_every_target_of_the_bundle_is_an_export() -> None:
    targets = [e["to"] for e in endpoints()] + [i["toFunc"] for i in intents()]
    assert len(targets) == 21
    for target in targets:
        _, module, function = target.split(":")
        assert function in exports_of((ECOMMERCE / "wasm" / f"{module}.wasm").read_bytes()), target


def test_the_services_are_the_tutorials_apart_from_contracts_and_the_order_module(corpus: Path) -> None:
    for number, name in (("L103", "catalog"), ("L147", "cart"), ("L202", "order"), ("L257", "payment")):
        text = (
            (corpus / "seed" / f"000_{number}_{name}-service.yaml")
            .read_text()
            .replace("wasm:orders:", "wasm:order:")
        )
        tutorial, ours = (
            yaml.safe_load(text),
            yaml.safe_load((ECOMMERCE / name / f"{name}-service.yaml").read_text()),
        )
        for endpoint in ours["api"]["endpoints"]:
            endpoint.pop("goal", None)
        assert ours["api"] == tutorial["api"]
        assert ours["intents"] == tutorial["intents"]
        assert ours["goals"][:1] == tutorial["goals"]


def test_the_lock_file_names_no_host() -> None:
    assert "resolved" not in (SOURCES / "package-lock.json").read_text()


def test_the_sources_keep_the_houses_length() -> None:
    for source in (SOURCES / "assembly").glob("*.ts"):
        assert len(source.read_text().splitlines()) <= 400, source.name
