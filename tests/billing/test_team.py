"""Members over REST: invitations, acceptance, roles, the last owner, the plan's limit (A080, A160)."""

import pytest
from django.core import mail

from billing import team
from billing.errors import ApiError
from billing.models import Invitation, Membership, Plan, Tenant, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


def invite(person, email="dora@example.org", role="editor"):
    body = {"email": email, "role": role}
    return person.client.post("/api/invitations", body, content_type="application/json")


def role(person, member, name):
    return person.client.patch(f"/api/members/{member.pk}", {"role": name}, content_type="application/json")


@pytest.fixture
def of(alice):
    return lambda person: Membership.objects.get(user=person.user, tenant=alice.tenant)


@pytest.fixture
def dora(db):
    return User.objects.create_user("dora@example.org", "pw")


@pytest.fixture
def admin(alice, bob, of):
    Membership.objects.filter(pk=of(bob).pk).update(role="admin")
    return bob


def token_of(answer):
    return answer.json()["url"].rsplit("/", 1)[1]


def test_an_invitation_is_mailed_with_our_own_address_and_listed(alice, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        made = invite(alice, "Dora@Example.org")
    assert made.status_code == 201
    (message,) = mail.outbox
    assert message.to == ["dora@example.org"]
    assert made.json()["url"] in message.body
    assert made.json()["url"].startswith("http://127.0.0.1:8000/")
    assert [item["email"] for item in alice.client.get("/api/invitations").json()["items"]] == [
        "dora@example.org"
    ]
    assert token_of(made) not in alice.client.get("/api/invitations").content.decode()


def test_acceptance_makes_a_member_once(alice, dora, rf):
    token = token_of(invite(alice))
    joined = team.accept(rf.post("/"), token, dora)
    assert (joined.tenant, joined.role) == (alice.tenant, "editor")
    with pytest.raises(ApiError) as caught:
        team.accept(rf.post("/"), token, dora)
    assert caught.value.status == 404


def test_somebody_else_cannot_accept(alice, charlie, rf):
    token = token_of(invite(alice))
    with pytest.raises(ApiError) as caught:
        team.accept(rf.post("/"), token, charlie.user)
    assert caught.value.status == 403
    assert not Membership.objects.filter(user=charlie.user, tenant=alice.tenant).exists()
    assert Invitation.objects.count() == 1


def test_an_old_link_is_dead_after_a_new_invitation_or_a_withdrawal(alice, dora, rf):
    first = token_of(invite(alice))
    again = invite(alice, role="viewer")
    for token in (first, "ps_made-up"):
        with pytest.raises(ApiError):
            team.accept(rf.post("/"), token, dora)
    assert alice.client.delete(f"/api/invitations/{again.json()['id']}").status_code == 204
    with pytest.raises(ApiError):
        team.accept(rf.post("/"), token_of(again), dora)
    assert Membership.objects.count() == 1


def test_the_plan_bounds_invitations_and_acceptance(alice, dora, rf):
    Plan.objects.filter(slug="enterprise").update(members=2)
    token = token_of(invite(alice))
    full = invite(alice, "emil@example.org")
    assert full.status_code == 429
    assert "Retry-After" in full
    assert invite(alice, role="viewer").status_code == 201, "the same person again takes no second place"
    Plan.objects.filter(slug="enterprise").update(members=1)
    token = token_of(invite(alice)) if Plan.objects.get(slug="enterprise").members > 1 else token
    with pytest.raises(ApiError):
        team.accept(rf.post("/"), token, dora)
    assert Membership.objects.count() == 1


def test_acceptance_meets_a_full_plan(alice, dora, rf):
    token = token_of(invite(alice))
    Tenant.objects.filter(pk=alice.tenant.pk).update(plan="pro")
    with pytest.raises(ApiError) as caught:
        team.accept(rf.post("/"), token, dora)
    assert caught.value.status == 429
    assert Membership.objects.count() == Invitation.objects.count() == 1


@pytest.mark.parametrize(
    ("email", "role_name"), [("nonsense", "viewer"), ("a@example.org", "emperor"), ("", "viewer")]
)
def test_nonsense_invites_nobody(alice, email, role_name):
    assert invite(alice, email, role_name).status_code == 422
    assert not Invitation.objects.exists()


def test_a_member_is_not_invited_again(alice, bob):
    assert invite(alice, "BOB@example.org").status_code == 409


def test_an_owner_changes_roles_and_the_change_holds_at_once(alice, bob, of):
    assert role(alice, of(bob), "editor").json()["role"] == "editor"
    assert bob.client.get("/api/me").json()["role"] == "editor"


def test_the_last_owner_stays(alice, of):
    assert role(alice, of(alice), "admin").status_code == 409
    assert alice.client.delete(f"/api/members/{of(alice).pk}").status_code == 409
    assert of(alice).role == "owner"


def test_an_admin_cannot_touch_owners_or_make_one(alice, admin, of):
    assert role(admin, of(alice), "viewer").status_code == 403
    assert role(admin, of(admin), "owner").status_code == 403
    assert invite(admin, role="owner").status_code == 403
    assert admin.client.delete(f"/api/members/{of(alice).pk}").status_code == 403
    assert (of(alice).role, of(admin).role) == ("owner", "admin")


def test_viewers_foreigners_and_keys_change_nobody(alice, bob, charlie, of):
    assert role(bob, of(bob), "owner").status_code == 403
    assert role(charlie, of(bob), "owner").status_code == 404
    assert charlie.client.delete(f"/api/members/{of(bob).pk}").status_code == 404
    assert alice.api.get("/api/members").status_code == 403
    assert of(bob).role == "viewer"


def test_who_is_removed_is_out_at_once(alice, bob, of):
    assert alice.client.delete(f"/api/members/{of(bob).pk}").status_code == 204
    assert bob.client.get("/api/me").status_code == 403
