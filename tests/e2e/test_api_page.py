"""The page with everything that can be called, in a real browser: by keyboard, on a phone, with axe."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PHONE, Visitor
from tests.runtime import prompting, stage

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]
AXE = "node_modules/axe-core/axe.min.js"
SERVICES = """services:
  - name: shop
    description: Sells things
    api:
      basePath: /api/shop
      endpoints:
        - {name: one, method: GET, path: "/products/:product", to: "wasm:echo:run", description: One product}
        - {name: open, method: POST, path: /a-very-long-name-of-a-path-that-no-phone-has-room-for, to: "wasm:echo:run", auth: public}
"""  # noqa: E501


class Away:
    url = "http://127.0.0.1:1"


@pytest.fixture
def running(alice: Any) -> None:
    more = {"wasm/echo.wasm": stage.guest("echo")}
    stage.run_bundle(alice, prompting.files(Away(), more, SERVICES))  # type: ignore[arg-type]


@pytest.mark.usefixtures("running")
def test_an_operation_opens_by_keyboard(visit: Visitor, alice: Any) -> None:
    page = visit("/bundles", who=alice)
    page.get_by_role("link", name="API", exact=True).click()
    expect(page).to_have_title("API · PrioStack")
    row = page.locator("details", has_text="/alice/prompts/hello").first
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(row.get_by_role("rowheader", name="who needed")).to_be_visible()
    expect(row.get_by_label("As a curl command")).to_contain_text("/alice/prompts/hello")


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_it_fits_a_phone(visit: Visitor, alice: Any, scheme: str) -> None:
    page = visit("/bundles/api", who=alice, color_scheme=scheme, bypass_csp=True, viewport=PHONE)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.add_script_tag(path=AXE)
    found: Any = page.evaluate("axe.run({resultTypes: ['violations']})")
    told = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found["violations"]]
    assert not told
