"""The administration of the runtime floor: searchable, and nobody changes history."""

from typing import Any

import pytest
from django.test import Client

from billing.ids import uuid7
from billing.models import User
from bundles.models import Flow
from runtime.models import Bucket, Execution, GoalState, Trigger
from tests.runtime.watching import a_bundle, a_run

MODELS = ("execution", "bucket", "goalstate", "trigger")


@pytest.fixture
def admin(db: None) -> Client:
    root = User.objects.create_superuser("root@example.org", "correct horse battery staple")
    client = Client()
    client.force_login(root, "allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def run(alice: Any) -> Execution:
    bundle = a_bundle(alice.tenant)
    Bucket.objects.create(bundle=bundle, service="cart", name="add", second=5)
    GoalState.objects.create(bundle=bundle, service="cart", goal="fast", metric="latency", target="< 1 ms")
    flow = Flow.objects.create(bundle=bundle, name="hello", path="flows/hello.yaml")
    Trigger.objects.create(flow=flow, name="incoming", type="webhook")
    return a_run(bundle)


@pytest.mark.parametrize("model", MODELS)
def test_every_list_is_shown_and_searched(admin: Client, run: Execution, model: str) -> None:
    for query in ("", "?q=cart", "?q=nothing-like-it", f"?q={uuid7()}"):
        assert admin.get(f"/admin/runtime/{model}/{query}").status_code == 200


def test_a_run_is_found_by_its_id_and_its_tenant(admin: Client, run: Execution) -> None:
    for query in (str(run.pk), "alice", "shop"):
        assert str(run.pk) in admin.get("/admin/runtime/execution/", {"q": query}).content.decode()
    assert str(run.pk) not in admin.get("/admin/runtime/execution/", {"q": "charlie"}).content.decode()


@pytest.mark.parametrize("verb", ["change", "delete"])
def test_history_cannot_be_changed(admin: Client, run: Execution, verb: str) -> None:
    where = f"/admin/runtime/execution/{run.pk}/{verb}/"
    assert admin.post(where, {"status": "error", "post": "yes"}).status_code == 403
    assert admin.get("/admin/runtime/execution/add/").status_code == 403
    run.refresh_from_db()
    assert run.status == "success"


def test_a_token_is_shown_to_no_administrator(admin: Client, run: Execution) -> None:
    trigger = Trigger.objects.get()
    page = admin.get(f"/admin/runtime/trigger/{trigger.pk}/change/")
    assert page.status_code == 200
    assert trigger.token not in page.content.decode()
    assert trigger.token not in admin.get("/admin/runtime/trigger/").content.decode()
