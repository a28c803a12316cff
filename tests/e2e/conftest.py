"""A real browser against a live server of Django; skipped loudly where no Chromium can be had."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.conftest import Person

ROOT = Path(__file__).resolve().parents[2]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}


@pytest.fixture(scope="session", autouse=True)
def _playwright_runs_a_loop() -> Iterator[None]:
    # Playwright's synchronous API keeps a loop in this thread, which Django would take for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def chromium() -> str:
    told = os.environ.get("PRIOSTACK_TEST_CHROMIUM")
    script = [sys.executable, str(ROOT / "scripts" / "find_chromium.py")]
    path = told or subprocess.run(script, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    if not path:
        pytest.skip("NO CHROMIUM: the browser tests are skipped")
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not start for root in a container.
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


class Visitor:
    """Opens pages, each in a context of its own, and keeps what their consoles complain about."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def __call__(self, path: str = "/", *, who: Person | None = None, **options: Any) -> Page:
        context = self.browser.new_context(base_url=self.url, **{"viewport": DESK, **options})
        self.contexts.append(context)
        if who:
            value = who.client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": value, "url": self.url}])
        page = context.new_page()
        page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(path)
        return page


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Visitor]:
    """At the end of a test no page may have complained."""
    visitor = Visitor(browser, live_server.url)
    yield visitor
    for context in visitor.contexts:
        context.close()
    assert visitor.complaints == []
