"""What the tests of the editor share: a flow to open, its nodes and wires on the canvas, its text."""

from typing import Any

from playwright.sync_api import Locator, Page, expect

from billing.access import Principal
from bundles.author import Author
from bundles.models import Flow
from runtime import flowstore
from tests.conftest import Person
from tests.e2e.conftest import Visitor

EMPTY = "organism: {name: fresh}\nlisteners: []\n"
SMALL = """\
# Comments stay.
organism: {name: small}
triggers:
  - {name: incoming, type: webhook, to: shape}
listeners:
  - name: shape          # what it does
    handler: builtin:map
    with: {expr: "payload"}
    peers: [done]
  - {name: done, handler: builtin:output, with: {status: 200, body: "${payload}"}}
"""


def by(person: Person) -> Author:
    scopes = frozenset({"read", "call", "write"})
    return Author(Principal(person.tenant.pk, person.tenant.slug, person.email, scopes, person.user.pk))


def a_flow(person: Person, text: str = SMALL, name: str = "small") -> Flow:
    return flowstore.create(by(person), name=name, text=text)


def text_of(flow: Flow) -> str:
    return flowstore.text(Flow.objects.select_related("bundle").get(pk=flow.pk))


class Editor:
    """One open editor."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.route_web_socket("**/ws/**", lambda socket: socket.close())
        expect(page.get_by_role("toolbar", name="Flow")).to_be_visible()

    def node(self, name: str) -> Locator:
        return self.page.locator(f'.react-flow__node[data-id="{name}"]')

    def wires(self) -> Locator:
        return self.page.locator(".react-flow__edge[aria-label^=Wire]")

    def wire(self, source: str, target: str) -> Locator:
        return self.page.locator(
            f'.react-flow__edge[aria-label^="Wire from {source}"][aria-label$="to {target}"]'
        )

    def item(self, label: str) -> Locator:
        return self.page.get_by_role("complementary", name="Palette").get_by_role(
            "button", name=label, exact=True
        )

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def save(self) -> None:
        self.page.get_by_role("button", name="Save").click()
        expect(self.page.locator(".ed-saved")).to_contain_text("Saved")

    def view(self, name: str) -> None:
        self.page.get_by_role("radio", name=name).click()

    @property
    def code(self) -> Locator:
        return self.page.get_by_role("textbox", name="YAML of the flow")

    def text(self) -> str:
        """The text pane's whole content, as the clipboard would take it."""
        lines = self.page.locator(".ed-yaml .cm-line").all_inner_texts()
        return "\n".join(line.rstrip("\n") for line in lines)


def edit(visit: Visitor, person: Person, flow: Flow, **options: Any) -> Editor:
    return Editor(visit(f"/flow/{flow.pk}", who=person, **options))
