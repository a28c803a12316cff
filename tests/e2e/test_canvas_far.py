"""What is seen from afar, and what the editor offers to send in after a run."""

import re

import pytest
from playwright.sync_api import expect

from runtime.models import Execution
from tests.conftest import Person
from tests.e2e.canvas import a_flow, edit
from tests.e2e.conftest import PHONE, Visitor
from tests.e2e.test_canvas_faults import long_flow
from tests.e2e.waiting import until
from tests.runtime.watching import a_run

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]


def test_wires_reach_nodes_that_came_into_sight_from_afar(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice, long_flow(40), "long"))
    editor.page.locator(".react-flow__pane").click(position={"x": 20, "y": 20})
    editor.press("f")
    expect(editor.node("n40")).to_be_in_viewport()
    expect(editor.page.locator(".ed-canvas")).to_have_attribute("data-far", "true")
    wire = editor.page.locator('[data-id="n39>peer>n40"] .react-flow__edge-path').bounding_box()
    before, after = editor.node("n39").bounding_box(), editor.node("n40").bounding_box()
    assert wire
    assert before
    assert after
    assert before["x"] <= wire["x"] <= wire["x"] + wire["width"] <= after["x"] + after["width"]


def test_the_body_of_the_last_call_is_offered_for_the_next_run(visit: Visitor, alice: Person) -> None:
    flow = a_flow(alice)
    run = a_run(flow.bundle)
    request = '{"method": "POST", "path": "/in", "headers": {"host": "x"}, "body": {"total": 9}}'
    Execution.objects.filter(pk=run.pk).update(service="flow", name="small", input=request)
    page = visit(f"/flow/{flow.pk}?run={run.pk}", who=alice)
    page.route_web_socket("**/ws/**", lambda socket: None)
    page.reload()
    expect(page.get_by_role("region", name="Run")).to_be_visible()
    page.locator(".react-flow__pane").click(position={"x": 20, "y": 20})
    page.keyboard.press("Control+Enter")
    payload = page.get_by_role("textbox", name="Payload, as JSON")
    expect(payload).to_contain_text('"total": 9')
    expect(payload).not_to_contain_text(re.compile("headers|method"))


def test_the_canvas_is_one_layer_while_it_moves_and_its_ground_goes_along(
    visit: Visitor, alice: Person
) -> None:
    page = edit(visit, alice, a_flow(alice, long_flow(40), "long")).page
    canvas, moved = page.locator(".ed-canvas"), page.locator(".react-flow__viewport")
    page.mouse.move(900, 500)
    page.mouse.down(button="middle")
    page.mouse.move(890, 493, steps=3)
    expect(canvas).to_have_attribute("data-moving", "")
    assert moved.evaluate("one => getComputedStyle(one).willChange") == "transform"
    page.mouse.up(button="middle")
    expect(canvas).not_to_have_attribute("data-moving", "")
    assert moved.evaluate("one => getComputedStyle(one).willChange") == "auto"
    ground, room = moved.locator(".ed-dots").bounding_box(), canvas.bounding_box()
    assert ground
    assert room
    assert ground["x"] < room["x"] < room["x"] + room["width"] < ground["x"] + ground["width"]
    assert ground["y"] < room["y"] < room["y"] + room["height"] < ground["y"] + ground["height"]


def test_a_short_way_makes_and_draws_nothing_anew(visit: Visitor, alice: Person) -> None:
    """Nodes are there before they are seen, and wires end where ports are measured."""
    page = edit(visit, alice, a_flow(alice, long_flow(40), "long")).page
    box = page.locator(".ed-canvas").bounding_box()
    assert box
    x, y = box["x"] + box["width"] - 60, box["y"] + box["height"] - 60
    ways = "[...document.querySelectorAll('.react-flow__edge-path')].map((one) => one.getAttribute('d'))"
    first = page.evaluate(ways)
    until(page, f"(shown) => {ways}.length > shown", len(first))  # the margin is there now
    assert set(first) <= set(page.evaluate(ways))
    page.evaluate(
        "() => { window.made = 0; new MutationObserver((seen) => seen.forEach((one) => {"
        " window.made += one.addedNodes.length + Number(one.attributeName === 'd'); }))"
        ".observe(document.querySelector('.react-flow__viewport'), { subtree: true, childList: true, attributes: true }); }"
    )
    page.mouse.move(x, y)
    page.mouse.down(button="middle")
    page.mouse.move(x - 60, y, steps=12)
    page.mouse.up(button="middle")
    expect(page.locator(".ed-canvas")).not_to_have_attribute("data-moving", "")
    assert page.evaluate("window.made") == 0


def test_a_node_that_comes_into_sight_leaves_the_others_alone(visit: Visitor, alice: Person) -> None:
    """Rules that look into the canvas from outside, or at its siblings, would have all of it styled anew."""
    page = edit(visit, alice, a_flow(alice, long_flow(40), "long")).page
    rules = page.evaluate(
        "() => { const found = []; const walk = (rules) => { for (const rule of rules) {"
        " if (rule.selectorText?.includes('#editor)')) found.push(rule.selectorText);"
        " if (rule.cssRules) walk(rule.cssRules); } };"
        " for (const sheet of document.styleSheets) walk(sheet.cssRules); return found; }"
    )
    assert rules == []


def test_wires_and_nodes_can_be_seen_on_a_phone_however_large_the_flow(visit: Visitor, alice: Person) -> None:
    page = edit(visit, alice, a_flow(alice, long_flow(20), "long"), viewport=PHONE).page
    page.locator(".react-flow__pane").click(position={"x": 5, "y": 5})
    page.keyboard.press("f")
    expect(page.locator(".ed-canvas")).to_have_attribute("data-tiny", "true")
    expect(page.locator(".react-flow__edge-path")).to_have_count(21)
    seen = page.evaluate(
        "() => { const zoom = new DOMMatrix(getComputedStyle(document.querySelector('.react-flow__viewport')).transform).a;"
        " return [...document.querySelectorAll('.react-flow__edge-path')]"
        ".map((path) => parseFloat(getComputedStyle(path).strokeWidth) * zoom); }"
    )
    assert min(seen) > 0.7
