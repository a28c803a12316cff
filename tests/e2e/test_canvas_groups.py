"""Groups on the canvas: a frame around chosen nodes that moves them, has a name, and is kept beside the text."""

import pytest
from playwright.sync_api import expect

from bundles.models import Flow
from tests.conftest import Person
from tests.e2e.canvas import SMALL, Editor, a_flow, edit, text_of
from tests.e2e.conftest import Visitor

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]


def apart(editor: Editor) -> dict[str, tuple[float, float]]:
    """How far each node of the group is from the one that is not in it."""
    boxes = {name: editor.node(name).bounding_box() for name in ("incoming", "shape", "done")}
    fixed = boxes["incoming"]
    assert fixed
    return {name: (box["x"] - fixed["x"], box["y"] - fixed["y"]) for name, box in boxes.items() if box}


def settled(editor: Editor, before: dict[str, tuple[float, float]]) -> list[tuple[float, float]]:
    """How far each node went, once the picture has followed the pointer."""
    moved: list[tuple[float, float]] = []
    for _ in range(100):
        after = apart(editor)
        moved = [(after[name][0] - before[name][0], after[name][1] - before[name][1]) for name in after]
        if min(moved[1]) > 60 and moved[1] == pytest.approx(moved[2], abs=1):
            break
        editor.page.wait_for_timeout(50)
    return moved


def test_chosen_nodes_become_a_group_that_moves_is_named_kept_and_taken_apart(
    visit: Visitor, alice: Person
) -> None:
    flow = a_flow(alice)
    editor = edit(visit, alice, flow)
    page, frame = editor.page, editor.node("group:g1")
    editor.node(
        "done"
    ).click()  # first: what is chosen opens the inspector, which may cover what is on the right
    editor.node("shape").click(modifiers=["Shift"])
    editor.press("Control+g")
    expect(frame).to_contain_text("Group 1")
    before = apart(editor)
    head = frame.locator(".group-head").bounding_box()
    assert head
    page.mouse.move(head["x"] + 60, head["y"] + 12)
    page.mouse.down()
    page.mouse.move(head["x"] + 160, head["y"] + 112, steps=6)
    page.mouse.up()
    moved = settled(editor, before)
    assert moved[0] == (0, 0)  # the node outside of the group
    assert moved[1] == pytest.approx(moved[2], abs=1)
    assert min(moved[1]) > 60
    frame.locator(".group-head").dblclick()
    page.get_by_role("textbox", name="Name of the group").fill("Answer")
    editor.press("Enter")
    expect(frame).to_contain_text("Answer")
    editor.save()
    assert text_of(flow) == SMALL
    kept = Flow.objects.get(pk=flow.pk).canvas["groups"]
    assert kept == {"g1": {"name": "Answer", "members": ["done", "shape"]}}
    page.reload()
    expect(frame).to_contain_text("Answer")
    frame.locator(".group-head").click()
    editor.press("Control+Shift+g")
    expect(frame).to_have_count(0)
    expect(editor.node("shape")).to_be_visible()
    editor.press("Control+z")
    expect(frame).to_contain_text("Answer")
    assert not visit.complaints


def test_a_renamed_member_stays_in_its_group_and_a_removed_one_leaves_it(
    visit: Visitor, alice: Person
) -> None:
    flow = a_flow(alice)
    Flow.objects.filter(pk=flow.pk).update(
        canvas={"groups": {"g1": {"name": "Both", "members": ["done", "shape"]}}}
    )
    editor = edit(visit, alice, flow)
    editor.node("shape").click()
    editor.press("F2")
    editor.page.get_by_role("textbox", name="Name", exact=True).fill("formed")
    editor.press("Enter", "Escape")
    editor.node("done").click()
    editor.press("Delete")
    expect(editor.node("done")).to_have_count(0)
    editor.save()
    assert Flow.objects.get(pk=flow.pk).canvas["groups"]["g1"]["members"] == ["formed"]


def test_a_group_is_collapsed_moved_opened_and_copied_whole(visit: Visitor, alice: Person) -> None:
    flow = a_flow(alice)
    Flow.objects.filter(pk=flow.pk).update(
        canvas={"groups": {"g1": {"name": "Answer", "members": ["done", "shape"]}}}
    )
    editor = edit(visit, alice, flow)
    page, frame = editor.page, editor.node("group:g1")
    before = apart(editor)
    page.get_by_role("button", name="Collapse group Answer").click()
    expect(editor.node("shape")).to_have_count(0)
    expect(frame).to_have_attribute("aria-label", "Group Answer, 2 nodes, collapsed")
    expect(editor.wire("incoming", "group:g1")).to_have_count(1)
    expect(page.get_by_role("log")).to_have_text("Group Answer collapsed.")
    frame.focus()
    editor.press("ArrowDown", "ArrowDown", "g")  # by keyboard: the box is moved, its nodes go along
    expect(editor.node("done")).to_be_visible()
    moved = {name: (x, y) for name, (x, y) in apart(editor).items()}
    assert moved["shape"][1] > before["shape"][1]
    assert moved["shape"][1] - before["shape"][1] == pytest.approx(
        moved["done"][1] - before["done"][1], abs=1
    )
    editor.press("g", "Control+d")
    expect(editor.node("group:g2")).to_contain_text("Answer")
    expect(editor.node("shape-2")).to_be_visible()
    editor.press("Control+z")
    expect(editor.node("group:g2")).to_have_count(0)
    editor.save()
    kept = Flow.objects.get(pk=flow.pk).canvas["groups"]
    assert kept == {"g1": {"name": "Answer", "members": ["done", "shape"], "collapsed": True}}
    assert text_of(flow) == SMALL
    page.reload()
    expect(frame).to_have_attribute("aria-label", "Group Answer, 2 nodes, collapsed")
    assert not visit.complaints
