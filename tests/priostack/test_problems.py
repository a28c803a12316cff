"""The platform's refusals are problem documents, those of the framework's own making too."""

from typing import Any

import pytest

from bundles.models import Flow

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/api/bundles", "/api/executions", "/api/keys"])
def test_a_method_that_a_door_does_not_know_is_a_problem_naming_the_others(client: Any, path: str) -> None:
    answer = client.patch(path)
    assert (answer.status_code, answer["content-type"]) == (405, "application/problem+json")
    assert "GET" in answer["allow"]
    assert {"type", "title", "status", "detail", "errors"} <= set(answer.json())


def test_a_page_refuses_a_method_as_before(client: Any) -> None:
    assert client.patch("/healthz")["content-type"] != "application/problem+json"


@pytest.mark.parametrize("body", ["[]", "3", '"x"', "null", "{"])
def test_a_body_that_is_not_an_object_is_refused_and_nothing_is_made(alice: Any, body: str) -> None:
    answer = alice.api.post("/api/flows", body, content_type="application/json")
    assert (answer.status_code, answer.json()["detail"]) == (400, "The body is not a JSON object.")
    assert not Flow.objects.exists()
