"""The frame of every page in a real browser: colour mode, drawer, keyboard, width, account pages, policy."""

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Person, ensure_plans
from tests.e2e.conftest import PHONE, Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
PUBLIC = ["/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"]
OWN = ["/accounts/email/", "/accounts/password/change/"]


def dark(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.classList.contains('dark')"))


def too_wide(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.mark.parametrize("path", PUBLIC)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_public_page_fits_a_phone_in_both_colours(visit: Visitor, path: str, scheme: str) -> None:
    page = visit(path, viewport=PHONE, color_scheme=scheme)
    assert too_wide(page) <= 0
    assert dark(page) is (scheme == "dark")
    expect(page.locator("h1")).to_have_count(1)


@pytest.mark.parametrize("path", OWN)
def test_an_account_page_fits_a_phone(visit: Visitor, alice: Person, path: str) -> None:
    page = visit(path, who=alice, viewport=PHONE)
    assert too_wide(page) <= 0
    expect(page.locator("h1")).to_have_count(1)


def test_the_colour_mode_is_switched_and_remembered(visit: Visitor) -> None:
    page = visit("/", color_scheme="light")
    button = page.get_by_role("button", name="Dark mode")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.reload()
    assert dark(page)


def test_without_a_choice_the_system_is_followed(visit: Visitor) -> None:
    page = visit("/", color_scheme="light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_class("dark")


def test_the_first_tab_stop_skips_to_the_content(visit: Visitor) -> None:
    page = visit("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_drawer_of_a_phone_opens_closes_and_gives_the_focus_back(visit: Visitor, alice: Person) -> None:
    page = visit(OWN[0], who=alice, viewport=PHONE)
    menu, link = (
        page.get_by_role("button", name="Menu", exact=True),
        page.get_by_role("link", name="Dashboard"),
    )
    expect(link).to_be_hidden()
    menu.click()
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(menu).to_be_focused()


def test_the_wide_sidebar_needs_no_button(visit: Visitor, alice: Person) -> None:
    page = visit(OWN[0], who=alice)
    expect(page.get_by_role("button", name="Menu", exact=True)).to_be_hidden()
    expect(page.get_by_role("link", name="Dashboard")).to_be_visible()


def test_signing_up_and_out_and_in_again(visit: Visitor) -> None:
    ensure_plans()
    page = visit(f"/accounts/signup/?next={OWN[0]}")
    page.get_by_label("Email").fill("dora@example.org")
    page.get_by_label("Tenant name").fill("dora")
    page.get_by_label("Password", exact=True).fill("correct horse battery staple")
    page.get_by_label("Password (again)").fill("correct horse battery staple")
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url(f"**{OWN[0]}")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/")
    page.goto(f"/accounts/login/?next={OWN[0]}")
    page.get_by_label("Email").fill("dora@example.org")
    page.get_by_label("Password").fill("correct horse battery staple")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{OWN[0]}")


def test_a_wrong_password_is_said_in_words_that_are_announced(visit: Visitor) -> None:
    page = visit("/accounts/login/")
    page.get_by_label("Email").fill("nobody@example.org")
    page.get_by_label("Password").fill("wrong wrong wrong")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not correct")


def test_htmx_is_there_and_may_not_evaluate_text(visit: Visitor) -> None:
    page = visit("/")
    assert page.evaluate("htmx.config.allowEval") is False
    assert page.evaluate("htmx.config.includeIndicatorStyles") is False


def test_an_injected_inline_script_does_not_run(visit: Visitor) -> None:
    page = visit("/")
    page.evaluate(
        """new Promise((refused) => {
            document.addEventListener("securitypolicyviolation", refused);
            const script = document.createElement("script");
            script.text = "window.ran = 1";
            document.body.append(script);
        })"""
    )
    assert page.evaluate("window.ran") is None
    assert "Content Security Policy" in visit.complaints.pop()
