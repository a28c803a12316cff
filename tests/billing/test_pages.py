"""The pages under /settings: who may see and do what, with and without htmx."""

import re

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from billing import access
from billing.models import ApiKey, AuditEntry, Invitation, Membership, Secret, Tenant, User
from billing.secrets import open_for

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
CANARY = "canary-8812"
EVERYBODY = ["/settings", "/settings/tenant"]
ADMINS = ["/settings/members", "/settings/keys", "/settings/secrets", "/settings/audit"]


@pytest.mark.parametrize("path", EVERYBODY + ADMINS)
def test_pages_need_a_sign_in(path, db):
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=/settings")


@pytest.mark.parametrize("path", EVERYBODY + ADMINS)
def test_an_owner_sees_every_page_and_it_holds_no_inline_script_or_style(path, alice):
    text = alice.client.get(path).content.decode()
    assert "alice" in text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", text)


def test_a_viewer_sees_only_what_everybody_may(alice, bob):
    assert [bob.client.get(path).status_code for path in EVERYBODY] == [200, 200]
    assert [bob.client.get(path).status_code for path in ADMINS] == [403] * 4
    assert "/settings/keys" not in bob.client.get("/settings").content.decode()


def test_a_key_opens_no_page(alice):
    assert alice.api.get("/settings/tenant").status_code == 302


def test_an_htmx_request_of_a_stranger_is_told_to_leave_the_page(db):
    answer = Client().get("/settings/audit", headers={"hx-request": "true"})
    assert (answer.status_code, answer["HX-Redirect"][:16]) == (204, "/accounts/login/")


def test_pages_need_csrf(alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice.user, "allauth.account.auth_backends.AuthenticationBackend")
    assert browser.post("/settings/keys", {"name": "n", "scopes": "read"}).status_code == 403
    assert ApiKey.objects.count() == 1


def test_a_new_key_is_shown_once(alice):
    answer = alice.client.post("/settings/keys", {"name": "ci", "scopes": ["read", "call"], "expires": "30"})
    token = re.search(r"ps_[\w-]{30,}", answer.content.decode()).group()
    assert access.of_token(token).scopes == {"read", "call"}
    assert answer["Cache-Control"] == "no-store"
    assert token not in alice.client.get("/settings/keys").content.decode()


def test_a_bad_key_form_makes_nothing(alice):
    for body in ({"name": "", "scopes": "read"}, {"name": "n"}, {"name": "n", "scopes": "owner"}):
        assert alice.client.post("/settings/keys", body).status_code == 422
    assert ApiKey.objects.count() == 1


def test_revoking_a_key(alice, charlie):
    assert charlie.client.post(f"/settings/keys/{alice.key.pk}/revoke").status_code == 404
    assert alice.client.get(f"/settings/keys/{alice.key.pk}/revoke").status_code == 405
    assert ApiKey.objects.filter(pk=alice.key.pk).exists()
    assert alice.client.post(f"/settings/keys/{alice.key.pk}/revoke").status_code == 302
    assert not ApiKey.objects.filter(pk=alice.key.pk).exists()


def test_a_secret_is_kept_and_not_shown(alice):
    body = {"name": "STRIPE", "value": CANARY, "hosts": "api.stripe.com, *.example.org"}
    answer = alice.client.post("/settings/secrets", body, follow=True)
    assert "api.stripe.com" in answer.content.decode()
    assert CANARY not in answer.content.decode()
    assert open_for(alice.tenant.pk, ["STRIPE"]) == {"STRIPE": CANARY.encode()}
    alice.client.post("/settings/secrets/delete", {"name": "STRIPE"})
    assert not Secret.objects.exists()


def test_a_refused_secret_form_does_not_send_the_value_back(alice):
    answer = alice.client.post("/settings/secrets", {"name": "", "value": CANARY, "hosts": "x"})
    assert answer.status_code == 422
    assert CANARY not in answer.content.decode()
    refused = alice.client.post(
        "/settings/secrets", {"name": "S", "value": CANARY, "hosts": "http://"}, follow=True
    )
    assert "is not a host name" in refused.content.decode()
    assert 'value="http://"' in refused.content.decode()
    assert CANARY not in refused.content.decode()
    assert not Secret.objects.exists()


def test_a_viewer_changes_nothing_by_posting(alice, bob):
    before = ApiKey.objects.count()
    posts = [
        ("/settings/keys", {"name": "n", "scopes": "read"}),
        (f"/settings/keys/{alice.key.pk}/revoke", {}),
        ("/settings/secrets", {"name": "S", "value": "v"}),
        ("/settings/members", {"email": "x@example.org", "role": "owner"}),
        ("/settings/tenant", {"name": "mine"}),
    ]
    assert {bob.client.post(path, body).status_code for path, body in posts} == {403}
    assert (ApiKey.objects.count(), Secret.objects.count(), Invitation.objects.count()) == (before, 0, 0)
    assert Tenant.objects.get(slug="alice").name == ""


def test_inviting_and_accepting_by_pages(alice):
    text = alice.client.post(
        "/settings/members", {"email": "dora@example.org", "role": "editor"}
    ).content.decode()
    path = re.search(r"/invite/ps_[\w-]+", text).group()
    assert Client().get(path)["Location"].startswith("/accounts/login/?next=/invite/")
    dora = Client()
    dora.force_login(
        User.objects.create_user("dora@example.org", "pw"),
        "allauth.account.auth_backends.AuthenticationBackend",
    )
    assert "Join alice" in dora.get(path).content.decode()
    assert dora.post(path).status_code == 302
    assert Membership.objects.get(user__email="dora@example.org").role == "editor"
    assert dora.get(path).status_code == 404


def test_somebody_else_sees_whose_it_is_not_and_cannot_join(alice, charlie):
    text = alice.client.post(
        "/settings/members", {"email": "dora@example.org", "role": "editor"}
    ).content.decode()
    path = re.search(r"/invite/ps_[\w-]+", text).group()
    shown = charlie.client.get(path).content.decode()
    assert "another e-mail address" in shown
    assert "dora@example.org" not in shown
    assert charlie.client.post(path).status_code == 403
    assert Membership.objects.count() == 2


def test_roles_and_removal_by_pages(alice, bob, charlie):
    member = Membership.objects.get(user=bob.user)
    assert charlie.client.post(f"/settings/members/{member.pk}/remove").status_code == 404
    alice.client.post(f"/settings/members/{member.pk}/role", {"role": "editor"})
    assert Membership.objects.get(pk=member.pk).role == "editor"
    alice.client.post(f"/settings/members/{member.pk}/remove")
    assert not Membership.objects.filter(pk=member.pk).exists()


def test_the_last_owner_cannot_leave_but_a_viewer_can(alice, bob):
    assert "last owner" in alice.client.post("/settings/members/leave", follow=True).content.decode()
    bob.client.post("/settings/members/leave")
    assert [row.user for row in Membership.objects.all()] == [alice.user]


def test_switching_only_to_ones_own_tenants(alice, charlie):
    assert alice.client.post("/settings/switch", {"tenant": "charlie"}).status_code == 404
    assert alice.client.get("/api/me").json()["tenant"] == "alice"
    Membership.objects.create(tenant=charlie.tenant, user=alice.user, role="viewer")
    assert alice.client.post("/settings/tenant", {"tenant": "charlie"}).status_code == 302
    assert alice.client.get("/api/me").json()["tenant"] == "charlie"


def test_renaming_leaves_the_slug(alice):
    alice.client.post("/settings/tenant", {"name": "Alice & Co", "slug": "hijack", "plan": "free", "id": "1"})
    tenant = Tenant.objects.get(pk=alice.tenant.pk)
    assert (tenant.name, tenant.slug, tenant.plan_id) == ("Alice & Co", "alice", "enterprise")


def test_the_audit_page_filters_pages_and_escapes(alice):
    alice.client.post("/settings/keys", {"name": "<script>x</script>", "scopes": "read"})
    text = alice.client.get("/settings/audit").content.decode()
    assert "key.create" in text
    assert "<script>x" not in text
    part = alice.client.get("/settings/audit?action=member", headers={"hx-request": "true"}).content.decode()
    assert "Nothing found" in part
    assert "<html" not in part
    assert alice.client.get("/settings/audit?before=1").status_code == 404


def test_older_entries_have_a_next_page(alice):
    AuditEntry.objects.bulk_create(
        AuditEntry(tenant=alice.tenant, actor="a", action="x.y", target=str(n)) for n in range(60)
    )
    text = alice.client.get("/settings/audit").content.decode()
    older = re.search(r"before=([\w-]+)", text).group(1)
    assert alice.client.get(f"/settings/audit?before={older}").content.decode().count("<code>x.y") == 10


def test_a_person_without_a_tenant_founds_one():
    dora = Client()
    dora.force_login(
        User.objects.create_user("dora@example.org", "pw"),
        "allauth.account.auth_backends.AuthenticationBackend",
    )
    assert dora.get("/settings/keys")["Location"] == "/settings/found"
    assert dora.post("/settings/found", {"tenant": "admin"}).status_code == 422
    assert not Tenant.objects.exists()
    assert dora.post("/settings/found", {"tenant": "dora"}).status_code == 302
    assert dora.get("/settings/keys").status_code == 200


def test_signing_out_everywhere_ends_all_of_my_sessions_and_no_others(alice, charlie):
    other = Client()
    other.force_login(alice.user, "allauth.account.auth_backends.AuthenticationBackend")
    alice.client.post("/settings/sign-out-everywhere")
    assert other.get("/settings").status_code == 302
    assert charlie.client.get("/settings").status_code == 200
    assert Session.objects.count() == 1
