"""Every route times everybody who might ask; a route that appears is in here by itself (A073, A074, A080, A093)."""

import pytest
from django.test import Client

from billing import keys
from billing.belongings import rows_of
from billing.door import SCOPES
from billing.models import Membership
from billing.slugs import RESERVED
from tests.priostack.routes import absent, address, belongings, operations, pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
OPERATIONS = operations()
PAGES = pages()
PUBLIC = {"/", "/docs", "/docs/<slug:page>", "/healthz", "/readyz", "/metrics"}
PUBLIC |= {
    path for path in PAGES if "/resume/" in path
}  # proves itself by its address: tests/runtime/test_resume.py
SIGNED = {"/webhooks/git/<uuid:bundle_id>"}  # proves itself by a signature: tests/bundles
# Of one's own, whoever one is: leaving, signing out, switching and founding change nothing of anybody else's.
OWN = {"/settings/members/leave", "/settings/sign-out-everywhere", "/settings/switch", "/settings/found"}
OWN |= {"/flow/<uuid:id>/star"}  # everybody's favourites are their own
ROLES = {"viewer": 1, "editor": 3, "admin": 4, "owner": 5}  # how many of SCOPES each has


def ask(client, operation, objects):
    path = address(operation.path, objects)
    body = {} if operation.method in {"GET", "DELETE"} else {"data": "{}", "content_type": "application/json"}
    return getattr(client, operation.method.lower())(path, **body)


def snapshot(person):
    return {
        model.__name__: list(rows.order_by("pk").values())
        for model, rows in rows_of(person.tenant.pk)
        if model.__name__ != "ApiKey"  # its last use is noted
    }


def test_there_is_something_to_try():
    assert len(OPERATIONS) > 20
    assert len(PAGES) > 20
    assert {operation.scope for operation in OPERATIONS} <= {*SCOPES, ""}


def test_no_tenant_can_have_the_name_of_a_page():
    own = {path.split("/")[1] for path in PAGES} - {""}
    assert own | {"api", "admin", "accounts", "static", "ws"} <= RESERVED


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_strangers_and_wrong_keys_are_401(alice, operation):
    if not operation.scope:
        pytest.skip("anybody may")
    objects, before = belongings(alice), snapshot(alice)
    for headers in ({}, {"authorization": "Bearer ps_nobody"}, {"authorization": "Basic YTpi"}):
        assert ask(Client(headers=headers), operation, objects).status_code == 401
    assert snapshot(alice) == before


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_key_without_the_scope_is_403(alice, operation):
    if not operation.scope:
        pytest.skip("anybody may")
    scopes = tuple(scope for scope in keys.SCOPES if scope != operation.scope)
    _, token = keys.create(alice.tenant, "too small", scopes=scopes)
    objects, before = belongings(alice), snapshot(alice)
    client = Client(headers={"authorization": f"Bearer {token}"})
    assert ask(client, operation, objects).status_code == 403
    assert snapshot(alice) == before


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_role_that_is_too_small_is_403(alice, bob, operation):
    objects = belongings(alice)
    for role, size in ROLES.items():
        Membership.objects.filter(user=bob.user).update(role=role)
        if operation.scope and operation.scope not in SCOPES[:size]:
            before = snapshot(alice)
            assert ask(bob.client, operation, objects).status_code == 403, role
            assert snapshot(alice) == before, role


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.method == "GET"], ids=str)
def test_the_owner_reads_what_is_hers(alice, operation):
    assert ask(alice.client, operation, belongings(alice)).status_code in {200, 409, 422}


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.has_object], ids=str)
def test_what_is_foreign_answers_like_what_is_absent(alice, charlie, operation):
    objects, before = belongings(alice), snapshot(alice)
    foreign, nothing = ask(charlie.client, operation, objects), ask(charlie.client, operation, absent())
    assert foreign.status_code == nothing.status_code
    assert foreign.status_code in {404, 422, 428}
    if foreign.status_code != 404:
        assert foreign.content == nothing.content
    assert snapshot(alice) == before


@pytest.mark.parametrize("path", PAGES)
def test_strangers_are_sent_to_sign_in(alice, path):
    where = address(path, belongings(alice))
    for method in ("get", "post"):
        answer = getattr(Client(), method)(where)
        if path in PUBLIC | SIGNED:
            assert answer.status_code in {200, 401, 403, 404, 405, 503}
        elif answer.status_code != 405:
            assert answer.status_code == 302, method
            assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", [path for path in PAGES if "<" in path and path not in PUBLIC])
def test_foreign_pages_are_absent(alice, charlie, path):
    objects, before = belongings(alice), snapshot(alice)
    for method in ("get", "post"):
        foreign = getattr(charlie.client, method)(address(path, objects), follow=True).status_code
        nothing = getattr(charlie.client, method)(address(path, absent()), follow=True).status_code
        assert foreign == nothing
        assert foreign in {401, 404, 405}
    assert snapshot(alice) == before


@pytest.mark.parametrize("path", [path for path in PAGES if path not in OWN])
def test_a_viewer_changes_nothing_by_posting_to_a_page(alice, bob, path):
    objects, before = belongings(alice), snapshot(alice)
    bob.client.post(address(path, objects), {"name": "x", "role": "owner", "content": "x", "slug": "alice"})
    assert snapshot(alice) == before
