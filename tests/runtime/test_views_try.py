"""The "Try it" console: example, curl line, and the short-lived key of its browser."""

import shlex
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import ApiKey
from bundles import store
from bundles.models import Bundle
from runtime import tryit
from tests.runtime import stage

pytestmark = pytest.mark.django_db

CHECKS = b"""
- {name: not there, request: {method: POST, path: /api/s/items/x9/notes}, expect: {status: 404}}
- name: a note
  request:
    method: POST
    path: "/api/s/items/a%20b/notes"
    query: {loud: true}
    headers: {X-Who: it's me}
    body: {text: "it's \\u00e9"}
  expect: {status: 201}
"""


@pytest.fixture
def bundle(alice: Any) -> Bundle:
    files = stage.bundle_files("s", ["echo"], POST_n="wasm:echo:run", GET_open="wasm:echo:run")
    service = files["s.yaml"].replace(b"path: /n,", b'path: "/items/:item/notes",')
    service = service.replace(b"path: /open,", b"path: /open, auth: public,")
    return store.import_files(
        "test", alice.tenant, files | {"s.yaml": service, "tests/a.yaml": CHECKS}
    ).bundle


def console(person: Any, bundle: Bundle, endpoint: str = "n") -> Any:
    return person.client.get(
        reverse("runtime:try", args=[bundle.pk, "s", endpoint]), headers={"HX-Request": "true"}
    )


def test_it_starts_with_the_request_of_a_declared_test_that_succeeds(alice: Any, bundle: Bundle) -> None:
    answer = console(alice, bundle)
    page = answer.content.decode()
    assert 'data-tryit-param="item" value="a b"' in page
    assert 'value="loud=true"' in page
    line = answer.context["curl"]
    words = shlex.split(line.replace("\\\n", " "))
    assert words[:4] == [
        "curl",
        "-X",
        "POST",
        "http://127.0.0.1:8000/alice/api/s/items/a%20b/notes?loud=true",
    ]
    assert "X-Who: it's me" in words
    assert "Authorization: Bearer $KEY" in words
    assert words[-1] == '{\n  "text": "it\'s é"\n}'


def test_a_public_endpoint_needs_no_key_and_a_get_has_no_body(alice: Any, bundle: Bundle) -> None:
    answer = console(alice, bundle, "open")
    assert answer.context["curl"] == "curl http://127.0.0.1:8000/alice/api/s/open"
    assert b"data-tryit-body" not in answer.content


def test_a_parameter_without_a_value_stays_visible() -> None:
    assert tryit.address("http://h", "/t/a/:id", tryit.Example()) == "http://h/t/a/:id"


def test_it_is_a_page_of_its_own_without_javascript(alice: Any, bundle: Bundle) -> None:
    page = alice.client.get(reverse("runtime:try", args=[bundle.pk, "s", "n"])).content.decode()
    assert "<html" in page
    assert "curl -X POST" in page


def test_the_key_may_only_call_and_soon_ends(alice: Any, bundle: Bundle) -> None:
    given = alice.client.post(reverse("runtime:try_key")).json()
    key = ApiKey.objects.get(prefix=given["key"][:9])
    assert (key.scopes, key.console, key.tenant_id) == (["call"], True, alice.tenant.pk)
    assert key.expires is not None
    assert given["seconds"] <= 15 * 60


def test_a_viewer_gets_no_key_and_no_button(alice: Any, bob: Any, bundle: Bundle) -> None:
    before = ApiKey.objects.count()
    assert bob.client.post(reverse("runtime:try_key")).status_code == 403
    assert ApiKey.objects.count() == before
    assert b"data-tryit-send" not in console(bob, bundle).content


def test_another_site_gets_no_key(alice: Any) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice.user, "allauth.account.auth_backends.AuthenticationBackend")
    before = ApiKey.objects.count()
    assert browser.post(reverse("runtime:try_key")).status_code == 403
    assert ApiKey.objects.count() == before


def test_charlie_and_absent_endpoints_see_404(alice: Any, charlie: Any, bundle: Bundle) -> None:
    assert console(charlie, bundle).status_code == 404
    assert console(alice, bundle, "absent").status_code == 404
