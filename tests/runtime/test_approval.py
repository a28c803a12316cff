"""The page of a wait with the example `approval`: it says what it is about, and its link alone decides, once."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from billing import variables
from runtime import resume
from runtime.models import Execution
from tests.attacks import door
from tests.examples.test_flow_examples import Outside, called, outside, started, worked

__all__ = ["outside"]  # a fixture that is shared

pytestmark = pytest.mark.django_db(transaction=True)
REQUEST = {"who": "<b>Ann", "what": "a desk", "amount": 480}


@pytest.fixture
async def knock(clean_redis: None) -> Any:
    yield door.knock
    await door.leave()


async def waiting(person: Any, knock: Any) -> Execution:
    """A run of the example `approval` that waits."""
    flow = await sync_to_async(started)(person, "approval")
    answer = await called(knock, flow, REQUEST)
    assert answer.status == 202
    await worked()
    run = await Execution.objects.aget(pk=answer.json()["execution"])
    assert run.status == "waiting"
    return run


@sync_to_async
def page_of(run: Execution) -> str:
    found = resume.addresses(run)
    assert [one["node"] for one in found] == ["ask"]
    return "/api/" + found[0]["url"].partition("/api/")[2]


@sync_to_async
def visited(path: str, **sent: str) -> Any:
    """As a stranger: no account, a browser of its own."""
    return Client().post(path, sent) if sent else Client().get(path)


async def test_whoever_has_the_link_decides_once(alice: Any, knock: Any) -> None:
    run = await waiting(alice, knock)
    path = await page_of(run)
    shown = await visited(path)
    text = shown.content.decode()
    assert "“approval” waits for a decision" in text
    assert "Waits for the decision of a person" in text
    assert "&lt;b&gt;Ann" in text
    assert "<b>Ann" not in text
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert "Approved" in (await visited(path, decision="approve", comment="fine")).content.decode()
    await worked()
    run = await Execution.objects.aget(pk=run.pk)
    assert (run.status, json.loads(run.output)["status"]) == ("success", "approved")
    for again in (await visited(path), await visited(path, decision="reject")):
        assert again.status_code in (404, 409)
        assert "Nothing waits here" in again.content.decode()


async def test_a_rejection_goes_the_other_way(alice: Any, knock: Any) -> None:
    run = await waiting(alice, knock)
    await visited(await page_of(run), decision="reject")
    await worked()
    run = await Execution.objects.aget(pk=run.pk)
    assert json.loads(run.output)["status"] == "rejected"


async def test_a_wrong_link_shows_nothing_and_changes_nothing(alice: Any, knock: Any) -> None:
    run = await waiting(alice, knock)
    path = await page_of(run)
    for wrong in (f"{path}x", path.replace(str(run.pk), str(run.bundle_id)), f"{path[:-8]}{'A' * 8}"):
        for answer in (await visited(wrong), await visited(wrong, decision="approve")):
            assert answer.status_code == 404
            assert "Ann" not in answer.content.decode()
    assert (await Execution.objects.aget(pk=run.pk)).status == "waiting"


async def test_the_page_of_the_run_has_the_link_for_those_who_may_call(
    alice: Any, bob: Any, knock: Any
) -> None:
    run = await waiting(alice, knock)
    path = await page_of(run)
    assert path in (await sync_to_async(alice.client.get)(f"/runs/{run.pk}")).content.decode()
    assert path not in (await sync_to_async(bob.client.get)(f"/runs/{run.pk}")).content.decode()


async def test_a_failed_run_goes_on_where_it_failed(alice: Any, knock: Any, outside: Outside) -> None:
    flow = await sync_to_async(started)(alice, "reminder", reminder_target="http://nobody.invalid/")
    text = flow["organism_yaml"].replace("for: 1h", "for: 10ms").replace("retries: 5", "retries: 0")
    await sync_to_async(saved)(alice, flow, text)
    answer = await called(knock, flow, {"text": "Tea"})
    await worked()
    run = await Execution.objects.aget(pk=answer.json()["execution"])
    assert run.status == "error"
    page = (await sync_to_async(alice.client.get)(f"/runs/{run.pk}")).content.decode()
    assert "Retry from the failed step" in page
    await sync_to_async(variables.put)(alice.tenant, "reminder_target", f"http://{outside.place}/tea")
    went = await sync_to_async(alice.client.post)(f"/runs/{run.pk}/resume")
    await worked()
    fresh = await Execution.objects.aget(pk=went["Location"].rsplit("/", 1)[1])
    assert (fresh.status, json.loads(fresh.output)) == ("success", {"sent": "Tea"})
    assert [path for _, path, _ in outside.got] == ["/tea"]


def saved(person: Any, flow: Any, text: str) -> None:
    """The text changed and live again."""
    path = f"/api/flows/{flow['id']}"
    revision = person.api.get(path).json()["revision"]
    body = json.dumps({"organism_yaml": text})
    answer = person.api.put(
        path, body, content_type="application/json", headers={"if-match": f'"{revision}"'}
    )
    assert answer.status_code == 200, answer.content
    assert person.api.post(f"{path}/start").status_code == 202
