"""/api/reservations: made, listed, cancelled; refusals change nothing (R23 to R26, A145 to A147)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from billing import wallet
from billing.models import AuditEntry
from market.models import Reservation
from tests.market.running import balance

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
JSON = "application/json"
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)


@pytest.fixture(autouse=True)
def purse(alice: Any) -> None:
    """10 credits, whatever her plan began with."""
    if rest := balance(alice.tenant):
        wallet.take(alice.tenant.pk, rest, key="emptied", note="for a test")
    wallet.grant(alice.tenant.pk, 10, key="purse", note="for a test")


def reserve(person: Any, minutes: int = 10, credits: Any = 2, start: Any = SOON, **more: Any) -> Any:
    end = more.pop("end", (start + timedelta(minutes=minutes)).isoformat() if hasattr(start, "hour") else "")
    given = {"start": start.isoformat() if hasattr(start, "hour") else start, "end": end, "credits": credits}
    return person.api.post("/api/reservations", given | more, content_type=JSON)


def nothing_changed(alice: Any) -> None:
    assert not Reservation.objects.exists()
    assert balance(alice.tenant) == 10
    assert not AuditEntry.objects.filter(action__startswith="reservation").exists()
    assert wallet.check() == []


def test_a_reservation_is_paid_at_once_and_becomes_a_pool(alice: Any) -> None:
    answer = reserve(alice)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["credits"], made["pool"], made["status"], made["origin"]) == (2, 1000, "upcoming", "hand")
    assert balance(alice.tenant) == 8
    assert AuditEntry.objects.filter(tenant=alice.tenant, action="reservation.make").count() == 1
    assert wallet.check() == []


def test_cancelled_before_its_start_it_is_refunded_once(alice: Any) -> None:
    made = reserve(alice).json()["id"]
    assert alice.api.delete(f"/api/reservations/{made}").json()["status"] == "cancelled"
    assert alice.api.delete(f"/api/reservations/{made}").status_code == 409
    assert balance(alice.tenant) == 10
    assert wallet.check() == []


def test_windows_of_one_account_do_not_overlap_but_may_touch(alice: Any) -> None:
    assert reserve(alice).status_code == 201
    assert reserve(alice, start=SOON + timedelta(minutes=9)).status_code == 409
    assert reserve(alice, start=SOON + timedelta(minutes=10)).status_code == 201
    assert reserve(alice, start=SOON - timedelta(minutes=10)).status_code == 201
    assert balance(alice.tenant) == 4


def test_a_cancelled_one_leaves_its_window(alice: Any) -> None:
    made = reserve(alice).json()["id"]
    alice.api.delete(f"/api/reservations/{made}")
    assert reserve(alice).status_code == 201


def test_more_than_the_wallet_holds_is_402(alice: Any) -> None:
    assert reserve(alice, credits=11).status_code == 402
    nothing_changed(alice)


@pytest.mark.parametrize(
    "window",
    [
        {"start": SOON - timedelta(hours=2)},
        {"minutes": 0},
        {"minutes": -5},
        {"minutes": 60 * 24 * 3650},
        {"start": SOON.replace(tzinfo=None)},
        {"start": "tomorrow"},
        {"start": "2026-13-45T99:00:00Z"},
        {"start": 4_000_000_000},
        {"start": None},
        {"start": "9999-12-31T23:59:59Z", "end": "9999-12-31T23:59:59.5Z"},
        {"start": "0001-01-01T00:00:00+14:00", "end": "0001-01-01T00:10:00+14:00"},
        {"start": "9999-12-31T23:50:00-14:00", "end": "9999-12-31T23:59:00-14:00"},
        {"end": "9999-12-31T23:59:59-12:00"},
    ],
)
def test_a_window_that_cannot_be_is_422(alice: Any, window: dict[str, Any]) -> None:
    assert reserve(alice, **window).status_code == 422
    nothing_changed(alice)


@pytest.mark.parametrize(
    "credits",
    [0, -1, 1.5, 2.0, "2", True, None, 10**12 + 1, 2**63, 10**400],
    ids=lambda value: repr(value)[:20],
)
def test_credits_are_whole_and_within_reason(alice: Any, credits: Any) -> None:
    assert reserve(alice, credits=credits).status_code == 422
    nothing_changed(alice)


def test_nobody_reserves_for_another_tenant(alice: Any, charlie: Any) -> None:
    assert reserve(charlie, tenant=str(alice.tenant.pk)).status_code == 422
    made = reserve(alice).json()["id"]
    assert charlie.api.delete(f"/api/reservations/{made}").status_code == 404
    assert charlie.api.get("/api/reservations").json()["items"] == []
    assert Reservation.objects.get().status == "upcoming"


def test_an_hour_that_comes_twice_is_two_hours(alice: Any) -> None:
    """DST: the offset says which one is meant, and both may be reserved."""
    year = datetime.now(UTC).year + (1 if datetime.now(UTC).month >= 10 else 0)
    last = max(day for day in range(25, 32) if datetime(year, 10, day).weekday() == 6)
    if datetime(year, 10, last, tzinfo=UTC) > datetime.now(UTC) + timedelta(days=360):
        pytest.skip("that night is not within a year")
    for offset in ("+02:00", "+01:00"):
        night = f"{year}-10-{last:02}T02:00:00{offset}"
        assert reserve(alice, start=night, end=night.replace("02:00:00", "02:59:00", 1)).status_code == 201
    assert Reservation.objects.count() == 2


def test_the_list_comes_in_pages(alice: Any) -> None:
    ids = [reserve(alice, start=SOON + timedelta(hours=n)).json()["id"] for n in range(3)]
    first = alice.api.get("/api/reservations?limit=2").json()
    assert [one["id"] for one in first["items"]] == [ids[2], ids[1]]
    second = alice.api.get(f"/api/reservations?limit=2&cursor={first['next']}").json()
    assert [one["id"] for one in second["items"]] == [ids[0]]


def test_what_is_not_there_cannot_be_cancelled(alice: Any) -> None:
    assert alice.api.delete(f"/api/reservations/{uuid4()}").status_code == 404
