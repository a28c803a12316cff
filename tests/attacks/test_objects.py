"""Ids, names and fields of somebody else: what the body says about a tenant means nothing
(A073, A078, A079, A083, A085)."""

from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from billing import secrets
from billing.redis import redis
from bundles.models import Bundle
from runtime.models import Execution
from tests.attacks import door
from tests.bundles.samples import shop as sample
from tests.priostack.routes import belongings
from tests.runtime import stage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


def test_charlie_reaches_nothing_of_alices_through_his_own_requests(alice: Any, charlie: Any) -> None:
    """Filters, cursors, names and fields that point to another tenant's things (A078)."""
    hers = belongings(alice)
    before = door.counts()
    for query in (
        f"bundle={hers['bundle_id']}",
        f"cursor={'f' * 8}-ffff-ffff-ffff-{'f' * 12}",
        "tenant=alice",
        f"tenant_id={alice.tenant.pk}",
    ):
        assert charlie.api.get(f"/api/executions?{query}").json()["items"] == []
    for path in ("/api/bundles?tenant=alice", "/api/modules?tenant=alice", "/api/goals?tenant=alice"):
        assert charlie.api.get(path).json()["items"] == []
    foreign = {"Tenant": "alice", "X-Tenant-Id": str(alice.tenant.pk)}
    assert charlie.api.get(f"/api/bundles/{hers['bundle_id']}", headers=foreign).status_code == 404
    assert door.counts() == before


def test_fields_that_nobody_asked_for_change_nothing(alice: Any, charlie: Any) -> None:
    """Mass assignment (A079): owner, tenant, status, id, plan, scopes of administrators."""
    extra = {
        "id": str(uuid4()), "tenant": "alice", "tenant_id": str(alice.tenant.pk), "owner": alice.email, "status": "running",
        "revision": 99, "live_revision": 1, "plan": "enterprise", "credits": 10**9, "is_superuser": True, "role": "owner",
    }  # fmt: skip
    files = {path: data.decode() for path, data in sample().items() if path.endswith(".yaml")}
    made = charlie.api.post("/api/bundles", {**extra, "files": files}, content_type="application/json")
    assert made.status_code in {201, 422}
    if made.status_code == 201:
        bundle = Bundle.objects.get(pk=made.json()["id"])
        assert (bundle.tenant_id, bundle.status, bundle.revision, bundle.live_revision) == (
            charlie.tenant.pk,
            "stopped",
            1,
            None,
        )
    assert not Bundle.objects.filter(tenant=alice.tenant).exists()
    key = charlie.client.post(
        "/api/keys",
        {**extra, "name": "k", "scopes": ["read", "admin", "owner"]},
        content_type="application/json",
    )
    assert key.status_code == 422, "a key never administers"
    charlie.client.post("/settings/tenant", {**extra, "name": "mine"})
    charlie.tenant.refresh_from_db()
    assert charlie.tenant.slug == "charlie"
    charlie.user.refresh_from_db()
    assert not charlie.user.is_superuser
    assert not charlie.user.is_staff


def test_a_module_of_another_tenant_is_not_resolved(alice: Any, charlie: Any) -> None:
    """Charlie's bundle names the module that only Alice has (A078, A178)."""
    hers = belongings(alice)
    files = stage.bundle_files("thief", [], GET_x="wasm:echo:echo")
    bundle = stage.run_bundle(charlie, files)
    assert hers["module_id"]
    answer = charlie.api.get("/api/modules")
    assert answer.json()["items"] == []
    assert bundle.live_modules == {}


SENSORS = ["tick:evil", "*", "tick%0A", "{x}", "..", "a" * 5000, "%00", "tenant:{}:bundle"]


@pytest.mark.parametrize("sensor", SENSORS)
def test_names_cannot_leave_their_place_in_the_store(alice: Any, sensor: str) -> None:
    """Sensors are looked up, never pasted into keys (A083)."""
    bundle = stage.run_bundle(
        alice,
        stage.bundle_files(
            "b", ["counter"], "  - {name: i, whenSensor: tick, toFunc: 'wasm:counter:run', cooldown: 1h}"
        ),
    )
    before = set(redis().keys("tenant:*"))
    answer = alice.api.post(
        f"/api/bundles/{bundle.pk}/sensors/{sensor}", "{}", content_type="application/json"
    )
    assert answer.status_code in {404, 405}, answer.content
    assert set(redis().keys("tenant:*")) == before


async def test_two_bundles_of_one_tenant_keep_their_state_apart(alice: Any) -> None:
    """And so do two tenants with a bundle of the same name (A085)."""
    one = await sync_to_async(stage.run_bundle)(
        alice, stage.bundle_files("one", ["counter"], POST_n="wasm:counter:run")
    )
    two = await sync_to_async(stage.run_bundle)(
        alice, stage.bundle_files("two", ["counter"], POST_n="wasm:counter:run")
    )
    for expected in (b"1", b"2"):
        assert (await door.knock("POST", "/alice/api/one/n", token=alice.token)).body == expected
    assert (await door.knock("POST", "/alice/api/two/n", token=alice.token)).body == b"1"
    await door.leave()
    names = sorted(key.decode() for key in await sync_to_async(door.stored)())
    assert names == sorted(f"tenant:{alice.tenant.pk}:bundle:{bundle.pk}:kv:data" for bundle in (one, two))


async def test_tenants_with_the_same_bundle_do_not_mix(alice: Any, charlie: Any) -> None:
    for person in (alice, charlie):
        await sync_to_async(stage.run_bundle)(
            person, stage.bundle_files("s", ["counter"], POST_n="wasm:counter:run")
        )
    for _ in range(3):
        await door.knock("POST", "/alice/api/s/n", token=alice.token)
    assert (await door.knock("POST", "/charlie/api/s/n", token=charlie.token)).body == b"1"
    assert (await door.knock("POST", "/charlie/api/s/n", token=alice.token)).status == 404
    await door.leave()
    await stage.drain()
    assert await Execution.objects.filter(tenant=charlie.tenant).acount() == 1


def test_secrets_of_another_tenant_have_the_same_answer_as_none(alice: Any, charlie: Any) -> None:
    secrets.put(alice.tenant, "STRIPE", b"hers", [])
    foreign = charlie.client.delete("/api/secrets/STRIPE")
    nothing = charlie.client.delete("/api/secrets/NOTHING")
    assert (foreign.status_code, nothing.status_code) == (404, 404)
    assert foreign.json()["detail"].replace("STRIPE", "") == nothing.json()["detail"].replace("NOTHING", "")
