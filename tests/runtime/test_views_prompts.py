"""The prompts of a bundle on its page: listed, tried, tested; for those who may see them."""

import json
from typing import Any

import pytest
from django.urls import reverse

from tests.runtime import prompting, stage
from tests.runtime.prompting import hello

pytestmark = pytest.mark.django_db
TESTS = """---
id: hello-test
name: Tests of hello
version: 1.0.0
tests:
  - name: it greets
    params: {who: Ann}
    assert: [{check: contains, value: Greet Ann}]
  - name: it shouts
    params: {who: Ann, times: 2}
    assert: [{check: contains, value: "Ann!!!"}]
---
"""


class Away:
    url = "http://127.0.0.1:1"


@pytest.fixture
def bundle(alice: Any) -> Any:
    more = {
        "prompts/broken.prmd": hello("# User\n\n{% if %}").replace(b"id: hello", b"id: broken"),
        "prompts/open.prmd": hello(prompting.BODY, "form: {public: true}").replace(b"id: hello", b"id: open"),
        "prompts/hello.test.prmd": TESTS.encode(),
    }
    return stage.run_bundle(alice, prompting.files(Away(), more))  # type: ignore[arg-type]


def test_the_bundle_lists_its_prompts(alice: Any, bundle: Any) -> None:
    assert (
        reverse("runtime:prompts", args=[bundle.pk])
        in alice.client.get(f"/bundles/{bundle.pk}").content.decode()
    )
    found = alice.client.get(reverse("runtime:prompts", args=[bundle.pk])).content.decode()
    for path in ("/alice/prompts/hello", "/alice/prompts/broken", "/alice/prompts/open"):
        assert path in found
    assert "prompts/broken.prmd:" in found
    assert "/alice/forms/open" in found
    assert "/alice/forms/hello" not in found


def test_the_console_begins_with_an_example(alice: Any, bundle: Any) -> None:
    found = alice.client.get(reverse("runtime:try_prompt", args=[bundle.pk, "open"])).content.decode()
    assert "&quot;who&quot;: &quot;…&quot;" in found
    assert "&quot;times&quot;: 1" in found
    assert "integer" in found


def test_or_with_what_its_first_test_gives_it(alice: Any, bundle: Any) -> None:
    found = alice.client.get(reverse("runtime:try_prompt", args=[bundle.pk, "hello"])).content.decode()
    assert "&quot;who&quot;: &quot;Ann&quot;" in found
    assert "&quot;times&quot;" not in found


def test_a_prompt_that_is_not_there_is_404(alice: Any, bundle: Any) -> None:
    assert alice.client.get(reverse("runtime:try_prompt", args=[bundle.pk, "nobody"])).status_code == 404


def test_others_see_none_of_it(charlie: Any, bundle: Any) -> None:
    for url in (
        reverse("runtime:prompts", args=[bundle.pk]),
        reverse("runtime:try_prompt", args=[bundle.pk, "hello"]),
    ):
        assert charlie.client.get(url).status_code == 404


def test_tests_of_prompts_are_listed_and_run(alice: Any, bundle: Any) -> None:
    listed = alice.client.get(f"/bundles/{bundle.pk}/declared-tests").content.decode()
    assert "it greets" in listed
    assert "prompts/hello.test.prmd:6" in listed
    found = alice.client.post(reverse("runtime:tests", args=[bundle.pk])).content.decode()
    assert "1 failed" in found
    assert "1 passed" in found
    assert "Greet Ann!!" in found


def test_rest_runs_them_too(alice: Any, bundle: Any) -> None:
    told = json.loads(alice.api.post(f"/api/bundles/{bundle.pk}/tests").content)
    assert [(one["name"], one["passed"]) for one in told["items"]] == [
        ("it greets", True),
        ("it shouts", False),
    ]
