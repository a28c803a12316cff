"""The market's page: prices, the queue, receipts, bids; each person sees their own and nobody else's."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from django.test import Client

from billing import wallet
from billing.models import AuditEntry, Membership
from billing.redis import redis
from market import asking, figures, history, views, wire
from market.asking import Mine
from market.models import Bidding, Round
from market.wire import Standing
from tests.conftest import Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
HTMX = {"HX-Request": "true"}


NOW = history.current()


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second passes while a page is made, and no test sees another one's chart."""
    monkeypatch.setattr(history, "current", lambda: NOW)
    views.points.cache_clear()


def a_round(number: int = 0, **more: Any) -> Round:
    given = {"price": 7, "pressure": 1_500, "bidders": 2, "winners": 1, "revenue": 7, "free_entries": 50}
    found = number or NOW - 1
    return Round.objects.create(number=found, at=datetime.now(UTC), **(given | more))


def told(**more: Any) -> None:
    """As the leader tells everybody."""
    state = {
        "term": 1, "number": 5, "at": figures.now_ms() + 60_000, "price": 7, "pressure": 1_500, "contended": True,
        "waiting": 412, "entries": 1_312, "bidders": 312, "winners": 200, "reserved": 1, "free": 50,
        "revenue": 1_400, "next": 0,
    }  # fmt: skip
    redis().set(wire.STATE, orjson.dumps(state | more))


def page(person: Person, path: str = "/market", **query: str) -> str:
    answer = person.client.get(path, query)
    assert answer.status_code == 200
    return str(answer.content.decode())


# -- now ------------------------------------------------------------------------------------------------


def test_without_any_round_everything_is_free_and_the_page_says_what_to_do(alice: Person) -> None:
    text = page(alice)
    for part in (
        "free",
        "everybody runs for nothing",
        "Nothing of yours waits",
        "None yet",
        "No round had anything",
    ):
        assert part in text


def test_the_price_and_the_queue_are_those_the_leader_told_last(alice: Person) -> None:
    told()
    text = page(alice)
    for part in ("7 credits", "1,312", "412 calls; bidding above 1,000", "312 · 200", "sold out; 1 reserved"):
        assert part in text


def test_a_price_nobody_has_spoken_of_for_long_is_none_any_more(alice: Person) -> None:
    told(at=figures.now_ms() - 20_000)
    text = page(alice)
    assert "7 credits" not in text
    assert "nobody leads the rounds" in text


def test_charts_have_words_and_a_table_with_the_same_figures(alice: Person) -> None:
    a_round()
    text = page(alice)
    assert 'aria-label="Price: 7 credits now, at most 7"' in text
    assert 'aria-describedby="rounds-table"' in text
    assert "bidding above 1,000" in text
    table = text.partition('id="rounds-table"')[2]
    assert "<td>7</td><td>1,500</td><td>2</td><td>1</td>" in table


@pytest.mark.parametrize("span", ["2m", "1h", "1d", "100y", "<b>"])
def test_a_chart_is_as_long_as_asked_and_never_longer_than_a_day(alice: Person, span: str) -> None:
    a_round()
    a_round(history.current() - 1_800, price=11)
    text = page(alice, span=span)
    assert ("at most 11" in text) == (span in ("1h", "1d"))
    assert "<b>" not in text


def test_the_live_part_comes_alone(alice: Person) -> None:
    answer = alice.client.get("/market/live", headers=HTMX).content.decode()
    assert "<html" not in answer
    assert "My wins and losses" in answer


# -- mine -----------------------------------------------------------------------------------------------


def test_a_receipt_says_why_it_won_and_why_it_waited(alice: Person) -> None:
    mine, other = str(alice.tenant.pk), "01234567-0000-7000-8000-000000000000"
    now = NOW
    a_round(now - 1, bids={mine: 5, other: 9}, won=[other])
    a_round(now - 2, price=3, bids={mine: 5}, won=[mine])
    a_round(now - 3, price=75, reserved=1, drawn={mine: 450})
    text = page(alice)
    for part in (
        "price 7, your cap 5: waited",
        "price 3, your cap 5: won 1,500 CU for 3 credits",
        "price 75, your reservation: 450 CU from its pool, nothing to pay",
    ):
        assert part in text


def test_a_cap_that_was_just_the_price_tells_who_was_before(alice: Person) -> None:
    a_round(price=5, winners=200, bids={str(alice.tenant.pk): 5})
    assert "price 5, your cap 5: waited, 200 others with that cap were before you" in page(alice)


def test_charlie_sees_no_receipt_of_alice(alice: Person, charlie: Person) -> None:
    a_round(bids={str(alice.tenant.pk): 4_321}, won=[])
    assert "4,321" in page(alice)
    assert "4,321" not in page(charlie)


def test_my_queue_is_what_the_leader_answers(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    now = figures.now_ms()
    monkeypatch.setattr(figures, "now_ms", lambda: now)
    line = Standing("x", "none/cart", 225, 125, now, now + 998_500, 2, 3, 4, 0, False)
    monkeypatch.setattr(asking, "mine", lambda tenant: Mine(1, 2, (line,)))
    told()
    text = page(alice)
    for part in ("1 call waits with 2 entries", "cart", "225 CU", "100 done", "high", "≈ 4 rounds", "998 s"):
        assert part in text


def test_nobody_is_asked_for_the_queue_while_nothing_waits(alice: Person) -> None:
    told(contended=False, waiting=0, entries=0)
    page(alice)
    assert redis().llen(wire.INBOX) == 0


def test_a_leader_that_does_not_answer_is_not_an_error(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PATIENCE_S", 0.05)
    told()
    assert "did not answer" in page(alice)


# -- bids -----------------------------------------------------------------------------------------------


def test_auto_bid_and_cap_are_saved_and_audited(alice: Person) -> None:
    answer = alice.client.post("/market/bidding", {"auto_bid": "on", "bid_cap": "50"}, follow=True)
    assert "It holds from the next round on" in answer.content.decode()
    row = Bidding.objects.get(pk=alice.tenant.pk)
    assert (row.auto_bid, row.bid_cap) == (True, 50)
    assert AuditEntry.objects.get(action="bidding.set").detail == {"auto_bid": True, "bid_cap": 50}


def test_unlimited_is_warned_of(alice: Person) -> None:
    warning = "Unlimited can spend the whole wallet in one round."
    hidden = "data-unlimited hidden>"
    assert hidden in page(alice)
    alice.client.post("/market/bidding", {"auto_bid": "on", "bid_cap": "0"})
    text = page(alice)
    assert warning in text
    assert hidden not in text


@pytest.mark.parametrize("cap", ["", "-1", "1.5", "NaN", "1e3", "ten", "9" * 30, "٣x", "0x10"])
def test_a_cap_that_is_none_stays_in_the_form_with_its_reason(alice: Person, cap: str) -> None:
    answer = alice.client.post("/market/bidding", {"auto_bid": "on", "bid_cap": cap})
    assert answer.status_code == 422
    assert 'id="id_bid_cap_error"' in answer.content.decode()
    assert not Bidding.objects.exists()


@pytest.mark.parametrize(
    ("role", "status"), [("viewer", 403), ("editor", 403), ("admin", 302), ("owner", 302)]
)
def test_only_those_who_manage_the_account_change_its_bids(bob: Person, role: str, status: int) -> None:
    Membership.objects.filter(user=bob.user).update(role=role)
    answer = bob.client.post("/market/bidding", {"auto_bid": "on", "bid_cap": "1"})
    assert answer.status_code == status
    assert Bidding.objects.exists() == (status == 302)


def test_a_viewer_sees_the_figures_and_no_buttons(bob: Person) -> None:
    text = page(bob)
    assert "Admins and owners change how the account bids" in text
    assert "Reserve a window" not in text


# -- cost -----------------------------------------------------------------------------------------------


def spending(person: Person, credits: int, cap: int) -> None:
    wallet.take(person.tenant.pk, wallet.balances([person.tenant.pk])[person.tenant.pk], key="t", note="x")
    wallet.grant(person.tenant.pk, credits, key="g", note="x")
    Bidding.objects.create(tenant=person.tenant, auto_bid=True, bid_cap=cap)


def test_a_preview_tells_rounds_and_credits(alice: Person) -> None:
    spending(alice, 1_000, 50)
    assert "≈ 248 CU: 3 rounds free or 1–50 credits" in page(alice, "/market/cost", cu="248")
    assert "3 rounds free or 1–20 credits" in page(alice, "/market/cost", cu="248", ceiling="20")
    assert "its contract never bids" in page(alice, "/market/cost", cu="248", bid="never")


@pytest.mark.parametrize("cu", ["", "0", "-5", "x", "1e9", "9" * 40, "2.5", "<script>"])
def test_a_preview_of_nonsense_is_one_of_something_possible(alice: Person, cu: str) -> None:
    text = page(alice, "/market/cost", cu=cu)
    assert "CU: " in text
    assert "<script>x" not in text


def test_the_tiles_of_the_dashboard(alice: Person) -> None:
    told()
    spending(alice, 123, 4)
    text = page(alice, "/market/tiles")
    for part in ("7 credits", "123", "cap 4", "/market"):
        assert part in text
    assert "<html" not in text


def test_strangers_sign_in(db: None, client: Client) -> None:
    for path in ("/market", "/market/live", "/market/cost", "/market/tiles", "/market/reserve"):
        assert client.get(path)["Location"].startswith("/accounts/login/")
