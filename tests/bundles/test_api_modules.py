"""`/api/modules`: uploads, their refusals, and what a change means to bundles."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from billing.models import Plan
from bundles import files, store
from bundles.models import Binary, Bundle, Module
from tests.bundles.samples import SERVICE, shop, wasm
from tests.conftest import Person


def upload(client: Client, data: bytes, file: str = "tools.wasm", **fields: str) -> Any:
    return client.post("/api/modules", {"file": SimpleUploadedFile(file, data), **fields})


def test_an_upload_tells_what_the_module_is(alice: Person) -> None:
    answer = upload(alice.api, wasm(), name="echoes", wit="package x;")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["name"], body["sha256"], body["status"]) == ("echoes", files.digest(wasm()), "compiling")
    assert body["interface"] == "plain-i64"
    assert "echo" in body["exports"]
    assert body["imports"] == []
    assert alice.api.get(f"/api/modules/{body['id']}").json() == body
    assert [item["id"] for item in alice.api.get("/api/modules").json()["items"]] == [body["id"]]


def test_without_a_name_it_is_called_like_its_file(alice: Person) -> None:
    assert upload(alice.api, wasm(), "cart.wasm").json()["name"] == "cart"


def test_a_file_name_with_a_path_is_no_path(alice: Person) -> None:
    assert upload(alice.api, wasm(), "../../etc/x.wasm").json()["name"] == "x"


def test_the_same_name_again_replaces(alice: Person) -> None:
    first = upload(alice.api, wasm()).json()
    second = upload(alice.api, wasm(4096))
    assert second.status_code == 200
    assert second.json()["id"] == first["id"]
    assert second.json()["sha256"] != first["sha256"]


@pytest.mark.parametrize("data", [b"", b"\0asm", b"(module)", b"PK\x03\x04", b"\0asm\x01\0\0\0\x01\xff"])
def test_what_is_no_module_is_refused(alice: Person, data: bytes) -> None:
    assert upload(alice.api, data).status_code == 422
    assert not Module.objects.exists()
    assert not Binary.objects.exists()


def test_an_unknown_import_is_refused_by_name(alice: Person) -> None:
    from wasmtime import wat2wasm

    data = bytes(wat2wasm('(module (import "env" "system" (func (param i32))))'))
    answer = upload(alice.api, data)
    assert answer.status_code == 422
    assert "env.system" in answer.json()["detail"]
    assert not Module.objects.exists()


@pytest.mark.parametrize("name", ["a/b", "a:b", "x" * 200, "\u202ex"])
def test_bad_names_are_refused(alice: Person, name: str) -> None:
    assert upload(alice.api, wasm(), name=name).status_code == 422
    assert not Module.objects.exists()


def test_the_plan_limits_modules(alice: Person) -> None:
    Plan.objects.filter(pk=alice.tenant.plan_id).update(modules=1)
    assert upload(alice.api, wasm(), name="one").status_code == 201
    assert upload(alice.api, wasm(4096), name="two").status_code == 429
    assert upload(alice.api, wasm(4096), name="one").status_code == 200
    assert Module.objects.count() == 1


def test_charlie_and_bob_change_nothing(alice: Person, bob: Person, charlie: Person) -> None:
    url = f"/api/modules/{upload(alice.api, wasm()).json()['id']}"
    assert charlie.api.get(url).status_code == 404
    assert charlie.api.delete(url).status_code == 404
    assert bob.client.get(url).status_code == 200
    assert bob.client.delete(url).status_code == 403
    assert upload(bob.client, wasm(4096)).status_code == 403
    assert Client().get("/api/modules").status_code == 401
    assert Module.objects.get().binary_id == files.digest(wasm())


def test_a_change_of_the_registry_is_seen_in_the_problems_of_bundles(alice: Person) -> None:
    contents = shop() | {"shop/shop-service.yaml": SERVICE.replace(b"wasm:shop:", b"wasm:tools:", 1)}
    bundle = store.import_files("test", alice.tenant, contents).bundle
    problems = f"/api/bundles/{bundle.pk}/problems"
    assert "tools" in alice.api.get(problems).json()["items"][0]["message"]
    module = upload(alice.api, wasm()).json()
    assert alice.api.get(problems).json()["items"] == []
    assert alice.api.delete(f"/api/modules/{module['id']}").status_code == 204
    assert "tools" in alice.api.get(problems).json()["items"][0]["message"]
    assert Bundle.objects.get().revision == 1


def test_what_failed_to_compile_is_tried_again(alice: Person) -> None:
    upload(alice.api, wasm())
    Binary.objects.update(state="failed", error="out of memory")
    assert upload(alice.api, wasm()).json()["status"] == "compiling"
