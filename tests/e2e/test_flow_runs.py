"""Several runs of a flow in a real browser: ticked, acted on, two of them compared on a page and on the canvas."""

import time
from typing import Any

import pytest
from playwright.sync_api import expect

from runtime.models import Execution
from tests.e2e.canvas import a_flow
from tests.e2e.conftest import PHONE, Visitor
from tests.runtime.test_flow_steps import recorded
from tests.runtime.test_views_flows import flow_run

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]


def test_two_ticked_runs_are_compared_and_the_canvas_marks_what_differs(visit: Visitor, alice: Any) -> None:
    flow = a_flow(alice)
    for output in ('"old"', '"new"'):
        steps = [recorded("shape", 0, input="1", output=output), recorded("done", 200, input="2")]
        flow_run(flow, steps=steps)
        time.sleep(0.005)  # ids made in one millisecond have no order
    page = visit(f"/flow/{flow.pk}/runs", who=alice)
    page.get_by_label("All runs on this page").check()
    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.get_by_role("button", name="Compare two").click()
    expect(page.get_by_role("heading", name="1 of 2 steps differs")).to_be_visible()
    expect(page.get_by_label("Output of shape in the first run")).to_have_text("old")
    expect(page.get_by_label("Output of shape in the second run")).to_have_text("new")
    page.route_web_socket("**/ws/**", lambda socket: socket.close())
    page.get_by_role("link", name="On the canvas").click()
    expect(page.locator('.react-flow__node[data-id="shape"] > .nd')).to_have_attribute("data-differs", "true")
    expect(page.locator('.react-flow__node[data-id="done"] > .nd')).not_to_have_attribute(
        "data-differs", "true"
    )
    expect(page.get_by_role("link", name="1 node differs")).to_be_visible()


def test_ticks_stay_while_new_runs_come_and_waiting_ones_are_cancelled(visit: Visitor, alice: Any) -> None:
    flow = a_flow(alice)
    waits = flow_run(flow, status="queued")
    page = visit(f"/flow/{flow.pk}/runs", who=alice)
    page.locator(f"#pick-{waits.pk}").check()
    flow_run(flow)
    expect(page.locator("#runs tbody tr")).to_have_count(2, timeout=8000)
    expect(page.locator(f"#pick-{waits.pk}")).to_be_checked()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("1 run asked to stop.")).to_be_visible()
    assert Execution.objects.get(pk=waits.pk).status == "cancelled"


def test_the_comparison_fits_a_phone(visit: Visitor, alice: Any) -> None:
    flow = a_flow(alice)
    runs = [flow_run(flow, steps=[recorded("n" * 60, 0, output="x" * size)]) for size in (200, 300)]
    path = f"/flow/{flow.pk}/runs/compare?a={runs[0].pk}&b={runs[1].pk}"
    page = visit(path, who=alice, viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
