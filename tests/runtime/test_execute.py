"""Functions, flows and prompts called from Python, through the same waist as every call."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from billing.errors import ApiError
from bundles import deploy as asking
from runtime import importer, serving
from runtime.execute import aemit, aexecute, emit, execute
from runtime.gateway import Gateway
from runtime.models import Execution
from runtime.worker import Worker
from tests.fakes.llm import Fake, refuse
from tests.runtime import prompting, stage
from tests.runtime.prompting import hello

pytestmark = pytest.mark.django_db(transaction=True)
WELCOME = b"""---
id: welcome
name: Welcome
version: 1.0.0
parameters:
  - {name: event, type: string, required: true}
  - {name: data, type: object, required: true}
  - {name: timestamp, type: string, required: true}
---
Greet {{ data.email }}, because of {{ event }}.
"""
INTENTS = """
  - {name: welcome, whenSensor: user.created, toFunc: 'prompt:welcome'}
  - {name: count, whenSensor: user.created, toFunc: 'wasm:counter:run', cooldown: 60s}
"""
FLOW = b"""organism: {name: pass}
listeners:
  - {name: out, handler: builtin:output, with: {status: 200, body: "${payload}"}}
triggers:
  - {name: begin, type: manual, to: out}
"""


@pytest.fixture
def bundle(alice: Any, settings: Any, fake: Fake, clean_redis: None) -> Iterator[Any]:
    prompting.keep_key(alice, settings, fake)
    files = stage.bundle_files("users", ["echo", "counter", "trapper"], INTENTS, GET_e="wasm:echo:run")
    head = prompting.files(fake)["bundle.yaml"].replace(b"name: talk", b"name: users")
    files["bundle.yaml"] = head + b"services:\n  - path: users.yaml\n"
    files |= {"prompts/welcome.prmd": WELCOME, "prompts/hello.prmd": hello(), "flows/pass.yaml": FLOW}
    yield stage.run_bundle(alice, files)
    serving.stop()
    assert serving._here == []


def work(until: int) -> None:
    """A worker, until so many runs have ended."""
    runner = Worker()
    runner.start()
    try:
        for _ in range(400):
            importer.drain()
            if Execution.objects.filter(status__in=("success", "error")).count() >= until:
                break
            threading.Event().wait(0.05)
    finally:
        runner.stop()
    importer.drain()


def test_a_function_is_called_and_recorded(bundle: Any) -> None:
    answer = execute("alice", "wasm:echo:run", {"n": 1})
    assert (answer.ok, answer.http_status, answer.output, answer.error) == (True, 200, {"n": 1}, "")
    assert answer.units >= 1
    importer.drain()
    run = Execution.objects.get(pk=answer.execution)
    assert (run.status, run.target, run.caller, run.trigger) == ("success", "wasm:echo:run", "python", "api")


def test_an_event_is_told_with_its_data_and_its_time(bundle: Any) -> None:
    answer = execute("alice", "wasm:echo:run", {"id": 7}, event="user.created")
    told = dict(answer.output)
    assert (told.pop("event"), told.pop("data")) == ("user.created", {"id": 7})
    assert told.pop("timestamp").endswith("Z")
    assert told == {}
    importer.drain()
    assert Execution.objects.get(pk=answer.execution).trigger == "sensor"


def test_a_prompt_is_asked_with_its_parameters(bundle: Any, fake: Fake) -> None:
    answer = execute("alice", "prompt:hello", {"who": "Ann"})
    assert (answer.status, answer.output["model"]) == ("success", "gpt-5-mini")
    assert answer.output["execution"] == answer.execution
    assert fake.asked[0].messages[-1]["content"] == "Greet Ann!"


def test_a_prompt_takes_of_an_event_what_it_has_parameters_for(bundle: Any, fake: Fake) -> None:
    assert execute("alice", "prompt:welcome", {"email": "ann@example.org"}, event="user.created").ok
    assert fake.asked[0].said() == "Greet ann@example.org, because of user.created."


def test_values_that_do_not_fit_are_refused_and_cost_nothing(bundle: Any, fake: Fake) -> None:
    with pytest.raises(ApiError) as refused:
        execute("alice", "prompt:hello", {"times": 9})
    assert refused.value.status == 422
    assert {error["path"] for error in refused.value.errors} == {"who", "times"}
    importer.drain()
    assert (fake.asked, Execution.objects.count()) == ([], 0)


def test_a_flow_answers_with_its_output(bundle: Any) -> None:
    answer = execute("alice", "flow:pass", {"n": [1, 2]})
    assert (answer.status, answer.output) == ("success", {"n": [1, 2]}), answer


def test_what_fails_is_an_answer(bundle: Any, fake: Fake) -> None:
    trapped = execute("alice", "wasm:trapper:unreachable", None)
    assert (trapped.ok, trapped.status, trapped.http_status) == (False, "error", 502)
    assert trapped.error
    fake.brain.turns += [refuse(401)] * 4
    unanswered = execute("alice", "prompt:hello", {"who": "Ann"})
    assert (unanswered.ok, unanswered.http_status) == (False, 502)


@pytest.mark.parametrize(
    ("tenant", "target", "bundle_name", "status"),
    [
        ("alice", "wasm:none:run", "", 404), ("alice", "prompt:none", "", 404), ("alice", "flow:none", "", 404),
        ("alice", "wasm:echo:run", "other", 404), ("nobody", "wasm:echo:run", "", 404),
        ("charlie", "wasm:echo:run", "", 404), ("alice", "nonsense", "", 422), ("alice", "", "", 422),
    ],
)  # fmt: skip
def test_what_is_not_there_is_an_error(
    bundle: Any, charlie: Any, tenant: str, target: str, bundle_name: str, status: int
) -> None:
    with pytest.raises(ApiError) as refused:
        execute(tenant, target, bundle=bundle_name)
    assert refused.value.status == status
    importer.drain()
    assert Execution.objects.count() == 0


def test_what_was_stopped_a_moment_ago_is_gone(bundle: Any, alice: Any) -> None:
    assert execute("alice", "wasm:echo:run", 1).ok
    asking.ask_stop(alice.email, bundle)
    with pytest.raises(ApiError):
        execute("alice", "wasm:echo:run", 1)


def test_of_two_bundles_one_is_named(bundle: Any, alice: Any) -> None:
    stage.run_bundle(alice, stage.bundle_files("late", ["counter"], GET_c="wasm:counter:run"))
    assert execute("alice", "wasm:counter:run", bundle="late").output == 1
    assert execute("alice", "wasm:counter:run").output == 1  # of the older bundle, whose state is another
    assert execute("alice", "wasm:counter:run").output == 2


def test_asynchronous_code_has_its_own_way(bundle: Any) -> None:
    async def calls() -> Any:
        with pytest.raises(RuntimeError):
            execute("alice", "wasm:echo:run", 1)
        return await asyncio.gather(*(aexecute("alice", "wasm:echo:run", n) for n in range(5)))

    assert [answer.output for answer in asyncio.run(calls())] == [0, 1, 2, 3, 4]


def test_a_process_that_serves_calls_in_its_own_loop(bundle: Any) -> None:
    async def serve() -> Any:
        gateway = Gateway("worker")
        await gateway.start()
        mine = asyncio.get_running_loop()
        assert serving.place() == (gateway, mine)
        near = await aexecute("alice", "wasm:echo:run", "near")
        far = await asyncio.to_thread(execute, "alice", "wasm:echo:run", "far")
        await gateway.stop()
        return near.output, far.output

    assert asyncio.run(serve()) == ("near", "far")
    assert serving._here == []


def test_an_event_starts_what_listens_to_it(bundle: Any, fake: Fake) -> None:
    emitted = emit("alice", "user.created", {"email": "ann@example.org"})
    assert (len(emitted.executions), emitted.skipped) == (2, ())
    again = emit("alice", "user.created", {"email": "bob@example.org"})
    assert len(again.executions) == 1
    assert [one["intent"] for one in again.skipped] == ["users.count"]
    work(3)
    runs = {str(run.pk): run for run in Execution.objects.all()}
    assert set(runs) == {*emitted.executions, *again.executions}
    assert {(run.status, run.trigger, run.caller) for run in runs.values()} == {
        ("success", "sensor", "python")
    }
    assert sorted(asked.said() for asked in fake.asked) == [
        "Greet ann@example.org, because of user.created.", "Greet bob@example.org, because of user.created.",
    ]  # fmt: skip


def test_an_event_that_nobody_listens_to_is_nothing(bundle: Any) -> None:
    assert emit("alice", "user.deleted") == asyncio.run(aemit("alice", "user.deleted"))
    importer.drain()
    assert Execution.objects.count() == 0
