"""Secrets: write-only, encrypted, bound to hosts, one tenant's own."""

import pytest

from billing import secrets
from billing.errors import ApiError
from billing.models import Secret, Tenant
from billing.seal import Unreadable

pytestmark = pytest.mark.django_db
CANARY = b"sk_live_canary_9913"


def test_a_secret_is_kept_encrypted_and_opened_for_the_runtime(alice):
    before = Tenant.objects.get(pk=alice.tenant.pk).version
    secrets.put(alice.tenant, "STRIPE", CANARY, ["API.stripe.com."])
    assert CANARY not in bytes(Secret.objects.get().sealed)
    assert secrets.open_for(alice.tenant.pk, ["STRIPE", "absent"]) == {"STRIPE": CANARY}
    assert Tenant.objects.get(pk=alice.tenant.pk).version > before


def test_names_show_no_values(alice):
    secrets.put(alice.tenant, "STRIPE", CANARY, ["api.stripe.com"])
    (shown,) = secrets.names(alice.tenant.pk)
    assert set(shown) == {"name", "hosts", "updated"}
    assert "canary" not in repr(secrets.bound(alice.tenant.pk, ["STRIPE"]))


def test_another_tenant_opens_nothing_even_with_the_row_moved(alice, charlie):
    secrets.put(alice.tenant, "STRIPE", CANARY, [])
    assert secrets.open_for(charlie.tenant.pk, ["STRIPE"]) == {}
    Secret.objects.update(tenant=charlie.tenant)
    with pytest.raises(Unreadable):
        secrets.open_for(charlie.tenant.pk, ["STRIPE"])


def test_a_secret_goes_only_to_its_hosts(alice):
    secrets.put(alice.tenant, "S", b"v", ["api.stripe.com", "*.example.org"])
    found = secrets.bound(alice.tenant.pk, ["S"])["S"]
    assert found.may_go("API.stripe.com")
    assert found.may_go("a.b.example.org")
    for other in ("example.org", "evilexample.org", "api.stripe.com.evil.org", "stripe.com", ""):
        assert not found.may_go(other), other


def test_without_hosts_it_goes_nowhere(alice):
    secrets.put(alice.tenant, "S", b"v", [])
    assert not secrets.bound(alice.tenant.pk, ["S"])["S"].may_go("example.org")


@pytest.mark.parametrize(
    ("name", "value", "hosts"),
    [
        ("", b"v", []),
        ("1st", b"v", []),
        ("a b", b"v", []),
        ("a\n", b"v", []),
        ("x" * 101, b"v", []),
        ("ok", b"", []),
        ("ok", b"v" * 40_000, []),
        ("ok", b"v", ["*"]),
        ("ok", b"v", ["*.com"]),
        ("ok", b"v", ["https://example.org"]),
        ("ok", b"v", ["exämple.org"]),
        ("ok", b"v", ["a..b"]),
        ("ok", b"v", [f"h{n}.example.org" for n in range(21)]),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_changes(alice, name, value, hosts):
    with pytest.raises(ApiError) as caught:
        secrets.put(alice.tenant, name, value, hosts)
    assert caught.value.status == 422
    assert not Secret.objects.exists()


def test_the_number_of_secrets_is_bounded_but_old_ones_can_change(alice, monkeypatch):
    monkeypatch.setattr(secrets, "MOST", 1)
    secrets.put(alice.tenant, "A", b"1", [])
    with pytest.raises(ApiError) as caught:
        secrets.put(alice.tenant, "B", b"1", [])
    assert caught.value.status == 429
    secrets.put(alice.tenant, "A", b"2", [])
    assert secrets.open_for(alice.tenant.pk, ["A", "B"]) == {"A": b"2"}


def test_rotation_reseals_what_is_old(alice, settings):
    first = settings.SECRET_KEY
    secrets.put(alice.tenant, "S", CANARY, [])
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 60, [first]
    assert (secrets.reseal(), secrets.reseal()) == (1, 0)
    settings.SECRET_KEY_FALLBACKS = []
    assert secrets.open_for(alice.tenant.pk, ["S"]) == {"S": CANARY}


def test_delete_is_only_of_ones_own(alice, charlie):
    secrets.put(alice.tenant, "S", b"v", [])
    assert not secrets.delete(charlie.tenant.pk, "S")
    assert Secret.objects.count() == 1
    assert secrets.delete(alice.tenant.pk, "S")
    assert not Secret.objects.exists()
