"""Files, revisions, differences and exports of a bundle by REST."""

from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest

from bundles import store
from bundles.models import Bundle, Revision
from tests.bundles.samples import SERVICE, shop
from tests.bundles.test_api_bundles import JSON, upload
from tests.conftest import Person


@pytest.fixture
def url(alice: Person) -> str:
    done = store.import_files("test", alice.tenant, shop() | {"page.html": b"<script>alert(1)</script>"})
    return f"/api/bundles/{done.bundle.pk}"


def put(alice: Person, url: str, data: bytes, match: str | None = '"1"') -> Any:
    headers = {} if match is None else {"If-Match": match}
    return alice.api.put(url, data, content_type="application/octet-stream", headers=headers)


def test_files_are_listed_with_their_sizes(alice: Person, url: str) -> None:
    answer = alice.api.get(f"{url}/files")
    assert answer["ETag"] == '"1"'
    assert {"bundle.yaml", "wasm/shop.wasm"} <= {item["path"] for item in answer.json()["items"]}


def test_a_file_is_never_a_page(alice: Person, url: str) -> None:
    answer = alice.api.get(f"{url}/files/page.html")
    assert answer.content == b"<script>alert(1)</script>"
    assert answer["Content-Type"].startswith("text/plain")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert alice.api.get(f"{url}/files/wasm/shop.wasm")["Content-Type"] == "application/octet-stream"


def test_absent_files_are_404(alice: Person, url: str) -> None:
    for path in ("nothing", "../bundle.yaml", "..%2f..%2fsecret_key", "%00"):
        assert alice.api.get(f"{url}/files/{path}").status_code == 404, path


def test_an_edit_needs_the_revision(alice: Person, url: str) -> None:
    assert put(alice, f"{url}/files/a.txt", b"x", None).status_code == 428
    assert put(alice, f"{url}/files/a.txt", b"x", '"7"').status_code == 412
    assert put(alice, f"{url}/files/a.txt", b"x", "nonsense").status_code == 412
    assert alice.api.delete(f"{url}/files/page.html").status_code == 428
    assert Revision.objects.count() == 1


@pytest.mark.parametrize("match", ['"1"', "1", 'W/"1"', "*", '"7", "1"'])
def test_an_edit_is_a_revision(alice: Person, url: str, match: str) -> None:
    answer = put(alice, f"{url}/files/new/a.txt", b"hello \xff", match)
    assert answer.status_code == 200
    assert answer["ETag"] == '"2"'
    assert answer.json()["revision"] == 2
    assert alice.api.get(f"{url}/files/new/a.txt").content == b"hello \xff"
    assert alice.api.get(f"{url}/files/new/a.txt?revision=1").status_code == 404


def test_broken_yaml_is_stored_and_told(alice: Person, url: str) -> None:
    answer = put(alice, f"{url}/files/shop/shop-service.yaml", SERVICE + b"  - [\n")
    assert answer.status_code == 200
    assert answer.json()["problems"][0]["file"] == "shop/shop-service.yaml"
    assert alice.api.get(f"{url}/problems").json()["items"] == answer.json()["problems"]


def test_names_that_no_file_may_have_are_refused(alice: Person, url: str) -> None:
    for path in ("a/%2e%2e/%2e%2e/b", "BUNDLE.yaml", "a%5Cb", "x%0Ay", "NUL"):
        assert put(alice, f"{url}/files/{path}", b"x").status_code in (404, 422), path
    assert Bundle.objects.get().revision == 1


def test_a_file_is_deleted(alice: Person, url: str) -> None:
    answer = alice.api.delete(f"{url}/files/page.html", headers={"If-Match": '"1"'})
    assert answer.status_code == 200
    assert answer["ETag"] == '"2"'
    assert alice.api.get(f"{url}/files/page.html").status_code == 404


def test_revisions_of_one_file_are_those_that_changed_it(alice: Person, url: str) -> None:
    def numbers(query: str) -> list[int]:
        return [one["revision"] for one in alice.api.get(f"{url}/revisions?{query}").json()["items"]]

    for number, (path, text) in enumerate(
        [("a.txt", b"1"), ("b.txt", b"1"), ("a.txt", b"2"), ("b.txt", b"2")], 1
    ):
        put(alice, f"{url}/files/{path}", text, f'"{number}"')
    assert numbers("file=a.txt") == [4, 2]
    assert numbers("file=a.txt&limit=1") == [4]
    assert numbers("file=a.txt&before=4") == [2]
    assert numbers("file=bundle.yaml") == [1]
    assert numbers("file=nobody.txt") == []


def test_revisions_differ_and_can_be_taken_back(alice: Person, url: str) -> None:
    put(alice, f"{url}/files/bundle.yaml", shop()["bundle.yaml"] + b"# more\n")
    changes = alice.api.get(f"{url}/diff?from=1&to=2").json()["files"]
    assert [(one["path"], one["status"]) for one in changes] == [("bundle.yaml", "changed")]
    assert "+# more" in changes[0]["diff"]
    answer = alice.api.post(f"{url}/revert", {"revision": 1}, content_type=JSON)
    assert answer.json()["revision"] == 3
    assert alice.api.get(f"{url}/diff?from=1").json()["files"] == []
    numbers = [item["revision"] for item in alice.api.get(f"{url}/revisions").json()["items"]]
    assert numbers == [3, 2, 1]
    assert alice.api.post(f"{url}/revert", {"revision": 9}, content_type=JSON).status_code == 404


def test_binary_differences_are_told_not_shown(alice: Person, url: str) -> None:
    put(alice, f"{url}/files/wasm/shop.wasm", b"\0asm broken")
    (change,) = alice.api.get(f"{url}/diff?from=1").json()["files"]
    assert change["diff"] is None
    assert "bytes" in change["note"]


def test_an_export_is_repeatable_and_imports_again(alice: Person, charlie: Person, url: str) -> None:
    first, second = alice.api.get(f"{url}/export"), alice.api.get(f"{url}/export")
    assert first.content == second.content
    assert "bundle.yaml" in ZipFile(BytesIO(first.content)).namelist()
    again = upload(charlie.api, first.content)
    assert again.status_code == 201
    theirs = Revision.objects.get(bundle_id=again.json()["id"])
    assert theirs.files == Revision.objects.get(bundle__tenant=alice.tenant).files


def test_an_import_of_the_own_export_is_a_revision_with_the_same_files(alice: Person, url: str) -> None:
    exported = alice.api.get(f"{url}/export").content
    assert upload(alice.api, exported).json()["revision"] == 2
    assert alice.api.get(f"{url}/export").content == exported
