"""Forms of prompts in a real browser: by keyboard alone, with and without JavaScript, on a phone, in a frame, with axe."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from bundles.formfields import make
from tests.e2e.conftest import PHONE, Visitor
from tests.e2e.dataplane import DataPlane
from tests.fakes.llm import Fake, say
from tests.runtime import forming, prompting, stage

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]
AXE = "node_modules/axe-core/axe.min.js"
DOOR = "/alice/forms/ticket"
EXPECTED = ("the server responded with a status of", "frame-ancestors")


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as server:
        yield server


@pytest.fixture
def plane() -> Iterator[DataPlane]:
    with DataPlane() as found:
        yield found


@pytest.fixture
def form(browser: Browser, plane: DataPlane, alice: Any, settings: Any, fake: Fake) -> Iterator[Any]:
    """Opens the form of a prompt; at the end no page may have complained of anything but refused answers."""
    visitor = Visitor(browser, plane.url)

    def opened(form: str = "public: true", **options: Any) -> Page:
        prompting.keep_key(alice, settings, fake)
        files = prompting.files(fake, {"prompts/ticket.prmd": forming.prompt(form)})
        stage.run_bundle(alice, files)
        return visitor(DOOR, **options)

    yield opened
    for context in visitor.contexts:
        context.close()
    assert [said for said in visitor.complaints if not any(word in said for word in EXPECTED)] == []


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.name || document.activeElement.className"))


def test_a_form_is_filled_in_and_sent_by_keyboard_alone(form: Any, fake: Fake) -> None:
    fake.brain.turns.append(say("Dear Ann,\n<script>alert(1)</script>"))
    page = form()
    keys = page.keyboard
    keys.press("Tab")
    assert focused(page) == "p-subject"
    keys.type("Hi")
    for _ in range(9):
        keys.press("Tab")
    while focused(page) != "submit-btn":
        keys.press("Tab")
    keys.press("Enter")
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary.locator("li")).to_have_count(2)
    expect(page.get_by_label("Subject")).to_have_attribute("aria-invalid", "true")
    told = "Must have at least 3 characters, but has 2. What it is about For example: Late parcel"
    expect(page.get_by_label("Subject")).to_have_accessible_description(told)
    assert fake.asked == []
    keys.press("Tab")
    keys.press("Enter")
    assert focused(page) == "p-subject"
    keys.press("End")
    keys.type(" there")
    keys.press("Tab")
    keys.type("Where is it?")
    keys.press("Tab")
    keys.type("b")
    for _ in range(3):
        keys.press("Tab")
    assert focused(page) == "p-urgent"
    keys.press("Space")
    keys.press("Tab")
    keys.press("Space")
    while focused(page) != "submit-btn":
        keys.press("Tab")
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("Done")
    expect(page.locator(".output")).to_have_text("Dear Ann,\n<script>alert(1)</script>")
    assert fake.asked[0].said() == "Hi there/Where is it?/brief//true/parcel/"


def test_it_works_without_javascript(form: Any, fake: Fake) -> None:
    page = form(java_script_enabled=False)
    page.get_by_label("Subject").fill("Late parcel")
    page.get_by_label("Message").fill("Where?")
    page.get_by_label("Order id").fill("AB-1234")
    page.get_by_label("Extra").fill("[1]")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("Extra: Must be an object, but is a list.")
    page.get_by_label("Extra").fill("{}")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("h1")).to_have_text("Done")


def test_a_file_is_sent(form: Any, fake: Fake, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("it broke")
    page = form()
    page.get_by_label("Subject").fill("Broken")
    page.get_by_label("Message").fill("See the log")
    page.get_by_label("Log").set_input_files(log)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("h1")).to_have_text("Done")
    assert fake.asked[0].said().endswith("/it broke")


@pytest.mark.parametrize(
    "form_block",
    [
        "public: true",
        'public: true\ntheme: {primaryColor: "#ffff00", backgroundColor: "#fffde0"}',
        'public: true\ntheme: {primaryColor: "#333366", backgroundColor: "#808080"}',
    ],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(form: Any, scheme: str, form_block: str) -> None:
    page = form(form_block, color_scheme=scheme, bypass_csp=True)
    for _ in ("as it comes", "with problems"):
        page.add_script_tag(path=AXE)
        found: Any = page.evaluate("axe.run({resultTypes: ['violations']})")
        assert [
            (one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found["violations"]
        ] == []
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("alert")).to_be_visible()


def test_it_fits_a_phone(form: Any) -> None:
    page = form(viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = page.get_by_label("Subject").bounding_box()
    assert box is not None
    assert box["height"] >= 44


class Framing(BaseHTTPRequestHandler):
    """Another site, whose page shows what its query names."""

    def do_GET(self) -> None:
        body = f'<!DOCTYPE html><iframe src="{self.path[2:]}" height=600></iframe>'.encode()
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *parts: Any) -> None:
        pass


@pytest.mark.parametrize("named", [True, False])
def test_only_named_origins_may_show_it_in_a_frame(
    form: Any, plane: DataPlane, fake: Fake, named: bool
) -> None:
    with HTTPServer(("127.0.0.1", 0), Framing) as site:
        threading.Thread(target=site.serve_forever, args=(0.01,), daemon=True).start()
        host = f"http://127.0.0.1:{site.server_address[1]}"
        page = form(f"public: true\nembed: ['{host}']" if named else "public: true")
        page.goto(f"{host}/?{plane.url}{DOOR}")
        inside = page.frame_locator("iframe")
        if named:
            inside.get_by_label("Subject").fill("Late parcel")
            inside.get_by_label("Message").fill("Where?")
            inside.get_by_role("button", name="Send").click()
            expect(inside.get_by_role("heading", name="Done")).to_be_visible()
        else:
            page.wait_for_timeout(500)
            expect(inside.get_by_label("Subject")).to_have_count(0)
        site.shutdown()
    assert len(fake.asked) == named


VALUES = [
    "",
    "x",
    "AB-1234",
    "ab",
    "0",
    "5",
    "6",
    "4.5",
    " 3 ",
    "1e1",
    "[1]",
    "[]",
    "{}",
    "{",
    "😀😀",
    "a\nb\nc",
    "a,b,c",
]


def test_the_script_and_the_server_agree(form: Any) -> None:
    """Each value in each field: both take it, or both refuse it in the same words."""
    from bundles.form import Hint
    from bundles.promptcheck import check
    from bundles.promptparams import Parameter
    from runtime.formpage import sentence

    page = form()
    kinds = [
        Parameter("a", "string", min_length=2, max_length=2),
        Parameter("a", "string", pattern=r"^[A-Z]{2}-\d{4}$", required=True),
        Parameter("a", "integer", minimum=1, maximum=5),
        Parameter("a", "number", minimum=4.5),
        Parameter("a", "array", min_items=2, max_items=2),
        Parameter("a", "object"),
    ]
    for one in kinds:
        made = make(one, 0, Hint(rows=2), max_bytes=100)
        for value in VALUES:
            page.evaluate(PUT, [made.rules, value])
            page.get_by_role("button", name="Send").click()
            said = page.locator("#field-1-error").text_content()
            errors = check([one], {"a": value}, texts=True).errors
            told = sentence(errors[0]["message"]) if errors else ""
            assert bool(said) == bool(told), (one, value, said, told)
            if one.type not in ("object", "array") and "must be" not in told.lower():
                assert said == told


# Into the field of several lines, which takes every text, with rules of another parameter.
PUT = """([rules, value]) => {
  document.querySelector('#field-1').value = value;
  document.querySelector('#field-1').closest('.field').dataset.rules = rules;
}"""
