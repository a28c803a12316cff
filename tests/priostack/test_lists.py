"""Every list of REST reads its parameters in one way, and every body refuses keys that it does not know."""

from typing import Any

import pytest

from tests.conftest import Person
from tests.priostack.routes import PARAMETER, address, belongings, operations

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
ABSENT = ["abc", "0", "00000000-0000-0000-0000-000000000000"]


def described(method: str) -> dict[str, Any]:
    from priostack.api import api

    paths: dict[str, Any] = api.get_openapi_schema()["paths"]
    return {path: one[method] for path, one in paths.items() if method in one}


def with_a_limit() -> list[str]:
    found = described("get")
    return [p for p, one in found.items() if any(q["name"] == "limit" for q in one.get("parameters", ()))]


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "9" * 30, "abc", "1.5", ""])
def test_a_limit_out_of_its_range_is_422_at_every_list(alice: Person, limit: str) -> None:
    objects = belongings(alice)
    paths = {address(path, objects) for path in with_a_limit()}
    assert len(paths) >= 12
    told = {path: alice.client.get(f"{path}?limit={limit}").status_code for path in paths}
    assert set(told.values()) == {422}, told


def test_every_list_takes_the_limits_that_its_description_names(alice: Person) -> None:
    objects, found = belongings(alice), described("get")
    for path in with_a_limit():
        schema = next(one["schema"] for one in found[path]["parameters"] if one["name"] == "limit")
        for limit in (schema["minimum"], schema["maximum"]):
            assert alice.client.get(f"{address(path, objects)}?limit={limit}").status_code == 200


def test_a_misspelt_filter_of_runs_is_told(alice: Person) -> None:
    answer = alice.api.get("/api/executions?status=failed")
    assert answer.status_code == 422
    assert "queued, running, waiting, success" in answer.json()["detail"]
    assert alice.api.get("/api/executions?trigger=cron").status_code == 422
    assert alice.api.get("/api/executions?status=error&trigger=sensor").json()["items"] == []


@pytest.mark.parametrize("missing", ABSENT)
def test_what_has_no_such_id_is_404_to_whoever_deletes_it(alice: Person, missing: str) -> None:
    paths = [PARAMETER.sub(missing, one.path) for one in operations() if one.method == "DELETE"]
    paths = [path for path in paths if path.count(missing)]  # those that name one
    told = {path: alice.client.delete(path, headers={"if-match": '"1"'}).status_code for path in paths}
    assert set(told.values()) == {404}, told


def test_a_misspelt_key_makes_no_key_with_more_than_was_wanted(alice: Person) -> None:
    from billing.models import ApiKey

    before = ApiKey.objects.count()
    answer = alice.client.post("/api/keys", {"name": "ci", "scops": ["read"]}, "application/json")
    assert answer.status_code == 422
    assert "unknown key 'scops', did you mean 'scopes'?" in answer.json()["errors"][0]["message"]
    assert ApiKey.objects.count() == before


def test_every_body_refuses_a_key_that_it_does_not_know(alice: Person) -> None:
    objects, let = belongings(alice), []
    for method in ("post", "put", "patch"):
        for path, one in described(method).items():
            body = one.get("requestBody", {}).get("content", {}).get("application/json")
            if body is None:
                continue
            ask = getattr(alice.client, method)
            answer = ask(address(path, objects), {"nonsense": 1}, content_type="application/json")
            texts = " ".join(error.get("message", "") for error in answer.json().get("errors", ()))
            if answer.status_code != 422 or "nonsense" not in texts:
                let.append((method, path, answer.status_code, texts[:80]))
    assert let == []
