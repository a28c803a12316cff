"""/api/market: state, rounds with receipts, settings, estimates."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from billing import wallet
from billing.models import AuditEntry
from billing.redis import redis
from market import wire
from market.models import Bidding, Round
from tests.bundles.samples import shop
from tests.runtime.stage import bundle_files

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
JSON = "application/json"


def test_while_nothing_waits_everything_is_free(alice: Any) -> None:
    found = alice.api.get("/api/market").json()
    assert (found["price"], found["contended"], found["queue"]) == (0, False, None)
    assert (found["threshold"], found["cuPerCredit"]) == (1000, 500)
    assert (found["at"], found["next"]) == (None, None)


def test_the_last_round_is_told(alice: Any) -> None:
    import time

    state = {"number": 7, "at": int(time.time() * 1000), "price": 3, "contended": True, "pressure": 1200}
    rest = ("waiting", "entries", "bidders", "winners", "reserved", "free", "revenue", "next")
    redis().set(wire.STATE, orjson.dumps(state | dict.fromkeys(rest, 0)))
    found = alice.api.get("/api/market").json()
    assert (found["price"], found["next"]) == (3, None)
    at = datetime.fromisoformat(found["at"])
    assert (at.utcoffset(), round(at.timestamp() * 1000)) == (timedelta(0), state["at"])


def test_an_old_price_says_nothing_about_now(alice: Any) -> None:
    state = {"number": 7, "at": 1_000, "price": 3, "contended": True, "pressure": 1200}
    redis().set(wire.STATE, orjson.dumps(state))
    found = alice.api.get("/api/market").json()
    assert (found["number"], found["price"], found["contended"]) == (7, 0, False)


def test_settings_are_read_and_written_and_audited(alice: Any) -> None:
    assert alice.client.get("/api/market/settings").json() == {"autoBid": False, "bidCap": 0}
    given = {"autoBid": True, "bidCap": 5}
    assert alice.client.put("/api/market/settings", given, content_type=JSON).json() == given
    assert alice.client.get("/api/market/settings").json() == given
    assert AuditEntry.objects.filter(tenant=alice.tenant, action="bidding.set").count() == 1


@pytest.mark.parametrize(
    "cap",
    [-1, 1.5, 1.0, "5", True, None, 10**12 + 1, 2**63, 10**400, [], {"$gt": 1}],
    ids=lambda value: repr(value)[:20],
)
def test_a_cap_is_a_whole_number_within_reason(alice: Any, cap: Any) -> None:
    """Issue 4, §6; A141."""
    answer = alice.client.put("/api/market/settings", {"autoBid": True, "bidCap": cap}, content_type=JSON)
    assert answer.status_code == 422
    assert not Bidding.objects.exists()
    assert not AuditEntry.objects.filter(action="bidding.set").exists()


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e3", "5.0"])
def test_json_that_is_no_whole_number_is_refused(alice: Any, text: str) -> None:
    answer = alice.client.put(
        "/api/market/settings", f'{{"autoBid": true, "bidCap": {text}}}', content_type=JSON
    )
    assert answer.status_code in (400, 422)
    assert not Bidding.objects.exists()


def test_nobody_sets_the_bids_of_another_tenant(alice: Any, charlie: Any) -> None:
    """A147: who asks decides whose they are; a tenant in the body is refused."""
    given = {"autoBid": True, "bidCap": 5, "tenant": str(alice.tenant.pk)}
    assert charlie.client.put("/api/market/settings", given, content_type=JSON).status_code == 422
    assert not Bidding.objects.exists()


def rounds_of(person: Any) -> None:
    me, other = str(person.tenant.pk), "0" * 36
    at = datetime(2026, 11, 21, tzinfo=UTC)
    Round.objects.create(number=1, at=at, price=7, bids={me: 5, other: 9}, won=[other], winners=1)
    Round.objects.create(number=2, at=at, price=4, bids={me: 5}, won=[me], winners=1, revenue=4)
    Round.objects.create(number=3, at=at, free_entries=3)


def test_each_round_has_a_receipt(alice: Any) -> None:
    rounds_of(alice)
    items = alice.api.get("/api/market/rounds").json()["items"]
    assert [one["number"] for one in items] == [3, 2, 1]
    assert items[0]["mine"] is None
    assert items[1]["mine"]["text"] == "price 4, your cap 5: won 2,000 CU for 4 credits"
    assert items[2]["mine"]["text"] == "price 7, your cap 5: waited"


def test_a_receipt_says_nothing_of_others(alice: Any, charlie: Any) -> None:
    rounds_of(alice)
    answer = charlie.api.get("/api/market/rounds")
    assert all(one["mine"] is None for one in answer.json()["items"])
    assert str(alice.tenant.pk) not in answer.content.decode()


def test_rounds_come_in_pages(alice: Any) -> None:
    rounds_of(alice)
    first = alice.api.get("/api/market/rounds?limit=2").json()
    assert [one["number"] for one in first["items"]] == [3, 2]
    second = alice.api.get(f"/api/market/rounds?limit=2&cursor={first['next']}").json()
    assert ([one["number"] for one in second["items"]], second["next"]) == ([1], None)


@pytest.mark.parametrize("cursor", ["x", "1.5", str(10**40), "-1"])
def test_a_cursor_is_a_number(alice: Any, cursor: str) -> None:
    assert alice.api.get(f"/api/market/rounds?cursor={cursor}").status_code in (200, 422)


def estimated(person: Any, **given: Any) -> Any:
    return person.api.post("/api/market/estimate", given, content_type=JSON)


def test_the_table_of_the_documentation(alice: Any) -> None:
    """R5, R14: 225 CU are three rounds for nothing, or 1, 10 or 50 credits."""
    found = estimated(alice, units=225).json()
    assert (found["need"], found["entries"], found["rounds"]) == (225, [100, 100, 25], 3)
    assert found["prices"] == [
        {"price": 1, "cu": 500, "credits": 1, "rounds": 1},
        {"price": 10, "cu": 5000, "credits": 10, "rounds": 1},
        {"price": 50, "cu": 25000, "credits": 50, "rounds": 1},
    ]
    assert (found["least"], found["most"]) == (0, 0)


def test_an_estimate_knows_the_wallet_and_the_cap(alice: Any) -> None:
    wallet.grant(alice.tenant.pk, 30, key="k", note="n")
    Bidding.objects.create(tenant=alice.tenant, auto_bid=True, bid_cap=7)
    found = estimated(alice, units=225).json()
    assert (found["least"], found["most"]) == (1, 7)


def test_an_endpoint_needs_what_its_contract_says(alice: Any) -> None:
    from bundles.store import import_files

    files = bundle_files("shop", ["counter"], POST_count="wasm:counter:run")
    files["shop.yaml"] += b"resourceContract: {computeUnits: 310}\n"
    bundle = import_files("test", alice.tenant, files).bundle
    found = estimated(alice, bundle=str(bundle.pk), endpoint="count").json()
    assert (found["need"], found["source"], found["rounds"]) == (310, "contract", 4)


def test_an_endpoint_that_says_nothing_needs_100(alice: Any) -> None:
    """R4: nothing was measured yet."""
    from bundles.store import import_files

    bundle = import_files("test", alice.tenant, shop()).bundle
    found = estimated(alice, bundle=str(bundle.pk), endpoint="list").json()
    assert found["source"] in ("default", "contract")


def test_bundles_of_others_are_not_there(alice: Any, charlie: Any) -> None:
    from bundles.store import import_files

    bundle = import_files("test", alice.tenant, shop()).bundle
    assert estimated(charlie, bundle=str(bundle.pk), endpoint="list").status_code == 404
    assert estimated(alice, bundle=str(bundle.pk), endpoint="nothing").status_code == 404


@pytest.mark.parametrize("units", [0, -5, 2.5, "100", 25_001, 2**63, True, None])
def test_units_are_whole_and_within_an_action(alice: Any, units: Any) -> None:
    assert estimated(alice, units=units).status_code == 422
