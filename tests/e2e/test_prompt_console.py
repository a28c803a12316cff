"""The console of a prompt in a real browser: it compiles, it runs and is heard while it writes, it says what is wrong."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import PHONE, Visitor
from tests.e2e.dataplane import DataPlane
from tests.runtime import prompting, stage

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]
AXE = "node_modules/axe-core/axe.min.js"
REHEARSED = prompting.hello(prompting.BODY, 'rehearsal: "Hello {{ who }}, <b>nobody</b> wrote this."')


class Away:
    url = "http://127.0.0.1:1"


@pytest.fixture
def plane() -> Iterator[DataPlane]:
    with DataPlane() as found:
        yield found


@pytest.fixture
def console(visit: Visitor, plane: DataPlane, alice: Any) -> Any:
    """Opens the console; what it sends goes to the data plane, which has one address with the pages elsewhere."""

    def forward(route: Route) -> None:
        path = route.request.url.removeprefix(visit.url)
        route.fulfill(response=route.fetch(url=plane.url + path))

    def opened(**options: Any) -> Page:
        files = prompting.files(Away(), {"prompts/hello.prmd": REHEARSED})  # type: ignore[arg-type]
        bundle = stage.run_bundle(alice, files)
        page = visit(f"/bundles/{bundle.pk}/prompts", who=alice, **options)
        page.route("**/alice/prompts/**", forward)
        page.get_by_text("/alice/prompts/hello", exact=True).click()
        expect(page.get_by_role("button", name="Compile only")).to_be_visible()
        return page

    return opened


def test_it_begins_with_an_example_and_compiles_it(console: Any) -> None:
    page = console()
    expect(page.get_by_label("Parameters, as JSON")).to_have_value('{\n  "who": "…",\n  "times": 1\n}')
    page.get_by_label("Parameters, as JSON").fill('{"who": "Ann", "times": 3}')
    expect(page.locator("[data-tryit-curl]")).to_contain_text('"times": 3')
    page.get_by_role("button", name="Compile only").click()
    expect(page.get_by_label("Answer", exact=True)).to_contain_text("Greet Ann!!!")


def test_it_runs_and_leads_to_its_run(console: Any) -> None:
    page = console()
    page.get_by_label("Parameters, as JSON").fill('{"who": "Ann"}')
    page.get_by_role("button", name="Run", exact=True).last.click()
    expect(page.get_by_label("Answer", exact=True)).to_contain_text("Hello Ann, <b>nobody</b> wrote this.")
    expect(page.locator("[data-tryit-units]")).to_contain_text("rehearsal")
    expect(page.get_by_role("link", name="Show the run")).to_be_visible()


def test_it_says_what_is_wrong(console: Any, visit: Visitor) -> None:
    page = console()
    page.get_by_label("Parameters, as JSON").fill("{who")
    page.get_by_role("button", name="Compile only").click()
    expect(page.get_by_text("The parameters are not JSON")).to_be_visible()
    page.get_by_label("Parameters, as JSON").fill('{"who": 5}')
    page.get_by_role("button", name="Run", exact=True).last.click()
    expect(page.locator("[data-tryit-status]")).to_contain_text("422")
    expect(page.get_by_label("Answer", exact=True)).to_contain_text('"path": "who"')
    visit.complaints.clear()  # of the browser itself, about the refused call


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"viewport": PHONE}], ids=["dark", "phone"])
def test_it_is_for_everybody(console: Any, options: dict[str, Any]) -> None:
    page = console(bypass_csp=True, **options)
    page.add_script_tag(path=AXE)
    found: Any = page.evaluate("axe.run({resultTypes: ['violations']})")
    assert [one["id"] for one in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
