"""The flows that people begin with: each loads without a problem and does what its comment says, in a real run."""

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from billing import secrets, variables
from bundles import flow as flowfile
from runtime import flowkept, flowstore, importer
from runtime.flowexamples import FOLDER, ORDER, examples
from runtime.models import Execution
from runtime.worker import Worker
from tests.attacks import door
from tests.fakes.llm import Fake, say, wish

J = "application/json"
JSON = (("content-type", J),)
run = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("slug", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_each_loads_without_a_problem(slug: str) -> None:
    path = f"flows/{slug}.yaml"
    found = flowfile.load(slug, path, {path: (FOLDER / f"{slug}.yaml").read_bytes()})
    assert found.problems == ()
    assert found.title == slug
    assert found.description
    assert found.triggers
    assert {one.handler.kind for one in found.listeners} <= {"builtin", "agent"}


def test_the_gallery_has_each_of_them_with_a_title_and_a_few_words() -> None:
    assert {one.slug for one in examples()} == set(ORDER)
    for one in examples():
        assert 8 < len(one.title) < 60
        assert 40 < len(one.about) < 500
        assert "curl" not in one.about


class Outside:
    """Somebody else's server: answers by path, remembers what it was sent, fails as often as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, Any]] = []
        self.fails = 0
        self.answers: dict[str, Any] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.place = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def handler(outside: Outside) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length)
            outside.got.append((self.command, self.path, json.loads(body) if body else None))
            outside.fails -= 1
            data = json.dumps(outside.answers.get(self.path.split("?")[0], {})).encode()
            self.send_response(503 if outside.fails >= 0 else 200)
            self.send_header("content-type", J)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@pytest.fixture
def outside(settings: Any) -> Iterator[Outside]:
    found = Outside()
    settings.EGRESS_ALLOW = [found.place]
    yield found
    found.close()


@pytest.fixture
async def knock(clean_redis: None) -> Any:
    yield door.knock
    await door.leave()


def started(person: Any, slug: str, **told: Any) -> Any:
    """The example as a flow of one's own, with its variables, started; its body as REST shows it."""
    for name, value in told.items():
        variables.put(person.tenant, name, value)
    text = (FOLDER / f"{slug}.yaml").read_text()
    made = person.api.post("/api/flows", {"name": slug, "organism_yaml": text}, content_type=J)
    assert made.status_code == 201, made.content
    assert not made.json()["problems"]
    begun = person.api.post(f"/api/flows/{made.json()['id']}/start")
    assert begun.status_code == 202, begun.content
    return made.json()


async def called(knock: Any, flow: Any, payload: Any) -> Any:
    hook = flow["triggers"][0]
    where = f"/api/triggers/{flow['id']}/webhook/{hook['token']}"
    return await knock("POST", where, body=json.dumps(payload).encode(), headers=JSON)


@run
async def test_greet_answers_with_a_greeting(alice: Any, knock: Any) -> None:
    flow = await sync_to_async(started)(alice, "greet")
    answer = await called(knock, flow, {"name": "Ann"})
    assert (answer.status, answer.json()) == (200, {"hello": "Ann", "letters": 3})
    assert (await called(knock, flow, {})).json() == {"hello": "world", "letters": 0}


@run
async def test_orders_are_priced_line_by_line_and_large_ones_are_reviewed(alice: Any, knock: Any) -> None:
    flow = await sync_to_async(started)(alice, "orders")
    items = [{"sku": "mug", "price": 8.5, "quantity": 4}, {"sku": "pot", "price": 90, "quantity": 1}]
    large = await called(knock, flow, {"items": items})
    assert (large.status, large.json()["status"], large.json()["order"]["total"]) == (202, "review", 124)
    assert [line["line"] for line in large.json()["order"]["lines"]] == [1, 2]
    assert (await called(knock, flow, {"items": items[:1]})).status == 201
    assert (await called(knock, flow, {"items": []})).status == 422


@run
async def test_fanout_joins_what_each_branch_found(alice: Any, knock: Any) -> None:
    flow = await sync_to_async(started)(alice, "fanout")
    answer = await called(knock, flow, {"text": "Flows are fun"})
    assert answer.json() == {"words": 3, "letters": 13, "shout": "FLOWS ARE FUN"}


@run
async def test_a_careful_call_tries_again_and_then_apologizes(
    alice: Any, knock: Any, outside: Outside
) -> None:
    outside.answers["/rates"] = {"rate": 1.1}
    flow = await sync_to_async(started)(alice, "careful-call", rates_url=f"http://{outside.place}/rates")
    outside.fails = 2
    answer = await called(knock, flow, {"currency": "USD"})
    assert (answer.status, answer.json()) == (200, {"currency": "USD", "rate": 1.1})
    assert [path for _, path, _ in outside.got] == ["/rates?currency=USD"] * 3
    outside.fails = 100
    answer = await called(knock, flow, {"currency": "USD"})
    assert (answer.status, answer.headers["retry-after"]) == (503, "60")
    assert answer.json()["currency"] == "USD"
    assert len(outside.got) == 7


@run
async def test_the_report_counts_and_posts(alice: Any, knock: Any, outside: Outside) -> None:
    outside.answers["/orders"] = {"orders": [{"status": "open"}, {"status": "sent"}, {"status": "open"}]}
    base = f"http://{outside.place}"
    told = {"report_source": f"{base}/orders", "report_target": f"{base}/chat"}
    flow = await sync_to_async(started)(alice, "report", **told)
    await by_hand(alice, flow, {})
    assert outside.got[-1] == ("POST", "/chat", {"text": "2 of 3 orders are open."})


async def by_hand(person: Any, flow: Any, payload: Any, trigger: str = "by-hand") -> Execution:
    """Queue a run and have it worked off, as a worker does."""
    sent = {"trigger": trigger, "payload": payload}
    where = f"/api/triggers/{flow['id']}/inject"
    answer = await sync_to_async(person.api.post)(where, sent, content_type=J)
    assert answer.status_code == 202, answer.content
    await worked()
    return await Execution.objects.aget(pk=answer.json()["execution"])


@sync_to_async
def worked(seconds: float = 10) -> None:
    """A worker in its thread, until nothing is left to do."""
    runner = Worker()
    runner.start()
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            importer.drain()
            if not Execution.objects.filter(status__in=("queued", "running")).exists():
                break
            time.sleep(0.02)
    finally:
        runner.stop()
    importer.drain()


@run
async def test_the_counter_counts_in_its_memory(alice: Any, knock: Any) -> None:
    flow = await sync_to_async(started)(alice, "counter")
    outputs = [json.loads((await by_hand(alice, flow, {})).output) for _ in range(3)]
    assert outputs == [{"count": 1}, {"count": 2}, {"count": 3}]
    row = await sync_to_async(flowstore.Flow.objects.select_related("bundle").get)(pk=flow["id"])
    kept = await sync_to_async(flowkept.entries)(row)
    assert [(one.key, one.value) for one in kept] == [("count", "3")]


@run
async def test_the_counter_counts_what_its_sensor_reports(alice: Any, knock: Any) -> None:
    flow = await sync_to_async(started)(alice, "counter")
    page = f"/bundles/{flow['bundle']}/fire/doorOpened"
    assert b"Fire doorOpened" in (await sync_to_async(alice.client.get)(page)).content
    fired = await sync_to_async(alice.client.post)(page, {"payload": "{}"})
    assert b"1 run started" in fired.content
    await worked()
    ran = await Execution.objects.aget(name="counter")
    assert (ran.trigger, json.loads(ran.output)) == ("sensor", {"count": 1})


def with_model(person: Any, fake: Fake, settings: Any, slug: str) -> Any:
    settings.EGRESS_ALLOW = [fake.place]
    secrets.put(person.tenant, "llm_key", b"a key of a model", ["127.0.0.1"])
    return started(person, slug, llm_url=f"{fake.url}/v1")


@run
async def test_the_summary_is_the_models_or_an_error(alice: Any, knock: Any, settings: Any) -> None:
    with Fake([say('{"summary": "Short.", "language": "en"}'), say('{"nothing": 1}')]) as fake:
        flow = await sync_to_async(with_model)(alice, fake, settings, "summary")
        answer = await called(knock, flow, {"text": "A long text."})
        assert (answer.status, answer.json()) == (200, {"summary": "Short.", "language": "en"})
        assert (await called(knock, flow, {"text": "Another."})).status == 502
    assert fake.asked[0].said() == "A long text."


@run
async def test_triage_uses_its_tools_and_files_the_request(alice: Any, knock: Any, settings: Any) -> None:
    verdict = {"queue": "billing", "urgent": True, "summary": "Charged twice."}
    turns = [
        wish(("customer", {"customer": "ann"}), ("policy", {})),
        wish(("decide", verdict)),
        say("Filed."),
    ]
    with Fake(turns) as fake:
        flow = await sync_to_async(with_model)(alice, fake, settings, "triage")
        answer = await called(knock, flow, {"customer": "ann", "text": "I was charged twice"})
        assert (answer.status, answer.json()) == (200, {"to": "on-call", "request": verdict})
    assert set(fake.asked[0].tools) == {"customer", "policy", "decide"}
    assert "charged twice" in str(fake.asked[1].messages)


def test_the_comments_name_every_variable_and_secret_of_an_example() -> None:
    for one in examples():
        comment = "\n".join(line for line in one.text.splitlines() if line.startswith("#"))
        used = set(re.findall(r"vars\.(\w+)|api_key_env: (\w+)", one.text))
        assert all((name or secret) in comment for name, secret in used), one.slug
