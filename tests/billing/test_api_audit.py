"""`/api/audit`: pages by cursor, filters, one tenant's own."""

import pytest
from django.db import connection

from billing.audit import write
from billing.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def history(alice):
    from billing.access import of_token

    who = of_token(alice.token)
    for number in range(5):
        write(who, "key.create" if number % 2 else "bundle.run", str(number))


def test_pages_follow_each_other_without_gaps_or_repeats(alice, history):
    seen, cursor = [], ""
    while cursor is not None:
        page = alice.client.get(
            f"/api/audit?limit=2&cursor={cursor}" if cursor else "/api/audit?limit=2"
        ).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)


def test_filters(alice, history):
    found = alice.client.get("/api/audit?action=key").json()["items"]
    assert {item["action"] for item in found} == {"key.create"}
    assert alice.client.get("/api/audit?actor=nobody%00").json()["items"] == []


def test_only_admins_of_this_tenant(alice, bob, charlie, history):
    assert bob.client.get("/api/audit").status_code == 403
    assert alice.api.get("/api/audit").status_code == 403
    assert charlie.client.get("/api/audit").json() == {"items": [], "next": None}


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=1"])
def test_bad_queries_are_422(alice, query):
    assert alice.client.get(f"/api/audit?{query}").status_code == 422


def test_the_log_is_read_with_few_queries(alice, history, django_assert_max_num_queries):
    with django_assert_max_num_queries(5):
        alice.client.get("/api/audit")
    assert connection.vendor
    assert AuditEntry.objects.count() == 5
