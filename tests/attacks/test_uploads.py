"""Hostile files at every door that takes files (A027, A030–A036, A038, A040–A046, A050–A053, A058, A060, A061).

The doors: upload by REST and by page, `manage.py import`, files as JSON, one file by REST and by page, module uploads.
"""

import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from wasmtime import wat2wasm

from bundles import store
from bundles.models import Bundle, Flow, Module, Revision
from tests.attacks import door
from tests.bundles.samples import HEAD, shop, wasm
from tests.bundles.test_archive import HOSTILE, packed, with_mode
from tests.bundles.test_flow_attacks import HOSTILE as FLOWS
from tests.bundles.test_values import HEAVY
from tests.conftest import Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
J = "application/json"

Refused = str | None  # why; None when it went through


def by_rest(alice: Person, data: bytes, folder: Path) -> Refused:
    answer = alice.api.post("/api/bundles/upload", {"file": SimpleUploadedFile("b.zip", data)})
    return answer.content.decode() if answer.status_code == 422 else None


def by_page(alice: Person, data: bytes, folder: Path) -> Refused:
    answer = alice.client.post("/bundles/import/zip", {"file": SimpleUploadedFile("b.zip", data)})
    return answer.content.decode() if answer.status_code == 422 else None


def by_command(alice: Person, data: bytes, folder: Path) -> Refused:
    out = StringIO()
    (folder / "b.zip").write_bytes(data)
    try:
        call_command("import", str(folder / "b.zip"), "--tenant=alice", stdout=out, stderr=out)
    except CommandError as refused:
        return out.getvalue() + str(refused)
    return None


ZIPS: dict[str, Callable[[Person, bytes, Path], Refused]] = {
    "rest": by_rest,
    "page": by_page,
    "command": by_command,
}
NAMES = {
    "A030": ["../x", "/abs", "C:\\x", "..\\x", "a/../../x", "a\\..\\x", "C:/x", "//host/share"],
    "A034": ["SHOP/shop-service.yaml", "shop", "Bundle.yaml"],
    "A027": [".git/config", "GIT~1/config", ".g\u200cit/x"],
    "A036": ["line\nbreak", "esc\x1b[31m", "rtl\u202egnp", "zero\u200bwidth", "x" * 300, "NUL", "end.", "nfd-e\u0301"],
    "A028": ["a/" * 13 + "b"],
}  # fmt: skip
FORM = ["../x", "C:\\x", "a/../../x", ".git/config", "Bundle.yaml", "rtl\u202egnp", "NUL", "a/" * 13 + "b"]
FILES = list(shop().items())


def zips() -> dict[str, bytes]:
    hostile = {
        f"{attack} {name!r}": packed([*FILES, (name, b"x")])
        for attack, all_names in NAMES.items()
        for name in all_names
    }
    hostile |= {
        "A031 link": with_mode("wasm/shop.wasm", b"/etc/passwd", 0o120777),
        "A032 bomb": packed([*FILES, ("zeros", bytes(5_000_000))]),
        "A032 nested": packed([("inner.zip", packed(FILES))]),
        "A034 twice": packed([*FILES, *FILES]),
        "A035 two heads": packed([*FILES, ("more/bundle.yaml", HEAD)]),
        "A035 not a folder": packed([("../bundle.yaml", HEAD)]),
        "A035 only litter": packed([("__MACOSX/bundle.yaml", HEAD)]),
        "A060 module": packed([*FILES[:2], ("wasm/shop.wasm", b"\x7fELF" + wasm())]),
    }
    return hostile | {f"A033 {name}": data for name, data in list(HOSTILE.items())[::5]}


@pytest.mark.parametrize("way", ZIPS)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_hostile_zip_comes_in_by_no_door(alice: Person, way: str, tmp_path: Path) -> None:
    before = door.counts(), door.files()
    some = (
        zips() if way == "rest" else {attack[:4]: data for attack, data in zips().items()}
    )  # all are read alike
    folder = tmp_path / "some" / "where"  # what climbs out of it would lie above
    folder.mkdir(parents=True)
    told = {attack: ZIPS[way](alice, data, folder) for attack, data in some.items()}
    assert [attack for attack, refused in told.items() if refused is None] == []
    assert not [
        attack for attack, refused in told.items() if "\x1b" in str(refused) or "\u202e" in str(refused)
    ]
    assert (door.counts(), door.files()) == before
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} <= {"b.zip", ".lock"}


# -- one file, and files as JSON -------------------------------------------------------------------


@pytest.fixture
def bundle(alice: Person) -> Bundle:
    return store.import_files("test", alice.tenant, shop()).bundle


def test_no_door_for_single_files_takes_a_crooked_name(alice: Person, bundle: Bundle) -> None:
    """A027, A030, A034, A036, A038: as JSON, as one file by REST, by the page's form and by the name of its upload."""
    before = door.counts(), door.files()
    for name in (name for names in NAMES.values() for name in names):
        files = {path: data.decode() for path, data in FILES[:2]} | {name: "x"}
        assert alice.api.post("/api/bundles", {"files": files}, content_type=J).status_code == 422, name
        if name in FORM:
            plain = (
                name.replace("\n", "%0A").replace("\x1b", "%1B").replace("\\", "%5C").replace("..", "%2e%2e")
            )
            put = alice.api.put(f"/api/bundles/{bundle.pk}/files/{plain}", b"x", headers={"If-Match": '"1"'})
            assert put.status_code in {404, 422}, name
            form = {"file": SimpleUploadedFile("f", b"x"), "path": name}
            alice.client.post(f"/bundles/{bundle.pk}/add-file", form)
            alice.client.post(f"/bundles/{bundle.pk}/files/{plain}", {"text": "x", "expected": "1"})
    assert (door.counts(), door.files()) == before
    assert Bundle.objects.get().revision == 1


@pytest.mark.parametrize("name", ["../../etc/x", "C:\\x", "\0", "..", "x" * 400])
def test_the_name_of_a_file_added_by_the_page_is_a_name_inside_the_bundle(
    alice: Person, bundle: Bundle, name: str
) -> None:
    """A038."""
    file = SimpleUploadedFile("placeholder", b"x")
    file._name = name
    answer = alice.client.post(f"/bundles/{bundle.pk}/add-file", {"file": file})
    assert answer.status_code < 500
    assert not set(Revision.objects.latest("number").files) - set(shop()) - {"x", "C:x"}
    assert all(path.is_relative_to(door.settings.DATA_DIR) for path in door.files())


# -- texts ------------------------------------------------------------------------------------------

TEXTS: dict[str, bytes] = {
    "A040": b"a: !!python/object/apply:os.system [touch PWN]\n",
    "A041": HEAVY["alias bomb"],
    "A042": HEAVY["merge bomb"],
    "A043": b"a: " + b"[" * 900,
    "A044 number": b"a: " + b"9" * 5000,
    "A044 date": b"a: 2026-99-99\n",
    "A045": b"a: .nan\nb: -.inf\n",
    "A046": b"a: 1\na: 2\n",
    "A050": b"a: &a [*a]\n",
    "A052": b'a: "x\\0y"\n',
    "A053 documents": b"a: 1\n---\nb: 2\n",
    "A053 UTF-16": "a: 1".encode("utf-16"),
    "A053 tabs": b"a:\n\tb: 1\n",
}
PLACES: dict[str, bytes] = {  # where YAML is read, and what stands before it there
    "bundle.yaml": b"", "shop/shop-service.yaml": b"", "flows/f.yaml": b"", "tests/t.yaml": b"",
    "prompts/p.prmd": b"---\nid: p\n",
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_hostile_text_is_told_about_soon_wherever_yaml_is_read(
    alice: Person, bundle: Bundle, place: str
) -> None:
    """A040–A046, A050, A052, A053: what cannot be read refuses an import, or stays beside what runs as a problem."""
    before = door.counts()
    strict = place in {"bundle.yaml", "shop/shop-service.yaml"}
    for attack, text in TEXTS.items():
        data = PLACES[place] + text + (b"\n---\n" if place.endswith(".prmd") else b"")
        began = time.process_time()
        answer = by_rest(alice, packed([*((p, d) for p, d in FILES if p != place), (place, data)]), Path())
        assert time.process_time() - began < 2, attack
        assert not strict or answer is not None, attack
        assert answer is None or place in answer, attack
    assert not strict or door.counts() == before
    assert not Flow.objects.exclude(stopped=True).exists() or not strict
    assert Bundle.objects.count() == 1


@pytest.mark.parametrize("case", [case for case in FLOWS if "too many" not in case])
def test_a_hostile_flow_is_kept_out_or_kept_stopped(alice: Person, case: str) -> None:
    """A040–A043 at `/api/flows`: never a 500, and never a flow that runs."""
    began = time.process_time()
    made = alice.api.post("/api/flows", {"name": "f", "organism_yaml": FLOWS[case]}, content_type=J)
    assert made.status_code in {201, 413, 422}, made.content
    if made.status_code == 201:
        assert alice.api.post(f"/api/flows/{made.json()['id']}/start").status_code in {409, 422}
        assert alice.api.get(f"/api/flows/{made.json()['id']}").status_code == 200
        assert alice.client.get(f"/flows/{made.json()['id']}").status_code in {200, 302, 404}
    assert not Bundle.objects.filter(status__in=("starting", "running")).exists()
    assert time.process_time() - began < 10


# -- modules ----------------------------------------------------------------------------------------

GOOD = wasm()
MEMORY = '(memory (export "memory") 1)'
MODULES: dict[str, bytes] = {
    "A058 memory": bytes(wat2wasm('(module (memory (export "memory") 65536))')),
    "A058 memories": bytes(wat2wasm(f"(module {MEMORY} (memory 1))")),
    "A058 memory64": bytes(wat2wasm('(module (memory (export "memory") i64 1))')),
    "A060 cut": GOOD[:40], "A060 empty": b"", "A060 magic": b"\0asm", "A060 native": b"\x7fELF" + GOOD[4:],
    "A060 component": GOOD[:4] + b"\x0d\0\x01\0" + GOOD[8:], "A060 text": b"(module)",
    "A060 threads": bytes(wat2wasm('(module (memory (export "memory") 1 1 shared))')),
    "A061 system": bytes(wat2wasm(f'(module (import "env" "system" (func (param i32))) {MEMORY})')),
    "A061 sockets": bytes(wat2wasm(f'(module (import "wasi:sockets/tcp" "connect" (func)) {MEMORY})')),
    "A061 files": bytes(wat2wasm(f'(module (import "wasi:filesystem/types" "open" (func)) {MEMORY})')),
    "A061 memory": bytes(wat2wasm('(module (import "env" "memory" (memory 1)))')),
}  # fmt: skip


def module_by_rest(alice: Person, data: bytes) -> bool:
    form = {"name": "m", "file": SimpleUploadedFile("m.wasm", data)}
    return alice.api.post("/api/modules", form).status_code in {413, 422}


def module_by_page(alice: Person, data: bytes) -> bool:
    form = {"name": "m", "file": SimpleUploadedFile("m.wasm", data)}
    return alice.client.post("/modules", form).status_code in {413, 422}


def module_in_zip(alice: Person, data: bytes) -> bool:
    return by_rest(alice, packed([*FILES[:2], ("wasm/shop.wasm", data)]), Path()) is not None


DOORS = {"rest": module_by_rest, "page": module_by_page, "zip": module_in_zip}


@pytest.mark.parametrize("way", DOORS)
def test_a_hostile_module_comes_in_by_no_door(alice: Person, way: str) -> None:
    before = door.counts(), door.files()
    assert [attack for attack, data in MODULES.items() if not DOORS[way](alice, data)] == []
    assert (door.counts(), door.files()) == before
    assert not Module.objects.exists()


def test_a_hostile_module_put_into_a_bundle_is_told_about_and_never_compiled(
    alice: Person, bundle: Bundle
) -> None:
    """The file is kept as it is, also when it is faulty; what it is not, is a module."""
    from bundles.models import Binary

    before = Binary.objects.count()
    for number, (attack, data) in enumerate(MODULES.items(), 1):
        url = f"/api/bundles/{bundle.pk}/files/wasm/shop.wasm"
        put = alice.api.put(
            url, data, content_type="application/octet-stream", headers={"If-Match": f'"{number}"'}
        )
        assert put.status_code == 200, (attack, put.content)
        assert any(p["severity"] == "error" for p in put.json()["problems"]), attack
    assert Binary.objects.count() == before
