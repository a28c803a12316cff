"""An export holds everything but secrets; a deletion leaves nothing and touches nobody else (A087, A167)."""

import json
import logging
from io import BytesIO, StringIO
from zipfile import ZipFile

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from billing import access, secrets
from billing.belongings import paths, rows_of
from billing.models import Leg, ReleasedSlug, Tenant, User
from billing.redis import redis
from bundles import files
from bundles.models import Bundle, Module
from bundles.store import import_files
from tests.bundles.samples import HEAD, shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
CANARY = "canary-3310"


def bundle_of(person, note):
    contents = shop() | {"notes.md": note}
    return import_files("test", person.tenant, contents).bundle


@pytest.fixture
def full(alice, charlie):
    """Alice and Charlie with a bundle, a secret and memory each; one content is in both bundles."""
    for person, note in ((alice, b"only alice has this"), (charlie, b"only charlie has this")):
        bundle = bundle_of(person, note)
        secrets.put(person.tenant, "STRIPE", CANARY.encode(), [])
        redis().hset(f"tenant:{person.tenant.pk}:bundle:{bundle.pk}:kv:data", "cart", b"\xff\x00")
        redis().set(f"tenant:{person.tenant.pk}:x", "1", px=60_000)
    return alice, charlie


def take(person):
    answer = person.client.post("/settings/tenant/export")
    assert answer.status_code == 200
    return ZipFile(BytesIO(b"".join(answer.streaming_content)))


def test_the_export_holds_rows_contents_and_memory(full):
    alice, _ = full
    archive = take(alice)
    bundle = json.loads(archive.read("rows/bundles.bundle.jsonl"))
    assert bundle["fields"]["name"] == "shop"
    assert archive.read(f"blobs/{files.digest(b'only alice has this')}") == b"only alice has this"
    assert any(json.loads(line)["type"] == "hash" for line in archive.read("memory.jsonl").splitlines())
    assert b",starter,10000,10000," in archive.read("wallet.csv")
    assert json.loads(archive.read("members.json")) == [{"email": alice.email, "role": "owner"}]


def test_the_export_holds_no_secret_and_nothing_of_others(full):
    alice, charlie = full
    archive = take(alice)
    everything = b"\n".join(archive.read(name) for name in archive.namelist())
    for hidden in (CANARY, alice.key.digest, alice.token, str(charlie.tenant.pk), "charlie"):
        assert hidden.encode() not in everything, hidden
    assert b'"sealed"' not in everything


def test_every_table_with_a_way_to_a_tenant_is_known():
    known = {model.__name__ for model in paths()}
    assert {
        "Bundle",
        "Revision",
        "Module",
        "Execution",
        "GoalState",
        "ApiKey",
        "Secret",
        "AuditEntry",
    } <= known
    assert User not in paths()
    for model in apps.get_models():
        if model is not Leg and any(
            field.name == "tenant" for field in model._meta.fields
        ):  # the ledger stays
            assert model in paths(), model


def test_deleting_leaves_nothing_of_it_and_everything_of_others(full, caplog):
    alice, charlie = full
    before = {model: rows.count() for model, rows in rows_of(charlie.tenant.pk)}
    with caplog.at_level(logging.WARNING, "priostack.audit"):
        answer = alice.client.post("/settings/tenant/delete", {"slug": "alice"})
    assert answer["Location"] == "/settings/found"
    assert {model: rows.count() for model, rows in rows_of(alice.tenant.pk) if rows.exists()} == {}
    assert {model: rows.count() for model, rows in rows_of(charlie.tenant.pk)} == before
    assert not list(redis().scan_iter(f"tenant:{alice.tenant.pk}:*"))
    assert len(list(redis().scan_iter(f"tenant:{charlie.tenant.pk}:*"))) == 2
    stored = set(files.stored())
    assert files.digest(b"only alice has this") not in stored
    assert files.digest(b"only charlie has this") in stored
    assert files.digest(HEAD) in stored, "charlie's bundle needs it too"
    assert "alice@example.org" in caplog.text


def test_after_it_the_key_is_dead_and_the_name_rests(full):
    alice, charlie = full
    alice.client.post("/settings/tenant/delete", {"slug": "alice"})
    assert access.of_token(alice.token) is None
    assert alice.client.get("/settings/keys")["Location"] == "/settings/found"
    assert ReleasedSlug.objects.get().slug == "alice"
    assert charlie.client.post("/settings/found", {"tenant": "alice"}).status_code == 422
    assert not Tenant.objects.filter(slug="alice").exists()


@pytest.mark.parametrize("typed", ["", "Alice", "charlie", "alice2"])
def test_a_mistyped_name_deletes_nothing(alice, typed):
    again = alice.client.post("/settings/tenant/delete", {"slug": typed})
    assert again.status_code == 422
    assert "<title>Tenant · Settings" in again.content.decode()
    assert Tenant.objects.filter(slug="alice").exists()


def test_only_owners_export_and_delete(alice, bob):
    assert bob.client.post("/settings/tenant/export").status_code == 403
    assert bob.client.post("/settings/tenant/delete", {"slug": "alice"}).status_code == 403
    assert alice.api.post("/settings/tenant/delete", {"slug": "alice"}).status_code == 302
    assert Tenant.objects.filter(slug="alice").exists()


def test_by_command(full):
    with pytest.raises(CommandError):
        call_command("tenant_delete", "nobody", "--yes")
    call_command("tenant_delete", "alice", "--yes", stdout=StringIO())
    assert [tenant.slug for tenant in Tenant.objects.all()] == ["charlie"]
    assert (Bundle.objects.count(), Module.objects.count()) == (1, 0)
