"""What two people do at the same moment: limits, the last owner, a name, a guess (A088, A160)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from billing.models import Invitation, Membership, Plan, Tenant, User

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]


def at_once(*acts: Callable[[], int]) -> list[int]:
    """Statuses of all ``acts``, started together, each in a thread with a connection of its own."""
    gate = Barrier(len(acts))

    def run(act: Callable[[], int]) -> int:
        try:
            gate.wait(10)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def browser(user):
    client = Client()
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_two_owners_cannot_demote_each_other(alice, bob):
    Membership.objects.filter(user=bob.user).update(role="owner")
    ids = {person: Membership.objects.get(user=person.user).pk for person in (alice, bob)}

    def demote(who, whom):
        body = {"role": "viewer"}
        path = f"/api/members/{ids[whom]}"
        return lambda: browser(who.user).patch(path, body, content_type="application/json").status_code

    at_once(demote(alice, bob), demote(bob, alice))
    assert Membership.objects.filter(tenant=alice.tenant, role="owner").count() >= 1


def test_parallel_invitations_do_not_pass_the_limit(alice):
    Plan.objects.filter(slug="enterprise").update(members=3)

    def invite(number):
        body = {"email": f"p{number}@example.org"}
        client = browser(alice.user)
        return lambda: client.post("/api/invitations", body, content_type="application/json").status_code

    statuses = at_once(*[invite(number) for number in range(6)])
    assert sorted(statuses) == [201, 201, 429, 429, 429, 429]
    assert Invitation.objects.count() == 2


def test_of_two_founders_of_one_name_one_gets_it(db):
    Plan.objects.get_or_create(
        slug="pro", defaults={"name": "Pro"}
    )  # other tests may have emptied the tables
    people = [User.objects.create_user(f"p{number}@example.org", "pw") for number in range(4)]

    def found(user):
        client = browser(user)
        return lambda: client.post("/settings/found", {"tenant": "acme"}).status_code

    assert sorted(at_once(*map(found, people))) == [302, 422, 422, 422]
    assert (Tenant.objects.count(), Membership.objects.count()) == (1, 1)


def test_parallel_guesses_are_counted_each(alice):
    def guess(number):
        body = {"login": alice.email, "password": f"guess {number}"}
        return lambda: Client().post("/accounts/login/", body).status_code

    at_once(*[guess(number) for number in range(8)])
    late = Client()
    late.post("/accounts/login/", {"login": alice.email, "password": alice.password})
    assert late.get("/settings").status_code == 302
