"""Every REST operation has a door: strangers 401, too small 403, a cookie without its CSRF token 403."""

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

from billing import keys
from billing.access import principal
from billing.door import Anybody, Door, Shut
from billing.errors import ApiError
from billing.models import ApiKey
from billing.provision import provision

pytestmark = pytest.mark.django_db


def ask(method="get", token="", user=None, strict=True) -> HttpRequest:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    request = getattr(RequestFactory(enforce_csrf_checks=strict), method)("/api/x", headers=headers)
    if user:
        request.user = user
    request.who = SimpleLazyObject(lambda: principal(request))
    return request


def refusal(scope, request) -> int:
    with pytest.raises(ApiError) as caught:
        Door(scope)(request)
    return caught.value.status


def test_a_key_passes_without_csrf_and_leaves_who(alice):
    request = ask("post", alice.token)
    assert Door("write")(request)
    assert (request.who.tenant, request.who.key_id) == ("alice", alice.key.pk)


def test_a_session_may_read_but_needs_csrf_to_change(alice):
    assert Door("read")(ask(user=alice.user))
    assert refusal("write", ask("post", user=alice.user)) == 403


def test_strangers_bad_keys_and_other_schemes_are_401(alice):
    assert refusal("read", ask()) == 401
    assert refusal("read", ask(token=alice.token + "x")) == 401
    request = ask(user=alice.user)
    request.META["HTTP_AUTHORIZATION"] = "Basic YWxpY2U6eA=="
    assert refusal("read", request) == 401, "a cookie must not help out a bad key"


def test_a_key_never_owns_whatever_its_row_says_and_a_plain_one_does_not_administer(alice):
    assert refusal("admin", ask(token=alice.token)) == 403
    ApiKey.objects.filter(pk=alice.key.pk).update(scopes=["read", "admin", "owner"])
    assert Door("read")(ask(token=alice.token))
    assert refusal("owner", ask(token=alice.token)) == 403


def test_the_key_of_the_command_line_manages_keys_and_secrets(db):
    made = provision("ops", "ops@example.org")
    assert Door("admin")(ask(token=made.api_key))
    assert refusal("owner", ask(token=made.api_key)) == 403


def test_scopes_and_roles_bound(alice, bob):
    _, token = keys.create(alice.tenant, "reader", scopes=("read",))
    assert refusal("call", ask("post", token)) == 403
    assert refusal("write", ask("post", user=bob.user, strict=False)) == 403


def test_a_signed_in_person_without_a_tenant_is_told(django_user_model):
    dora = django_user_model.objects.create_user("dora@example.org", "pw")
    assert refusal("read", ask(user=dora)) == 403


def test_no_such_scope_is_a_mistake_at_import():
    with pytest.raises(ValueError):
        Door("reed")


def test_an_operation_without_a_door_lets_nobody_in(alice):
    with pytest.raises(ApiError) as caught:
        Shut()(ask(token=alice.token))
    assert caught.value.status == 403
    assert Anybody()(ask())
