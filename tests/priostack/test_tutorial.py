"""The tutorial as it is printed: its YAML imports with two known warnings, runs, and serves two tenants apart."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from bundles import bundle
from priostack import docs
from runtime import importer
from runtime.models import Execution
from tests.conftest import Person
from tests.runtime import stage

EXAMPLE = Path(settings.BASE_DIR) / "examples" / "ecommerce"
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SERVICES = ("catalog", "cart", "order", "payment")
SEED = ("000_L086", "000_L103", "000_L147", "000_L202", "000_L257")
STEP_4 = ("000_L312", "000_L338", "000_L361", "000_L377")
KNOWN = [
    (
        "warning",
        "order/order-service.yaml",
        line,
        13,
        "module 'orders' not found, did you mean 'order'?",
        "expected wasm/orders.wasm",
    )
    for line in (18, 25)
]


def printed() -> list[str]:
    return BLOCK.findall((docs.FOLDER / "tutorial.md").read_text(encoding="utf-8"))


def typed() -> dict[str, bytes]:
    """What a reader types: a file for each block that begins with the comment naming it."""
    files = {}
    for text in printed():
        if named := re.match(r"# (?:ecommerce/)?(\S+\.yaml)\n", text):
            files[named[1]] = text.encode()
    return files


def modules() -> dict[str, bytes]:
    return {f"wasm/{name}.wasm": (EXAMPLE / "wasm" / f"{name}.wasm").read_bytes() for name in SERVICES}


def facts(problems: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(p[k] for k in ("severity", "file", "line", "column", "message", "hint")) for p in problems]


def test_the_files_are_those_of_the_first_step() -> None:
    assert list(typed()) == ["bundle.yaml", *(f"{name}/{name}-service.yaml" for name in SERVICES)]


def test_its_yaml_is_that_of_the_seed_letter_by_letter(corpus: Path) -> None:
    seeds = [next((corpus / "seed").glob(f"{start}_*.yaml")).read_text() for start in (*SEED, *STEP_4)]
    assert [text.rstrip("\n") for text in printed()] == [seed.rstrip("\n") for seed in seeds]


def test_step_4_fits_at_the_end_of_bundle_yaml_and_at_the_end_of_each_file() -> None:
    files, contracts = typed() | modules(), printed()[5:]
    head = files["bundle.yaml"] + "".join(text.removeprefix("services:\n") for text in contracts).encode()
    order = ("payment", "catalog", "cart", "order")
    added = {
        f"{name}/{name}-service.yaml": files[f"{name}/{name}-service.yaml"] + b"\n" + text.encode()
        for name, text in zip(order, contracts, strict=True)
    }
    for changed in ({"bundle.yaml": head}, added):
        found = bundle.load(files | changed)
        assert [problem.severity for problem in found.problems] == ["warning", "warning"]
        chosen = {service.name: service.endpoints[0].contract.priority for service in found.services}
        assert chosen == {
            "catalogService": "high",
            "cartService": "normal",
            "orderService": "high",
            "paymentService": "critical",
        }


def test_it_imports_by_zip_with_exactly_the_two_known_warnings(alice: Person) -> None:
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, data in (typed() | modules()).items():
            archive.writestr(f"ecommerce/{path}", data)
    out.seek(0)
    out.name = "ecommerce.zip"
    answer = alice.api.post("/api/bundles/upload", {"file": out})
    assert answer.status_code == 201, answer.content
    assert facts(answer.json()["problems"]) == KNOWN
    assert sum(len(service["endpoints"]) for service in answer.json()["services"]) == 14


class Shopper:
    """Walks through all 14 endpoints of one tenant's shop and notes what each answered."""

    def __init__(self, person: Person) -> None:
        self.tenant = person.tenant.slug
        self.call = stage.Caller(person.token)
        self.seen: list[tuple[str, int]] = []

    async def ask(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        answer = await self.call(method, f"/{self.tenant}/api/v1{path}", body)
        assert answer.status == status, (method, path, answer.body)
        assert int(answer.headers["x-compute-units"]) >= 1
        self.seen.append((method, status))
        return answer.json()

    async def shop(self, user: str) -> dict[str, Any]:
        products = (await self.ask("GET", "/catalog/products"))["products"]
        assert (await self.ask("GET", "/catalog/products/search?q=mug"))["count"] == 1
        product = await self.ask("GET", f"/catalog/products/{products[0]['id']}")
        item = {"productId": product["id"], "quantity": 2}
        await self.ask("POST", f"/cart/{user}/items", item, status=201)
        await self.ask("DELETE", f"/cart/{user}/items/{product['id']}")
        await self.ask("POST", f"/cart/{user}/items", item, status=201)
        cart = await self.ask("GET", f"/cart/{user}")
        draft = await self.ask("POST", f"/cart/{user}/checkout")
        wanted = {"userId": user, "checkoutId": draft["checkoutId"]}
        order = await self.ask("POST", "/orders/", wanted, status=201)
        await self.ask("GET", f"/orders/{order['orderId']}")
        mine = await self.ask("GET", f"/orders/user/{user}")
        paying = {"orderId": order["orderId"], "method": "card", "token": "tok_ok"}
        payment = await self.ask("POST", "/payments/process", paying, status=202)
        path = f"/payments/{payment['paymentId']}"
        await self.ask("GET", path)
        # its intent has not run yet: what is not paid is not refunded, and says so itself
        await self.ask("POST", f"{path}/refund", status=409)
        other = {"userId": user, "items": [{"productId": product["id"], "quantity": 1}]}
        second = await self.ask("POST", "/orders", other, status=201)
        await self.ask("POST", f"/orders/{second['orderId']}/cancel")
        return {"cart": cart, "mine": mine, "order": order["orderId"], "payment": payment["paymentId"]}


@pytest.fixture
def shops(transactional_db: None, clean_redis: None, alice: Person, charlie: Person) -> dict[str, str]:
    files = typed() | modules()
    return {p.tenant.slug: str(stage.run_bundle(p, files).pk) for p in (alice, charlie)}


async def test_all_14_endpoints_answer_for_two_tenants_side_by_side(
    shops: dict[str, str], alice: Person, charlie: Person
) -> None:
    import asyncio

    first, second = Shopper(alice), Shopper(charlie)
    try:
        bought = await asyncio.gather(first.shop("ann"), second.shop("ann"))
        for shopper, found in zip((first, second), bought, strict=True):
            assert len(shopper.seen) == 16
            assert [item["quantity"] for item in found["cart"]["items"]] == [2]
            assert found["mine"]["count"] == 1
        # the other's order and payment are not there, and the other's key opens nothing
        await first.ask("GET", f"/orders/{bought[1]['order']}", status=404)
        await first.ask("GET", f"/payments/{bought[1]['payment']}", status=404)
        foreign = await first.call("GET", "/charlie/api/v1/catalog/products")
        assert (foreign.status, foreign.json()["title"]) == (404, "Not found")
    finally:
        await first.call.close()
        await second.call.close()
    await asyncio.to_thread(importer.drain)
    for tenant, pk in shops.items():
        runs = Execution.objects.filter(tenant__slug=tenant)
        assert {str(run.bundle_id) async for run in runs} == {pk}


async def test_an_absent_module_fails_its_own_endpoints_only(
    transactional_db: None, clean_redis: None, alice: Person
) -> None:
    from channels.db import database_sync_to_async

    files = typed() | modules()
    del files["wasm/payment.wasm"]
    await database_sync_to_async(stage.run_bundle)(alice, files)
    call = stage.Caller(alice.token)
    try:
        refused = await call("GET", "/alice/api/v1/payments/p1")
        assert refused.status == 501
        assert "wasm/payment.wasm" in refused.json()["detail"]
        assert (await call("GET", "/alice/api/v1/catalog/products")).status == 200
    finally:
        await call.close()
