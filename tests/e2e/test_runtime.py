"""The runtime's pages in a real browser: the console, Run and Stop, live parts that keep the focus, widths."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bundles import store
from bundles.models import Bundle
from bundles.resolve import resolve
from bundles.store import newest
from runtime import guests
from tests.e2e.conftest import PHONE, Visitor
from tests.runtime import stage
from tests.runtime.watching import a_run

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

CHECKS = b"""
- {name: it echoes, request: {method: POST, path: /api/s/e, body: {a: 1}}, expect: {status: 200, body: {a: 1}}}
- {name: it does not, request: {method: POST, path: /api/s/e, body: {a: 1}}, expect: {body: {a: <b>2}}}
"""
INTENTS = """
  - {name: echoes, whenSensor: said, toFunc: 'wasm:echo:run'}
"""


@pytest.fixture
def bundle(alice: Any, clean_redis: None) -> Bundle:
    files = stage.bundle_files("s", ["echo"], INTENTS, POST_e="wasm:echo:run")
    files["s.yaml"] = files["s.yaml"].replace(b"path: /e,", b'path: "/e",')
    return store.import_files("test", alice.tenant, files | {"tests/a.yaml": CHECKS}).bundle


def narrow(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_the_curl_line_follows_what_is_typed(visit: Visitor, alice: Any, bundle: Bundle) -> None:
    page = visit(f"/bundles/{bundle.pk}/try/s/e", who=alice)
    curl = page.locator("[data-tryit-curl]")
    expect(curl).to_contain_text('"a": 1')
    page.locator("[data-tryit-query]").fill("q=a b")
    page.locator("[data-tryit-headers]").fill("X-Who: it's me")
    page.locator("[data-tryit-body]").fill("[1]")
    expect(curl).to_contain_text("/alice/api/s/e?q=a%20b'")
    expect(curl).to_contain_text("""-H 'X-Who: it'"'"'s me'""")
    expect(curl).to_contain_text("-d '[1]'")
    assert "<b>" not in curl.inner_html()


def test_run_becomes_running_by_itself_and_stop_stops(visit: Visitor, alice: Any, bundle: Bundle) -> None:
    for sha256 in set(resolve(alice.tenant, newest(bundle)).values()):
        guests.code().remove(sha256)  # nobody has compiled it on this machine: a worker will
    page = visit("/bundles", who=alice)
    page.get_by_role("button", name="Run").click()
    expect(page.locator("[data-status=starting]")).to_be_visible()
    Bundle.objects.filter(pk=bundle.pk).update(status="running", live_revision=1)
    expect(page.locator("[data-status=running]")).to_be_visible(timeout=5000)
    expect(page.get_by_role("button", name="Run")).to_be_hidden()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("[data-status=stopped]")).to_be_visible()


def test_tests_run_by_the_button(visit: Visitor, alice: Any, bundle: Bundle) -> None:
    page = visit(f"/bundles/{bundle.pk}/declared-tests", who=alice)
    page.get_by_role("button", name="Run the tests").click()
    expect(page.get_by_text("1 failed")).to_be_visible()
    expect(page.get_by_text('body.a is 1, expected "<b>2"')).to_be_visible()


def test_news_in_the_list_of_runs_leave_the_focus_alone(visit: Visitor, alice: Any, bundle: Bundle) -> None:
    runs = [a_run(bundle) for _ in range(3)]
    page = visit("/runs", who=alice)
    page.locator(f"#run-{runs[0].pk}").focus()
    fresh = a_run(bundle)
    expect(page.locator(f"#run-{fresh.pk}")).to_be_visible(timeout=6000)
    assert page.evaluate("document.activeElement.id") == f"run-{runs[0].pk}"


def test_every_page_fits_a_phone(visit: Visitor, alice: Any, bundle: Bundle) -> None:
    run = a_run(bundle, "x" * 300, output='"' + "y" * 300 + '"', error="z" * 300)
    pages = (
        "/dashboard",
        "/runs",
        f"/runs/{run.pk}",
        f"/bundles/{bundle.pk}/tests",
        f"/bundles/{bundle.pk}/try/s/e",
    )
    for path in pages:
        assert narrow(visit(path, who=alice, viewport=PHONE)), path
