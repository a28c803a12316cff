"""Variables: plain values of a tenant, typed, bounded, seen by whoever may read and changed by whoever may write."""

from typing import Any

import pytest

from billing import variables
from billing.models import Tenant, Variable

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
J = "application/json"


def put(person: Any, name: str, value: Any) -> Any:
    return person.api.put(f"/api/vars/{name}", {"value": value}, content_type=J)


@pytest.mark.parametrize("value", ["text", 3, 1.5, True, None, [1, {"a": []}], {"rate": 0.19}])
def test_any_json_is_kept_and_shown_as_it_is(alice: Any, value: Any) -> None:
    assert put(alice, "rate", value).status_code == 200
    (shown,) = alice.api.get("/api/vars").json()["items"]
    assert (shown["name"], shown["value"]) == ("rate", value)


def test_a_change_is_told_to_the_data_planes(alice: Any) -> None:
    before = Tenant.objects.get(pk=alice.tenant.pk).version
    put(alice, "a", 1)
    put(alice, "a", 2)
    assert alice.api.delete("/api/vars/a").status_code == 204
    assert Tenant.objects.get(pk=alice.tenant.pk).version == before + 3
    assert alice.api.delete("/api/vars/a").status_code == 404
    assert variables.values(alice.tenant.pk) == {}


@pytest.mark.parametrize("name", ["1a", "a-b", "a.b", "a b", "é", "x" * 101])
def test_a_name_is_one_that_expressions_can_say(alice: Any, name: str) -> None:
    assert put(alice, name, 1).status_code == 422
    assert not Variable.objects.exists()


@pytest.mark.parametrize("value", ["x" * 40_000, "a\x00b", list(range(20_000))])
def test_what_is_too_large_or_cannot_be_stored_is_refused(alice: Any, value: Any) -> None:
    assert put(alice, "a", value).status_code == 422
    assert not Variable.objects.exists()


def test_there_is_a_bound_to_their_number(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variables, "MOST", 2)
    assert [put(alice, name, 1).status_code for name in ("a", "b", "c", "a")] == [200, 200, 429, 200]


def test_viewers_read_and_other_tenants_see_nothing(alice: Any, bob: Any, charlie: Any) -> None:
    put(alice, "a", 1)
    assert bob.client.get("/api/vars").json()["items"][0]["value"] == 1
    assert bob.client.put("/api/vars/a", {"value": 2}, content_type=J).status_code == 403
    assert charlie.api.get("/api/vars").json()["items"] == []
    assert charlie.api.delete("/api/vars/a").status_code == 404
    assert variables.values(alice.tenant.pk) == {"a": 1}
