"""Waits for what a page's script says, without needing `unsafe-eval` of its policy.

Playwright's own wait looks once from outside and then again by `eval` within the page, which our policy forbids: it
passes only when the first look already finds what is awaited.
"""

import time
from typing import Any

from playwright.sync_api import Page


def until(page: Page, script: str, arg: Any = None, seconds: float = 30) -> None:
    """Until the expression (or function of `arg`) is true; AssertionError names it otherwise."""
    end = time.monotonic() + seconds
    while not page.evaluate(script, arg):
        assert time.monotonic() < end, f"never true: {script}"
        page.wait_for_timeout(20)
