"""Limits of what a bundle spends in a month, and of what strangers make it spend."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from billing.models import AuditEntry
from bundles.models import Bundle
from market import spend
from market.models import Spend, SpendLimit
from market.spend import Charge

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
LATER = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def shop(alice):
    return Bundle.objects.create(tenant=alice.tenant, name="shop")


def left(bundle, stranger=False, at=NOW):
    return spend.remaining([(bundle.pk, stranger)], at)[bundle.pk, stranger]


def test_without_a_limit_nothing_is_limited_and_all_is_counted(shop):
    spend.spent([Charge(shop.pk, False, 7), Charge(shop.pk, True, 5)], NOW)
    assert left(shop) is left(shop, True) is None
    row = Spend.objects.get()
    assert (row.month, row.credits, row.strangers) == ("2026-11", 12, 5)


def test_what_strangers_spend_counts_in_both(shop):
    SpendLimit.objects.create(bundle=shop, monthly_credits=20, strangers_monthly=6)
    assert (left(shop), left(shop, True)) == (20, 6)
    spend.spent([Charge(shop.pk, True, 4), Charge(shop.pk, False, 3)], NOW)
    assert (left(shop), left(shop, True)) == (13, 2)
    spend.spent([Charge(shop.pk, False, 12)], NOW)
    assert (left(shop), left(shop, True)) == (1, 1)


def test_a_limit_of_0_lets_nothing_be_spent(shop):
    SpendLimit.objects.create(bundle=shop, strangers_monthly=0)
    assert (left(shop), left(shop, True)) == (None, 0)


def test_a_limit_lowered_below_what_was_spent_leaves_nothing(shop):
    limit = SpendLimit.objects.create(bundle=shop, monthly_credits=20)
    spend.spent([Charge(shop.pk, False, 15)], NOW)
    limit.monthly_credits = 10
    limit.save()
    assert left(shop) == 0


def test_a_new_month_begins_at_midnight_utc(shop):
    SpendLimit.objects.create(bundle=shop, monthly_credits=20)
    spend.spent([Charge(shop.pk, False, 20)], NOW)
    assert (left(shop), left(shop, at=LATER)) == (0, 20)


def test_a_refund_counts_in_the_month_of_its_charge(shop):
    SpendLimit.objects.create(bundle=shop, monthly_credits=20)
    spend.spent([Charge(shop.pk, True, 20)], NOW)
    spend.unspent(Charge(shop.pk, True, 5), NOW)
    spend.unspent(Charge(shop.pk, True, 5), LATER)  # nothing was spent then: nothing to take back
    assert left(shop) == 5


def test_a_bundle_that_was_deleted_stops_no_round(shop):
    spend.spent([Charge(uuid4(), False, 3), Charge(shop.pk, False, 2)], NOW)
    assert Spend.objects.get().credits == 2


def test_many_bundles_take_a_few_statements(alice, django_assert_max_num_queries):
    bundles = [Bundle.objects.create(tenant=alice.tenant, name=f"b{n}") for n in range(20)]
    charges = [Charge(bundle.pk, False, 1) for bundle in bundles]
    with django_assert_max_num_queries(3):
        spend.spent(charges, NOW)
    with django_assert_max_num_queries(2):
        assert set(spend.remaining([(one.pk, False) for one in bundles], NOW).values()) == {None}
    assert Spend.objects.filter(credits=1).count() == 20


def test_the_database_keeps_counts_from_going_below_0(shop):
    spend.spent([Charge(shop.pk, False, 3)], NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Spend.objects.update(credits=-1)


def put(person, bundle, body):
    return person.client.put(f"/api/bundles/{bundle.pk}/spend", body, content_type="application/json")


def test_limits_over_rest(alice, bob, charlie, shop):
    body = {"monthly_credits": 50, "strangers_monthly": None}
    assert put(alice, shop, body).json()["monthly_credits"] == 50
    assert put(bob, shop, body).status_code == 403
    assert put(charlie, shop, body).status_code == 404
    spend.spent([Charge(shop.pk, True, 4)], datetime.now(UTC))
    shown = bob.api.get(f"/api/bundles/{shop.pk}/spend").json()
    assert shown.pop("resets").endswith("-01T00:00:00Z")
    assert shown == {
        "monthly_credits": 50,
        "strangers_monthly": None,
        "spent": 4,
        "spent_by_strangers": 4,
    }
    assert AuditEntry.objects.get(action="bundle.spend").detail == body


@pytest.mark.parametrize("value", ["-1", "1.0", "true", '"5"', "NaN", str(10**12 + 1), "[]"])
def test_what_is_no_number_of_credits_is_no_limit(alice, shop, value):
    answer = put(alice, shop, f'{{"monthly_credits": {value}, "strangers_monthly": 1}}')
    assert answer.status_code in {400, 422}
    assert not SpendLimit.objects.exists()


def test_the_form_on_the_page_of_the_bundle(alice, bob, charlie, shop):
    path = f"/bundles/{shop.pk}/spend"
    assert "no limit" in alice.client.get(path).content.decode()
    saved = alice.client.post(path, {"monthly_credits": "", "strangers_monthly": "7"})
    assert "Saved" in saved.content.decode()
    row = SpendLimit.objects.get()
    assert (row.monthly_credits, row.strangers_monthly) == (None, 7)
    assert alice.client.post(path, {"monthly_credits": "1.5"}).status_code == 422
    assert bob.client.post(path, {"monthly_credits": "9"}).status_code == 403
    assert "at most 7" in bob.client.get(path).content.decode()
    assert charlie.client.get(path).status_code == 404
    assert SpendLimit.objects.get().strangers_monthly == 7
