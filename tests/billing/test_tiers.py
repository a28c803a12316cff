"""Another plan: what fits no more is read-only or stopped, newest first; nothing is lost, owners are told (R40, A160)."""

import pytest
from django.core import mail
from django.core.management import call_command
from django.urls import reverse

from billing import tiers
from billing.access import of_user
from billing.models import AuditEntry, Membership, Plan, Tenant, User
from bundles import limits, registry
from bundles.author import Author
from bundles.models import Bundle, Flow, Module
from runtime import flowstore
from runtime.flowexamples import BLANK
from tests.bundles.samples import wasm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


def put_on(person, slug):
    return tiers.change(person.tenant.pk, Plan.objects.get(slug=slug), actor="test")


def tenant_of(person):
    return Tenant.objects.select_related("plan").get(pk=person.tenant.pk)


@pytest.fixture
def three(alice):
    """Three flows, oldest first."""
    by = Author(of_user(alice.user))
    return [flowstore.create(by, name=f"f{n}", text=BLANK.format(name=f"f{n}")) for n in range(3)]


def going(flows):
    return [not row.stopped for row in Flow.objects.filter(pk__in=[f.pk for f in flows]).order_by("created")]


def test_flows_beyond_the_plan_are_stopped_newest_first(alice, three):
    """R40."""
    Flow.objects.update(stopped=False)
    stopped = put_on(alice, "free")
    assert going(three) == [True, False, False]
    assert stopped == [
        "The flow f1 is stopped: the plan includes 1.",
        "The flow f2 is stopped: the plan includes 1.",
    ]
    assert Flow.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_the_owner_is_told_once_and_the_audit_log_knows(alice, three):
    """R40."""
    Flow.objects.update(stopped=False)
    put_on(alice, "free")
    put_on(alice, "free")
    assert [one.to for one in mail.outbox] == [["alice@example.org"]]
    assert "The flow f2 is stopped" in mail.outbox[0].body
    entry = AuditEntry.objects.get(action="tenant.plan")
    assert (entry.target, entry.detail) == ("free", {"before": "enterprise"})


def test_what_is_beyond_the_plan_cannot_be_started_or_changed_only_deleted(alice, three):
    put_on(alice, "free")
    path = f"/api/flows/{three[2].pk}"
    assert alice.client.post(f"{path}/start").status_code == 429
    text = BLANK.format(name="f2") + "\n# changed\n"
    revision = Bundle.objects.get().revision
    answer = alice.client.put(
        path, {"organism_yaml": text}, content_type="application/json", headers={"if-match": f'"{revision}"'}
    )
    assert answer.status_code == 429
    file = f"/api/bundles/{three[2].bundle_id}/files/{three[2].path}"
    assert alice.client.put(file, text, "text/yaml", headers={"if-match": f'"{revision}"'}).status_code == 429
    assert Bundle.objects.get().revision == revision
    assert alice.client.get(path).status_code == 200
    assert alice.client.delete(path).status_code == 204


def test_another_one_makes_room_when_the_first_is_deleted(alice, three):
    put_on(alice, "free")
    assert limits.spare_flows(tenant_of(alice)) == three[1:]
    alice.client.delete(f"/api/flows/{three[0].pk}")
    assert limits.spare_flows(tenant_of(alice)) == three[2:]


def test_modules_beyond_the_plan_stay_and_nothing_calls_them(alice):
    for number in range(3):
        registry.add("test", alice.tenant, f"m{number}", wasm(1024 + number))
    Plan.objects.filter(slug="pro").update(modules=2)
    put_on(alice, "pro")
    assert Module.objects.count() == 3
    spare = limits.spare_modules(tenant_of(alice))
    assert spare == {Module.objects.get(name="m2").binary_id}
    with pytest.raises(limits.ApiError) as refused:
        registry.add("test", alice.tenant, "m2", wasm(4096))
    assert refused.value.status == 429
    put_on(alice, "enterprise")
    assert limits.spare_modules(tenant_of(alice)) == set()


def test_members_beyond_the_plan_only_read_and_come_back(alice, bob):
    Membership.objects.filter(user=bob.user).update(role="admin")
    stopped = put_on(alice, "pro")
    assert stopped == ["bob@example.org may only read: the plan has room for 1."]
    assert of_user(bob.user).scopes == {"read"}
    assert bob.client.get("/settings/keys").status_code == 403
    assert of_user(alice.user).may("owner")
    put_on(alice, "enterprise")
    assert of_user(bob.user).may("admin")


def test_when_the_first_owner_leaves_the_next_one_is_in_charge(alice, bob):
    Membership.objects.filter(user=bob.user).update(role="owner")
    put_on(alice, "pro")
    mine = Membership.objects.get(user=alice.user)
    assert alice.client.delete(f"/api/members/{mine.pk}").status_code == 204
    assert of_user(bob.user).may("owner")


def test_the_admin_changes_a_plan_by_the_same_verb(alice, bob):
    root = User.objects.create_superuser("root@example.org", "pw")
    alice.client.force_login(root, "allauth.account.auth_backends.AuthenticationBackend")
    rows = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    path = reverse("admin:billing_tenant_change", args=[alice.tenant.pk])
    assert alice.client.post(path, {"name": "A", "plan": "pro"} | rows).status_code == 302
    assert tenant_of(alice).plan.slug == "pro"
    assert Membership.objects.get(user=bob.user).paused
    assert AuditEntry.objects.get(action="tenant.plan").actor == "root@example.org"


def test_a_plan_that_is_edited_counts_for_everybody_who_has_it(alice, bob):
    Plan.objects.filter(slug="enterprise").update(members=1)
    assert tiers.apply_all(Plan.objects.get(slug="enterprise")) == 1
    assert Membership.objects.get(user=bob.user).paused


def test_the_command_changes_the_plan_of_a_tenant(alice, bob, capsys):
    call_command("tenant", "alice", "--email", alice.email, "--plan", "pro")
    assert tenant_of(alice).plan.slug == "pro"
    assert "bob@example.org may only read" in capsys.readouterr().err
