"""The settings pages in a real browser: one flow for each tab, on a desk and on a phone."""

import re

import pytest
from playwright.sync_api import expect

from billing import secrets
from billing.models import ApiKey, Tenant
from tests.conftest import Person
from tests.e2e.conftest import PHONE, Visitor

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]
PAGES = ["", "/tenant", "/members", "/keys", "/secrets", "/audit", "/found", "/tenant/delete"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_settings_fits_a_phone(visit: Visitor, alice: Person, path: str) -> None:
    secrets.put(
        alice.tenant, "STRIPE_SECRET_KEY_OF_THE_LONGEST_KIND", b"v", ["api.stripe.com", "*.example.org"]
    )
    page = visit(f"/settings{path}", who=alice, viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    expect(page.locator("h1")).to_have_count(1)


def test_a_key_is_made_copied_and_revoked(visit: Visitor, alice: Person) -> None:
    page = visit("/settings/keys", who=alice)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_label("Name").fill("shop website")
    page.get_by_label("write").uncheck()
    page.get_by_role("button", name="Create the key").click()
    shown = page.locator("#new-key").inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied to the clipboard")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == shown
    assert ApiKey.objects.get(name="shop website").scopes == ["read", "call"]
    page.reload()
    assert ApiKey.objects.filter(name="shop website").count() == 1
    expect(page.locator("#new-key")).to_have_count(0)
    row = page.get_by_role("row", name=re.compile("shop website"))
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The key is revoked.")).to_be_visible()
    assert not ApiKey.objects.filter(name="shop website").exists()


def test_a_secret_is_kept(visit: Visitor, alice: Person) -> None:
    page = visit("/settings/secrets", who=alice)
    page.get_by_label("Name").fill("STRIPE")
    page.get_by_label("Value").fill("canary-1")
    page.get_by_label("Hosts").fill("api.stripe.com")
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("cell", name="api.stripe.com")).to_be_visible()
    assert "canary-1" not in page.content()


def test_the_audit_log_is_filtered_while_one_types(visit: Visitor, alice: Person) -> None:
    alice.client.post("/settings/keys", {"name": "one", "scopes": "read"})
    page = visit("/settings/audit", who=alice)
    expect(page.get_by_text("key.create")).to_be_visible()
    page.get_by_label("Action").press_sequentially("member")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    expect(page).to_have_url(re.compile("action=member"))


def test_forms_work_without_javascript(visit: Visitor, alice: Person) -> None:
    page = visit("/settings/members", who=alice, java_script_enabled=False)
    page.get_by_label("E-mail address").fill("dora@example.org")
    page.get_by_role("button", name="Invite").click()
    expect(page.locator("#invitation-link")).to_contain_text("/invite/ps_")


def test_deleting_the_tenant_needs_its_name(visit: Visitor, alice: Person) -> None:
    page = visit("/settings/tenant", who=alice)
    page.get_by_role("link", name="Delete the tenant").click()
    page.get_by_label("Type alice to confirm").fill("alice")
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_role("heading", name="Found a tenant")).to_be_visible()
    assert not Tenant.objects.exists()
