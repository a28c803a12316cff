"""Run, Stop and Fire on a bundle's page: what the fragments say, and who may."""

import hashlib
from typing import Any

import pytest
from django.urls import reverse

from bundles import store
from bundles.models import Bundle
from runtime import deploy, guests, importer
from runtime.models import Execution
from tests.guests import guest
from tests.runtime import stage

pytestmark = pytest.mark.django_db(transaction=True)

HTMX = {"HX-Request": "true"}
INTENTS = """
  - {name: count, whenSensor: tick, toFunc: 'wasm:counter:run'}
  - {name: rarely, whenSensor: rare, toFunc: 'wasm:counter:run', cooldown: 60s}
"""
CHECKS = b"""
- {name: ticks, sensor: tick, payload: {by: 3}, expect: {status: 200}}
"""


@pytest.fixture
def files() -> dict[str, bytes]:
    return stage.bundle_files("s", ["counter"], INTENTS, POST_n="wasm:counter:run") | {"tests/a.yaml": CHECKS}


@pytest.fixture
def bundle(alice: Any, clean_redis: None, files: dict[str, bytes]) -> Bundle:
    return store.import_files("test", alice.tenant, files).bundle


def at(name: str, bundle: Bundle) -> str:
    return reverse(f"runtime:{name}", args=[bundle.pk])


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def uncompiled() -> None:
    """As on a machine where no worker has compiled the module yet."""
    sha256 = hashlib.sha256(guest("counter")).hexdigest()
    guests.code().remove(sha256)
    guests.prepare.cache_clear()


def test_run_turns_from_starting_to_running_by_itself(alice: Any, bundle: Bundle) -> None:
    uncompiled()
    page = text(alice.client.post(at("run", bundle), headers=HTMX))
    assert 'data-status="starting"' in page
    assert f'hx-get="{at("status", bundle)}?fresh"' in page
    assert "delay:500ms" in page
    deploy.start(bundle.pk)
    page = text(alice.client.get(at("status", bundle), headers=HTMX))
    assert 'data-status="running"' in page
    assert "hx-get" not in page


def test_what_is_compiled_runs_at_once(alice: Any, bundle: Bundle) -> None:
    guests.prepare(hashlib.sha256(guest("counter")).hexdigest())
    assert 'data-status="running"' in text(alice.client.post(at("run", bundle), headers=HTMX))
    bundle.refresh_from_db()
    assert (bundle.status, bundle.live_revision) == ("running", bundle.revision)


def test_stop_stops(alice: Any, bundle: Bundle) -> None:
    alice.client.post(at("run", bundle))
    deploy.start(bundle.pk)
    assert 'data-status="stopped"' in text(alice.client.post(at("stop", bundle), headers=HTMX))
    bundle.refresh_from_db()
    assert (bundle.status, bundle.live_revision) == ("stopped", None)


def test_errors_of_the_bundle_are_told_in_the_fragment(alice: Any, files: dict[str, bytes]) -> None:
    broken = files | {"s.yaml": files["s.yaml"].replace(b"method: POST", b"method: <b>")}
    broken_bundle = store.import_files("test", alice.tenant, files).bundle
    store.put_file("test", broken_bundle, "s.yaml", broken["s.yaml"], expected=1)
    page = text(alice.client.post(at("run", broken_bundle), headers=HTMX))
    assert 'role="alert"' in page
    assert "has errors" in page
    assert "s.yaml:" in page
    assert "<b>" not in page
    broken_bundle.refresh_from_db()
    assert broken_bundle.status == "stopped"


def test_taken_routes_are_told_in_the_fragment(alice: Any, bundle: Bundle, files: dict[str, bytes]) -> None:
    alice.client.post(at("run", bundle))
    twin = files | {"bundle.yaml": files["bundle.yaml"].replace(b"name: s\n", b"name: twin\n", 1)}
    other = store.import_files("test", alice.tenant, twin).bundle
    page = text(alice.client.post(at("run", other), headers=HTMX))
    assert "POST /api/s/n is served by" in page
    other.refresh_from_db()
    assert other.status == "stopped"


def test_without_javascript_the_page_comes_back_with_a_message(alice: Any, bundle: Bundle) -> None:
    uncompiled()
    assert "is starting" in text(alice.client.post(at("run", bundle), follow=True))


def test_why_a_bundle_is_in_error_is_shown_as_text(alice: Any, bundle: Bundle) -> None:
    Bundle.objects.filter(pk=bundle.pk).update(status="error", status_note="counter: <script>")
    page = text(alice.client.get(at("status", bundle) + "?fresh", headers=HTMX))
    assert "counter: &lt;script&gt;" in page
    assert 'data-status="error"' in page


def test_fire_offers_the_payload_of_a_declared_test(alice: Any, bundle: Bundle) -> None:
    page = text(alice.client.get(at("fire", bundle), {"sensor": "tick"}, headers=HTMX))
    assert "&quot;by&quot;: 3" in page
    assert alice.client.get(at("fire", bundle), {"sensor": "absent"}).status_code == 404


def test_fire_links_the_runs_and_names_what_was_held_back(alice: Any, bundle: Bundle) -> None:
    alice.client.post(at("run", bundle))
    deploy.start(bundle.pk)
    sent = {"sensor": "rare", "payload": '{"a": 1}'}
    first = text(alice.client.post(at("fire", bundle), sent, headers=HTMX))
    assert "/runs/" in first
    again = text(alice.client.post(at("fire", bundle), sent, headers=HTMX))
    assert "s.rarely was skipped: cooldown" in again
    importer.drain()
    assert Execution.objects.filter(trigger="sensor", name="rarely").count() == 1


@pytest.mark.parametrize("payload", ["{", "[1, 2", "nope"])
def test_a_payload_that_is_no_json_fires_nothing(alice: Any, bundle: Bundle, payload: str) -> None:
    alice.client.post(at("run", bundle))
    deploy.start(bundle.pk)
    page = text(alice.client.post(at("fire", bundle), {"sensor": "tick", "payload": payload}, headers=HTMX))
    assert "not JSON" in page
    importer.drain()
    assert Execution.objects.count() == 0


def test_a_viewer_sees_but_changes_nothing(alice: Any, bob: Any, bundle: Bundle) -> None:
    assert "stopped" in text(bob.client.get(at("status", bundle)))
    assert "may only read" in text(bob.client.get(at("fire", bundle), {"sensor": "tick"}))
    for name, sent in (("run", {}), ("stop", {}), ("fire", {"sensor": "tick"}), ("tests", {})):
        assert bob.client.post(at(name, bundle), sent).status_code == 403, name
    bundle.refresh_from_db()
    assert bundle.status == "stopped"


def test_charlie_sees_404_everywhere(charlie: Any, bundle: Bundle) -> None:
    for name in ("status", "fire", "tests"):
        assert charlie.client.get(at(name, bundle)).status_code == 404, name
    for name in ("run", "stop", "fire", "tests"):
        assert charlie.client.post(at(name, bundle), {"sensor": "tick"}).status_code == 404, name
    bundle.refresh_from_db()
    assert bundle.status == "stopped"
