"""The market in a real browser: bids, reserving and cancelling, a price that changes by itself, widths, axe."""

import re
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from django.utils import timezone
from playwright.sync_api import Page, WebSocketRoute, expect

from billing import wallet
from market import figures, history, views
from market.models import Bidding, Reservation, Round
from tests.conftest import Person
from tests.e2e.conftest import PHONE, Visitor

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]
AXE = "node_modules/axe-core/axe.min.js"


class Line:
    """The browser's websocket; the live server of these tests has none (one of its own: tests/faults)."""

    def __init__(self) -> None:
        self.sockets: list[WebSocketRoute] = []

    def tell(self, **parts: Any) -> None:
        for socket in self.sockets:
            socket.send(orjson.dumps(parts).decode())


def shown(visit: Visitor, who: Person, path: str = "/market", **options: Any) -> tuple[Page, Line]:
    page, line = visit("/docs", who=who, **options), Line()
    page.route_web_socket("**/ws/market", lambda socket: line.sockets.append(socket))
    page.goto(path)
    return page, line


def state(number: int, price: int) -> dict[str, Any]:
    known = {
        "number": number, "at": figures.now_ms(), "price": price, "contended": price > 0, "waiting": 412,
        "entries": 1_312, "pressure": 1_500, "bidders": 312, "winners": 200, "reserved": 0, "free": 50, "revenue": 9,
    }  # fmt: skip
    return figures.public(known, figures.now_ms())


def busy(person: Person) -> None:
    """A past with prices, receipts of each kind and reservations."""
    mine = str(person.tenant.pk)
    now = history.current()
    for back in range(1, 60):
        given: dict[str, Any] = {"bids": {mine: 5}, "won": [mine] if back % 3 else [], "winners": 200}
        if back == 4:
            given = {"drawn": {mine: 450}, "reserved": 1}
        Round.objects.create(
            number=now - back, at=timezone.now(), price=back, pressure=1_400 + back, bidders=300, **given
        )
    views.points.cache_clear()


def rich(person: Person) -> None:
    wallet.grant(person.tenant.pk, 1_000, key="e2e", note="for a test")


def test_auto_bid_is_turned_on_and_unlimited_is_warned_of(visit: Visitor, alice: Person) -> None:
    page, _ = shown(visit, alice)
    warning = page.get_by_text("Unlimited can spend the whole wallet")
    expect(warning).to_be_hidden()
    page.get_by_label("Auto-bid").check()
    expect(warning).to_be_visible()
    page.get_by_label("Bid cap").fill("50")
    expect(warning).to_be_hidden()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It holds from the next round on.")).to_be_visible()
    expect(page.get_by_label("Auto-bid")).to_be_checked()
    row = Bidding.objects.get(pk=alice.tenant.pk)
    assert (row.auto_bid, row.bid_cap) == (True, 50)


def test_a_window_is_reserved_in_ones_own_zone_and_cancelled(visit: Visitor, alice: Person) -> None:
    rich(alice)
    page, _ = shown(visit, alice, timezone_id="Asia/Tokyo")
    page.get_by_role("link", name="Reserve", exact=True).click()
    dialog = page.get_by_role("dialog", name="Reserve compute")
    expect(dialog.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    dialog.get_by_label("Credits").fill("12")
    expect(dialog.get_by_text("12 credits = 6,000 CU, to be used within 10 min")).to_be_visible()
    proposed = datetime.fromisoformat(dialog.get_by_label("Start").input_value())
    dialog.get_by_role("button", name="Reserve").click()
    expect(page.get_by_text("Reserved. Until it begins")).to_be_visible()
    made = Reservation.objects.get()
    shift = proposed.replace(tzinfo=UTC) - made.start
    assert (shift.total_seconds(), made.credits) == (9 * 3600, 12)
    page.get_by_role("button", name="Cancel the reservation").click()
    page.get_by_role("dialog").get_by_role("button", name="Give it back").click()
    expect(page.get_by_text("12 credits are back in the wallet")).to_be_visible()
    made.refresh_from_db()
    assert made.status == "cancelled"


def test_a_refusal_stands_in_the_dialog_and_what_was_typed_stays(visit: Visitor, alice: Person) -> None:
    page, _ = shown(visit, alice)
    page.get_by_role("link", name="Reserve", exact=True).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Reserve compute")
    dialog.get_by_label("Credits").fill("999999999")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("does not hold that many credits")).to_be_visible()
    expect(dialog.get_by_label("Credits")).to_have_value("999999999")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert not Reservation.objects.exists()


def test_the_price_changes_by_itself_and_a_new_round_brings_its_receipt(
    visit: Visitor, alice: Person
) -> None:
    page, line = shown(visit, alice)
    price = page.locator(".stat [data-market=price_text]")
    expect(price).to_have_text("free")
    line.tell(state=state(1, 0))
    line.tell(state=state(2, 7))
    expect(price).to_have_text("7 credits")
    expect(page.locator("[data-market-countdown]")).to_have_text(re.compile(r"^\d\.\d s$"))
    expect(page.locator("[data-market-link]")).to_have_text("live")
    mine = str(alice.tenant.pk)
    Round.objects.create(
        number=history.current(), at=timezone.now(), price=9, bidders=300, winners=200, bids={mine: 5}
    )
    line.tell(state=state(3, 9), receipts=[{"number": 3, "text": "price 9, your cap 5: waited"}])
    expect(price).to_have_text("9 credits")
    expect(page.locator(".receipts")).to_contain_text("price 9, your cap 5: waited")
    expect(page.locator("[data-market-news]")).to_have_text("price 9, your cap 5: waited")
    line.tell(state=state(4, 0), mine={"balance": 4321, "actions": 0, "entries": 0, "queue": []})
    expect(price).to_have_text("free")
    expect(page.locator("[data-mine=balance]")).to_have_text("4,321")


def test_without_javascript_everything_works_by_reloading(visit: Visitor, alice: Person) -> None:
    rich(alice)
    page = visit("/market", who=alice, java_script_enabled=False)
    expect(page.get_by_text("Reload to see the newest figures.")).to_be_visible()
    page.get_by_label("Bid cap").fill("7")
    page.get_by_role("button", name="Save").click()
    assert Bidding.objects.get(pk=alice.tenant.pk).bid_cap == 7
    page.get_by_role("link", name="Reserve", exact=True).click()
    expect(page.get_by_label("Time zone")).to_have_value("UTC")
    page.get_by_role("button", name="Reserve").click()
    expect(page.get_by_role("heading", name="Reservations")).to_be_visible()
    assert Reservation.objects.count() == 1


def test_a_cost_preview_follows_what_is_typed(visit: Visitor, alice: Person) -> None:
    page, _ = shown(visit, alice)
    page.get_by_label("Compute units").fill("1234")
    expect(page.locator("#cost")).to_contain_text("≈ 1,234 CU: 13 rounds free; auto-bid is off")


@pytest.mark.parametrize("path", ["/market", "/market/reserve", "/market/cost"])
def test_every_page_of_the_market_fits_a_phone(visit: Visitor, alice: Person, path: str) -> None:
    busy(alice)
    page, _ = shown(visit, alice, path, viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator("h1")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_the_market(visit: Visitor, alice: Person, scheme: Any) -> None:
    rich(alice)
    busy(alice)
    Bidding.objects.create(tenant=alice.tenant, auto_bid=True)
    for path in ("/market", "/market/reserve", "/market/cost"):
        page, line = shown(visit, alice, path, color_scheme=scheme, bypass_csp=True)
        line.tell(state=state(2, 7))
        if path == "/market":
            page.get_by_role("link", name="Reserve", exact=True).click()
        page.add_script_tag(path=AXE)
        for opened in (True, False):
            found: Any = page.evaluate("axe.run({resultTypes: ['violations']})")
            serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
            told = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in serious]
            assert not told, (path, opened, told)
            page.keyboard.press("Escape")
