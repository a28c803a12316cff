"""No REST operation without a door, and a real session needs its CSRF token (A093, A103)."""

import pytest
from django.test import Client

from billing.door import Anybody, Door
from billing.models import ApiKey
from priostack.api import api

pytestmark = pytest.mark.django_db


def operations():
    for bound in api._get_bound_routers():
        for path, view in bound.path_operations.items():
            for operation in view.operations:
                yield f"{operation.methods} {path}", operation


def test_every_operation_declares_its_door():
    found = dict(operations())
    assert found
    for name, operation in found.items():
        assert len(operation.auth_callbacks) == 1, name
        assert isinstance(operation.auth_callbacks[0], Door | Anybody), name


def test_operations_that_strangers_may_use_are_listed_here():
    anonymous = {name for name, operation in operations() if type(operation.auth_callbacks[0]) is Anybody}
    assert anonymous == set()


def test_a_real_session_needs_its_csrf_token(alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice.user, "allauth.account.auth_backends.AuthenticationBackend")
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        answer = browser.post("/api/keys", '{"name": "by another site"}', content_type=kind)
        assert answer.status_code == 403, kind
        assert answer["Content-Type"] == "application/problem+json"
    assert ApiKey.objects.count() == 1
    browser.get("/accounts/password/change/")
    token = browser.cookies["csrftoken"].value
    sent = browser.post(
        "/api/keys", {"name": "mine"}, content_type="application/json", headers={"x-csrftoken": token}
    )
    assert sent.status_code == 201


def test_strangers_are_refused_before_their_bytes_are_read(db):
    answer = Client().post("/api/keys", "{" * 1000, content_type="application/json")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
