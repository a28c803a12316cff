"""`/api/keys`: made once, listed without tokens, revoked; only for admins of the tenant."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from billing import access, changes, keys
from billing.models import ApiKey, AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


def make(person, **body):
    return person.client.post("/api/keys", {"name": "ci", **body}, content_type="application/json")


def test_the_token_is_shown_once_and_works(alice):
    made = make(alice, scopes=["call"])
    assert made.status_code == 201
    token = made.json()["api_key"]
    assert access.of_token(token).scopes == {"call"}
    listed = alice.client.get("/api/keys").json()["items"]
    assert {"ci", "test"} == {item["name"] for item in listed}
    assert all("api_key" not in item and "digest" not in item for item in listed)
    assert token not in alice.client.get("/api/keys").content.decode()
    assert not ApiKey.objects.filter(digest=token).exists()
    assert AuditEntry.objects.get(action="key.create").actor == alice.email


def test_all_scopes_by_default_and_an_expiry_if_asked(alice):
    end = timezone.now() + timedelta(days=1)
    made = make(alice, expires=end.isoformat()).json()
    assert made["scopes"] == ["read", "call", "write"]
    ApiKey.objects.filter(pk=made["id"]).update(expires=timezone.now())
    assert access.of_token(made["api_key"]) is None


@pytest.mark.parametrize(
    "body",
    [
        {"scopes": ["admin"]},
        {"scopes": []},
        {"scopes": ["read", "owner"]},
        {"scopes": "read"},
        {"name": "  "},
        {"name": "a\0b"},
        {"name": "x" * 101},
        {"name": 7},
        {"expires": "2001-01-01T00:00:00Z"},
        {"expires": "soon"},
    ],
)
def test_what_cannot_be_is_422_and_makes_nothing(alice, body):
    answer = make(alice, **body)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert ApiKey.objects.count() == 1


def test_a_key_that_is_revoked_is_nobody(alice):
    made = make(alice).json()
    assert alice.client.delete(f"/api/keys/{made['id']}").status_code == 204
    assert access.of_token(made["api_key"]) is None
    assert alice.client.delete(f"/api/keys/{made['id']}").status_code == 404


def test_keys_cannot_make_or_see_or_revoke_keys(alice):
    assert alice.api.get("/api/keys").status_code == 403
    assert alice.api.post("/api/keys", {"name": "n"}, content_type="application/json").status_code == 403
    assert alice.api.delete(f"/api/keys/{alice.key.pk}").status_code == 403
    assert ApiKey.objects.count() == 1


def test_viewers_may_not_and_foreigners_find_nothing(alice, bob, charlie):
    before = ApiKey.objects.count()
    assert bob.client.get("/api/keys").status_code == 403
    assert make(bob).status_code == 403
    assert charlie.client.delete(f"/api/keys/{alice.key.pk}").status_code == 404
    assert str(alice.key.pk) not in charlie.client.get("/api/keys").content.decode()
    assert Client().get("/api/keys").status_code == 401
    assert ApiKey.objects.count() == before


def test_making_keys_is_throttled(alice, monkeypatch):
    monkeypatch.setattr(changes, "KEYS_A_MINUTE", 2)
    answers = [make(alice) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert int(answers[2]["Retry-After"]) > 0
    assert ApiKey.objects.count() == 3


def test_keys_of_the_console_are_not_listed(alice):
    keys.console(alice.tenant, alice.user)
    assert len(alice.client.get("/api/keys").json()["items"]) == 1


def test_last_use_is_noted_but_not_at_every_call(alice):
    alice.api.get("/api/me")
    first = ApiKey.objects.get(pk=alice.key.pk).last_used
    alice.api.get("/api/me")
    assert ApiKey.objects.get(pk=alice.key.pk).last_used == first is not None


def test_me_says_who_is_asking(alice, bob):
    assert alice.api.get("/api/me").json() == {
        "tenant": "alice",
        "tenant_name": "",
        "plan": "enterprise",
        "actor": f"key:{alice.key.prefix}",
        "scopes": ["call", "read", "write"],
        "role": None,
    }
    assert bob.client.get("/api/me").json()["role"] == "viewer"


def test_an_expiry_in_another_zone_is_told_in_utc(alice):
    made = make(alice, expires="2099-01-01T00:00:00+02:00").json()
    assert made["expires"] == "2098-12-31T22:00:00Z"
