"""Requests that are not what they say: bodies, forms, file names, hosts, forwarded headers, methods
(A037–A039, A081, A094, A107, A109, A132)."""

import gzip
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from billing.models import AuditEntry
from bundles.models import Bundle
from runtime.models import Execution
from tests.attacks import door
from tests.bundles.samples import shop as sample
from tests.bundles.samples import zipped
from tests.runtime import stage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
JSON = (("content-type", "application/json"),)
UPLOADS = ["/api/bundles/upload", "/api/modules"]


def unchanged(before: Any) -> None:
    assert (door.counts(), door.files()) == before


def now() -> Any:
    return door.counts(), door.files()


@pytest.mark.parametrize("path", UPLOADS)
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"file": {"filepath": "/etc/passwd"}}'),
        ("application/json", b'{"files": [{"filepath": "/etc/passwd", "originalFilename": "x"}]}'),
        ("application/x-www-form-urlencoded", b"file=/etc/passwd&name=x"),
        ("text/plain", b"file=@/etc/passwd"),
        ("multipart/form-data", b"no boundary at all"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nno file\r\n--x--\r\n",
        ),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name="),
        ("multipart/form-data; boundary=" + "x" * 300, b"--x"),
        ("multipart/form-data; boundary=x; charset=utf-7", b"--x--\r\n"),
        ("application/zip", zipped(sample())),
    ],
)
def test_an_upload_is_only_what_the_framework_parsed_as_a_file(
    alice: Any, path: str, kind: str, body: bytes
) -> None:
    before = now()
    answer = alice.api.generic("POST", path, body, content_type=kind)
    assert answer.status_code in {400, 415, 422}, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    unchanged(before)


@pytest.mark.parametrize(
    "name", ["../../etc/x.zip", "/etc/passwd", "a/b.zip", "C:\\x.zip", "\0.zip", "x" * 300, ".."]
)
def test_the_name_of_an_uploaded_file_means_nothing(alice: Any, name: str) -> None:
    file = SimpleUploadedFile("placeholder", zipped(sample()))
    file._name = name  # as a client that does not clean it would send it
    answer = alice.api.post("/api/bundles/upload", {"file": file})
    assert answer.status_code in {201, 400, 422}, answer.content
    assert all(path.is_relative_to(door.settings.DATA_DIR) for path in door.files())
    assert not any("etc" in path.parts or path.name == "x.zip" for path in door.files())


@pytest.mark.parametrize("name", ["../../etc/x", "a/b", "x" * 300, "..", "a\nb"])
def test_a_module_takes_no_crooked_name_from_its_file(alice: Any, name: str) -> None:
    before = door.counts()
    answer = alice.api.post(
        "/api/modules", {"name": name, "file": SimpleUploadedFile("m.wasm", sample()["wasm/shop.wasm"])}
    )
    assert answer.status_code == 422, answer.content
    assert door.counts() == before


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-1.7", b"PK\x05\x06" + bytes(18), b"\0" * 1000, zipped(sample())[:-30]]
)
def test_what_is_no_zip_leaves_nothing_behind(alice: Any, data: bytes) -> None:
    before = now()
    answer = alice.api.post("/api/bundles/upload", {"file": SimpleUploadedFile("b.zip", data)})
    assert answer.status_code in {400, 422}, answer.content
    unchanged(before)


async def test_an_upload_that_breaks_off_leaves_nothing_behind(alice: Any) -> None:
    before = await sync_to_async(now)()
    part = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="b.zip"\r\n\r\n'
        + zipped(sample())[:500]
    )
    answer = await door.knock(
        "POST", "/api/bundles/upload", token=alice.token, body=part, broken_off=True,
        headers=(("content-type", "multipart/form-data; boundary=x"),),
    )  # fmt: skip
    assert answer.status in {0, 400, 422}
    await sync_to_async(unchanged)(before)


async def test_a_call_whose_body_breaks_off_never_starts(knock: Any, alice: Any) -> None:
    await stage.drain()
    before = await Execution.objects.acount(), await sync_to_async(door.stored)()
    for body in (b"{}", b'{"a": 1'):
        answer = await knock("POST", "/alice/api/shop/count", token=alice.token, body=body, broken_off=True)
        assert answer.status == 400
    nothing = await knock(
        "POST",
        "/alice/api/shop/count",
        token=alice.token,
        broken_off=True,
        headers=(("content-length", "10"),),
    )
    assert nothing.status == 400
    await stage.drain()
    assert (await Execution.objects.acount(), await sync_to_async(door.stored)()) == before


DEEP = {
    "lists": b"[" * 100_000 + b"]" * 100_000,
    "objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "open": b"[" * 200_000,
}


@pytest.mark.parametrize("shape", DEEP)
async def test_json_without_bottom_is_400_at_the_data_plane(knock: Any, alice: Any, shape: str) -> None:
    answer = await knock("POST", "/alice/api/shop/echo", token=alice.token, body=DEEP[shape], headers=JSON)
    assert answer.status == 400
    untyped = await knock("POST", "/alice/api/shop/echo", token=alice.token, body=DEEP[shape])
    assert untyped.status < 500


@pytest.mark.parametrize("shape", DEEP)
@pytest.mark.parametrize(
    "path", ["/api/bundles", "/api/keys", "/api/bundles/{id}/sensors/closing", "/api/bundles/git"]
)
def test_json_without_bottom_is_4xx_at_rest(alice: Any, shape: str, path: str) -> None:
    bundle = Bundle.objects.create(tenant=alice.tenant, name="b", revision=1)
    before = door.counts()
    answer = alice.api.post(
        path.replace("{id}", str(bundle.pk)), DEEP[shape], content_type="application/json"
    )
    assert 400 <= answer.status_code < 500, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert door.counts() == before


@pytest.mark.parametrize("depth", [50, 300, 900, 1000, 1020])
async def test_deep_answers_are_shown_in_the_history_and_never_a_500(
    knock: Any, alice: Any, depth: int
) -> None:
    deep = b"[" * depth + b"]" * depth
    answer = await knock("POST", "/alice/api/shop/echo", token=alice.token, body=deep, headers=JSON)
    assert answer.status in {200, 400, 502}
    if "x-execution-id" not in answer.headers:
        return
    for _ in range(2):  # from the journal, then from the database
        shown = await sync_to_async(alice.api.get)(f"/api/executions/{answer.execution}")
        assert shown.status_code == 200
        await stage.drain()
    page = await sync_to_async(alice.client.get)(f"/runs/{answer.execution}")
    assert page.status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b"\xff\xfe{\0}\0",
        b"\xef\xbb\xbf{}",
    ],
)
@pytest.mark.parametrize("path", ["/api/bundles", "/api/keys"])
def test_json_that_is_none_is_4xx_at_rest(alice: Any, path: str, text: bytes) -> None:
    before = door.counts()
    answer = alice.api.post(path, text, content_type="application/json")
    assert 400 <= answer.status_code < 500, answer.content
    assert door.counts() == before


async def test_bombs_in_bodies_and_queries_are_refused(knock: Any, alice: Any) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    packed = (("content-encoding", "gzip"), *JSON)
    assert (
        await knock("POST", "/alice/api/shop/echo", token=alice.token, body=bomb, headers=packed)
    ).status == 413
    many = "&".join(f"a{number}=1" for number in range(100_000))
    assert (await knock("POST", f"/alice/api/shop/echo?{many}", token=alice.token)).status == 400
    strange = (("content-type", "application/json; charset=utf-7"),)
    assert (
        await knock("POST", "/alice/api/shop/echo", token=alice.token, body=b"+ADw-", headers=strange)
    ).status == 400


def test_strange_fields_of_rest_are_4xx(alice: Any) -> None:
    for query in (
        "limit=99999999999999999999",
        "limit=-1",
        "limit=x",
        "cursor=%00",
        "cursor=../..",
        "bundle=1' OR 1=1",
        "status=%00",
    ):
        assert 200 <= alice.api.get(f"/api/executions?{query}").status_code < 500, query
    for path in (
        "/api/bundles?after=%00",
        "/api/bundles?limit=0",
        "/api/modules?after=%F0%9F",
        "/api/audit?limit=1e9",
    ):
        assert 200 <= alice.api.get(path).status_code < 500 or alice.client.get(path).status_code < 500, path


HOSTS = [
    "evil.example",
    "127.0.0.1.evil.example",
    "alice@evil.example",
    "[::",
    "a" * 300,
    "127.0.0.1:port",
    "évil.example",
]


@pytest.mark.parametrize("host", HOSTS)
def test_a_foreign_host_is_400_and_never_in_a_link(alice: Any, host: str) -> None:
    for path in ("/", "/accounts/password/reset/", "/api/me", "/bundles"):
        answer = alice.client.get(path, headers={"host": host})
        assert answer.status_code == 400, path
        assert b"evil.example" not in answer.content


TRUSTED = {
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
    "x-forwarded-for": "10.9.8.7",
    "x-original-url": "/admin/",
    "x-rewrite-url": "/admin/",
    "x-request-from": "internal",
    "x-tenant": "charlie",
    "x-user": "alice@example.org",
    "x-http-method-override": "DELETE",
    "x-accel-redirect": "/secret_key",
    "x-remote-user": "alice@example.org",
}


def test_headers_that_only_a_proxy_may_send_open_nothing(alice: Any, charlie: Any) -> None:
    bundle = Bundle.objects.create(tenant=alice.tenant, name="b", revision=1)
    assert Client(headers=TRUSTED).get("/api/me").status_code == 401
    foreign = Client(headers=TRUSTED | {"authorization": f"Bearer {charlie.token}"})
    assert foreign.get(f"/api/bundles/{bundle.pk}/status").status_code == 404
    assert foreign.get("/api/me").json()["tenant"] == "charlie"
    mine = Client(headers=TRUSTED | {"authorization": f"Bearer {alice.token}"})
    mine.get(f"/api/bundles/{bundle.pk}/status")
    assert Bundle.objects.filter(pk=bundle.pk).exists()
    mine.post("/api/keys", {"name": "n"}, content_type="application/json")
    assert not AuditEntry.objects.filter(address="10.9.8.7").exists()


async def test_forwarded_headers_do_not_reach_functions_as_truth(knock: Any, alice: Any) -> None:
    answer = await knock(
        "POST", "/alice/api/shop/echo", token=alice.token, body=b"1", headers=tuple(TRUSTED.items())
    )
    assert answer.status == 200
    await stage.drain()
    run = await Execution.objects.aget(pk=answer.execution)
    assert json.loads(run.input)["method"] == "POST"
    assert alice.token not in run.input
    assert "10.9.8.7" not in run.input


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "GET", "PUT"])
async def test_other_methods_have_no_effects(knock: Any, alice: Any, method: str) -> None:
    await stage.drain()
    before = await sync_to_async(door.counts)(), await sync_to_async(door.stored)()
    answer = await knock(method, "/alice/api/shop/count", token=alice.token)
    assert answer.status in {204, 405}, answer.body
    for path in ("/api/bundles", "/api/keys", "/healthz"):
        assert (await knock(method, path)).status < 500
    await stage.drain()
    assert (await sync_to_async(door.counts)(), await sync_to_async(door.stored)()) == before


def test_a_form_field_cannot_change_the_method(alice: Any) -> None:
    bundle = Bundle.objects.create(tenant=alice.tenant, name="b", revision=1)
    answer = alice.client.post(f"/bundles/{bundle.pk}", {"_method": "DELETE"})
    assert answer.status_code == 405
    assert Bundle.objects.filter(pk=bundle.pk).exists()
