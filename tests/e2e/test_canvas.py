"""The editor in a real browser: a first flow by mouse and by keyboard, both views at once, one undo, a stale save."""

import re
from typing import Any

import pytest
from playwright.sync_api import Position, expect

from runtime import flowstore
from runtime.flowchange import Change
from runtime.models import Execution
from tests.conftest import Person
from tests.e2e.canvas import EMPTY, SMALL, a_flow, by, edit, text_of
from tests.e2e.conftest import PHONE, Visitor
from tests.e2e.waiting import until
from tests.runtime.watching import a_run

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]


def test_a_first_flow_by_mouse(visit: Visitor, alice: Person) -> None:
    flow = a_flow(alice, EMPTY, "fresh")
    editor = edit(visit, alice, flow)
    editor.item("Trigger").click()
    editor.item("Map").click()
    editor.item("Output").click()
    expect(editor.wires()).to_have_count(2)
    editor.save()
    text = text_of(flow)
    assert re.search(
        r"name: webhook, type: webhook, to: map|name: webhook\n\s+type: webhook\n\s+to: map", text
    )
    assert "handler: builtin:map" in text
    assert "peers: [output]" in text


def test_a_node_is_dragged_from_the_palette_into_a_wire(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice))
    wire = editor.wire("shape", "done")
    box = wire.locator("path").first.bounding_box()
    assert box
    canvas = editor.page.locator(".ed-canvas").bounding_box()
    assert canvas
    middle: Position = {
        "x": box["x"] + box["width"] / 2 - canvas["x"],
        "y": box["y"] + box["height"] / 2 - canvas["y"],
    }
    editor.item("Filter").drag_to(editor.page.locator(".ed-canvas"), target_position=middle)
    expect(editor.wire("shape", "filter")).to_have_count(1)
    expect(editor.wire("filter", "done")).to_have_count(1)
    expect(wire).to_have_count(0)


def test_a_wire_is_dragged_from_a_port(visit: Visitor, alice: Person) -> None:
    flow = a_flow(alice, SMALL.replace("    peers: [done]\n", ""))
    editor = edit(visit, alice, flow)
    expect(editor.wires()).to_have_count(1)
    editor.node("shape").locator(".nd-out").drag_to(editor.node("done").locator(".nd-in"))
    expect(editor.wire("shape", "done")).to_have_count(1)
    editor.save()
    assert "peers: [done]" in text_of(flow)
    assert "# what it does" in text_of(flow)


def test_a_first_flow_by_keyboard(visit: Visitor, alice: Person) -> None:
    flow = a_flow(alice, EMPTY, "fresh")
    editor = edit(visit, alice, flow)
    for words in ("trigger", "map", "output"):
        editor.press("/")
        search = editor.page.get_by_role("searchbox", name="Find a node")
        expect(search).to_be_focused()
        search.fill(words)
        editor.press("Enter")
    expect(editor.node("output")).to_be_focused()
    editor.press("Alt+ArrowLeft", "F2")
    name = editor.page.get_by_role("textbox", name="Name")
    expect(name).to_be_focused()
    name.fill("shape")
    editor.press("Enter", "Escape")
    editor.press("Control+s")
    expect(editor.page.locator(".ed-saved")).to_contain_text("Saved")
    assert "name: shape" in text_of(flow)
    assert "to: shape" in text_of(flow)


def test_a_node_is_connected_by_the_c_key(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice, SMALL.replace("    peers: [done]\n", "")))
    editor.node("shape").focus()
    editor.press("c")
    picker = editor.page.get_by_role("combobox", name="Connect shape to")
    expect(picker).to_be_focused()
    picker.fill("done")
    editor.press("Enter")
    expect(editor.wire("shape", "done")).to_have_count(1)
    expect(editor.page.get_by_role("log")).to_contain_text("shape is connected to done")


def test_what_is_typed_is_drawn_and_what_is_drawn_is_written(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice))
    editor.view("Split")
    editor.code.press("Control+End")
    editor.page.keyboard.insert_text("  - {name: later, handler: builtin:delay, with: {for: 1m}}\n")
    expect(editor.node("later")).to_be_visible()
    editor.node("shape").focus()
    editor.press("Delete")
    expect(editor.node("shape")).to_have_count(0)
    assert "shape" not in editor.text()
    assert "# Comments stay." in editor.text()


def test_one_undo_takes_back_both_kinds_of_change(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice))
    editor.view("Split")
    editor.code.press("Control+End")
    editor.page.keyboard.insert_text("  - {name: later, handler: builtin:delay, with: {for: 1m}}\n")
    expect(editor.node("later")).to_be_visible()
    editor.node("shape").focus()
    editor.press("Delete")
    expect(editor.node("shape")).to_have_count(0)
    undo = editor.page.get_by_role("button", name="Undo")
    undo.click()
    expect(editor.node("shape")).to_be_visible()
    undo.click()
    expect(editor.node("later")).to_have_count(0)
    assert editor.text() == SMALL
    expect(undo).to_be_disabled()
    expect(editor.page.locator(".ed-saved")).to_contain_text("Saved")


def test_text_that_is_no_yaml_keeps_the_last_picture(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice))
    editor.view("Split")
    editor.code.press("Control+End")
    editor.page.keyboard.insert_text("  - {name: [broken\n")
    expect(editor.page.get_by_text("the last good picture")).to_be_visible()
    expect(editor.node("shape")).to_be_visible()
    expect(editor.page.locator(".cm-lint-marker-error")).not_to_have_count(0)


def test_a_stale_save_loses_nothing(visit: Visitor, alice: Person) -> None:
    flow = a_flow(alice)
    editor = edit(visit, alice, flow)
    theirs = SMALL.replace('{expr: "payload"}', '{expr: "payload.theirs"}')
    flow.refresh_from_db()
    flowstore.save(by(alice), flow, Change(text=theirs), expected=flow.bundle.revision)
    editor.node("done").focus()
    editor.press("Enter")
    status = editor.page.get_by_role("textbox", name="Status")
    status.fill("202")
    editor.press("Control+s")
    dialog = editor.page.get_by_role("dialog")
    expect(dialog.get_by_text("Both sides fit together.")).to_be_visible()
    dialog.get_by_role("button", name="Save merged").click()
    expect(editor.page.locator(".ed-saved")).to_contain_text("Saved")
    assert visit.complaints
    assert all("412" in one for one in visit.complaints)
    visit.complaints.clear()
    assert "payload.theirs" in text_of(flow)
    assert "202" in text_of(flow)


def test_nodes_are_pasted_into_another_tab(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice))
    editor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    editor.node("shape").focus()
    editor.press("Control+c")
    other = editor.page.context.new_page()
    other.goto(f"/flow/{a_flow(alice, EMPTY, 'other').pk}")
    expect(other.get_by_role("toolbar", name="Flow")).to_be_visible()
    other.locator(".react-flow__pane").click()
    other.keyboard.press("Control+v")
    expect(other.locator('.react-flow__node[data-id="shape"]')).to_be_visible()


def test_a_phone_reads_and_shows_runs(visit: Visitor, alice: Person) -> None:
    flow = a_flow(alice)
    for target in ("flow:small", "flow:smaller"):  # an endpoint called both
        Execution.objects.filter(pk=a_run(flow.bundle).pk).update(target=target)
    editor = edit(visit, alice, flow, viewport=PHONE)
    expect(editor.page.get_by_role("region", name="Runs of the flow").get_by_role("button")).to_have_count(1)
    expect(editor.page.get_by_role("button", name="Save")).to_have_count(0)
    assert editor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


AXE = "node_modules/axe-core/axe.min.js"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit: Visitor, alice: Person, scheme: Any) -> None:
    editor = edit(visit, alice, a_flow(alice), color_scheme=scheme, bypass_csp=True)
    editor.view("Split")
    editor.node("shape").click()
    expect(editor.page.get_by_role("complementary", name="Inspector of shape")).to_be_visible()
    editor.page.add_script_tag(path=AXE)
    found: Any = editor.page.evaluate("axe.run({resultTypes: ['violations']})")
    serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in serious] == []


def test_a_chosen_wire_takes_what_the_palette_gives(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice))
    editor.wire("shape", "done").focus()
    editor.press("Enter")
    editor.item("Delay").click()
    expect(editor.wire("shape", "delay")).to_have_count(1)
    expect(editor.wire("delay", "done")).to_have_count(1)


def test_a_wire_is_cut_by_the_delete_key(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice))
    editor.wire("shape", "done").focus()
    editor.press("Enter", "Delete")
    expect(editor.wire("shape", "done")).to_have_count(0)
    expect(editor.node("shape")).to_be_visible()


def test_nodes_are_disabled_duplicated_and_moved_by_keys(visit: Visitor, alice: Person) -> None:
    flow = a_flow(alice)
    editor = edit(visit, alice, flow)
    editor.node("shape").focus()
    editor.press("d")
    expect(editor.node("shape").locator(".nd")).to_have_attribute("data-disabled", "true")
    editor.press("Control+d")
    expect(editor.page.locator(".react-flow__node")).to_have_count(4)
    before = editor.node("done").bounding_box()
    editor.press("Escape")
    editor.node("done").click()  # which chooses it, whatever the copy does with the focus
    expect(editor.node("done")).to_have_class(re.compile("selected"))
    editor.node("done").focus()
    editor.press("ArrowDown", "ArrowDown")
    assert before
    until(
        editor.page,
        """([id, y]) => document.querySelector(`.react-flow__node[data-id="${id}"]`).getBoundingClientRect().y > y""",
        ["done", before["y"] + 1],
    )
    editor.save()
    assert "disabled: true" in text_of(flow)
    flow.refresh_from_db()
    assert set(flow.canvas["nodes"]) >= {"incoming", "shape", "done"}


def test_a_note_is_written_and_stays(visit: Visitor, alice: Person) -> None:
    flow = a_flow(alice)
    editor = edit(visit, alice, flow)
    editor.press("Shift+S")
    editor.page.locator(".note").dblclick()
    editor.page.get_by_role("textbox", name="Text of the note").fill("Ask Ann")
    editor.page.locator(".react-flow__pane").click(position={"x": 20, "y": 20})
    editor.save()
    flow.refresh_from_db()
    assert [note["text"] for note in flow.canvas["notes"].values()] == ["Ask Ann"]
    assert text_of(flow) == SMALL


def test_whoever_may_only_read_changes_nothing(visit: Visitor, alice: Person, bob: Person) -> None:
    editor = edit(visit, bob, a_flow(alice))
    expect(editor.node("shape")).to_be_visible()
    expect(editor.page.get_by_role("button", name="Save")).to_have_count(0)
    expect(editor.page.get_by_role("button", name="Run", exact=True)).to_have_count(0)
    editor.node("shape").focus()
    editor.press("Delete")
    expect(editor.node("shape")).to_be_visible()


def test_lines_keep_the_ends_they_have(visit: Visitor, alice: Person) -> None:
    flow = a_flow(alice, SMALL.replace("\n", "\r\n"))
    editor = edit(visit, alice, flow)
    editor.view("Split")
    editor.code.press("Control+End")
    editor.page.keyboard.insert_text("# the end\n")
    expect(editor.page.locator(".ed-saved")).to_contain_text("Unsaved")
    editor.save()
    assert text_of(flow) == (SMALL + "# the end\n").replace("\n", "\r\n")


def test_one_undo_takes_back_a_node_and_its_wire(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice, SMALL.replace("    peers: [done]\n", "")))
    editor.node("shape").click()
    editor.item("Delay").click()
    expect(editor.wire("shape", "delay")).to_have_count(1)
    editor.page.get_by_role("button", name="Undo").click()
    expect(editor.node("delay")).to_have_count(0)
    expect(editor.page.locator(".ed-saved")).to_contain_text("Saved")


def test_keys_are_completed_as_the_catalogue_has_them(visit: Visitor, alice: Person) -> None:
    editor = edit(visit, alice, a_flow(alice, "organism: {name: small}\nlisteners: []\ntriggers:\n"))
    editor.view("Split")
    editor.code.press("Control+End")
    editor.page.keyboard.insert_text("  - {name: hook, type: webhook, ")
    editor.page.keyboard.type("rateL")
    option = editor.page.get_by_role("option", name="rateLimit")
    expect(option).to_be_visible()
    option.click()
    editor.page.keyboard.insert_text(": 5/s}\n")
    expect(editor.code).to_contain_text("type: webhook, rateLimit: 5/s}")


def test_a_trigger_is_asked_for_what_its_type_needs(visit: Visitor, alice: Person) -> None:
    text = SMALL.replace("type: webhook", "type: manual")
    editor = edit(visit, alice, a_flow(alice, text))
    editor.node("incoming").click()
    form = editor.page.locator(".ed-form")
    expect(form.locator('[data-field="type"]')).to_be_visible()
    expect(form.locator('[data-field="rateLimit"]')).to_have_count(0)
    form.locator('[data-field="type"] select').select_option("webhook")
    expect(form.locator('[data-field="rateLimit"]')).to_be_visible()
