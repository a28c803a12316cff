"""What other sites and hostile texts can do in a signed-in browser: nothing (A084, A103–A108, A111, A119)."""

from html.parser import HTMLParser
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from billing import keys
from priostack.middleware import POLICY
from runtime.models import Execution
from tests import rules
from tests.attacks import door
from tests.bundles.samples import shop as sample
from tests.priostack.routes import address, belongings
from tests.runtime import stage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
EVIL = (
    "https://evil.example",
    "null",
    "http://127.0.0.1.evil.example",
    "https://127.0.0.1:8000",
    "file://",
    "http://evil127.0.0.1",
)
PAYLOADS = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "</textarea></script><svg onload=alert(1)>",
    "' autofocus onfocus=alert(1) x='",
    "javascript:alert(1)",
    "{{7*7}}{% load x %}{x.__class__}${7*7}",
]
MIXED = " ".join(PAYLOADS)
READABLE = [
    path for path, (get, _) in rules.PAGES.items() if get not in {"-"} and path not in rules.ELSEWHERE
]
PLAIN = {"/healthz", "/readyz", "/metrics", "/bundles/<uuid:bundle_id>/export"}


class Dangers(HTMLParser):
    """What a browser would run of a page that is not a file of ours."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        ours = (given.get("src") or "").startswith("/static/")
        data = (
            given.get("type") == "application/json" and "src" not in given
        )  # never run; "<" is escaped in it
        if tag == "script" and not (ours or data):
            self.found.append(f"inline script {attrs}")
        for name, value in attrs:
            if name.startswith("on") or (
                (value or "").strip().lower().startswith("javascript:") and name in ADDRESSES
            ):
                self.found.append(f"{tag} {name}={value}")


ADDRESSES = {"href", "src", "action", "formaction", "hx-get", "hx-post", "data", "poster", "srcset"}


def browser(person: Any) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person.user, BACKEND)
    client.get("/accounts/password/change/")
    return client


@pytest.mark.parametrize("origin", EVIL)
def test_a_right_token_from_a_foreign_site_is_still_refused(alice: Any, origin: str) -> None:
    client = browser(alice)
    token = client.cookies["csrftoken"].value
    before = door.counts()
    for path in ("/settings/keys", "/bundles/import/example", "/api/keys", "/accounts/logout/"):
        answer = client.post(path, {"name": "x"}, headers={"origin": origin, "x-csrftoken": token})
        assert answer.status_code == 403, path
    assert door.counts() == before
    assert client.get("/settings").status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ],
)
def test_no_content_type_gets_round_the_token(alice: Any, kind: str) -> None:
    client = browser(alice)
    before = door.counts()
    for path in (
        "/api/bundles",
        "/api/modules",
        "/bundles/import/zip",
        "/settings/found",
        "/settings/tenant/delete",
    ):
        assert client.generic("POST", path, b"{}", content_type=kind).status_code == 403, path
    assert door.counts() == before


@pytest.mark.parametrize("origin", EVIL)
def test_the_platform_shares_nothing_with_other_origins(alice: Any, origin: str) -> None:
    for path in ("/api/me", "/api/bundles", "/api/openapi.json", "/bundles", "/healthz"):
        for method in ("get", "options"):
            answer = getattr(alice.client, method)(
                path, headers={"origin": origin, "access-control-request-method": "POST"}
            )
            assert not [name for name in answer.headers if name.lower().startswith("access-control-")], path


async def test_the_data_plane_ignores_cookies_and_shares_only_what_its_api_allows(
    knock: Any, alice: Any
) -> None:
    cookie = ("cookie", f"sessionid={alice.client.cookies['sessionid'].value}")
    for origin in EVIL:
        answer = await knock("POST", "/alice/api/shop/echo", body=b"1", headers=(cookie, ("origin", origin)))
        assert answer.status == 401
        keyed = await knock(
            "POST", "/alice/api/shop/echo", token=alice.token, body=b"1", headers=(("origin", origin),)
        )
        for reply in (answer, keyed):
            assert not [name for name in reply.headers if name.startswith("access-control-")]
            assert "set-cookie" not in reply.headers
            assert reply.headers["content-security-policy"] == "sandbox"
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\\evil.example",
        "\\\\evil.example",
        "http:///evil.example",
    ],
)
def test_nobody_is_sent_to_another_site(alice: Any, target: str) -> None:
    body = {"login": alice.email, "password": alice.password, "next": target}
    answer = Client().post("/accounts/login/", body)
    assert answer.status_code in {200, 302}
    assert "evil" not in answer.headers.get("Location", "")
    assert "javascript" not in answer.headers.get("Location", "")
    for path in ("/settings/switch", "/accounts/logout/", "/settings/sign-out-everywhere"):
        moved = alice.client.post(path, {"next": target, "tenant": "alice"}, headers={"referer": target})
        assert "evil" not in moved.headers.get("Location", "")


@pytest.fixture
def hostile(alice: Any) -> dict[str, str]:
    """Alice's objects, with hostile text wherever text may stand."""
    objects = belongings(alice)
    files = sample()
    quoted = MIXED.replace("\\", "").replace("'", "''")
    service = files["shop/shop-service.yaml"].decode()
    service = service.replace("name: shopService", f"name: shopService\ndescription: '{quoted}'")
    service = service.replace("name: tidy", "name: '<img src=x onerror=alert(1)>'").replace(
        "Fast", "<svg onload=alert(1)>"
    )
    files["shop/shop-service.yaml"] = service.encode() + b"  " + b"# " + MIXED.encode() + b"\n"
    files["bundle.yaml"] = files["bundle.yaml"].replace(b"A small shop", f"'{quoted}'".encode())
    files["notes<img src=x onerror=alert(1)>.txt"] = MIXED.encode()
    body = {
        "files": {k: v.decode() for k, v in files.items() if not k.endswith(".wasm")},
        "name": PAYLOADS[0],
        "message": MIXED,
    }
    refused = alice.api.post("/api/bundles", body, content_type="application/json")
    assert refused.status_code < 500
    keys.create(alice.tenant, PAYLOADS[1][:60], by=alice.user)
    alice.client.post("/settings/tenant", {"name": PAYLOADS[0]})
    Execution.objects.filter(tenant=alice.tenant).update(
        input=MIXED, output=f'"{PAYLOADS[0]}"', error=MIXED, logs=[[0, "info", MIXED]], service=PAYLOADS[0],
        name=MIXED[:80],
        status="error", caller=PAYLOADS[0],
    )  # fmt: skip
    return objects


@pytest.mark.parametrize("path", READABLE)
def test_hostile_text_is_only_text_on_every_page(alice: Any, hostile: dict[str, str], path: str) -> None:
    answer = alice.client.get(address(path, hostile))
    page = b"".join(answer) if answer.streaming else answer.content
    assert answer.status_code < 500
    assert answer["Content-Security-Policy"] in {POLICY, "sandbox; default-src 'none'"}
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cache-Control"]
    if not answer["Content-Type"].startswith("text/html"):
        return
    for raw in (
        b"<img src=x",
        b"<script>alert",
        b"<svg onload",
        b' autofocus onfocus=alert(1) x="',
        b'href="javascript:',
    ):
        assert raw not in page, raw
    assert Dangers(page).found == []


def test_errors_of_every_kind_carry_the_policy(alice: Any) -> None:
    for path in (
        "/absent-" + PAYLOADS[0],
        "/bundles/" + "0" * 36,
        "/accounts/login/?next=" + PAYLOADS[1],
        "/docs/" + PAYLOADS[0],
    ):
        answer = alice.client.get(path)
        assert answer["Content-Security-Policy"] == POLICY
        assert b"<img src=x" not in answer.content
        assert b"<script>alert" not in answer.content


async def test_html_of_a_function_is_sandboxed_and_logs_of_it_are_text(knock: Any, alice: Any) -> None:
    import json

    said = {"status": 200, "headers": {"content-type": "text/html"}, "body": MIXED}
    answer = await knock(
        "POST", "/alice/api/shop/echo", token=alice.token, body=json.dumps(said).encode(),
        headers=(("content-type", "application/json"), ("x-evil", MIXED)),
    )  # fmt: skip
    assert answer.headers["content-type"] == "text/html"
    assert answer.headers["content-security-policy"] == "sandbox"
    logged = await knock(
        "POST", "/alice/api/shop/log", token=alice.token, body=json.dumps({"text": PAYLOADS[0]}).encode()
    )
    assert logged.status == 200
    await stage.drain()
    for run in (answer.execution, logged.execution):
        page = await sync_to_async(alice.client.get)(f"/runs/{run}")
        assert page.status_code == 200
        assert b"<img src=x" not in page.content
        assert b"<script>alert" not in page.content
    assert b"&lt;img src=x" in page.content


def test_files_of_a_bundle_are_never_run_by_a_browser(alice: Any) -> None:
    files = {
        "bundle.yaml": "name: b\n",
        "docs/x.html": "<script>alert(1)</script>",
        "docs/x.svg": "<svg onload=alert(1)>",
    }
    files |= {path: data.decode() for path, data in sample().items() if path.endswith(".yaml")}
    bundle = alice.api.post("/api/bundles", {"files": files}, content_type="application/json").json()
    for place in (f"/api/bundles/{bundle['id']}/files", f"/bundles/{bundle['id']}/download"):
        for path in ("docs/x.html", "docs/x.svg"):
            answer = alice.client.get(f"{place}/{path}")
            assert answer.status_code in {200, 404}
            assert answer.status_code == 404 or answer["Content-Disposition"].startswith("attachment")
            assert answer["X-Content-Type-Options"] == "nosniff"
            assert "html" not in answer["Content-Type"] or answer.status_code == 404
            assert "svg" not in answer["Content-Type"]
