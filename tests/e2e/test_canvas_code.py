"""Functions that are written in the editor: compiled by the browser for real, saved as one revision, called."""

import re

import pytest
from playwright.sync_api import Locator, expect

from bundles import files, store
from bundles.models import Flow, Revision
from runtime import deploy
from tests.conftest import Person
from tests.e2e.canvas import EMPTY, Editor, a_flow, by, edit, text_of
from tests.e2e.conftest import Visitor
from tests.e2e.test_canvas_runs import call

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]
COMPILER_MS = 120_000  # megabytes are loaded and compiled the first time, on a machine that may be busy
BROKEN = 'export function run(request: string): string {\n  return request.nope();\n}\nlet x: i32 = "a";\n'
TWO = """\
export function shout(request: string): string { return '{"said":"HEY"}'; }
export function whisper(request: string): string { return '{"said":"hey"}'; }
"""


def opened(editor: Editor, button: str) -> Locator:
    editor.page.get_by_role("button", name=button).click()
    dialog = editor.page.get_by_role("dialog", name="wasm/code.ts", exact=True)
    expect(dialog).to_be_visible(timeout=COMPILER_MS)
    return dialog


def write(editor: Editor, dialog: Locator, text: str) -> None:
    dialog.get_by_role("textbox", name="Source of the function").click()
    editor.press("Control+a", "Delete")
    editor.page.keyboard.insert_text(text)


def built(dialog: Locator) -> None:
    dialog.get_by_role("button", name="Build and save").click()
    expect(dialog).to_have_count(0, timeout=COMPILER_MS)


def file(flow: Flow, path: str) -> bytes:
    return files.get(*store.newest(flow.bundle).files[path])


def fresh(flow: Flow) -> Flow:
    return Flow.objects.select_related("bundle").get(pk=flow.pk)


def drawn(visit: Visitor, alice: Person) -> tuple[Flow, Editor]:
    """Webhook → code → output, the code without a function yet."""
    flow = a_flow(alice, EMPTY, "fresh")
    editor = edit(visit, alice, flow)
    for item in ("Trigger", "Code Block", "Output"):
        editor.item(item).click()
    editor.node("code").click()
    return flow, editor


def test_a_new_function_compiles_as_it_is_and_answers_the_webhook(visit: Visitor, alice: Person) -> None:
    flow, editor = drawn(visit, alice)
    before = Revision.objects.count()
    dialog = opened(editor, "Write it here")
    expect(dialog.get_by_role("status")).to_contain_text("Compiles", timeout=COMPILER_MS)
    built(dialog)
    expect(editor.page.locator(".ed-saved")).to_contain_text("Saved")
    assert Revision.objects.count() == before + 1, "text, source and module are one revision"
    flow = fresh(flow)
    assert "handler: wasm:code:run" in text_of(flow)
    assert b"export function run" in file(flow, "wasm/code.ts")
    assert file(flow, "wasm/code.wasm").startswith(b"\0asm")
    with editor.page.expect_response(re.compile("/start$")):
        editor.page.get_by_role("button", name="Run", exact=True).click()
    deploy.start(flow.bundle.pk)
    expect(editor.page.get_by_role("dialog", name="Run the flow")).to_be_visible()
    answer = call(flow, {"name": 'A "da"', "more": [1.5, None]})
    assert answer.status == 200
    assert answer.json() == {"hello": 'A "da"', "input": {"name": 'A "da"', "more": [1.5, None]}}


def test_the_compiler_says_at_which_line_it_is_wrong_and_nothing_is_saved(
    visit: Visitor, alice: Person
) -> None:
    _, editor = drawn(visit, alice)
    before = Revision.objects.count()
    dialog = opened(editor, "Write it here")
    write(editor, dialog, BROKEN)
    faults = dialog.get_by_role("list", name="What the compiler says")
    expect(faults).to_contain_text("2:18", timeout=COMPILER_MS)
    expect(faults).to_contain_text("Property 'nope' does not exist")
    expect(faults.get_by_role("listitem")).to_have_count(2)  # each where it is, and no sum of them
    expect(faults.locator("[data-tone=error]")).to_have_count(2)
    dialog.get_by_role("button", name="Build and save").click()
    expect(dialog.get_by_role("status")).to_contain_text("error", timeout=COMPILER_MS)
    expect(dialog.get_by_role("button", name="Build and save")).to_be_enabled(timeout=COMPILER_MS)
    assert Revision.objects.count() == before
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    again = opened(editor, "Write it here")
    expect(again.get_by_role("textbox", name="Source of the function")).to_contain_text("nope")


def test_a_source_opens_again_and_one_that_was_changed_elsewhere_says_so(
    visit: Visitor, alice: Person
) -> None:
    flow, editor = drawn(visit, alice)
    dialog = opened(editor, "Write it here")
    write(editor, dialog, TWO)
    dialog.get_by_role("combobox", name="Function", exact=True).select_option("whisper", timeout=COMPILER_MS)
    built(dialog)
    expect(editor.page.locator(".ed-saved")).to_contain_text("Saved")
    flow = fresh(flow)
    assert "handler: wasm:code:whisper" in text_of(flow)
    bundle = flow.bundle
    store.put_file(
        by(alice), bundle, "wasm/code.ts", TWO.replace("HEY", "OY").encode(), expected=bundle.revision
    )
    editor = edit(visit, alice, flow)
    editor.node("code").click()
    expect(editor.page.get_by_text("The module is older than its source")).to_be_visible()
    dialog = opened(editor, "Edit the source")
    expect(dialog.get_by_role("textbox", name="Source of the function")).to_contain_text("OY")
    built(dialog)
    expect(editor.page.get_by_text("The module is older than its source")).to_have_count(0)
    assert b"OY" in file(fresh(flow), "wasm/code.wasm").replace(b"\0", b"")
