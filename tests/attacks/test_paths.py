"""Paths that look like others: one spelling of a tenant's address, exact matches for what is public (A055, A075, A093)."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from tests.attacks import door

pytestmark = pytest.mark.django_db(transaction=True)

SPELLINGS = [
    "/%61lice/api/shop/echo",
    "/Alice/api/shop/echo",
    "/ALICE/api/shop/echo",
    "/alice%2fapi/shop/echo",
    "/alice%2f..%2falice/api/shop/echo",
    "/charlie/../alice/api/shop/echo",
    "/charlie/%2e%2e/alice/api/shop/echo",
    "/charlie%2f..%2falice/api/shop/echo",
    "/alice//api/shop/echo",
    "//alice/api/shop/echo",
    "/alice/./api/shop/echo",
    "/alice/%2e/api/shop/echo",
    "/alice;x/api/shop/echo",
    "/alice;/api/shop/echo",
    "/alice%00/api/shop/echo",
    "/alice%20/api/shop/echo",
    "/alice./api/shop/echo",
    "/alice\\api/shop/echo",
    "/\\alice/api/shop/echo",
    "/%ef%bd%81lice/api/shop/echo",
    "/%d0%b0lice/api/shop/echo",
    "/alice/api/shop/echo/..%2fcount",
    "/alice/api/shop/%65cho",
    "/alice/api/shop/ECHO",
    "/alice/api/shop/echo%00",
    "/alice/api/shop/echo;a=1",
    "/alice/api/shop//echo",
    "/alice/api/shop/echo//",
    "/alice/api/shop/echo%2f",
    "/api/../alice/api/shop/echo",
    "/static/../alice/api/shop/echo",
]


@pytest.mark.parametrize("path", SPELLINGS)
async def test_no_other_spelling_reaches_a_function(knock: Any, alice: Any, path: str) -> None:
    before = await sync_to_async(door.counts)()
    answer = await knock("POST", path, token=alice.token, body=b"{}")
    assert answer.status in {400, 404}, answer.body
    assert "x-execution-id" not in answer.headers
    assert await sync_to_async(door.counts)() == before


async def test_the_one_spelling_does(knock: Any, alice: Any) -> None:
    assert (await knock("POST", "/alice/api/shop/echo", token=alice.token, body=b"{}")).status == 200


@pytest.mark.parametrize("path", [path for path in SPELLINGS if "charlie" in path])
async def test_charlies_key_gets_through_no_detour(knock: Any, alice: Any, charlie: Any, path: str) -> None:
    assert (await knock("POST", path, token=charlie.token, body=b"{}")).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/healthz/../api/keys",
        "/healthz/%2e%2e/api/keys",
        "/docs/../api/keys",
        "/docs/..%2fapi%2fkeys",
        "/healthzz",
        "/healthz/",
        "/docs/x/../../api/keys",
        "/static/..%2f..%2fpriostack%2fsettings.py",
        "/static/../secret_key",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/..%5c..%5csecret_key",
        "/metrics/../api/keys",
        "/webhooks/git/../../api/keys",
        "/api//keys",
        "/api/keys/",
        "/API/keys",
        "/api/%6beys/../me",
    ],
)
async def test_what_is_public_is_matched_exactly(knock: Any, alice: Any, path: str) -> None:
    answer = await knock("GET", path)
    assert answer.status in {302, 400, 401, 404, 405}, answer.body
    leads = {name.lower(): value for name, value in answer.headers.items()}.get("location", "")
    assert answer.status != 302 or leads.startswith("/accounts/login/") or leads == path.rstrip("/")
    assert b"SECRET" not in answer.body
    assert b"root:" not in answer.body


SERVICE = """name: s
api:
  basePath: "{base}"
  endpoints:
    - {{name: a, method: GET, path: "{path}", to: "wasm:echo:run"}}
"""


def imported(person: Any, base: str, path: str) -> Any:
    head = "name: crooked\nservices:\n  - path: s.yaml\n"
    body = {"files": {"bundle.yaml": head, "s.yaml": SERVICE.format(base=base, path=path)}}
    return person.api.post("/api/bundles", body, content_type="application/json")


CROOKED = [
    "/..", "//", "/../../admin", "/a//b", "/:a/:a", "/:", "/a?x=1", "/a#b", "/%2e%2e", "/a/./b", "a", "/a b",
    "/a\\\\b", "/*", "/a\\u0000",
]  # fmt: skip


@pytest.mark.parametrize("path", CROOKED)
def test_endpoints_with_crooked_paths_never_come_in(alice: Any, clean_redis: None, path: str) -> None:
    before = door.counts()
    answer = imported(alice, "/api/s", path)
    assert answer.status_code == 422, answer.content
    assert any(found["file"] == "s.yaml" and found["line"] for found in answer.json()["errors"])
    assert door.counts() == before


RESERVED = ["/api/../admin", "/api//s", "/prompts", "/openapi.json", "//evil", "/api/%2e%2e"]


@pytest.mark.parametrize("base", RESERVED)
def test_base_paths_that_are_ours_or_crooked_never_come_in(alice: Any, clean_redis: None, base: str) -> None:
    before = door.counts()
    answer = imported(alice, base, "/a")
    assert answer.status_code == 422, answer.content
    assert door.counts() == before
