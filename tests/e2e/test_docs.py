"""The documentation in a real browser: every page fits a phone, the menus open, code can be copied."""

import pytest
from playwright.sync_api import expect

from priostack import docs
from tests.e2e.conftest import PHONE, Visitor
from tests.e2e.test_shell import too_wide

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def test_every_page_fits_a_phone(visit: Visitor) -> None:
    page = visit("/docs", viewport=PHONE, color_scheme="dark")
    for slug in docs.PAGES:
        page.goto(f"/docs/{slug}")
        assert too_wide(page) <= 0, slug


def test_on_a_phone_the_menus_lead_on(visit: Visitor) -> None:
    page = visit("/docs", viewport=PHONE)
    page.get_by_text("All pages").click()
    page.get_by_role("link", name="YAML fields").first.click()
    expect(page.locator("h1")).to_have_text("YAML fields")
    page.get_by_text("On this page").first.click()
    page.get_by_role("link", name="resourceContract").first.click()
    expect(page.locator("#resourcecontract")).to_be_in_viewport()


def test_one_reads_on_from_page_to_page(visit: Visitor) -> None:
    page = visit("/docs")
    for title in list(docs.PAGES.values())[1:3]:
        page.locator("a[rel=next]").click()
        expect(page.get_by_label("Documentation").first.locator("[aria-current=page]")).to_have_text(title)


def test_code_is_copied_as_it_stands(visit: Visitor) -> None:
    page = visit("/docs/tutorial", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the code").nth(1).click()
    expect(page.get_by_text("Copied to the clipboard")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("# ecommerce/bundle.yaml\nname: ecommerce\n")
