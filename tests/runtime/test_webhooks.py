"""Webhooks on the data plane: the right token runs the flow, everything else has one answer."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from billing import secrets
from runtime import signature
from runtime.models import Execution
from tests.attacks import door
from tests.runtime import stage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

TEXT = """organism: {{name: hello}}
triggers:
  - {{name: incoming, type: webhook, to: answer{extra}}}
listeners:
  - name: answer
    handler: builtin:output
    with: {{status: 201, headers: {{x-flow: hello}}, body: {{got: "${{payload}}", by: "${{trigger.method}}"}}}}
"""
JSON = (("content-type", "application/json"),)
J = "application/json"


def hooked(person: Any, name: str = "hello", extra: str = "", *, start: bool = True) -> Any:
    """A flow with a webhook, running; its body as REST shows it."""
    body = {"name": name, "organism_yaml": TEXT.format(extra=extra)}
    made = person.api.post("/api/flows", body, content_type=J)
    assert made.status_code == 201, made.content
    flow = made.json()
    if start:
        started = person.api.post(f"/api/flows/{flow['id']}/start")
        assert (started.status_code, started.json()["status"]) == (202, "running"), started.content
    return flow


def path(flow: Any, more: str = "") -> str:
    return f"/api/triggers/{flow['id']}/webhook/{flow['triggers'][0]['token']}{more}"


@pytest.fixture
async def knock() -> Any:
    yield door.knock
    await door.leave()


async def test_a_webhook_answers_with_what_the_output_says(alice: Any, knock: Any) -> None:
    flow = await sync_to_async(hooked)(alice)
    answer = await knock("POST", path(flow, "?who=ann"), body=b'{"a": 1}', headers=JSON)
    assert (answer.status, answer.json()) == (201, {"got": {"a": 1}, "by": "POST"})
    assert answer.headers["x-flow"] == "hello"
    shown = await sync_to_async(alice.api.get)(f"/api/executions/{answer.execution}")
    run = shown.json()
    assert (run["trigger"], run["service"], run["name"], run["status"]) == (
        "webhook",
        "flow",
        "hello",
        "success",
    )
    assert flow["triggers"][0]["token"] not in str(run)


async def test_every_wrong_address_has_the_same_answer(alice: Any, knock: Any) -> None:
    flow = await sync_to_async(hooked)(alice)
    other = await sync_to_async(hooked)(alice, "other", start=False)
    wrong = [
        f"/api/triggers/{flow['id']}/webhook/{'x' * 32}",
        f"/api/triggers/{uuid4()}/webhook/{flow['triggers'][0]['token']}",
        f"/api/triggers/{other['id']}/webhook/{flow['triggers'][0]['token']}",
        path(other),
        f"/api/triggers/{flow['id']}/webhook/{flow['triggers'][0]['token']}x",
        f"/api/triggers/nothing/webhook/{flow['triggers'][0]['token']}",
        f"/api/triggers/{flow['id'].upper()}/webhook/{flow['triggers'][0]['token']}",
        f"/api/triggers/{flow['id']}/webhook/%2e%2e/test",
    ]
    answers = [await knock("POST", where, body=b"{}", headers=JSON) for where in wrong]
    assert {answer.status for answer in answers} == {404}
    assert len({answer.body for answer in answers}) == 1
    await stage.drain()
    assert await Execution.objects.acount() == 0


async def test_an_async_webhook_is_written_down_before_it_is_acknowledged(alice: Any, knock: Any) -> None:
    flow = await sync_to_async(hooked)(alice, extra=", respond: async")
    answer = await knock("POST", path(flow), body=b'{"a": 1}', headers=JSON)
    assert (answer.status, answer.json()) == (202, {"execution": answer.execution})
    run = (await sync_to_async(alice.api.get)(f"/api/executions/{answer.execution}")).json()
    assert (run["status"], run["trigger"], run["input"]["body"]) == ("queued", "webhook", {"a": 1})


async def test_a_body_has_to_be_what_it_says(alice: Any, knock: Any, settings: Any) -> None:
    flow = await sync_to_async(hooked)(alice)
    settings.CALL_MAX_BODY = 100
    assert (await knock("POST", path(flow), body=b"{", headers=JSON)).status == 400
    assert (await knock("POST", path(flow), body=b"x" * 101)).status == 413
    assert (await knock("GET", path(flow))).status == 405


async def test_the_fields_of_a_form_have_their_names(alice: Any, knock: Any) -> None:
    flow = await sync_to_async(hooked)(alice)
    form = (("content-type", "application/x-www-form-urlencoded; charset=utf-8"),)
    answer = await knock("POST", path(flow), body=b"who=Ann+B&no=&a=1&a=%C3%A9", headers=form)
    assert answer.json()["got"] == {"who": "Ann B", "no": "", "a": ["1", "\u00e9"]}
    many = await knock("POST", path(flow), body=b"&".join([b"a=1"] * 1001), headers=form)
    assert many.status == 400


async def test_a_stopped_flow_answers_nobody_at_once(alice: Any, knock: Any) -> None:
    flow = await sync_to_async(hooked)(alice)
    assert (await knock("POST", path(flow))).status == 201
    await sync_to_async(alice.api.post)(f"/api/flows/{flow['id']}/stop")
    assert (await knock("POST", path(flow))).status == 404
    await sync_to_async(alice.api.post)(f"/api/flows/{flow['id']}/start")
    assert (await knock("POST", path(flow))).status == 201
    await sync_to_async(alice.api.delete)(f"/api/flows/{flow['id']}")
    assert (await knock("POST", path(flow))).status == 404


async def test_a_save_changes_what_runs_only_with_the_next_start(alice: Any, knock: Any) -> None:
    flow = await sync_to_async(hooked)(alice)
    text = flow["organism_yaml"].replace("status: 201", "status: 202")
    await sync_to_async(alice.api.put)(
        f"/api/flows/{flow['id']}", {"organism_yaml": text}, content_type=J, headers={"if-match": '"1"'}
    )
    assert (await knock("POST", path(flow))).status == 201
    await sync_to_async(alice.api.post)(f"/api/flows/{flow['id']}/start")
    assert (await knock("POST", path(flow))).status == 202


def signed(key: bytes, data: bytes, at: float) -> tuple[tuple[str, str], ...]:
    stamp = str(int(at))
    return (*JSON, ("x-timestamp", stamp), ("x-signature", signature.sign(key, stamp, data)))


async def test_a_signed_webhook_takes_each_right_signature_once(alice: Any, knock: Any) -> None:
    await sync_to_async(secrets.put)(alice.tenant, "HOOK", b"key", [])
    flow = await sync_to_async(hooked)(alice, extra=", hmac: HOOK")
    now, data = time.time(), b'{"a": 1}'
    right = signed(b"key", data, now)
    assert (await knock("POST", path(flow), body=data, headers=right)).status == 201
    assert (await knock("POST", path(flow), body=data, headers=right)).status == 409
    for headers in (
        JSON, signed(b"other", data, now), signed(b"", data, now), signed(b"key", b"{}", now),
        signed(b"key", data, now - 301), signed(b"key", data, now + 302),
    ):  # fmt: skip
        assert (await knock("POST", path(flow), body=data, headers=headers)).status == 401
    await stage.drain()
    assert await Execution.objects.acount() == 1


async def test_a_signed_webhook_without_its_secret_lets_nobody_in(alice: Any, knock: Any) -> None:
    flow = await sync_to_async(hooked)(alice, extra=", hmac: NONE")
    assert (await knock("POST", path(flow), headers=signed(b"", b"", time.time()))).status == 401


async def test_the_test_address_keeps_a_sample_while_somebody_listens(alice: Any, knock: Any) -> None:
    flow = await sync_to_async(hooked)(alice, start=False)
    where = f"/api/triggers/{flow['id']}/incoming"
    assert (await knock("POST", path(flow, "/test"), body=b"{}", headers=JSON)).status == 409
    await sync_to_async(alice.api.put)(where, {"listen": True}, content_type=J)
    answer = await knock("POST", path(flow, "/test?q=1"), body=b'{"a": 1}', headers=JSON)
    assert (answer.status, answer.json()) == (200, {"captured": True})
    shown = (await sync_to_async(alice.api.get)(f"/api/flows/{flow['id']}")).json()
    sample = shown["triggers"][0]["sample"]
    assert (sample["body"], sample["query"], sample["method"]) == ({"a": 1}, {"q": "1"}, "POST")
    assert (await knock("POST", path(flow, "/test"), body=b"{}", headers=JSON)).status == 409
    await stage.drain()
    assert await Execution.objects.acount() == 0


async def test_an_old_token_is_worth_nothing_after_it_was_rotated(alice: Any, knock: Any) -> None:
    flow = await sync_to_async(hooked)(alice)
    assert (await knock("POST", path(flow))).status == 201
    where = f"/api/triggers/{flow['id']}/incoming"
    fresh = (await sync_to_async(alice.api.put)(where, {"rotate": True}, content_type=J)).json()
    assert (await knock("POST", path(flow))).status == 404
    assert (await knock("POST", fresh["url"].partition("8000")[2])).status == 201
    await sync_to_async(alice.api.put)(where, {"enabled": False}, content_type=J)
    assert (await knock("POST", fresh["url"].partition("8000")[2])).status == 404


async def test_a_tenant_that_was_put_aside_wakes_with_a_call(alice: Any, knock: Any) -> None:
    from runtime.gateway import gateway

    flow = await sync_to_async(hooked)(alice)
    assert (await knock("POST", path(flow))).status == 201
    live = gateway.tenants.known["alice"]
    live.used -= 16 * 60
    await gateway.tenants.look()
    assert "alice" in gateway.tenants.known, "its plan keeps it alive"
    live.keep_alive = False
    await gateway.tenants.look()
    assert "alice" not in gateway.tenants.known
    assert (await knock("POST", path(flow))).status == 201


async def test_a_run_that_takes_long_is_acknowledged_and_goes_on(
    alice: Any, knock: Any, monkeypatch: Any
) -> None:
    from runtime import webhooks

    monkeypatch.setattr(webhooks, "RESPOND_S", 0.2)
    text = TEXT.format(extra="").replace("to: answer", "to: pause") + (
        "  - {name: pause, handler: 'builtin:delay', with: {for: 1s}, peers: [answer]}\n"
    )
    made = await sync_to_async(alice.api.post)(
        "/api/flows", {"name": "slow", "organism_yaml": text}, content_type=J
    )
    flow = made.json()
    await sync_to_async(alice.api.post)(f"/api/flows/{flow['id']}/start")
    answer = await knock("POST", path(flow), body=b"{}", headers=JSON)
    assert (answer.status, answer.json()) == (202, {"execution": answer.execution})
    show = sync_to_async(alice.api.get)
    assert (await show(f"/api/executions/{answer.execution}")).json()["status"] == "running"
    for _ in range(100):
        run = (await show(f"/api/executions/{answer.execution}")).json()
        if run["status"] != "running":
            break
        await asyncio.sleep(0.05)
    assert (run["status"], run["trigger"]) == ("success", "webhook")
