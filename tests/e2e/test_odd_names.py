"""Every page of a tenant whose texts are long, right to left, emoji or HTML: it fits a phone, and axe finds nothing."""

from typing import Any

import pytest
from playwright.sync_api import Page

from billing import secrets, variables
from billing.access import of_key
from billing.audit import write
from bundles import store
from tests.bundles.samples import shop
from tests.conftest import Person
from tests.e2e.conftest import PHONE, Visitor
from tests.e2e.waiting import until
from tests.runtime.watching import a_run

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]
AXE = "node_modules/axe-core/axe.min.js"
LONG = "averylongnamewithoutanybreak" * 8
ODD = f"<script>alert(1)</script> متجر صغير 🛒 {LONG}"
BUNDLE = ["", "contracts", "problems", "files", "files/wasm/shop.wasm", "revisions", "revisions/1"]
BUNDLE += ["declared-tests", "settings", "log", "goals", "performance", "interceptors"]
OTHERS = ["/dashboard", "/bundles", "/bundles/api", "/modules", "/runs", "/runs?status=error", "/wallet"]
OTHERS += ["/accounts/email/"]
SETTINGS = ["", "/tenant", "/members", "/keys", "/secrets", "/variables", "/audit"]


def odd_files() -> dict[str, bytes]:
    head = f"name: {LONG[:60]}\ndescription: {ODD!r}\nservices:\n  - path: shop/shop-service.yaml\n"
    service = shop()["shop/shop-service.yaml"].replace(b"name: shopService", f"name: {LONG[:60]}".encode())
    service = service.replace(b"path: /items", f"path: /{LONG[:60]}/:{LONG[:40]}".encode())
    service += f"description: {ODD!r}\nnonsense{LONG}: 1\n".encode()
    odd = {"bundle.yaml": head.encode(), "shop/shop-service.yaml": service}
    return shop() | odd | {f"notes/{LONG[:80]}.md": ODD.encode(), "tests/one.yaml": TESTS}


TESTS = f"""- name: {LONG}
  request: {{method: GET, path: /api/v1/shop/{LONG}}}
  expect: {{status: 404}}
""".encode()


@pytest.fixture
def paths(alice: Person) -> list[str]:
    bundle = store.import_files("test", alice.tenant, odd_files()).bundle
    run = a_run(bundle, ODD, status="error", error=ODD, output={"text": ODD})
    type(run).objects.update(service=LONG[:60], name=LONG[:40])
    secrets.put(alice.tenant, "STRIPE_KEY", b"x", [f"{LONG[:60]}.example.org"])
    variables.put(alice.tenant, "where", ODD)
    write(of_key(alice.key), "bundle.revise", LONG, message=ODD)
    mine = [f"/bundles/{bundle.pk}/{rest}".rstrip("/") for rest in BUNDLE]
    return [*mine, f"/runs/{run.pk}", *OTHERS, *(f"/settings{rest}" for rest in SETTINGS)]


def flaws(page: Page) -> list[Any]:
    """What axe finds; also what is scrolled sideways must be reached by keyboard."""
    page.add_script_tag(path=AXE)
    found: Any = page.evaluate("axe.run({resultTypes: ['violations']})")
    told = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found["violations"]]
    over = int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))
    return told + ([("too wide", over)] if over > 0 else [])


def test_every_page_with_odd_names_fits_a_phone_and_axe_finds_nothing(
    visit: Visitor, alice: Person, paths: list[str]
) -> None:
    page = visit("/docs", who=alice, bypass_csp=True, viewport=PHONE, color_scheme="dark")
    told = {}
    for path in paths:
        page.goto(path)
        until(page, "!document.querySelector('.htmx-request')")
        if found := flaws(page):
            told[path] = found
    assert told == {}
    # This server speaks no websockets: the live log says so.
    visit.complaints = [text for text in visit.complaints if "WebSocket" not in text]


def test_a_table_wider_than_the_screen_is_scrolled_by_arrow_keys(visit: Visitor, alice: Person) -> None:
    page = visit("/docs/bench", viewport=PHONE)
    table = page.locator(".prose table").first
    table.focus()
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('.prose table').scrollLeft > 0")
