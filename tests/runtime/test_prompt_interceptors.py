"""Interceptors of a prompt wrap its own door as they wrap endpoints: one execution for what gets through."""

from typing import Any

import pytest
from channels.db import database_sync_to_async

from billing import secrets
from runtime.models import Execution
from tests.fakes.llm import Fake
from tests.runtime import guarded, prompting, stage
from tests.runtime.prompting import hello

pytestmark = pytest.mark.django_db(transaction=True)
DOOR = "/alice/prompts/hello"
ANN = {"who": "Ann"}


@pytest.fixture
async def start(alice: Any, settings: Any, fake: Fake) -> Any:
    async def started(interceptors: str) -> Any:
        prompt = hello("Greet {{ who }}", f"interceptors: {interceptors}")

        def made() -> Any:
            prompting.keep_key(alice, settings, fake)
            secrets.put(alice.tenant, "JWT_KEY", guarded.KEY.encode(), [])
            return stage.run_bundle(alice, prompting.files(fake, {"prompts/hello.prmd": prompt}))

        return await database_sync_to_async(made)()

    return started


async def runs() -> int:
    await stage.drain()
    return await Execution.objects.acount()


async def test_a_rate_limit_counts_calls_of_a_prompt(call: Any, start: Any, fake: Fake) -> None:
    await start("[rateLimit: {max: 2}]")
    assert [(await call("POST", DOOR, ANN)).status for _ in range(4)] == [200, 200, 429, 429]
    assert (len(fake.asked), await runs()) == (2, 2)


async def test_a_kept_answer_asks_no_model_again(call: Any, start: Any, fake: Fake) -> None:
    await start("[cache]")
    first, second = [await call("POST", DOOR, ANN) for _ in range(2)]
    assert first.json() == second.json()
    assert (await call("POST", DOOR, {"who": "Bo"})).json()["output"] == "You said: Greet Bo"
    assert (len(fake.asked), await runs()) == (2, 2)


async def test_a_compiled_prompt_is_never_given_as_an_answer(call: Any, start: Any, fake: Fake) -> None:
    """Whoever may compile it cannot put its text into the answers of all others."""
    await start("[cache: {key: request.body.who, shared: true}]")
    for _ in range(2):
        assert (await call("POST", f"{DOOR}?dry=1", ANN)).json()["output"].strip() == "Greet Ann"
        assert isinstance((await call("POST", f"{DOOR}?dry=1&format=openai", ANN)).json()["output"], list)
        assert (await call("POST", DOOR, ANN)).json()["output"] == "You said: Greet Ann"
    assert len(fake.asked) == 1


async def test_a_transform_makes_the_parameters(call: Any, start: Any, fake: Fake) -> None:
    await start("[transform: {request: \"{'who': request.body.name}\", response: response.body.output}]")
    answer = await call("POST", DOOR, {"name": "Ann"})
    assert (answer.status, answer.json()) == (200, "You said: Greet Ann")
    refused = await call("POST", DOOR, {"name": 7})
    assert (refused.status, refused.json()["errors"][0]["path"]) == (422, "who")
    assert (len(fake.asked), await runs()) == (1, 1)


async def test_a_stream_by_get_gets_past_nothing(call: Any, start: Any, fake: Fake) -> None:
    """Its parameters stand in the query; interceptors see and change them as those of a body."""
    await start(
        "[filter: request.body.who != 'Eve', transform: {request: \"{'who': 'not ' + request.body.who}\"}]"
    )
    assert (await call("GET", f"{DOOR}/stream?who=Eve")).status == 422
    assert fake.asked == []
    for answer in (
        await call("GET", f"{DOOR}/stream?who=Bo"),
        await call("POST", f"{DOOR}/stream", {"who": "Bo"}),
    ):
        assert answer.status == 200
    await stage.drain()
    assert [asked.messages[-1]["content"] for asked in fake.asked] == ["Greet not Bo"] * 2


async def test_dry_works_within_interceptors(call: Any, start: Any, fake: Fake) -> None:
    await start("[monitoring]")
    assert (await call("POST", f"{DOOR}?dry=1", ANN)).json()["output"].strip() == "Greet Ann"
    assert (await call("POST", f"{DOOR}?drry=1", ANN)).status == 422
    assert fake.asked == []


async def test_nobody_passes_without_the_key(call: Any, start: Any, charlie: Any, fake: Fake) -> None:
    await start("[monitoring, auth]")
    assert (await call("POST", DOOR, ANN, token=None)).status == 401
    assert (await call("POST", DOOR, ANN, token=charlie.token)).status == 404
    assert (await call("POST", DOOR, ANN, token=guarded.token())).status in (401, 404)
    assert (fake.asked, await runs()) == ([], 0)
