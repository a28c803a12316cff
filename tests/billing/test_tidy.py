"""What has run out goes; what has not, and what people may want to see, stays."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from billing import keys
from billing.models import ApiKey, Invitation, ReleasedSlug
from billing.tidy import tidy

pytestmark = pytest.mark.django_db


def test_only_what_has_run_out_goes(alice):
    now = timezone.now()
    keys.console(alice.tenant, alice.user)
    keys.create(alice.tenant, "made by a person", expires=now + timedelta(minutes=1))
    Invitation.objects.create(tenant=alice.tenant, email="dora@example.org", digest="0" * 64)
    ReleasedSlug.objects.create(slug="gone", until=now + timedelta(days=90))
    assert tidy(now) == 0
    assert tidy(now + timedelta(hours=1)) == 1
    assert set(ApiKey.objects.values_list("name", flat=True)) == {"test", "made by a person"}
    assert tidy(now + timedelta(days=8)) == 1
    assert not Invitation.objects.exists()
    tidy(now + timedelta(days=91))
    assert not ReleasedSlug.objects.exists()
    assert not Session.objects.exists()
