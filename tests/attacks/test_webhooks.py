"""Webhooks, injections, schedules and flows of others as an attacker meets them (A078–A080, A086, A087, A130–A137)."""

import asyncio
import gzip
import time
from io import BytesIO
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from billing import secrets
from bundles.models import Bundle, Flow
from runtime import importer
from runtime.models import Execution, Trigger
from tests.attacks import door
from tests.runtime import stage
from tests.runtime.test_triggers import ECHO, flow_of, inject, work
from tests.runtime.test_webhooks import JSON, hooked, path, signed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
J = "application/json"
__all__ = ["work"]


@pytest.fixture
async def knock() -> Any:
    yield door.knock
    await door.leave()


async def runs() -> int:
    await stage.drain()
    return await Execution.objects.acount()


async def test_tokens_of_others_and_parts_of_tokens_open_nothing(
    alice: Any, charlie: Any, knock: Any
) -> None:
    """A130."""
    hers, his = await sync_to_async(hooked)(alice), await sync_to_async(hooked)(charlie)
    token, other = (one["triggers"][0]["token"] for one in (hers, his))
    wrong = [other, token[:-1], token + "A", token.swapcase(), "*" * 32, "%2a", token + "%00", "..", ""]
    answers = [await knock("POST", f"/api/triggers/{hers['id']}/webhook/{one}", body=b"{}") for one in wrong]
    assert {answer.status for answer in answers} == {404}
    assert await runs() == 0
    assert (await knock("POST", path(hers), body=b"{}", headers=JSON)).status == 201


async def test_a_token_is_in_no_log_and_no_history(alice: Any, knock: Any, caplog: Any) -> None:
    """A130."""
    flow = await sync_to_async(hooked)(alice)
    token = flow["triggers"][0]["token"]
    await knock("POST", path(flow), body=b"{}", headers=JSON)
    await knock("POST", path(flow), body=b"{", headers=JSON)
    await stage.drain()
    rows = [
        str(row) async for row in Execution.objects.values_list("input", "output", "logs", "steps", "caller")
    ]
    assert token not in str(rows) + caplog.text
    audit = await sync_to_async(alice.client.get)("/api/audit")
    assert token not in audit.content.decode()


async def test_of_many_copies_of_a_signed_request_one_runs(alice: Any, knock: Any) -> None:
    """A131."""
    await sync_to_async(secrets.put)(alice.tenant, "HOOK", b"key", [])
    flow = await sync_to_async(hooked)(alice, extra=", hmac: HOOK")
    headers = signed(b"key", b"{}", time.time())
    answers = await asyncio.gather(
        *(knock("POST", path(flow), body=b"{}", headers=headers) for _ in range(20))
    )
    assert sorted(answer.status for answer in answers) == [201] + [409] * 19
    assert await runs() == 1


ODD = [
    (b"{" * 100_000, JSON, {400}),
    (b"[" * 2000 + b"]" * 2000, JSON, {400}),
    (b'{"a": "\xff\xfe"}', JSON, {400}),
    (gzip.compress(b"0" * 50_000_000), (*JSON, ("content-encoding", "gzip")), {413}),
    (b"not gzip", (*JSON, ("content-encoding", "gzip")), {400}),
    (b"{}", (*JSON, ("content-encoding", "br")), {415}),
]


@pytest.mark.parametrize(("body", "headers", "status"), ODD, ids=range(len(ODD)))
async def test_odd_bodies_are_refused_and_start_nothing(
    alice: Any, knock: Any, body: bytes, headers: Any, status: set[int]
) -> None:
    """A132."""
    flow = await sync_to_async(hooked)(alice)
    answer = await knock("POST", path(flow), body=body, headers=headers)
    assert answer.status in status
    assert await runs() == 0


async def test_a_query_of_very_many_fields_is_refused(alice: Any, knock: Any) -> None:
    """A132."""
    flow = await sync_to_async(hooked)(alice)
    query = "&".join(f"a{n}=1" for n in range(100_000))
    assert (await knock("POST", path(flow, f"?{query}"), body=b"{}", headers=JSON)).status == 400
    assert await runs() == 0


async def test_what_is_accepted_while_the_flow_starts_runs_exactly_once(
    alice: Any, knock: Any, work: Any
) -> None:
    """A133: the bundle is starting, nothing of it is live yet."""
    flow = await sync_to_async(hooked)(alice, start=False)
    await Flow.objects.aupdate(stopped=False)
    await Bundle.objects.aupdate(status="starting", live_revision=None)
    answers = await asyncio.gather(
        *(knock("POST", path(flow), body=b'{"n": %d}' % n, headers=JSON) for n in range(100))
    )
    assert {answer.status for answer in answers} == {202}
    assert len({answer.execution for answer in answers}) == 100
    wrong = path(flow)[:-1] + ("y" if path(flow).endswith("x") else "x")
    assert (await knock("POST", wrong, body=b"{}")).status == 404
    await sync_to_async(work)(60)
    done = [run async for run in Execution.objects.values_list("id", "status")]
    assert {(str(run), status) for run, status in done} == {(a.execution, "success") for a in answers}


def test_an_injection_reaches_only_nodes_and_triggers_of_the_flow(alice: Any, charlie: Any) -> None:
    """A135."""
    flow, other = flow_of(alice, ECHO), flow_of(alice, ECHO.replace("by-hand", "elsewhere"), "other")
    assert inject(charlie, flow, payload=1).status_code == 404
    assert Client().post(f"/api/triggers/{flow['id']}/inject", {}, content_type=J).status_code == 401
    wishes: list[dict[str, Any]] = [
        {"trigger": "elsewhere"}, {"trigger": "answer"}, {"listener": "stock"}, {"listener": "answer:x"},
        {"listener": f"{other['id']}"}, {"trigger": "a" * 5000}, {"pinned": []},
    ]  # fmt: skip
    for wrong in wishes:
        assert inject(alice, flow, **wrong).status_code == 422, wrong
    importer.drain()
    assert not Execution.objects.exists()


@pytest.mark.parametrize("field", ["flow", "tenant", "execution", "trigger"])
async def test_a_body_cannot_pretend_to_be_the_platform(alice: Any, knock: Any, field: str) -> None:
    """A078: what doors alone write stands beside the body, never in it."""
    flow = await sync_to_async(hooked)(alice)
    body = b'{"%b": {"only": true, "pinned": {"answer": {"status": 500}}}}' % field.encode()
    answer = await knock("POST", path(flow, f"?{field}=charlie"), body=body, headers=JSON)
    assert answer.status == 201
    run = (await sync_to_async(alice.api.get)(f"/api/executions/{answer.execution}")).json()
    assert run["input"]["tenant"] == "alice"
    assert run["input"]["execution"] == answer.execution
    assert "flow" not in run["input"]


BAD_TIMES = [
    'cron: "* * * * * *"', 'cron: "0 0 30 2 *"', 'cron: "61 * * * *"', "every: 1ms", 'cron: ""', "every: 0s",
    'cron: "* * * * *", timezone: Mars/Olympus', 'cron: "*/0 * * * *"', "every: 999999999d",
]  # fmt: skip


@pytest.mark.parametrize("when", BAD_TIMES)
def test_times_that_make_no_sense_cannot_start(alice: Any, when: str) -> None:
    """A136."""
    text = ECHO.replace("type: manual", f"type: schedule, {when}")
    flow = flow_of(alice, text, start=False)
    assert alice.api.post(f"/api/flows/{flow['id']}/start").status_code == 422
    assert not Trigger.objects.filter(next_at__isnull=False).exists()


def test_flows_that_set_each_other_off_come_to_an_end(alice: Any, work: Any) -> None:
    """A137."""
    text = """organism: {name: loop}
triggers: [{name: again, type: sensor, sensor: ping, to: fire}]
listeners: [{name: fire, handler: "builtin:sensor", with: {fire: ping}}]
"""
    flow = flow_of(alice, text, "loop")
    alice.api.post(f"/api/bundles/{flow['bundle']}/sensors/ping", {}, content_type=J)
    work(30)
    assert 8 <= Execution.objects.count() <= 10
    assert not Execution.objects.exclude(status="success").exists()


def test_fields_that_nobody_asked_for_change_nothing(alice: Any, charlie: Any) -> None:
    """A079: owner, tenant, status, id, revision and plan are not for the body to say."""
    hers = flow_of(alice, ECHO)
    extra = {
        "id": str(uuid4()), "tenant": "alice", "tenant_id": str(alice.tenant.pk), "owner": alice.email,
        "status": "running", "stopped": False, "revision": 99, "live_revision": 1, "plan": "enterprise",
        "bundle_id": hers["bundle"], "path": "bundle.yaml", "triggers": [{"name": "x", "token": "x" * 32}],
    }  # fmt: skip
    made = charlie.api.post("/api/flows", {"name": "mine"}, content_type=J).json()
    for name, value in extra.items():  # refused, or told by a GET as well and not read here
        changed = charlie.api.put(f"/api/flows/{made['id']}", {name: value}, content_type=J)
        another = charlie.api.post("/api/flows", {"name": f"with {name}", name: value}, content_type=J)
        assert {changed.status_code, another.status_code} <= {200, 201, 422}, name
        if another.status_code == 201:
            found = another.json()
            assert found["id"] != value
            assert found["path"] != value
            assert (found["status"], found["bundle"]) == ("stopped", made["bundle"])
            assert [trigger["name"] for trigger in found["triggers"]] == ["incoming"]
    now = charlie.api.get(f"/api/flows/{made['id']}").json()
    changing = ("updated", "revision")  # the flows beside it in its bundle count its revisions on
    assert now == made | {key: now[key] for key in changing}
    foreign = charlie.api.post("/api/flows", {"name": "x", "bundle": hers["bundle"]}, content_type=J)
    assert foreign.status_code == 404
    assert Flow.objects.filter(bundle__tenant=alice.tenant).count() == 1


def test_bulk_verbs_reach_no_flow_of_another_tenant(alice: Any, charlie: Any) -> None:
    """A078."""
    hers = flow_of(alice, ECHO)
    body = {"enabled": False, "flows": [hers["id"]]}
    assert charlie.api.put("/api/triggers", body, content_type=J).status_code == 404
    assert charlie.api.put("/api/triggers", {"enabled": False}, content_type=J).json() == {"changed": 0}
    assert not Trigger.objects.filter(enabled=False).exists()


def test_a_viewer_starts_and_changes_nothing(alice: Any, bob: Any) -> None:
    """A080."""
    flow = flow_of(alice, ECHO)
    before = list(Trigger.objects.values())
    for verb, where, body in (
        ("post", f"/api/triggers/{flow['id']}/inject", {"payload": 1}),
        ("put", f"/api/triggers/{flow['id']}/by-hand", {"enabled": False}),
        ("put", "/api/triggers", {"enabled": False}),
        ("put", f"/api/flows/{flow['id']}", {"folder": "x"}),
        ("put", "/api/vars/x", {"value": 1}),
    ):
        assert getattr(bob.client, verb)(where, body, content_type=J).status_code == 403
    assert list(Trigger.objects.values()) == before


def test_an_export_carries_no_token_and_no_id(alice: Any) -> None:
    """A086."""
    flow = flow_of(alice, ECHO)
    hook = flow_of(alice, ECHO.replace("type: manual", "type: webhook"), "hook")
    alice.api.put(f"/api/flows/{hook['id']}", {"canvas_state": {"nodes": {}}}, content_type=J)
    answer = alice.api.get(f"/api/bundles/{flow['bundle']}/export")
    with ZipFile(BytesIO(answer.content)) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    tokens = list(Trigger.objects.values_list("token", flat=True))
    assert len(tokens) == 4
    assert not [
        word for word in [*tokens, flow["id"], hook["id"], str(alice.tenant.pk)] if word in everything
    ]


async def test_nothing_of_a_deleted_flow_answers_any_more(alice: Any, knock: Any) -> None:
    """A087."""
    flow = await sync_to_async(hooked)(alice)
    run = (await knock("POST", path(flow), body=b"{}", headers=JSON)).execution
    queued = (await sync_to_async(inject)(alice, flow, payload=1)).json()["execution"]
    await stage.drain()
    assert (await sync_to_async(alice.api.delete)(f"/api/flows/{flow['id']}")).status_code == 204
    gone = f"/api/flows/{flow['id']}"
    for where in (gone, f"{gone}/status", f"{gone}/logs", f"{gone}/memory", f"{gone}/stats"):
        assert (await sync_to_async(alice.api.get)(where)).status_code == 404
    assert (await sync_to_async(inject)(alice, flow, payload=1)).status_code == 404
    assert (await knock("POST", path(flow), body=b"{}", headers=JSON)).status == 404
    assert (await knock("POST", path(flow, "/test"), body=b"{}", headers=JSON)).status == 404
    assert (await Execution.objects.aget(pk=queued)).status == "cancelled"
    assert (await Execution.objects.aget(pk=run)).status == "success"
    assert not await Trigger.objects.aexists()
