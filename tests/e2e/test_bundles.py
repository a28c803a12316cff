"""Bundles and modules in a real browser: adding, reading problems, editing, conflicts, deleting."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bundles import store
from bundles.models import Bundle, Module
from tests.bundles.samples import HEAD, SERVICE, shop, wasm, zipped
from tests.conftest import Person
from tests.e2e.conftest import PHONE, Visitor

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]
PAGES = ["contracts", "problems", "files", "files/shop/shop-service.yaml", "revisions", "revisions/2"]
PAGES += ["declared-tests", "settings"]


@pytest.fixture
def bundle(alice: Person) -> Bundle:
    return store.import_files("test", alice.tenant, shop()).bundle


def choose(page: Page, tmp_path: Path, contents: dict[str, bytes]) -> None:
    (tmp_path / "shop.zip").write_bytes(zipped(contents, folder="shop/"))
    page.get_by_label("ZIP file").set_input_files(tmp_path / "shop.zip")


def test_a_zip_is_added_from_the_dialog_by_keyboard(visit: Visitor, alice: Person, tmp_path: Path) -> None:
    page = visit("/bundles", who=alice)
    page.get_by_role("button", name="Add Bundle").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="From Git").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_label("Bundle name").fill("My shop")
    choose(page, tmp_path, shop())
    page.get_by_role("button", name="Upload ZIP").press("Enter")
    expect(page.get_by_role("link", name="My shop")).to_be_visible()
    expect(page.get_by_text("“My shop” is imported.")).to_be_visible()


def test_problems_appear_inside_the_dialog(visit: Visitor, alice: Person, tmp_path: Path) -> None:
    page = visit("/bundles#add", who=alice)
    page.get_by_role("tab", name="Upload ZIP").click()
    choose(page, tmp_path, shop() | {"shop/shop-service.yaml": SERVICE + b"      nonsense\n"})
    page.get_by_role("button", name="Upload ZIP").click()
    expect(
        page.get_by_role("dialog").get_by_text(re.compile(r"shop/shop-service\.yaml:\d+:\d+")).first
    ).to_be_visible()
    assert not Bundle.objects.exists()


def test_the_example_is_started_with_one_click(visit: Visitor, alice: Person) -> None:
    page = visit("/bundles#add", who=alice)
    page.get_by_role("tab", name="Start from the example").click()
    page.get_by_role("button", name="Start from the example").click()
    expect(page.get_by_role("link", name="ecommerce")).to_be_visible()


def test_a_problem_leads_to_its_line_and_saving_mends_it(
    visit: Visitor, alice: Person, bundle: Bundle
) -> None:
    store.put_file("test", bundle, "bundle.yaml", HEAD + b"nonsense: 1\n", expected=1)
    page = visit(f"/bundles/{bundle.pk}/problems", who=alice)
    page.get_by_role("link", name="bundle.yaml:5:1").click()
    editor = page.get_by_label("Content of bundle.yaml")
    expect(editor).to_be_focused()
    page.keyboard.press("Delete")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved as revision 3.")).to_be_visible()
    assert b"nonsense" not in store.contents_of(store.newest(Bundle.objects.get()))["bundle.yaml"]


def test_a_conflict_loses_no_text(visit: Visitor, alice: Person, bundle: Bundle) -> None:
    page = visit(f"/bundles/{bundle.pk}/files/bundle.yaml", who=alice)
    page.get_by_label("Content of bundle.yaml").fill(HEAD.decode() + "# mine\n")
    store.put_file("test", bundle, "bundle.yaml", HEAD + b"# theirs\n", expected=1)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("no longer at revision 1")).to_be_visible()
    expect(page.get_by_label("Content of bundle.yaml")).to_have_value(HEAD.decode() + "# mine\n")
    expect(page.get_by_text("-# theirs")).to_be_visible()
    visit.complaints.clear()  # the browser's own line about the answer 412
    page.get_by_role("button", name="Save over revision 2").click()
    expect(page.get_by_text("Saved as revision 3.")).to_be_visible()


def test_line_numbers_follow_the_text(visit: Visitor, alice: Person, bundle: Bundle) -> None:
    page = visit(f"/bundles/{bundle.pk}/files/bundle.yaml", who=alice)
    page.get_by_label("Content of bundle.yaml").fill("\n" * 99)
    assert page.locator("[data-editor-lines]").inner_text().split("\n")[-1] == "100"
    page.once("dialog", lambda dialog: dialog.accept())
    page.goto("/bundles")


def test_deleting_asks_for_the_name(visit: Visitor, alice: Person, bundle: Bundle) -> None:
    page = visit(f"/bundles/{bundle.pk}/settings", who=alice)
    page.get_by_label("to confirm").fill("wrong")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing was deleted")).to_be_visible()
    page.get_by_label("to confirm").fill("shop")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No bundles yet")).to_be_visible()


def test_a_module_is_uploaded_and_deleted(visit: Visitor, alice: Person, tmp_path: Path) -> None:
    (tmp_path / "tools.wasm").write_bytes(wasm())
    page = visit("/modules", who=alice)
    page.get_by_label("WASM file").set_input_files(tmp_path / "tools.wasm")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="tools", exact=True)).to_be_visible()
    page.get_by_role("button", name="Delete tools").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No modules yet")).to_be_visible()
    assert not Module.objects.exists()


def test_the_pages_fit_a_phone(visit: Visitor, alice: Person, bundle: Bundle) -> None:
    store.put_file("test", bundle, "a-rather-long-name/of-a-file-in-a-folder.yaml", b"x: 1\n", expected=1)
    page = visit("/bundles", who=alice, viewport=PHONE)
    for path in ("/bundles", "/modules", *(f"/bundles/{bundle.pk}/{part}" for part in PAGES)):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        expect(page.locator("h1")).to_have_count(1)
