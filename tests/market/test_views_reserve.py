"""Reserving by the page: times of the reader's zone, refusals beside their fields, cancelling (R23 to R26)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from billing import wallet
from market import localtimes, reservations
from market.forms import ReserveForm, proposal
from market.models import Reservation
from tests.conftest import Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
HTMX = {"HX-Request": "true"}
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def rich(alice: Person) -> Person:
    wallet.grant(alice.tenant.pk, 1_000, key="test", note="for a test")
    return alice


def balance(person: Person) -> int:
    return wallet.balances([person.tenant.pk])[person.tenant.pk]


def asked(minutes: int = 60, length: int = 10, **more: str) -> dict[str, str]:
    start = (timezone.now() + timedelta(minutes=minutes)).replace(second=0, microsecond=0, tzinfo=None)
    end = start + timedelta(minutes=length)
    given = {
        "start": f"{start:%Y-%m-%dT%H:%M}",
        "end": f"{end:%Y-%m-%dT%H:%M}",
        "zone": "UTC",
        "credits": "10",
    }
    return given | more


def refused(person: Person, **given: str) -> str:
    """The page, after a refusal that changed nothing."""
    before, rows = balance(person), Reservation.objects.count()
    answer = person.client.post("/market/reserve", given)
    assert answer.status_code == 422
    assert (balance(person), Reservation.objects.count()) == (before, rows)
    return str(answer.content.decode())


def test_a_window_is_paid_at_once_and_shown_in_units(rich: Person) -> None:
    before = balance(rich)
    text = rich.client.post("/market/reserve", asked(), follow=True).content.decode()
    made = Reservation.objects.get()
    assert (made.credits, made.pool, balance(rich)) == (10, 5_000, before - 10)
    for part in ("Reserved.", "5,000 CU left", "upcoming", f"/market/reservations/{made.pk}/cancel"):
        assert part in text
    assert wallet.check() == []


def test_times_are_those_of_the_zone(rich: Person) -> None:
    year = timezone.now().year + 1  # summer time holds in July
    form = {"start": f"{year - 1}-12-31T10:00", "end": f"{year - 1}-12-31T10:10"}
    rich.client.post("/market/reserve", asked(zone="Europe/Berlin", **form))
    if Reservation.objects.exists():
        assert Reservation.objects.get().start == datetime(year - 1, 12, 31, 9, 0, tzinfo=UTC)
    assert localtimes.instant(datetime(2027, 7, 1, 10), BERLIN) == datetime(2027, 7, 1, 8, tzinfo=UTC)


def test_an_hour_that_clocks_skip_does_not_exist(rich: Person) -> None:
    with pytest.raises(localtimes.Skipped):
        localtimes.instant(datetime(2027, 3, 28, 2, 30), BERLIN)
    form = ReserveForm(
        {"start": "2027-03-28T02:30", "end": "2027-03-28T03:30", "zone": "Europe/Berlin", "credits": "1"}
    )
    assert not form.is_valid()
    assert "Clocks jump over this time" in form.errors["start"][0]


def test_an_hour_that_comes_twice_is_asked_about(rich: Person) -> None:
    given = {"start": "2027-10-31T02:30", "end": "2027-10-31T03:30", "zone": "Europe/Berlin", "credits": "1"}
    text = refused(rich, **given)
    assert "first at UTC+02:00, then at UTC+01:00" in text
    assert 'name="start_time"' in text
    assert 'name="end_time"' not in text
    for choice, hour in (("first", 0), ("second", 1)):
        form = ReserveForm(given | {"start_time": choice})
        assert form.is_valid()
        assert form.wanted().start == datetime(2027, 10, 31, hour, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "zone", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "x" * 65, "Ünïx", "\0"]
)
def test_a_zone_that_is_none_is_refused(rich: Person, zone: str) -> None:
    assert 'id="id_zone_error"' in refused(rich, **asked(zone=zone))


@pytest.mark.parametrize("credits", ["", "0", "-1", "1.5", "NaN", "1e3", "9" * 30, "ten"])
def test_credits_that_are_none_are_refused(rich: Person, credits: str) -> None:
    assert 'id="id_credits_error"' in refused(rich, **asked(credits=credits))


@pytest.mark.parametrize("start", ["", "tomorrow", "2027-13-01T00:00", "2027-01-01", "0000-00-00T00:00"])
def test_a_time_that_is_none_is_refused(rich: Person, start: str) -> None:
    assert 'id="id_start_error"' in refused(rich, **asked(start=start))


@pytest.mark.parametrize(
    ("start", "zone"), [("0001-01-01T00:00", "Asia/Tokyo"), ("9999-12-31T23:59", "America/New_York")]
)
def test_a_time_that_utc_does_not_have_is_refused(rich: Person, start: str, zone: str) -> None:
    assert "There is no such time in UTC." in refused(rich, **asked(start=start, end=start, zone=zone))


def test_refusals_of_the_rules_stand_beside_their_field(rich: Person) -> None:
    rich.client.post("/market/reserve", asked())
    for given, place, words in (
        (asked(-5), "start", "start in the future"),
        (asked(200, 0), "start", "end after that"),
        (asked(200, 600_000), "start", "within a year"),
        (asked(65), "start", "overlaps another reservation"),
        (asked(200, credits="999999"), "credits", "does not hold that many"),
    ):
        text = refused(rich, **given)
        assert words in text.partition(f'id="id_{place}_error"')[2][:400]
    assert wallet.check() == []


def test_windows_may_touch(rich: Person) -> None:
    first = asked()
    rich.client.post("/market/reserve", first)
    later = datetime.fromisoformat(first["end"]) + timedelta(minutes=10)
    rich.client.post("/market/reserve", asked(start=first["end"], end=f"{later:%Y-%m-%dT%H:%M}"))
    assert Reservation.objects.count() == 2


def test_the_dialog_gets_its_form_back_and_reloads_when_it_is_done(rich: Person) -> None:
    answer = rich.client.post("/market/reserve", asked(-5), headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()
    assert 'id="id_start_error"' in answer.content.decode()
    done = rich.client.post("/market/reserve", asked(), headers=HTMX)
    assert (done.status_code, done["HX-Refresh"]) == (204, "true")


def test_before_its_start_it_is_cancelled_with_a_full_refund(rich: Person) -> None:
    before = balance(rich)
    rich.client.post("/market/reserve", asked())
    made = Reservation.objects.get()
    text = rich.client.post(f"/market/reservations/{made.pk}/cancel", follow=True).content.decode()
    assert "10 credits are back in the wallet" in text
    assert balance(rich) == before
    rich.client.post(f"/market/reservations/{made.pk}/cancel")
    assert balance(rich) == before
    assert wallet.check() == []


def test_after_its_start_it_is_not(rich: Person) -> None:
    now = timezone.now()
    wanted = reservations.Wanted(now - timedelta(seconds=5), now + timedelta(minutes=5), 10)
    made = reservations.make(rich.tenant.pk, wanted, now=now - timedelta(minutes=1))
    before = balance(rich)
    text = rich.client.post(f"/market/reservations/{made.pk}/cancel", follow=True).content.decode()
    assert "cannot be cancelled any more" in text
    assert balance(rich) == before


def test_charlie_cancels_nothing_of_alice_and_a_viewer_nothing_at_all(
    rich: Person, bob: Person, charlie: Any
) -> None:
    rich.client.post("/market/reserve", asked())
    made = Reservation.objects.get()
    assert charlie.client.post(f"/market/reservations/{made.pk}/cancel").status_code == 404
    assert bob.client.post(f"/market/reservations/{made.pk}/cancel").status_code == 403
    assert bob.client.post("/market/reserve", asked(300)).status_code == 403
    assert str(made.pk) not in charlie.client.get("/market").content.decode()
    made.refresh_from_db()
    assert made.status == "upcoming"
    assert Reservation.objects.count() == 1


def test_the_proposal_is_ten_minutes_from_a_full_ten_on() -> None:
    found = proposal(datetime(2027, 3, 1, 9, 58, 31, tzinfo=UTC))
    assert (found["start"], found["end"]) == (datetime(2027, 3, 1, 10, 10), datetime(2027, 3, 1, 10, 20))
