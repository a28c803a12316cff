"""A backup brings everything back exactly, is private, and lands on what is in use only by force (A166)."""

import json
import stat
from io import StringIO
from zipfile import ZipFile

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from billing import access, secrets
from billing.models import ApiKey, AuditEntry, Tenant, User
from billing.redis import redis
from bundles import files
from bundles.models import Bundle, Revision
from bundles.store import import_files
from priostack import rows
from tests.bundles.samples import shop

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]
BINARY = bytes(range(256))


@pytest.fixture
def home(alice, tmp_path):
    """Alice's installation, and a file that a backup of it was written to."""
    bundle = import_files("test", alice.tenant, shop()).bundle
    secrets.put(alice.tenant, "STRIPE", b"canary-1717", ["api.stripe.com"])
    client = redis()
    client.hset(f"tenant:{alice.tenant.pk}:bundle:{bundle.pk}:kv:data", mapping={b"cart": BINARY, b"n": b"1"})
    client.zadd(f"tenant:{alice.tenant.pk}:index", {"b": 0.1, "a": 2})
    client.set(f"tenant:{alice.tenant.pk}:soon", "x", px=600_000)
    client.set("not:ours", "x")
    archive = tmp_path / "all.zip"
    call_command("backup", str(archive), stdout=StringIO())
    return archive


def everything():
    return {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in rows.tables()}


def wipe():
    from django.db import transaction

    with transaction.atomic():
        rows.clear()
    for name in list(files.stored()):
        files.delete(name)
    redis().flushall()


def restore(archive, *args):
    out, err = StringIO(), StringIO()
    call_command("restore", str(archive), *args, stdout=out, stderr=err)
    return out.getvalue() + err.getvalue()


def test_the_archive_is_private_and_holds_no_key_in_clear(home, alice, settings):
    assert stat.S_IMODE(home.stat().st_mode) == 0o600
    with ZipFile(home) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    for hidden in (b"canary-1717", settings.SECRET_KEY.encode(), alice.token.encode(), b"sessions.session"):
        assert hidden not in everything
    assert not list(home.parent.glob("*.partial"))


def test_everything_comes_back_as_it_was(home, alice):
    before, stored = everything(), set(files.stored())
    wipe()
    assert not User.objects.exists()
    assert "are back" in restore(home)
    assert everything() == before
    assert set(files.stored()) == stored
    assert secrets.open_for(alice.tenant.pk, ["STRIPE"]) == {"STRIPE": b"canary-1717"}
    assert access.of_token(alice.token).tenant == "alice"
    assert User.objects.get().check_password(alice.password)
    assert Revision.objects.get().bundle.name == "shop"


def test_memory_comes_back_bytes_scores_and_expiry(home, alice):
    wipe()
    restore(home)
    client, bundle = redis(), Bundle.objects.get()
    assert client.hget(f"tenant:{alice.tenant.pk}:bundle:{bundle.pk}:kv:data", "cart") == BINARY
    assert client.zscore(f"tenant:{alice.tenant.pk}:index", "b") == 0.1
    assert 0 < client.pttl(f"tenant:{alice.tenant.pk}:soon") <= 600_000
    assert client.get("not:ours") is None


def test_new_rows_get_new_numbers_afterwards(home):
    wipe()
    restore(home)
    assert User.objects.create_user("new@example.org", "pw").pk > 1


def test_an_installation_in_use_is_not_overwritten(home, alice):
    AuditEntry.objects.create(tenant=alice.tenant, actor="a", action="since.then")
    before = everything()
    with pytest.raises(CommandError, match="not empty"):
        restore(home)
    assert everything() == before
    restore(home, "--force")
    assert not AuditEntry.objects.filter(action="since.then").exists()


def tampered(home, **changes):
    other = home.with_name("other.zip")
    with ZipFile(home) as old, ZipFile(other, "w") as new:
        for name in old.namelist():
            new.writestr(
                name, changes.get(name.split("/")[0].split(".")[0], lambda data: data)(old.read(name))
            )
    return other


@pytest.mark.parametrize(
    "changes",
    [
        {"about": lambda data: b"{}"},
        {"about": lambda data: b"no json"},
        {"about": lambda data: json.dumps(json.loads(data) | {"migrations": []}).encode()},
    ],
)
def test_a_foreign_archive_is_refused_and_nothing_changes(home, changes):
    before = everything()
    with pytest.raises(CommandError):
        restore(tampered(home, **changes), "--force")
    assert everything() == before


def test_half_an_archive_is_refused_and_nothing_changes(home):
    before = everything()
    home.write_bytes(home.read_bytes()[: home.stat().st_size // 2])
    with pytest.raises(CommandError, match="archive"):
        restore(home, "--force")
    with pytest.raises(CommandError):
        restore(home.with_name("absent.zip"), "--force")
    assert everything() == before


def test_names_that_climb_out_are_refused_and_nothing_changes(home):
    with ZipFile(home, "a") as archive:
        archive.writestr("files/../../evil", b"x")
    before = everything()
    with pytest.raises(CommandError, match="evil"):
        restore(home, "--force")
    assert everything() == before
    assert not default_storage.exists("evil")


def test_another_secret_key_is_told(home, settings):
    wipe()
    settings.SECRET_KEY = "n" * 60
    assert "Secrets cannot be read" in restore(home)
    assert (Tenant.objects.count(), ApiKey.objects.count()) == (1, 1)
