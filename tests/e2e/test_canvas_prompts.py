"""Nodes that fill a prompt: chosen among those of the bundle, its parameters as fields of their own."""

import pytest
from playwright.sync_api import expect

from bundles import store
from bundles.models import Flow
from tests.conftest import Person
from tests.e2e.canvas import SMALL, edit, text_of
from tests.e2e.conftest import Visitor
from tests.runtime.prompting import hello

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]
OTHER = b"---\nid: other\nname: Other\nversion: 1.0.0\ndescription: Says something else\n---\nSay something."


def flow_beside_prompts(person: Person) -> Flow:
    files = {
        "bundle.yaml": b"name: talk\n",
        "flows/small.yaml": SMALL.encode(),
        "prompts/hello.prmd": hello(),
        "prompts/other.prmd": OTHER,
    }
    done = store.import_files(person.email, person.tenant, files)
    return Flow.objects.select_related("bundle").get(bundle=done.bundle)


def test_a_prompt_is_chosen_and_its_parameters_are_fields(visit: Visitor, alice: Person) -> None:
    flow = flow_beside_prompts(alice)
    editor = edit(visit, alice, flow)
    editor.item("Prompt").click()
    expect(editor.node("prompt")).to_be_visible()
    form = editor.page.locator(".ed-form")
    chosen = form.locator('[data-field="handler"] select')
    expect(chosen.locator("option")).to_have_text(["Choose a prompt…", "hello", "other"])
    expect(form.locator(".ed-parameters")).to_have_count(0)
    chosen.select_option("prompt:hello")
    expect(chosen.locator("option")).to_have_text(["hello", "other"])
    parameters = form.get_by_role("group", name="Parameters of Hello")
    expect(parameters.locator(".ed-field label")).to_have_text(["Who*", "Times"])
    expect(parameters).to_contain_text("None is set here")
    parameters.get_by_role("button", name="Write them down").click()
    expect(parameters).to_contain_text("${payload.who}")
    times = parameters.locator('[data-field="with.parameters.times"]').get_by_role("textbox")
    times.press("Control+a")
    editor.page.keyboard.insert_text("3")
    expect(parameters.locator('[data-field="with.parameters.times"]')).to_contain_text("3")
    editor.save()
    text = text_of(flow)
    assert "handler: prompt:hello" in text
    assert 'parameters: {who: "${payload.who}", times: 3}' in text
    assert "# Comments stay." in text


def test_a_prompt_of_the_bundle_is_added_from_the_palette(visit: Visitor, alice: Person) -> None:
    flow = flow_beside_prompts(alice)
    editor = edit(visit, alice, flow)
    editor.item("other").click()
    expect(editor.node("other")).to_be_visible()
    expect(editor.page.locator('.ed-form [data-field="handler"] select')).to_have_value("prompt:other")
    expect(editor.page.locator(".ed-parameters")).to_have_count(0)
    editor.save()
    assert "handler: prompt:other" in text_of(flow)
    assert "description: Says something else" in text_of(flow)
