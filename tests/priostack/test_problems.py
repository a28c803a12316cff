"""The platform's refusals are problem documents, those of the framework's own making too."""

from typing import Any

import pytest
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper

from billing.models import ApiKey
from bundles.models import Flow
from bundles.store import import_files
from tests.bundles.samples import shop

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/api/bundles", "/api/executions", "/api/keys"])
def test_a_method_that_a_door_does_not_know_is_a_problem_naming_the_others(client: Any, path: str) -> None:
    answer = client.patch(path)
    assert (answer.status_code, answer["content-type"]) == (405, "application/problem+json")
    assert "GET" in answer["allow"]
    assert {"type", "title", "status", "detail", "errors"} <= set(answer.json())


def test_a_body_that_is_no_json_tells_where(alice: Any) -> None:
    answer = alice.client.post("/api/keys", '{"name": "ci",\n "scopes": [}', content_type="application/json")
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["line"], error["column"]) == (400, 2, 13)


def test_a_key_that_is_written_twice_makes_nothing(alice: Any) -> None:
    body = '{"name": "ci", "scopes": ["read"], "scopes": ["read", "write"]}'
    answer = alice.client.post("/api/keys", body, content_type="application/json")
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (
        400,
        "the key 'scopes' is written twice",
    )
    assert not ApiKey.objects.filter(name="ci").exists()


def test_head_tells_of_a_get_without_its_body(alice: Any) -> None:
    told, got = alice.api.head("/api/bundles"), alice.api.get("/api/bundles")
    assert (told.status_code, told.content, got.status_code) == (200, b"", 200)
    assert int(told["content-length"]) == len(got.content)
    assert told["content-type"] == got["content-type"]
    missing = alice.api.head("/api/bundles/none")
    assert (missing.status_code, missing.content) == (404, b"")


def test_head_of_a_log_that_goes_on_does_not_wait_for_it(alice: Any) -> None:
    bundle = import_files("test", alice.tenant, shop()).bundle
    told = alice.api.head(f"/api/bundles/{bundle.pk}/logs", headers={"accept": "text/event-stream"})
    assert (told.status_code, told["content-type"]) == (200, "text/event-stream")
    assert not told.streaming


def test_a_stroke_too_many_is_no_other_address(alice: Any) -> None:
    assert alice.api.get("/api/bundles/").json() == alice.api.get("/api/bundles").json()
    made = alice.api.post("/api/flows/", {"name": "greet"}, content_type="application/json")
    assert (made.status_code, made.json()["name"]) == (201, "greet")
    assert alice.api.get(f"/api/flows/{made.json()['id']}/").status_code == 200
    assert alice.api.get("/api/bundles//").status_code == 404


def test_options_names_the_methods(client: Any) -> None:
    told = client.options("/api/bundles")
    assert (told.status_code, told.content, told["allow"]) == (204, b"", "GET, HEAD, OPTIONS, POST")
    assert client.options("/api/bundles/upload")["allow"] == "OPTIONS, POST"


def test_a_page_refuses_a_method_as_before(client: Any) -> None:
    assert client.patch("/healthz")["content-type"] != "application/problem+json"


@pytest.mark.parametrize("body", ["[]", "3", '"x"', "null", "{"])
def test_a_body_that_is_not_an_object_is_refused_and_nothing_is_made(alice: Any, body: str) -> None:
    answer = alice.api.post("/api/flows", body, content_type="application/json")
    assert (answer.status_code, answer.json()["detail"]) == (400, "The body is not a JSON object.")
    assert not Flow.objects.exists()


def test_an_address_that_only_takes_forms_says_so_to_people(alice: Any) -> None:
    answer = alice.client.get("/bundles/import/zip")
    assert (answer.status_code, answer["allow"]) == (405, "POST")
    assert "only takes what a form" in answer.content.decode()


@pytest.fixture
def database_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise OperationalError("connection to server at 10.0.0.5 failed")

    monkeypatch.setattr(CursorWrapper, "execute", fails)


@pytest.mark.parametrize("path", ["/dashboard", "/bundles", "/settings", "/accounts/login/"])
def test_pages_say_503_while_the_database_does_not_answer(alice: Any, database_away: None, path: str) -> None:
    alice.client.raise_request_exception = False
    answer = alice.client.get(path)
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert "A part of the system does not answer" in answer.content.decode()
    assert "10.0.0.5" not in answer.content.decode()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_rest_says_503_while_the_database_does_not_answer(
    alice: Any, database_away: None, method: str
) -> None:
    alice.api.raise_request_exception = False
    answer = alice.api.generic(method, "/api/flows", "{}", content_type="application/json")
    assert (answer.status_code, answer["content-type"]) == (503, "application/problem+json")
    assert answer.json()["detail"] == "A store of the platform does not answer at the moment."


def test_readiness_says_which_store_does_not_answer(client: Any, database_away: None) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "the database does not answer"})


@pytest.mark.parametrize("path", ["/login", "/signin", "/signup", "/logout"])
def test_what_people_type_by_habit_leads_to_the_page(client: Any, path: str) -> None:
    assert client.get(path)["location"].startswith("/accounts/")
    assert client.post(path).status_code in (403, 404)


@pytest.mark.parametrize("path", ["/docs/", "/bundles/", "/docs/flows/"])
def test_a_stroke_too_many_at_the_end_leads_to_the_page(client: Any, path: str) -> None:
    answer = client.get(f"{path}?q=1")
    assert (answer.status_code, answer["Location"]) == (302, f"{path[:-1]}?q=1")
    assert client.post(path).status_code in (403, 404)
    assert client.get(f"/no-such-page{path}").status_code == 404
    assert client.get(f"/%2F{path[1:]}").status_code == 404
