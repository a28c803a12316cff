"""What fails in the editor stays in its place: the rest goes on, the unsaved text can be had. And what is seen first."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.conftest import Person
from tests.e2e.canvas import EMPTY, a_flow, edit
from tests.e2e.conftest import Visitor

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]


def long_flow(count: int) -> str:
    head = "organism: {name: long}\ntriggers:\n  - {name: start, type: manual, to: n0}\nlisteners:\n"
    nodes = [
        f"  - {{name: n{n}, handler: builtin:map, with: {{expr: payload}}, peers: [n{n + 1}]}}\n"
        for n in range(count)
    ]
    return head + "".join(nodes) + f"  - {{name: n{count}, handler: builtin:output}}\n"


def test_a_part_that_cannot_be_loaded_leaves_the_rest(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice))
    editor.page.route("**/YamlPane*.js", lambda route: route.abort())
    editor.node("shape").focus()
    editor.press("d")
    editor.view("Split")
    alert = editor.page.get_by_role("alert")
    expect(alert).to_contain_text("The YAML view could not be loaded")
    expect(alert.get_by_label("Unsaved text of the flow")).to_have_value(re.compile("disabled: true"))
    expect(alert.get_by_role("button", name="Copy the text")).to_be_visible()
    expect(editor.node("shape")).to_be_visible()
    editor.save()
    editor.page.unroute("**/YamlPane*.js")
    alert.get_by_role("button", name="Reload").click()
    editor.view("Split")
    expect(editor.code).to_be_visible()
    assert visit.complaints
    visit.complaints.clear()


def test_a_fault_of_the_whole_editor_keeps_the_text(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice))
    editor.node("shape").focus()
    editor.press("d")
    editor.page.evaluate("() => { Math.round = () => { throw new Error('broken') } }")
    editor.press("+")
    alert = editor.page.get_by_role("alert")
    expect(alert).to_contain_text("The editor stopped working")
    expect(alert.get_by_label("Unsaved text of the flow")).to_have_value(re.compile("disabled: true"))
    assert visit.complaints
    visit.complaints.clear()


def zoom(text: str) -> float:
    found = re.search(r"scale\(([\d.]+)\)", text)
    assert found
    return float(found[1])


def test_a_long_flow_opens_at_its_beginning_and_can_be_read(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice, long_flow(40), "long"))
    start = editor.node("start")
    expect(start).to_be_in_viewport()
    layer = editor.page.locator(".react-flow__viewport")
    assert zoom(layer.get_attribute("style") or "") >= 0.65
    canvas = editor.page.locator(".ed-canvas").bounding_box()
    box = start.bounding_box()
    assert canvas
    assert box
    assert box["x"] - canvas["x"] < 100
    assert abs(box["y"] - canvas["y"] - canvas["height"] / 2) < 100
    editor.page.locator(".react-flow__pane").click(position={"x": 20, "y": 20})
    editor.press("f")
    expect(editor.node("n40")).to_be_in_viewport()


def test_the_chosen_node_stays_in_sight(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice, long_flow(40), "long"))
    last = editor.page.locator(".react-flow__node").last
    name = last.get_attribute("data-id") or ""
    editor.node(name).focus()
    editor.view("Split")
    expect(editor.code).to_be_visible()
    pane = editor.page.locator(".ed-canvas").bounding_box()
    assert pane
    expect(editor.node(name)).to_be_in_viewport(ratio=0.99)
    box = editor.node(name).bounding_box()
    assert box
    assert box["x"] + box["width"] <= pane["x"] + pane["width"] + 1


def test_a_first_flow_by_clicks_stands_level_and_in_sight(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice, EMPTY, "fresh"))
    for label in ("Trigger", "Code Block", "Output"):
        editor.item(label).click()
    expect(editor.wire("code", "output")).to_have_count(1)
    names = ["webhook", "code", "output"]
    # all in one look: the view may be on its way to the node that was added last
    middles = editor.page.evaluate(
        """names => names.map(name => {
          const box = document.querySelector(`.react-flow__node[data-id="${name}"]`).getBoundingClientRect();
          return Math.round(box.top + box.height / 2);
        })""",
        names,
    )
    assert max(middles) - min(middles) <= 1
    for name in names:
        expect(editor.node(name)).to_be_in_viewport(ratio=0.99)
    hint = editor.page.locator('[data-field="handler"]')
    editor.node("code").click()
    expect(hint.get_by_role("link", name="Upload a WebAssembly module")).to_have_attribute("href", "/modules")


def test_nothing_in_the_editor_makes_it_wider_than_its_window(visit: Visitor, alice: Person) -> None:
    page = edit(visit, alice, a_flow(alice)).page
    wide = "const one = document.createElement('p'); one.textContent = 'x'.repeat(3000);"
    page.evaluate(f"() => {{ {wide} document.querySelector('.ed-center').append(one); }}")
    assert page.evaluate(
        "() => document.querySelector('.ed-status').getBoundingClientRect().right <= innerWidth"
    )


def test_run_waits_for_a_save_that_is_under_way(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice))
    page = editor.page
    held: list[Route] = []
    page.route("**/api/flows/*", lambda route: held.append(route))
    editor.item("Delay").click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".ed-saved")).to_contain_text("Saving")
    with page.expect_request("**/start"):
        page.get_by_role("button", name="Run", exact=True).click()
        held[0].continue_()
