"""The flow of the e-commerce example: a loop over real modules, a branch, an http call and a join, an agent with tools."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from billing import secrets, variables
from bundles.models import Flow
from runtime import importer, triggers
from runtime.models import Execution
from tests.attacks import door
from tests.examples.host import ECOMMERCE
from tests.fakes.llm import Fake, say, wish
from tests.runtime import stage

pytestmark = pytest.mark.django_db(transaction=True)
JSON = (("content-type", "application/json"),)
LARGE = {"userId": "zoe", "items": [{"productId": "desk"}, {"productId": "mug", "quantity": 2}]}
SMALL = {"userId": "zoe", "items": [{"productId": "mug", "quantity": 2}]}


class Rates(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        data = b'{"rate": 1.1}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def rates() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Rates)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
async def shop(alice: Any, clean_redis: None) -> Any:
    await sync_to_async(stage.run_bundle)(alice, stage.folder_files(ECOMMERCE))

    async def order(body: Any) -> Any:
        raw = json.dumps(body).encode()
        return await door.knock("POST", "/alice/api/v1/intake/", token=alice.token, body=raw, headers=JSON)

    yield order
    await door.leave()


def steps(answer: Any) -> list[str]:
    """Of the whole run, which may go on for a moment after its output has answered."""
    limit = time.monotonic() + 5
    while time.monotonic() < limit:
        importer.drain()
        run = Execution.objects.get(pk=answer.execution)
        if run.completed:
            break
        time.sleep(0.05)
    return [step["node"] for step in run.steps]


def ask_at(person: Any, rates: str, fake: Fake, settings: Any) -> None:
    settings.EGRESS_ALLOW = [rates, fake.place]
    secrets.put(person.tenant, "llm_key", b"the key of a model", ["127.0.0.1"])
    variables.put(person.tenant, "rates_url", f"http://{rates}/rates")
    variables.put(person.tenant, "llm_url", f"{fake.url}/v1")


async def test_a_small_order_is_placed_at_once(shop: Any) -> None:
    answer = await shop(SMALL)
    assert (answer.status, answer.json()["totalCents"]) == (201, 3000)
    found = await sync_to_async(steps)(answer)
    assert found.count("price") == 1
    assert {"lines", "sum", "size", "accept", "place", "placed"} <= set(found)
    assert "assistant" not in found


async def test_an_agent_looks_at_a_large_order_and_accepts_it(
    shop: Any, alice: Any, rates: str, settings: Any
) -> None:
    turns = [wish(("shelf", {})), wish(("accept", {"reason": "It is in stock."})), say("Done.")]
    with Fake(turns) as fake:
        await sync_to_async(ask_at)(alice, rates, fake, settings)
        answer = await shop(LARGE)
    assert (answer.status, answer.json()["status"]) == (201, "created")
    assert set(fake.asked[0].tools) == {"shelf", "accept", "hold"}
    assert "1.1" in fake.asked[0].said()
    assert "Standing desk" in str(fake.asked[1].messages)
    found = await sync_to_async(steps)(answer)
    assert found.count("price") == 2
    assert {"rate", "facts", "both", "assistant", "shelf", "place"} <= set(found)


async def test_the_agent_may_hold_it(shop: Any, alice: Any, rates: str, settings: Any) -> None:
    with Fake([wish(("hold", {"reason": "A desk is heavy."})), say("Held.")]) as fake:
        await sync_to_async(ask_at)(alice, rates, fake, settings)
        answer = await shop(LARGE)
    assert (answer.status, answer.json()) == (202, {"status": "held", "reason": "A desk is heavy."})


async def test_without_anybody_to_ask_it_is_held(shop: Any) -> None:
    answer = await shop(LARGE)
    assert (answer.status, answer.json()["status"]) == (202, "held")
    assert "no-rate" in await sync_to_async(steps)(answer)


async def test_what_cannot_be_had_is_refused(shop: Any) -> None:
    answer = await shop({"userId": "zoe", "items": [{"productId": "unicorn"}]})
    assert answer.status == 422
    assert "there is no product unicorn" in answer.json()["error"]
    for nothing in ({}, {"userId": "zoe"}, {"userId": "zoe", "items": "mug"}, [], "x"):
        assert (await shop(nothing)).status == 400, nothing


def test_its_declared_tests_hold(alice: Any, clean_redis: None) -> None:
    bundle = stage.run_bundle(alice, stage.folder_files(ECOMMERCE))
    told = alice.api.post(f"/api/bundles/{bundle.pk}/tests").json()
    ours = [one for one in told["items"] if one["file"] == "tests/intake.yaml"]
    assert len(ours) == 4
    assert all(one["passed"] for one in ours), ours


async def test_its_webhook_does_the_same_without_a_key(shop: Any) -> None:
    def address() -> str:
        flow = Flow.objects.select_related("bundle").get(name="order-intake")
        return triggers.url(triggers.rows(flow)["partner"]).partition("/api/")[2]

    where = "/api/" + await sync_to_async(address)()
    answer = await door.knock("POST", where, body=json.dumps(SMALL).encode(), headers=JSON)
    assert (answer.status, answer.json()["userId"]) == (201, "zoe")
