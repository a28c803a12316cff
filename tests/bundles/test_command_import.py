"""`manage.py import`."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from bundles import store
from bundles.models import Bundle, Revision
from tests.bundles.samples import SERVICE, shop, zipped
from tests.conftest import Person


def run(*args: str, **options: Any) -> str:
    out = StringIO()
    call_command("import", *args, stdout=out, stderr=out, **options)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, data in shop().items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    return tmp_path


def test_a_folder_is_imported(alice: Person, folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("not for the bundle")
    assert "shop: revision 1, stopped" in run(str(folder), "--tenant", "alice")
    assert store.contents_of(Revision.objects.get()) == shop()


def test_a_zip_is_imported_and_run(alice: Person, tmp_path: Path) -> None:
    (tmp_path / "shop.zip").write_bytes(zipped(shop(), folder="shop/"))
    asked = (str(tmp_path / "shop.zip"), "--tenant", "alice", "--run", "--json")
    told = json.loads(run(*asked, "--wait", "0"))
    assert (told["name"], told["revision"], told["status"]) == ("shop", 1, "starting")
    assert told["id"] == str(Bundle.objects.get().pk)


@pytest.mark.parametrize("end", ["running", "error"])
def test_running_is_waited_for(
    alice: Person, folder: Path, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: Bundle.objects.update(status=end))  # the worker
    asked = (str(folder), "--tenant", "alice", "--run", "--wait", "1000", "--json")
    assert json.loads(run(*asked))["status"] == end


def test_problems_are_printed_with_their_places(alice: Person, folder: Path) -> None:
    service = folder / "shop" / "shop-service.yaml"
    service.write_bytes(SERVICE.replace(b"wasm:shop:echo", b"wasm:shops:echo", 1))
    assert "shop/shop-service.yaml:5:" in run(str(folder), "--tenant", "alice")
    service.write_bytes(b"name: [")
    with pytest.raises(CommandError):
        run(str(folder), "--tenant", "alice")
    assert Bundle.objects.get().revision == 1


def test_links_and_unknown_tenants_are_refused(alice: Person, folder: Path) -> None:
    (folder / "link").symlink_to("/etc/passwd")
    for tenant in ("alice", "nobody"):
        with pytest.raises(CommandError):
            run(str(folder), "--tenant", tenant)
    with pytest.raises(CommandError):
        run(str(folder / "absent"), "--tenant", "alice")
    assert not Bundle.objects.exists()


def test_terminal_escapes_are_written_out(alice: Person, folder: Path) -> None:
    service = folder / "shop" / "shop-service.yaml"
    service.write_bytes(SERVICE.replace(b"wasm:shop:echo", b'"wasm:\\e[31m:echo"', 1))
    out = StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("import", str(folder), "--tenant", "alice", stdout=out, stderr=out)
    assert "\x1b" not in out.getvalue() + str(refused.value)
