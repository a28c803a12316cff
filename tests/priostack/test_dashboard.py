"""The dashboard: figures of the tenant alone, what ran lately, and where to begin."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from priostack import views_dashboard
from runtime import patience, signals
from tests.conftest import Person
from tests.runtime.watching import a_bundle, a_run

HTMX = {"HX-Request": "true"}


def page(person: Person) -> str:
    answer = person.client.get("/dashboard")
    assert answer.status_code == 200
    return str(answer.content.decode())


def called(bundle: Any, count: int, **more: Any) -> None:
    at = int(datetime.now(UTC).timestamp() * 1e6)
    record = {"bundle": str(bundle.pk), "service": "cart", "name": "add", "created": at, "completed": at}
    one = {**record, "status": "success", "duration_us": 4000, "http_status": 200, **more}
    signals.absorb([one] * count)


def test_an_empty_account_learns_where_to_begin(alice: Person) -> None:
    text = page(alice)
    for part in ("Add your first bundle", "Start from the example", "curl", "/bundles#add", "/alice/"):
        assert part in text


def test_a_viewer_of_an_empty_account_is_told_whom_to_ask(bob: Person) -> None:
    text = page(bob)
    assert "ask an editor" in text
    assert "Start from the example" not in text


def test_the_cards_count_calls_errors_latency_and_what_runs(alice: Person) -> None:
    bundle = a_bundle(alice.tenant)
    called(bundle, 1200)
    called(bundle, 300, http_status=500)
    text = page(alice)
    for part in ("1,500", "20 %", "300 failed", "<polyline", "of 1</span>"):
        assert part in text
    usage = alice.client.get("/dashboard").context["usage"]
    assert usage.p95_ms == pytest.approx(4, rel=0.1)


def test_bundles_and_recent_runs_are_linked(alice: Person) -> None:
    bundle = a_bundle(alice.tenant)
    run = a_run(bundle)
    text = page(alice)
    assert f"/bundles/{bundle.pk}" in text
    assert f"/runs/{run.pk}" in text


def test_a_poll_brings_the_part_that_changes_and_nothing_when_it_did_not(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "SLOW_S", 60.0)  # a busy machine is slow by itself
    bundle = a_bundle(alice.tenant)
    first = alice.client.get("/dashboard", headers=HTMX).content.decode()
    assert "<html" not in first
    seen = first.partition("seen=")[2][:16]
    assert alice.client.get("/dashboard", {"seen": seen}, headers=HTMX).status_code == 204
    called(bundle, 3)
    assert alice.client.get("/dashboard", {"seen": seen}, headers=HTMX).status_code == 200


def test_charlie_sees_nothing_of_alice(alice: Person, charlie: Person) -> None:
    bundle = a_bundle(alice.tenant, name="private-shop")
    called(bundle, 77)
    run = a_run(bundle)
    a_bundle(charlie.tenant, name="own")
    text = page(charlie)
    assert "own" in text
    for part in ("private-shop", str(run.pk)):
        assert part not in text
    assert charlie.client.get("/dashboard").context["usage"].calls == 0


def test_strangers_sign_in(db: None, client: Client) -> None:
    assert client.get("/dashboard")["Location"].startswith("/accounts/login/")


def test_figures_that_took_long_are_not_worked_out_for_every_watcher(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = a_bundle(alice.tenant)
    monkeypatch.setattr(patience, "SLOW_S", -1.0)
    monkeypatch.setattr(patience, "PATIENCE", 1_000_000)
    assert alice.client.get("/dashboard").context["usage"].calls == 0
    called(bundle, 5)
    assert alice.client.get("/dashboard").context["usage"].calls == 0
    views_dashboard.usage_of.kept.clear()
    assert alice.client.get("/dashboard").context["usage"].calls == 5
