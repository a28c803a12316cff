"""The memory of flows: each its own, seen and deleted by its people, gone with the flow (A073, A083, A085, A087)."""

from typing import Any
from urllib.parse import quote

import orjson
import pytest
from asgiref.sync import sync_to_async

from billing.redis import redis
from bundles.models import Flow
from tests.attacks import door
from tests.runtime.test_webhooks import JSON, path

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
J = "application/json"
TEXT = """organism: {{name: keeper}}
{memory}
triggers: [{{name: incoming, type: webhook, to: verb}}]
listeners:
  - name: verb
    handler: builtin:branch
    with: {{cases: [{{if: "payload.verb == 'set'", to: put}}, {{if: "payload.verb == 'delete'", to: drop}}], else: read}}
  - {{name: put, handler: "builtin:memory", with: {{set: "${{payload.key}}", value: "${{payload.value}}"}}, peers: [out]}}
  - {{name: drop, handler: "builtin:memory", with: {{delete: "${{payload.key}}"}}, peers: [out]}}
  - {{name: read, handler: "builtin:memory", with: {{get: "${{payload.key}}"}}, peers: [out]}}
  - {{name: out, handler: "builtin:output", with: {{status: 200, body: "${{payload}}"}}}}
"""
KEYS = [
    "count", "a:b", "*", "..", "{x}", "a b", "key\nline", "ключ", "%2f", "a/b", "memory:x", "'; FLUSHALL",
    "tenant:*", "x" * 500,
]  # fmt: skip


def keeper(person: Any, name: str, memory: str = "memory: 16KiB") -> Any:
    body = {"name": name, "organism_yaml": TEXT.format(memory=memory)}
    flow = person.api.post("/api/flows", body, content_type=J).json()
    assert person.api.post(f"/api/flows/{flow['id']}/start").json()["status"] == "running"
    return flow


class Store:
    """Says verbs to a flow by its webhook."""

    def __init__(self, flow: Any) -> None:
        self.flow = flow

    async def __call__(self, verb: str, key: str, value: Any = None) -> Any:
        body = orjson.dumps({"verb": verb, "key": key, "value": value})
        return await door.knock("POST", path(self.flow), body=body, headers=JSON)


@pytest.fixture
async def two(alice: Any) -> Any:
    flows = [await sync_to_async(keeper)(alice, name) for name in ("one", "two")]
    yield [Store(flow) for flow in flows]
    await door.leave()


async def shown(person: Any, flow: Any) -> dict[str, Any]:
    answer = await sync_to_async(person.api.get)(f"/api/flows/{flow['id']}/memory")
    assert answer.status_code == 200, answer.content
    return {one["key"]: one["value"] for one in answer.json()["items"]}


@pytest.mark.parametrize("key", KEYS)
async def test_no_key_leads_into_the_memory_of_another_flow(alice: Any, two: Any, key: str) -> None:
    one, other = two
    assert (await other("set", "count", "theirs")).status == 200
    assert (await one("set", key, "mine")).status == 200
    assert (await one("get", key)).json() == "mine"
    assert (await other("get", "count")).json() == "theirs"
    assert await shown(alice, other.flow) == {"count": "theirs"}
    assert (await one("delete", key)).status == 200
    assert await shown(alice, one.flow) == {}
    assert (await other("get", "count")).json() == "theirs"


async def test_a_key_that_spells_the_place_of_another_is_only_a_name(alice: Any, two: Any) -> None:
    one, other = two
    await other("set", "count", "theirs")
    place = f"tenant:{alice.tenant.pk}:flow:{other.flow['id']}:memory:count"
    for key in (place, f"../{other.flow['id']}/count", f"../../{place}", f"{other.flow['id']}:memory:count"):
        assert (await one("get", key)).json() is None
        await one("set", key, "overwritten")
    assert (await other("get", "count")).json() == "theirs"


def test_a_flow_that_did_not_opt_in_cannot_start(alice: Any) -> None:
    body = {"name": "none", "organism_yaml": TEXT.format(memory="")}
    flow = alice.api.post("/api/flows", body, content_type=J).json()
    assert alice.api.post(f"/api/flows/{flow['id']}/start").status_code == 422
    assert redis().keys("tenant:*:memory:*") == []


async def test_the_limit_of_a_memory_holds_however_it_is_filled(alice: Any, two: Any) -> None:
    one, _ = two
    assert (await one("set", "big", "x" * 10_000)).status == 200
    assert (await one("set", "more", "x" * 10_000)).status == 502
    assert (await one("set", "big", "x" * 15_000)).status == 200, "in place of the old one"
    for n in range(40):
        await one("set", f"k{n}", "x" * 100)
    listed = (await sync_to_async(alice.api.get)(f"/api/flows/{one.flow['id']}/memory")).json()
    assert listed["used"] <= listed["limit"] == 16 * 1024


async def test_people_see_and_delete_one_key_or_all(alice: Any, two: Any) -> None:
    one, other = two
    for key in ("a", "b", "a/b c"):
        await one("set", key, key)
        await other("set", key, key)
    where = f"/api/flows/{one.flow['id']}/memory"
    assert (await sync_to_async(alice.api.delete)(f"{where}/{quote('a/b c', safe='')}")).status_code == 204
    assert await shown(alice, one.flow) == {"a": "a", "b": "b"}
    assert (await sync_to_async(alice.api.delete)(f"{where}/%2A")).status_code == 204
    assert len(await shown(alice, one.flow)) == 2, "a star is a name here"
    assert (await sync_to_async(alice.api.delete)(where)).status_code == 204
    assert await shown(alice, one.flow) == {}
    assert len(await shown(alice, other.flow)) == 3
    assert (await one("get", "a")).json() is None


async def test_strangers_other_tenants_and_viewers_delete_nothing(
    alice: Any, bob: Any, charlie: Any, two: Any
) -> None:
    one, _ = two
    await one("set", "a", 1)
    where = f"/api/flows/{one.flow['id']}/memory"
    for path_ in (where, f"{where}/a"):
        assert (await sync_to_async(charlie.api.delete)(path_)).status_code == 404
        assert (await sync_to_async(bob.client.delete)(path_)).status_code == 403
    assert (await sync_to_async(charlie.api.get)(where)).status_code == 404
    assert await shown(alice, one.flow) == {"a": 1}


async def test_the_memory_goes_with_the_flow_and_a_new_one_begins_empty(alice: Any, two: Any) -> None:
    one, other = two
    await one("set", "a", 1)
    await other("set", "a", 2)
    assert (await sync_to_async(alice.api.delete)(f"/api/flows/{one.flow['id']}")).status_code == 204
    left = await sync_to_async(redis().keys)("tenant:*:flow:*:memory:*")
    assert left == [f"tenant:{alice.tenant.pk}:flow:{other.flow['id']}:memory:a".encode()]
    again = await sync_to_async(keeper)(alice, "one")
    assert (await Store(again)("get", "a")).json() is None
    assert await Flow.objects.acount() == 2


async def test_a_copy_begins_with_an_empty_memory(alice: Any, two: Any) -> None:
    one, _ = two
    await one("set", "a", 1)
    copy = (await sync_to_async(alice.api.post)(f"/api/flows/{one.flow['id']}/duplicate")).json()
    assert await shown(alice, copy) == {}


async def test_a_memory_is_kept_over_edits_and_renames(alice: Any, two: Any) -> None:
    one, _ = two
    await one("set", "a", 1)
    where = f"/api/flows/{one.flow['id']}"
    changed = {"name": "renamed", "organism_yaml": one.flow["organism_yaml"] + "# edited\n"}
    answer = await sync_to_async(alice.api.put)(where, changed, content_type=J, headers={"if-match": '"2"'})
    assert answer.status_code == 200, answer.content
    await sync_to_async(alice.api.post)(f"{where}/start")
    assert (await one("get", "a")).json() == 1
