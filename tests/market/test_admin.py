"""The admin of the market: columns and searches work, and what was decided cannot be changed there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from billing import wallet
from billing.models import User
from bundles.models import Bundle
from market import reservations
from market.models import Bidding, Leadership, Reservation, Round, Spend, SpendLimit
from market.reservations import Wanted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
AT = datetime.now(UTC)


@pytest.fixture
def boss(alice: Any) -> Client:
    wallet.grant(alice.tenant.pk, 10, key="k", note="n")
    start = AT + timedelta(hours=1)
    reservations.make(alice.tenant.pk, Wanted(start, start + timedelta(hours=1), 1))
    bundle = Bundle.objects.create(tenant=alice.tenant, name="b")
    Bidding.objects.create(tenant=alice.tenant)
    Round.objects.create(number=5, at=AT)
    Leadership.objects.get_or_create(pk=1)
    Spend.objects.create(bundle=bundle, month="2026-11")
    SpendLimit.objects.create(bundle=bundle)
    client = Client()
    user = User.objects.create_superuser("boss@example.org", "correct horse battery staple")
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.mark.parametrize("name", ["bidding", "round", "reservation", "leadership", "spend", "spendlimit"])
def test_lists_and_rows_are_shown(boss: Client, name: str) -> None:
    models = (Bidding, Round, Reservation, Leadership, Spend, SpendLimit)
    row = next(model for model in models if model._meta.model_name == name).objects.get()
    assert boss.get(f"/admin/market/{name}/").status_code == 200
    assert boss.get(f"/admin/market/{name}/{row.pk}/change/").status_code == 200


@pytest.mark.parametrize("name", ["bidding", "round", "reservation", "spend", "spendlimit"])
def test_searches_work(boss: Client, name: str) -> None:
    assert boss.get(f"/admin/market/{name}/", {"q": "5"}).status_code == 200


@pytest.mark.parametrize("name", ["round", "reservation", "leadership", "spend"])
def test_what_the_platform_wrote_is_read_only(boss: Client, name: str) -> None:
    models = (Round, Reservation, Leadership, Spend)
    model = next(model for model in models if model._meta.model_name == name)
    before = list(model.objects.values())
    row = model.objects.get()
    for path in ("add/", f"{row.pk}/change/", f"{row.pk}/delete/"):
        assert boss.post(f"/admin/market/{name}/{path}", {"post": "yes"}).status_code == 403
    assert list(model.objects.values()) == before
