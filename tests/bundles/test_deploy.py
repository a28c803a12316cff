"""Asking for a bundle to run and to stop."""

from typing import Any

import pytest
from django.db import transaction

from billing.errors import ApiError
from bundles import deploy, store, wake
from bundles.models import Bundle, Status
from tests.bundles.samples import HEAD, SERVICE, shop
from tests.conftest import Person


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What would be sent to the broker."""
    tasks: list[tuple[str, ...]] = []
    monkeypatch.setattr(wake, "send", lambda task, *args: tasks.append((task, *args)))
    return tasks


def brought(alice: Person, name: str = "shop", service: bytes = SERVICE) -> Bundle:
    head = HEAD.replace(b"name: shop", b"name: " + name.encode())
    contents = shop() | {"bundle.yaml": head, "shop/shop-service.yaml": service}
    return store.import_files("test", alice.tenant, contents).bundle


def refused(bundle: Bundle) -> ApiError:
    with pytest.raises(ApiError) as caught:
        deploy.ask_run("test", bundle)
    return caught.value


def running(bundle: Bundle) -> None:
    Bundle.objects.filter(pk=bundle.pk).update(status=Status.RUNNING, live_revision=bundle.revision)


def test_running_is_asked_once_it_is_committed(
    alice: Person, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    bundle = brought(alice)
    with django_capture_on_commit_callbacks() as later:
        assert deploy.ask_run("test", bundle).status == Status.STARTING
        assert sent == []
    for callback in later:
        callback()
    assert ("runtime.start", str(bundle.pk)) in sent


def test_nothing_is_sent_when_the_transaction_fails(alice: Person, sent: list[Any]) -> None:
    bundle = brought(alice)
    sent.clear()
    with transaction.atomic():
        deploy.ask_run("test", bundle)
        transaction.set_rollback(True)
    bundle.refresh_from_db()
    assert bundle.status == Status.STOPPED
    assert sent == []


def test_errors_stop_it_and_nothing_changes(alice: Person) -> None:
    bundle = brought(alice)
    store.put_file("test", bundle, "bundle.yaml", b"name: [", expected=1)
    error = refused(bundle)
    assert error.status == 422
    assert error.errors[0]["file"] == "bundle.yaml"
    assert Bundle.objects.get().status == Status.STOPPED


def test_a_route_of_another_running_bundle_is_a_conflict(alice: Person) -> None:
    first, second = brought(alice), brought(alice, "other")
    running(first)
    error = refused(second)
    assert error.status == 409
    assert "GET /api/v1/shop/items" in error.detail
    assert Bundle.objects.get(pk=second.pk).status == Status.STOPPED


def test_parameters_of_another_name_are_the_same_route(alice: Person) -> None:
    first = brought(alice, "one", SERVICE.replace(b"/items", b"/:id"))
    second = brought(alice, "two", SERVICE.replace(b"/items", b"/:name"))
    running(first)
    assert refused(second).status == 409


def test_the_live_revision_counts_not_the_newest(alice: Person) -> None:
    first = brought(alice)
    running(first)
    store.put_file(
        "test", first, "shop/shop-service.yaml", SERVICE.replace(b"/items", b"/things"), expected=1
    )
    second = brought(alice, "other")
    assert refused(second).status == 409


def test_a_stopped_bundle_holds_no_route(alice: Person) -> None:
    first, second = brought(alice), brought(alice, "other")
    running(first)
    deploy.ask_stop("test", first)
    assert deploy.ask_run("test", second).status == Status.STARTING


def test_another_tenant_may_run_the_same(alice: Person, charlie: Person) -> None:
    running(brought(alice))
    assert deploy.ask_run("test", brought(charlie)).status == Status.STARTING


def test_running_again_keeps_the_live_revision_until_the_new_one_is_up(alice: Person) -> None:
    bundle = brought(alice)
    running(bundle)
    assert deploy.ask_run("test", bundle).live_revision == 1


def test_stopping_tells_the_data_planes_once(alice: Person) -> None:
    bundle = brought(alice)
    running(bundle)
    before = alice.tenant.__class__.objects.get(pk=alice.tenant.pk).version
    deploy.ask_stop("test", bundle)
    deploy.ask_stop("test", bundle)
    assert Bundle.objects.get().live_revision is None
    assert alice.tenant.__class__.objects.get(pk=alice.tenant.pk).version == before + 1
