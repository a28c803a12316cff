"""The pages of flows in a real browser: new flows, favourites, steps that open, widths of a phone."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bundles.models import Flow
from tests.e2e.conftest import PHONE, Visitor
from tests.runtime.test_flow_steps import recorded
from tests.runtime.test_views_flows import GREET, a_flow, flow_run, kept

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]


AXE = "node_modules/axe-core/axe.min.js"


def narrow(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_a_template_becomes_a_flow_that_opens_in_the_editor(visit: Visitor, alice: Any) -> None:
    page = visit("/flows", who=alice)
    card = page.locator(".flow-gallery li", has_text="Fan-out and join")
    card.get_by_role("button", name="Use this").click()
    expect(page).to_have_title("fanout · Flow · PrioStack")
    expect(page.locator(".react-flow__node").first).to_be_visible()
    assert Flow.objects.get().name == "fanout"


def test_an_import_shows_its_problems_first(visit: Visitor, alice: Any) -> None:
    page = visit("/flows/new", who=alice)
    text = page.get_by_label("or text")
    text.fill("organism: {name: pasted}\nlisteners:\n  - {name: a, handler: 'builtin:branhc'}\n")
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_text("flows/pasted.yaml:3:")).to_be_visible()
    expect(text).to_have_value(
        "organism: {name: pasted}\nlisteners:\n  - {name: a, handler: 'builtin:branhc'}\n"
    )
    text.fill(GREET)
    page.get_by_role("button", name="Import", exact=False).click()
    expect(page).to_have_title("greet · Flow · PrioStack")


def test_a_favourite_and_a_folder_stay_where_they_were_put(visit: Visitor, alice: Any) -> None:
    a_flow(alice, "first")
    a_flow(alice, "second")
    page = visit("/flows", who=alice)
    page.get_by_role("button", name="Favourite: second").click()
    expect(page.get_by_role("button", name="Favourite: second")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("tbody tr").first).to_contain_text("second")
    page.get_by_label("Favourites", exact=True).check()
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_deleting_asks_first(visit: Visitor, alice: Any) -> None:
    a_flow(alice)
    page = visit("/flows", who=alice)
    page.get_by_role("button", name="Delete greet").click()
    expect(page.get_by_role("dialog")).to_contain_text("its memory")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No flows yet")).to_be_visible()
    assert not Flow.objects.exists()


def test_a_step_opens_to_its_input_and_output(visit: Visitor, alice: Any) -> None:
    steps = [
        recorded("price", 10, input='{"item": "mug"}', output="12"),
        recorded("sum", 300, error="no sum"),
    ]
    run = flow_run(a_flow(alice), steps=steps)
    page = visit(f"/runs/{run.pk}", who=alice)
    page.locator("#step-1 summary").click()
    expect(page.get_by_label("Input of step 1")).to_contain_text('"item": "mug"')
    page.locator("#step-2 summary").press("Enter")
    expect(page.locator("#step-2")).to_contain_text("no sum")


def test_every_page_of_a_flow_fits_a_phone(visit: Visitor, alice: Any) -> None:
    flow = a_flow(alice, tags=["a-tag-that-is-quite-long", "another"], folder="a folder")
    run = flow_run(flow, steps=[recorded("n" * 80, 10, input="x" * 300, error="e" * 300)], error="z" * 300)
    kept(flow, "k" * 200, '"' + "v" * 400 + '"')
    pages = ["/flows", "/flows/new", "/dashboard", f"/runs/{run.pk}", f"/bundles/{flow.bundle_id}"]
    pages += [
        f"/flow/{flow.pk}{rest}" for rest in ("", "/yaml", "/runs", "/triggers", "/memory", "/settings")
    ]
    for path in pages:
        assert narrow(visit(path, who=alice, viewport=PHONE)), path
    assert all("WebSocket" in one for one in visit.complaints)  # this server has none for the editor's lights
    visit.complaints.clear()


def test_the_drawer_opens_over_the_editor(visit: Visitor, alice: Any) -> None:
    flow = a_flow(alice)
    page = visit(f"/flow/{flow.pk}", who=alice)
    link = page.get_by_role("link", name="Runs", exact=True).first
    page.get_by_role("button", name="Menu").click()
    expect(page.locator("#side").get_by_role("link", name="Flows")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#side").get_by_role("link", name="Flows")).to_be_hidden()
    expect(link).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_the_pages_of_flows(visit: Visitor, alice: Any, scheme: str) -> None:
    flow = a_flow(alice, tags=["orders"], folder="shop")
    run = flow_run(flow, steps=[recorded("price", 10), recorded("sum", 300, error="no sum")], error="no sum")
    kept(flow, "count", "3")
    pages = ["/flows", "/flows/new", "/dashboard", "/settings/variables", f"/runs/{run.pk}"]
    pages += [f"/flow/{flow.pk}/{rest}" for rest in ("yaml", "runs", "triggers", "memory", "settings")]
    for path in pages:
        page = visit(path, who=alice, color_scheme=scheme, bypass_csp=True)
        page.add_script_tag(path=AXE)
        found: Any = page.evaluate("axe.run({resultTypes: ['violations']})")
        serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
        told = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in serious]
        assert not told, (path, told)
