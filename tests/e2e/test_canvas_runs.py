"""The editor and what runs: a drawn flow answers its webhook, a past run lights its nodes, a revision comes back."""

import asyncio
import json
import re
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import expect

from bundles import store
from bundles.models import Flow
from runtime import deploy, importer
from runtime.models import Execution, Trigger
from tests.attacks import door
from tests.conftest import Person
from tests.e2e.canvas import EMPTY, SMALL, a_flow, by, edit, text_of
from tests.e2e.conftest import Visitor
from tests.guests import guest
from tests.runtime.watching import a_run

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]


def call(flow: Flow, body: Any) -> Any:
    """The webhook's answer, over the data plane; in a thread, for this one holds the browser's loop."""
    token = Trigger.objects.get(flow=flow).token
    answers = []

    async def knock() -> None:
        path = f"/api/triggers/{flow.pk}/webhook/{token}"
        headers = (("content-type", "application/json"),)
        answers.append(await door.knock("POST", path, body=json.dumps(body).encode(), headers=headers))
        await door.leave()

    thread = Thread(target=lambda: asyncio.run(knock()))
    thread.start()
    thread.join(20)
    return answers[0]


def test_a_flow_is_drawn_saved_started_and_called(visit: Visitor, alice: Person) -> None:
    flow = a_flow(alice, EMPTY, "fresh")
    bundle = flow.bundle
    store.put_file(by(alice), bundle, "wasm/echo.wasm", guest("echo"), expected=bundle.revision)
    editor = edit(visit, alice, flow)
    editor.item("Trigger").click()
    editor.item("run").click()
    editor.item("Output").click()
    expect(editor.wires()).to_have_count(2)
    editor.save()
    with editor.page.expect_response(re.compile("/start$")):
        editor.page.get_by_role("button", name="Run", exact=True).click()
    deploy.start(bundle.pk)  # what the worker does: the module is compiled
    expect(editor.page.get_by_role("dialog", name="Run the flow")).to_be_visible()
    expect(editor.page.locator(".ed-status .status")).to_have_attribute("data-status", "running")
    answer = call(flow, {"total": 3})
    assert answer.status == 200
    assert answer.json() == {"total": 3}


def test_the_first_input_is_the_one_that_the_file_shows(visit: Visitor, alice: Person) -> None:
    shown = "# Try it: curl -H 'Content-Type: application/json' URL \\\n#   -d '{\"total\": 41}'\n"
    flow = a_flow(alice, shown + SMALL)
    editor = edit(visit, alice, flow)
    with editor.page.expect_response(re.compile("/start$")):
        editor.page.get_by_role("button", name="Run", exact=True).click()
    deploy.start(flow.bundle.pk)
    dialog = editor.page.get_by_role("dialog", name="Run the flow")
    expect(dialog.get_by_role("textbox", name="Payload, as JSON")).to_contain_text('"total": 41')


def steps(*nodes: str) -> list[dict[str, Any]]:
    before = ["", *nodes]
    return [
        {
            "node": node, "kind": "map", "at_us": 10 * at, "duration_us": 5, "units": 1, "attempt": 0,
            "from": before[at], "to": list(nodes[at + 1 : at + 2]), "input": '{"total": 7}', "output": "{}",
        }
        for at, node in enumerate(nodes)
    ]  # fmt: skip


def test_a_past_run_lights_the_nodes_it_passed(visit: Visitor, alice: Person) -> None:
    flow = a_flow(alice)
    run = a_run(flow.bundle)
    Execution.objects.filter(pk=run.pk).update(service="flow", name="small", steps=steps("shape", "done"))
    page = visit(f"/flow/{flow.pk}?run={run.pk}", who=alice)
    for node in ("shape", "done"):
        expect(page.locator(f'.react-flow__node[data-id="{node}"] .nd')).to_have_attribute(
            "data-run", "success"
        )
    expect(page.locator(".wire-passed")).to_have_count(2)
    page.get_by_role("region", name="Run").get_by_role("button", name=re.compile("shape")).click()
    page.get_by_role("tab", name=re.compile("Last run")).click()
    expect(page.get_by_label("Input", exact=True)).to_contain_text('"total": 7')


def test_an_expression_completes_from_the_last_run(visit: Visitor, alice: Person) -> None:
    flow = a_flow(alice)
    run = a_run(flow.bundle)
    Execution.objects.filter(pk=run.pk).update(service="flow", name="small", steps=steps("shape", "done"))
    page = visit(f"/flow/{flow.pk}?run={run.pk}", who=alice)
    page.locator('.react-flow__node[data-id="shape"]').click()
    field = page.get_by_role("textbox", name="Expression")
    field.press("Control+End")
    page.keyboard.type(".to")
    option = page.get_by_role("option", name=re.compile("^total"))
    expect(option).to_be_visible()
    option.click()
    expect(field).to_have_text("payload.total")


def test_an_earlier_revision_is_back_in_two_clicks(visit: Visitor, alice: Person) -> None:
    flow = a_flow(alice)
    editor = edit(visit, alice, flow)
    editor.node("shape").focus()
    editor.press("Delete")
    editor.save()
    assert "shape" not in text_of(flow)
    editor.page.get_by_role("button", name="History").click()
    rows = editor.page.get_by_role("list", name="Revisions").get_by_role("button")
    rows.nth(1).click()
    editor.page.get_by_role("button", name=re.compile("^Restore revision")).click()
    expect(editor.node("shape")).to_be_visible()
    expect(editor.page.locator(".ed-saved")).to_contain_text("Saved")
    assert text_of(flow) == SMALL


def test_an_earlier_revision_is_run_beside_the_one_that_is_live(visit: Visitor, alice: Person) -> None:
    flow = a_flow(alice)
    old = flow.bundle.revision
    editor = edit(visit, alice, flow)
    editor.node("shape").focus()
    editor.press("Delete")
    editor.save()
    with editor.page.expect_response(re.compile("/start$")):
        editor.page.get_by_role("button", name="Run", exact=True).click()
    dialog = editor.page.get_by_role("dialog")
    expect(dialog).to_have_accessible_name("Run the flow")
    dialog.get_by_role("button", name="Cancel").click()
    editor.page.get_by_role("button", name="History").click()
    rows = editor.page.get_by_role("list", name="Revisions").get_by_role("button")
    expect(rows.nth(0)).to_contain_text("live")
    expect(rows.nth(1)).not_to_contain_text("live")
    rows.nth(1).click()
    editor.page.get_by_role("button", name=f"Run revision {old}").click()
    expect(dialog).to_have_accessible_name(f"Run revision {old}")
    with editor.page.expect_response(re.compile("/inject$")) as answer:
        dialog.get_by_role("button", name="Run now").click()
    importer.drain()
    assert Execution.objects.get(pk=answer.value.json()["execution"]).revision == old
