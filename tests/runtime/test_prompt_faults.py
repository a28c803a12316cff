"""What providers do wrong, through the doors of a prompt, over real HTTP: told in time, in words, without the key."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from runtime import exposition, journal, metrics
from runtime.models import Execution
from runtime.worker import Worker
from tests.fakes.llm import Fake, Turn, refuse, say
from tests.runtime import stage
from tests.runtime.prompting import KEY, hello

pytestmark = pytest.mark.django_db(transaction=True)
DOOR = "/alice/prompts/hello"
ANN = {"who": "Ann"}
CLOSE = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n"


def whole(body: bytes) -> Turn:
    return say("", raw=CLOSE + b"content-length: " + str(len(body)).encode() + b"\r\n\r\n" + body)


async def history(answer: Any) -> Execution:
    await stage.drain()
    return await Execution.objects.aget(pk=answer.execution)


@pytest.mark.parametrize("door", [DOOR, f"{DOOR}/stream"])
async def test_a_provider_that_asks_for_patience_is_given_it(
    call: Any, start: Any, fake: Fake, door: str
) -> None:
    await start()
    fake.brain.turns += [refuse(429, retry_after="0"), say("Good day, Ann!")]
    answer = await call("POST", door, ANN)
    assert (answer.status, len(fake.asked)) == (200, 2)
    assert "Good day, Ann!" in answer.body.decode()


async def test_one_that_asks_for_more_than_there_is_passes_on_its_wish(
    call: Any, start: Any, fake: Fake
) -> None:
    await start()
    fake.brain.turns.append(refuse(429, "slow down", retry_after="900"))
    answer = await call("POST", DOOR, ANN)
    assert (answer.status, answer.json()["code"]) == (503, "handler")
    assert 890 < int(answer.headers["retry-after"]) <= 900
    assert "slow down" in answer.json()["detail"]
    run = await history(answer)
    assert (run.status, run.steps[0]["error"]) == ("error", "no answer")


async def test_one_that_breaks_is_asked_again_and_what_it_cost_is_that_of_the_answer(
    call: Any, start: Any, fake: Fake
) -> None:
    await start(backend="input_price: 2, output_price: 10")
    fake.brain.turns += [refuse(500), say("Good day!")]
    answer = await call("POST", DOOR, ANN)
    assert (answer.status, len(fake.asked)) == (200, 2)
    run = await history(answer)
    usage = {"input": 11, "output": 7, "total": 18, "cost": pytest.approx(92e-6)}
    assert (answer.json()["usage"], run.steps[0]["usage"]) == (usage, usage)
    assert any("mine answered 500" in line[2] for line in run.logs)


async def test_one_that_says_nothing_is_a_time_out(call: Any, start: Any, fake: Fake) -> None:
    await start(backend="timeout: 0.2")
    fake.brain.script = lambda asked: say("late", delay=2)
    answer = await call("POST", DOOR, ANN)
    assert (answer.status, answer.json()["code"]) == (504, "timeout"), answer.body
    assert len(fake.asked) == 2
    streamed = await call("POST", f"{DOOR}/stream", ANN)
    assert '"status":504' in streamed.body.decode().rsplit("event: error", 1)[1]
    for one in (answer, streamed):
        run = await history(one)
        assert (run.status, run.http_status) == ("error", 504)


async def test_an_answer_that_never_ends_is_left_at_its_time(call: Any, start: Any, fake: Fake) -> None:
    await start(backend="timeout: 0.5")
    fake.brain.script = lambda asked: say("more and more", endless=True, pause=0.01)
    answer = await call("POST", f"{DOOR}/stream", ANN)
    told = answer.body.decode()
    assert "event: token" in told
    assert '"status":504' in told.rsplit("event: error", 1)[1]
    assert "event: done" not in told
    assert (await history(answer)).http_status == 504


@pytest.mark.parametrize(
    "body",
    [b"", b"nono", b"[]", b"null", b"{}", b'{"choices": []}', b'{"choices": [{"message": 7}]}', b"\xff\xfe" * 50,
     b'{"error": {"message": "no"}}', b"[" * 5_000],
)  # fmt: skip
async def test_garbage_is_no_answer(call: Any, start: Any, fake: Fake, body: bytes) -> None:
    await start()
    fake.brain.script = lambda asked: whole(body)
    answer = await call("POST", DOOR, ANN)
    assert (answer.status, answer.json()["code"]) == (502, "handler"), answer.body
    assert len(fake.asked) == 2


async def test_a_provider_that_is_not_there_is_told_without_its_address_being_asked_for_ever(
    call: Any, start: Any, fake: Fake
) -> None:
    await start(extra="")
    fake.server.shutdown()
    fake.server.server_close()
    answers = [await call("POST", DOOR, ANN) for _ in range(4)]
    assert [answer.status for answer in answers] == [502, 502, 502, 503]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "times in a row" in answers[-1].json()["detail"]
    assert {(await history(answer)).status for answer in answers} == {"error"}


async def test_a_call_in_the_background_is_acknowledged_and_answered_in_the_history(
    call: Any, start: Any, fake: Fake
) -> None:
    await start()
    fake.brain.turns.append(say("Good day, Ann!"))
    answer = await call("POST", DOOR, ANN, prefer="respond-async")
    assert (answer.status, answer.headers["preference-applied"]) == (202, "respond-async")
    assert answer.headers["location"] == f"/api/executions/{answer.execution}"
    assert fake.asked == []
    refused = await call("POST", DOOR, {}, prefer="respond-async")
    assert refused.status == 422
    run = await worked(answer.execution)
    assert (run.status, json.loads(run.output)["output"]) == ("success", "Good day, Ann!")
    assert (run.steps[0]["usage"]["total"], len(fake.asked)) == (18, 1)


async def test_one_in_the_background_that_fails_is_told_there(call: Any, start: Any, fake: Fake) -> None:
    await start(backend="timeout: 0.2")
    fake.brain.script = lambda asked: say("late", delay=2)
    answer = await call("POST", DOOR, ANN, prefer="respond-async")
    assert answer.status == 202
    run = await worked(answer.execution)
    assert (run.status, run.http_status) == ("error", 504)


async def worked(id: str) -> Execution:
    """What a worker makes of it."""
    runner = Worker()
    runner.start()
    try:
        async with asyncio.timeout(30):
            while not await Execution.objects.filter(pk=id, completed__isnull=False).aexists():
                await asyncio.sleep(0.05)
    finally:
        await asyncio.to_thread(runner.stop)
    return await Execution.objects.aget(pk=id)


async def test_the_key_is_in_no_sink_whatever_the_provider_does(
    call: Any, start: Any, fake: Fake, alice: Any, caplog: Any, settings: Any
) -> None:
    """Answers, streams, forms, GraphQL, errors, logs, the journal, the history, pages, exports and metrics."""
    form = hello("Greet {{ who }}", "form: {public: true}")
    await start({"prompts/hello.prmd": form})
    turns = [say(f"Your key is {KEY}."), refuse(400, KEY), refuse(401, KEY), refuse(429, KEY, retry_after="900"),
             say(f"{KEY} {KEY}", cut=True), whole(KEY.encode()), whole(f'{{"error": "{KEY}"}}'.encode()),
             whole(f'{{"choices": [{{"message": {{"content": "{KEY}"}}}}], "model": "{KEY}"}}'.encode())]  # fmt: skip
    sinks: list[str] = []
    for turn in turns:
        fake.brain.script = lambda asked, turn=turn: turn
        graph = {"query": 'mutation { hello(who: "Ann") { output model } }'}
        for door, body in ((DOOR, ANN), (f"{DOOR}/stream", ANN), ("/alice/graphql", graph)):
            answer = await call("POST", door, body)
            sinks.append(f"{answer.status} {answer.headers} {answer.body.decode()}")
    sinks += [path.read_bytes().decode("latin-1") for path in journal_files()]
    await stage.drain()
    sinks += [str([row async for row in Execution.objects.values()]), caplog.text]
    assert "•••" in sinks[-2]
    sinks += (await sync_to_async(read)(alice)).values()
    metrics.Reporter("web").once()
    sinks.append((await sync_to_async(exposition.page)()).decode())
    assert [text[:300] for text in sinks if KEY in text or KEY[4:] in text] == []
    assert len(fake.asked) >= len(turns)


def journal_files() -> list[Any]:
    found = [path for path in journal.folder().rglob("*") if path.is_file()]
    assert found
    return found


def read(person: Any) -> dict[str, str]:
    runs = list(Execution.objects.values_list("pk", flat=True))
    assert len(runs) >= 20
    paths = ["/runs", "/dashboard", "/api/executions", "/api/secrets", "/api/audit", "/api/bundles"]
    for run in runs:
        paths += [f"/runs/{run}", f"/api/executions/{run}", f"/api/executions/{run}/logs"]
    return {path: person.client.get(path).content.decode() for path in paths}
