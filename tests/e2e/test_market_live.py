"""The tour of the market for real: every process of an installation, a crowd, and somebody who follows it in a browser."""

import json
import re
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.faults.site import Site
from tests.priostack.test_up_runs import wait

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
SLOW_MS = 40_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = Site(tmp_path_factory.mktemp("market"))
    try:
        wait(lambda: found.get("/readyz") == 200, found.log, 120)
        found.made = json.loads(found.manage("tenant", "acme", "--email", "acme@example.org", "--json"))
        yield found
    finally:
        found.popen.send_signal(signal.SIGINT)
        try:
            found.popen.wait(20)
        finally:
            found.popen.poll() is None and found.popen.kill()


@pytest.fixture
def page(browser: Browser, site: Any) -> Iterator[Page]:
    context = browser.new_context(base_url=f"http://127.0.0.1:{site.port}")
    opened = context.new_page()
    opened.goto("/accounts/login/?next=/market")
    opened.get_by_label("Email").fill("acme@example.org")
    opened.get_by_label("Password").fill(site.made["password"])
    opened.get_by_role("button", name="Sign in").click()
    yield opened
    context.close()


def test_a_crowd_makes_a_price_that_is_followed_live_and_leaves_receipts(site: Any, page: Page) -> None:
    price = page.locator(".stat [data-market=price_text]")
    expect(page.locator("[data-market-link]")).to_have_text("live", timeout=SLOW_MS)
    expect(price).to_have_text("free")
    told: list[str] = []
    argv = ("market", "demo", "--tenant", "acme", "--tenants", "120", "--seconds", "15")
    crowd = threading.Thread(target=lambda: told.append(site.manage(*argv)))
    crowd.start()
    expect(price).to_have_text(re.compile("credit"), timeout=SLOW_MS)
    receipts = page.locator(".receipts")
    expect(receipts).to_contain_text(
        re.compile(r"price 1, your cap 5: won 500 CU for 1 credit"), timeout=SLOW_MS
    )
    expect(receipts).to_contain_text(
        re.compile(r"your reservation: [\d,]+ CU from its pool"), timeout=SLOW_MS
    )
    crowd.join(180)
    assert "The ledger adds up." in told[0]
    expect(price).to_have_text("free", timeout=SLOW_MS)
    assert "120 demo tenants are gone" in site.manage("market", "demo", "--clean")
