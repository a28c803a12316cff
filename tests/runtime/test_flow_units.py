"""Compute units of flows beside their functions: each message, and what expressions go through."""

import asyncio

import pytest
from channels.db import database_sync_to_async

from market import wire
from runtime.flowrun import Run
from runtime.wasmtypes import FUEL_PER_UNIT, STEP_FUEL
from tests.conftest import Person
from tests.runtime import flowstage, stage
from tests.runtime.flowstage import bundle, history, job, run, start, value
from tests.runtime.test_purse import Desk

MAP = 'listeners:\n  - {name: m, handler: "builtin:map", with: {expr: "EXPR"}}\n'
EACH = "sum(lists.range(1000).map(x, x + size(payload)))"
FOREVER = 'max_hops: 1000000\nlisteners:\n  - {name: m, handler: "builtin:map", with: {expr: "payload"}, peers: [m]}\n'
CASES = (
    'listeners:\n  - {name: b, handler: "builtin:branch", with: {cases: [{if: "EXPR > 0", to: m}]}}\n'
    '  - {name: m, handler: "builtin:output"}\n'
)
FILTER = 'listeners:\n  - {name: b, handler: "builtin:filter", with: {if: "EXPR > 0"}}\n'
OVER = (
    'listeners:\n  - {name: b, handler: "builtin:loop", with: {over: "[EXPR]", body: m}}\n'
    '  - {name: m, handler: "builtin:map", with: {expr: "1"}}\n'
)
WHILE = (
    'listeners:\n  - {name: b, handler: "builtin:loop", with: {while: "EXPR > 0 && index < 3", body: m}}\n'
    '  - {name: m, handler: "builtin:map", with: {expr: "1"}}\n'
)
OUTPUT = 'listeners:\n  - {name: b, handler: "builtin:output", with: {body: {a: "${EXPR}", b: 1}}}\n'


def units(made: Run) -> float:
    return made.pump.fuel / FUEL_PER_UNIT


def test_a_message_is_a_step() -> None:
    made = run(bundle(f=MAP.replace("EXPR", "payload")), 1)
    assert made.pump.fuel == STEP_FUEL


def test_a_large_message_is_more() -> None:
    made = run(bundle(f=MAP.replace("EXPR", "1")), "x" * 25_600)
    assert made.pump.fuel == 101 * STEP_FUEL


@pytest.mark.parametrize("text", [MAP, CASES, FILTER, OVER, WHILE, OUTPUT])
def test_what_an_expression_goes_through_is_charged(text: str) -> None:
    short, long = (run(bundle(f=text.replace("EXPR", expr)), {}) for expr in ("1", EACH))
    assert units(long) - units(short) > 30


def test_the_step_shows_what_its_expression_cost() -> None:
    made = run(bundle(f=MAP.replace("EXPR", EACH)), {})
    assert made.pump.steps.kept[0]["units"] > 30


def test_an_expression_that_fails_is_charged_too() -> None:
    made = run(bundle(f=MAP.replace("EXPR", EACH + " + payload.missing")), {})
    assert made.pump.failure is not None
    assert units(made) > 30


@pytest.mark.parametrize("text", [MAP.replace("EXPR", EACH), FOREVER])
def test_a_run_ends_when_its_compute_units_are_used_up(text: str) -> None:
    made = Run(job(bundle(f=text), {}), 5 * FUEL_PER_UNIT)
    made.pump.begin()
    while not made.advance(200):
        """Its turn was over."""
    assert made.pump.failure is not None
    assert made.pump.failure.code == "budget"
    assert made.done().fuel == 5 * FUEL_PER_UNIT
    assert made.reply().status == 502
    assert value(made)["type"] == "/docs/errors#compute-exhausted"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("clean_redis")
async def test_the_history_and_the_answer_tell_the_same(alice: Person) -> None:
    await database_sync_to_async(start)(
        alice, "resourceContract: {computeUnits: 3}\n", f=MAP.replace("EXPR", EACH)
    )
    caller = stage.Caller(alice.token)
    answer = await caller("POST", "/alice/api/w/f", {})
    ended = await history(answer)
    await caller.close()
    assert (answer.status, ended.status, ended.units_used) == (502, "error", 3)
    assert answer.headers["x-compute-units"] == "3"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("clean_redis")
async def test_a_run_of_expressions_alone_waits_for_its_rounds_too(alice: Person) -> None:
    """R3, R5: about 920 CU, of which a round gives a hundred."""
    rounds = (
        WHILE.replace("index < 3", "index < 8").replace("EXPR", "1").replace('expr: "1"', f'expr: "[{EACH}]"')
    )
    files = flowstage.files("resourceContract: {computeUnits: 1000, maxWaitTime: 20s}\n", f=rounds)
    await database_sync_to_async(stage.run_bundle)(alice, files)
    async with Desk(stage.Caller(alice.token)) as desk:
        call = asyncio.create_task(desk.call("POST", "/alice/api/w/f", {}))
        action = wire.submitted(await desk.hear("submit"))[0]
        for _ in range(9):
            await desk.grant(action.id, 100)
        answer = await call
    run = await history(answer)
    assert (answer.status, run.status) == (200, "success")
    assert 900 <= run.units_used <= 1000
    assert any("grants" in line[2] for line in run.logs)
