"""The administration of bundles: everything can be found, what is immutable is only shown."""

import pytest
from django.test import Client

from billing.models import User
from bundles import store
from bundles.models import Bundle, Module, Revision
from tests.bundles.samples import shop
from tests.conftest import Person

TABLES = ["bundle", "revision", "binary", "module", "flow"]


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    user = User.objects.create_superuser("root@example.org", "x")
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def bundle(alice: Person) -> Bundle:
    bundle = store.import_files("test", alice.tenant, shop()).bundle
    sha256 = Revision.objects.get().files["wasm/shop.wasm"][0]
    Module.objects.create(tenant=alice.tenant, name="tools", binary_id=sha256)
    return bundle


@pytest.mark.parametrize("table", TABLES)
def test_rows_are_listed_searched_and_opened(root: Client, bundle: Bundle, table: str) -> None:
    assert root.get(f"/admin/bundles/{table}/").status_code == 200
    assert root.get(f"/admin/bundles/{table}/?q=shop").status_code == 200
    model = {"bundle": Bundle, "revision": Revision, "module": Module}.get(table)
    if model:
        row = model.objects.get()
        assert root.get(f"/admin/bundles/{table}/{row.pk}/change/").status_code == 200


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_added_by_hand(root: Client, bundle: Bundle, table: str) -> None:
    assert root.get(f"/admin/bundles/{table}/add/").status_code == 403


def test_a_revision_cannot_be_changed_or_deleted(root: Client, bundle: Bundle) -> None:
    url = f"/admin/bundles/revision/{Revision.objects.get().pk}"
    assert root.post(f"{url}/change/", {"number": 7}).status_code == 403
    assert root.post(f"{url}/delete/", {"post": "yes"}).status_code == 403
    assert Revision.objects.get().number == 1


def test_deleting_a_bundle_there_stops_it_too(root: Client, alice: Person, bundle: Bundle) -> None:
    before = type(alice.tenant).objects.get(pk=alice.tenant.pk).version
    root.post(f"/admin/bundles/bundle/{bundle.pk}/delete/", {"post": "yes"})
    assert not Bundle.objects.exists()
    assert type(alice.tenant).objects.get(pk=alice.tenant.pk).version > before


def test_alice_is_no_administrator(alice: Person, bundle: Bundle) -> None:
    assert alice.client.get("/admin/bundles/bundle/").status_code == 302
