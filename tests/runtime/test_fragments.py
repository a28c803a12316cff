"""The live log and the goals of a bundle's page: what stands there without JavaScript, and for whom."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils.timezone import now

from billing.ids import uuid7
from runtime.models import GoalState
from tests.runtime.watching import a_bundle, a_run


def at(name: str, thing: Any) -> str:
    return reverse(f"runtime:{name}", args=[thing])


def test_the_log_is_a_plain_list_first(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    run = a_run(bundle, "<script>alert(1)</script>")
    page = alice.client.get(at("log", bundle.pk), headers={"hx-request": "true"}).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page
    assert f"/runs/{run.pk}" in page
    assert f'data-livelog="/ws/bundles/{bundle.pk}/logs"' in page


@pytest.mark.parametrize("name", ["log", "goals"])
def test_a_fragment_opened_by_its_address_is_a_page(alice: Any, name: str) -> None:
    page = alice.client.get(at(name, a_bundle(alice.tenant).pk)).content.decode()
    assert "<title>" in page
    assert 'id="main"' in page


def test_an_empty_log_says_what_to_do(alice: Any) -> None:
    page = alice.client.get(at("log", a_bundle(alice.tenant).pk)).content.decode()
    assert "Call an endpoint" in page


def test_goals_show_state_value_target_and_history(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    GoalState.objects.create(
        bundle=bundle,
        service="cart",
        goal="fast",
        metric="latency",
        state="at risk",
        value=185.2,
        target="< 200 ms",
        history=[[1, 100.0], [11, 185.2]],
    )
    page = alice.client.get(at("goals", bundle.pk)).content.decode()
    for part in ('data-status="at risk"', "185.2 ms", "&lt; 200 ms", "<polyline"):
        assert part in page
    assert "style=" not in page


def test_a_bundle_without_goals_says_how_to_have_some(alice: Any) -> None:
    assert b"goals:" in alice.client.get(at("goals", a_bundle(alice.tenant).pk)).content


@pytest.mark.parametrize("name", ["log", "goals"])
def test_charlie_sees_404_and_strangers_sign_in(alice: Any, charlie: Any, client: Any, name: str) -> None:
    bundle = a_bundle(alice.tenant)
    assert charlie.client.get(at(name, bundle.pk)).status_code == 404
    assert alice.client.get(at(name, uuid7())).status_code == 404
    assert client.get(at(name, bundle.pk)).status_code == 302


def test_the_rest_list_of_goals_is_the_tenants_own(alice: Any, charlie: Any) -> None:
    bundle = a_bundle(alice.tenant)
    for goal in ("a", "b"):
        fields = {"service": "cart", "goal": goal, "metric": "latency", "target": "< 1 ms"}
        GoalState.objects.create(bundle=bundle, since=now(), **fields)
    first = alice.api.get("/api/goals?limit=1").json()
    assert [item["goal"] for item in first["items"]] == ["a"]
    rest = alice.api.get(f"/api/goals?cursor={first['next']}&bundle={bundle.pk}").json()
    assert [item["goal"] for item in rest["items"]] == ["b"]
    assert rest["next"] is None
    assert charlie.api.get("/api/goals").json() == {"items": [], "next": None}
