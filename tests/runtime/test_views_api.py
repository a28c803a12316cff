"""The page with what can be called: complete, of one's own tenant alone, and harmless whatever bundles say."""

from typing import Any

import pytest
from django.urls import reverse

from tests.runtime import prompting, stage
from tests.runtime.prompting import hello

pytestmark = pytest.mark.django_db
SERVICES = """services:
  - name: shop
    description: "<script>alert(1)</script>"
    api:
      basePath: /api/shop
      endpoints:
        - {name: greet, method: POST, path: "/greet/:who", to: "prompt:hello", description: Says hello}
        - {name: open, method: GET, path: /open, to: "wasm:echo:run", auth: public}
        - {name: asked, method: GET, path: /asked, to: "prompt:lists"}
"""
LISTS = """---
id: lists
name: Lists
version: 1.0.0
parameters:
  - {name: tags, type: array, items: string}
---
# User

Hi
"""


class Away:
    url = "http://127.0.0.1:1"


@pytest.fixture
def page(alice: Any) -> str:
    more = {
        "wasm/echo.wasm": stage.guest("echo"),
        "prompts/hello.prmd": hello(
            prompting.BODY, "interceptors: [{auth: {secret: ABSENT, algorithm: HS256}}]"
        ),
        "prompts/lists.prmd": LISTS.encode(),
    }
    stage.run_bundle(alice, prompting.files(Away(), more, SERVICES))  # type: ignore[arg-type]
    return str(alice.client.get(reverse("runtime:api")).content.decode())


def test_everything_that_runs_is_there(page: str) -> None:
    for path in ("/alice/api/shop/greet/{who}", "/alice/api/shop/open", "/alice/prompts/hello"):
        assert f">{path}<" in page
    assert "Says hello" in page
    assert "default 1; at least 1; at most 5" in page
    assert "key or token of the service" in page
    assert "/alice/openapi.json" in page
    assert "/alice/graphql" in page


def test_a_list_in_a_query_is_described(page: str) -> None:
    assert ">/alice/api/shop/asked<" in page
    assert "array of string" in page


def test_what_a_bundle_says_is_only_text(page: str) -> None:
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_command_has_what_is_needed(page: str) -> None:
    assert "/alice/prompts/hello" in page
    assert "{&quot;who&quot;: &quot;…&quot;}" in page


def test_others_see_only_their_own(page: str, charlie: Any) -> None:
    found = charlie.client.get(reverse("runtime:api")).content.decode()
    assert "Nothing runs" in found
    assert "greet" not in found
