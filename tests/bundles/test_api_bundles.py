"""`/api/bundles`: importing by every door, reading, deleting, and who may."""

import base64
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bundles.models import Bundle, Revision
from tests.bundles.samples import SERVICE, shop, wasm, zipped
from tests.conftest import Person

JSON = "application/json"


def as_json(contents: dict[str, bytes]) -> dict[str, Any]:
    def one(data: bytes) -> Any:
        try:
            return data.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(data).decode()}

    return {path: one(data) for path, data in contents.items()}


def upload(client: Client, data: bytes, **fields: str) -> Any:
    return client.post("/api/bundles/upload", {"file": SimpleUploadedFile("x.zip", data), **fields})


def create(person: Person, contents: dict[str, bytes] | None = None) -> Any:
    return person.api.post("/api/bundles", {"files": as_json(contents or shop())}, content_type=JSON)


def test_a_zip_is_imported_and_answered_with_201(alice: Person) -> None:
    answer = upload(alice.api, zipped(shop()), name="My shop")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["name"], body["display_name"], body["revision"]) == ("shop", "My shop", 1)
    assert (body["status"], body["live_revision"], body["problems"]) == ("stopped", None, [])
    endpoint = body["services"][0]["endpoints"][0]
    assert endpoint["path"] == "/alice/api/v1/shop/items"
    assert body["created"].endswith("Z") or body["created"].endswith("+00:00")


def test_the_folder_around_a_bundle_is_left_out(alice: Person) -> None:
    upload(alice.api, zipped(shop(), folder="ecommerce/"))
    assert set(Revision.objects.get().files) == set(shop())


def test_importing_again_answers_200_with_the_same_id(alice: Person) -> None:
    first = upload(alice.api, zipped(shop()))
    second = upload(alice.api, zipped(shop() | {"a.txt": b"a"}))
    assert second.status_code == 200
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["revision"] == 2


def test_json_files_are_imported(alice: Person) -> None:
    answer = create(alice)
    assert answer.status_code == 201
    got = alice.api.get(f"/api/bundles/{answer.json()['id']}/files/wasm/shop.wasm")
    assert got.content == wasm()


def test_json_files_may_lie_one_folder_deep(alice: Person) -> None:
    whole = {f"shop/{path}": data for path, data in shop().items()}
    answer = create(alice, whole)
    assert answer.status_code == 201
    listed = alice.api.get(f"/api/bundles/{answer.json()['id']}/files").json()["items"]
    assert [file["path"] for file in listed] == sorted(shop())
    beside = create(alice, whole | {"other/readme.md": b"hi"})
    assert beside.status_code == 422
    assert beside.json()["errors"][0]["file"] == "other/readme.md"
    assert Bundle.objects.get().revision == 1


@pytest.mark.parametrize("folder", ["../", "/", "./", "C:/", ".git/"])
def test_the_folder_of_json_files_has_a_proper_name(alice: Person, folder: str) -> None:
    answer = create(alice, {f"{folder}{path}": data for path, data in shop().items()})
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert not Bundle.objects.exists()


def test_a_bundle_tells_its_revision_as_etag(alice: Person) -> None:
    got = alice.api.get(f"/api/bundles/{create(alice).json()['id']}")
    assert got.headers["ETag"] == f'"{got.json()["revision"]}"'


def test_bad_base64_is_422_and_nothing_is_stored(alice: Person) -> None:
    files = as_json(shop()) | {"wasm/shop.wasm": {"base64": "***"}}
    answer = alice.api.post("/api/bundles", {"files": files}, content_type=JSON)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["file"] == "wasm/shop.wasm"
    assert not Bundle.objects.exists()


def test_a_lone_surrogate_is_422(alice: Person) -> None:
    body = b'{"files": {"bundle.yaml": "\\ud800"}}'
    assert alice.api.post("/api/bundles", body, content_type=JSON).status_code == 422
    body = b'{"files": {"\\ud800": "x"}}'
    assert alice.api.post("/api/bundles", body, content_type=JSON).status_code == 422


def test_errors_are_answered_with_their_places(alice: Person) -> None:
    answer = create(alice, shop() | {"shop/shop-service.yaml": SERVICE + b"      method: GET\n"})
    assert answer.status_code == 422
    assert answer["content-type"] == "application/problem+json"
    error = answer.json()["errors"][0]
    assert error["file"] == "shop/shop-service.yaml"
    assert error["line"] > 1
    assert set(error) == {"severity", "file", "line", "column", "message", "hint"}
    assert not Bundle.objects.exists()


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-1.4", b"PK\x05\x06" + bytes(18), zipped({"readme.txt": b"no bundle"})]
)
def test_what_is_no_bundle_is_refused(alice: Person, data: bytes) -> None:
    assert upload(alice.api, data).status_code == 422
    assert not Bundle.objects.exists()


@pytest.mark.parametrize("name", ["../x.yaml", "/etc/x", "a\\..\\x", "C:\\x", "a/../../x"])
def test_zip_slip_is_refused_as_a_whole(alice: Person, name: str) -> None:
    answer = upload(alice.api, zipped(shop() | {name: b"evil"}))
    assert answer.status_code == 422
    assert not Bundle.objects.exists()


def test_an_upload_without_a_file_is_422(alice: Person) -> None:
    assert alice.api.post("/api/bundles/upload", {"name": "x"}).status_code == 422
    wrong = alice.api.post("/api/bundles/upload", {"file": {"filepath": "/etc/passwd"}}, content_type=JSON)
    assert wrong.status_code == 422


def test_the_list_has_pages(alice: Person) -> None:
    for name in (b"a", b"b", b"c"):
        head = b"name: " + name + b"\nservices:\n  - path: shop/shop-service.yaml\n"
        create(alice, shop() | {"bundle.yaml": head})
    first = alice.api.get("/api/bundles?limit=2").json()
    assert [item["name"] for item in first["items"]] == ["a", "b"]
    second = alice.api.get(f"/api/bundles?limit=2&after={first['next']}").json()
    assert [item["name"] for item in second["items"]] == ["c"]
    assert second["next"] is None


def test_one_bundle_its_problems_and_its_deletion(alice: Person) -> None:
    url = f"/api/bundles/{create(alice).json()['id']}"
    assert alice.api.get(url).json()["name"] == "shop"
    assert alice.api.get(f"{url}/problems").json()["items"] == []
    assert alice.api.delete(url).status_code == 204
    assert alice.api.get(url).status_code == 404


def test_charlie_sees_nothing_of_alice(alice: Person, charlie: Person) -> None:
    url = f"/api/bundles/{create(alice).json()['id']}"
    assert charlie.api.get("/api/bundles").json()["items"] == []
    for part in ("", "/problems", "/files", "/files/bundle.yaml", "/revisions", "/diff?from=1", "/export"):
        assert charlie.api.get(url + part).status_code == 404, part
    assert charlie.api.delete(url).status_code == 404
    assert charlie.api.put(f"{url}/files/bundle.yaml", b"", headers={"If-Match": '"1"'}).status_code == 404
    assert charlie.api.delete(f"{url}/files/bundle.yaml", headers={"If-Match": '"1"'}).status_code == 404
    for part, body in (("/revert", {"revision": 1}), ("/update", {})):
        assert charlie.api.post(url + part, body, content_type=JSON).status_code == 404, part
    assert charlie.api.put(f"{url}/hook", {"deploy": True}, content_type=JSON).status_code == 404
    assert Bundle.objects.get().revision == 1


def test_absent_ids_are_404_also_when_they_are_none(alice: Person) -> None:
    for wrong in ("00000000-0000-0000-0000-000000000000", "1", "x%27--"):
        assert alice.api.get(f"/api/bundles/{wrong}").status_code == 404


def test_strangers_and_viewers_change_nothing(alice: Person, bob: Person) -> None:
    url = f"/api/bundles/{create(alice).json()['id']}"
    assert Client().get(url).status_code == 401
    assert Client().delete(url).status_code == 401
    assert upload(Client(), zipped(shop())).status_code == 401
    assert bob.client.get(url).status_code == 200
    assert bob.client.delete(url).status_code == 403
    assert upload(bob.client, zipped(shop())).status_code == 403
    assert Bundle.objects.get().revision == 1


def test_a_session_needs_its_csrf_token(alice: Person) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice.user, "allauth.account.auth_backends.AuthenticationBackend")
    assert upload(strict, zipped(shop())).status_code == 403
    assert not Bundle.objects.exists()
