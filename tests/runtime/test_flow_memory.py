"""The memory of flows: runs side by side lose nothing, a condition is looked at with the change, the limit holds."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from billing.redis import redis
from bundles.bundle import load
from runtime import flowkeep, flowmemory
from runtime.flowneeds import Failure, Need
from tests.runtime import flowstage, stage

ABOVE = "tenant:1:flow:f:"
CHANGES = f"{ABOVE}registry:r:changes"
LISTENER = flowstage.bundle(
    f='listeners: [{name: m, handler: "builtin:memory", with: {get: a}}]\nmemory: 1KiB\n'
)


def need(verb: str, key: str, value: Any = None, step: int = 1, **more: Any) -> Need:
    options = {"verb": verb, "key": key, "value": json.dumps(value).encode()}
    options |= {name: json.dumps(one).encode() for name, one in more.items()}
    return Need(
        1, "memory", "m", step, b'"payload"', options, LISTENER.definition.organisms["f"].listeners[0]
    )


async def change(
    *wanted: Any, limit: int = 1024, step: str = "", flow: str = "f", plan: int | None = None, **more: Any
) -> bytes | Failure:
    room = flowmemory.Room("1", flow, limit, plan)
    return await flowmemory.change(need(*wanted, **more), room, (CHANGES, step))


def kept(key: str) -> bytes | None:
    found: Any = redis().get(f"{ABOVE}memory:{key}")
    return found if found is None else bytes(found)


@pytest.fixture(autouse=True)
def _clean(clean_redis: None) -> None:
    """Nothing from the test before."""


async def test_all_flows_of_a_tenant_together_keep_what_its_plan_has_room_for() -> None:
    text = "x" * 38  # with its quotes and its key 41 bytes
    assert await change("set", "a", text, plan=100) == b'"payload"'
    assert await change("set", "a", text, flow="g", plan=100) == b'"payload"'
    full = await change("set", "b", text, flow="h", plan=100)
    assert isinstance(full, Failure)
    assert (full.code, full.message) == ("budget", "the plan has no more room for memory of flows")
    assert await change("set", "a", "y" * 38, flow="g", plan=100) == b'"payload"'  # instead of what was there
    redis().unlink("tenant:1:flow:f:memory:a")  # on its page, without a word to the counters
    assert await change("set", "b", text, flow="h", plan=100) == b'"payload"'
    redis().unlink(*redis().keys("tenant:1:flow:g:*"))  # the flow is deleted
    assert await change("set", "c", text[:3], flow="h", plan=100) == b'"payload"'


async def test_a_plan_without_memory_keeps_nothing_new_and_lets_what_is_there_be_deleted() -> None:
    await change("set", "a", 1)
    for verb in ("set", "add"):
        assert isinstance(await change(verb, "a", 2, plan=0), Failure)
    assert kept("a") == b"1"
    assert await change("delete", "a", plan=0) == b'"payload"'
    assert kept("a") is None


async def test_many_additions_side_by_side_are_all_counted() -> None:
    sums = await asyncio.gather(*(change("add", "n", 3) for _ in range(60)))
    assert sorted(int(one) for one in sums) == list(range(3, 181, 3))  # type: ignore[arg-type]
    assert kept("n") == b"180"


@pytest.mark.parametrize(
    ("before", "more", "after"),
    [(9007199254740993, 2, b"9007199254740995"), (0.1, 0.2, b"0.30000000000000004"), (2.5, 2.5, b"5"),
     (1, -4, b"-3"), (None, 7, b"7"), (1, 0.5, b"1.5"), (1e300, 1, b"1e+300")],
)  # fmt: skip
async def test_whole_numbers_are_exact_and_others_as_json_has_them(
    before: Any, more: Any, after: bytes
) -> None:
    await change("set", "n", before)
    assert await change("add", "n", more) == after
    assert kept("n") == after
    json.loads(after)


@pytest.mark.parametrize("before", ["5", [1], True, 2**63 - 1, 1.7e308])
async def test_what_has_no_sum_is_refused_and_stays(before: Any) -> None:
    await change("set", "n", before)
    there = kept("n")
    more = 1 if before != 1.7e308 else before
    answer = await change("add", "n", more)
    assert isinstance(answer, Failure)
    assert answer.code == "validation"
    assert kept("n") == there


async def test_of_many_that_expect_the_same_one_changes_it() -> None:
    await change("set", "a", {"v": 1})
    answers = await asyncio.gather(*(change("set", "a", {"v": n}, expect={"v": 1}) for n in range(2, 52)))
    refused = [one for one in answers if isinstance(one, Failure)]
    assert {one.code for one in refused} == {"conflict"}
    assert len(refused) == 49
    assert kept("a") == json.dumps({"v": answers.index(b'"payload"') + 2}).encode()


async def test_nothing_can_be_expected_too_and_a_deletion_may_expect() -> None:
    assert await change("set", "a", 1, expect=None) == b'"payload"'
    assert isinstance(await change("set", "a", 2, expect=None), Failure)
    assert isinstance(await change("delete", "a", expect=2), Failure)
    assert kept("a") == b"1"
    assert await change("delete", "a", expect=1) == b'"payload"'
    assert kept("a") is None


async def test_the_limit_holds_for_many_at_once_and_what_is_refused_changes_nothing() -> None:
    answers = await asyncio.gather(*(change("set", f"k{n:03}", "x" * 94) for n in range(50)))
    assert sum(isinstance(one, Failure) and one.code == "budget" for one in answers) == 40
    assert sum(kept(f"k{n:03}") is not None for n in range(50)) == 10
    await change("set", "n", 99)  # there are 24 bytes left
    assert await change("add", "n", 1, limit=1004) == b"100"
    full = await change("add", "n", 900, limit=1004)
    assert isinstance(full, Failure)
    assert kept("n") == b"100"


async def test_what_a_deletion_frees_may_be_used_again() -> None:
    for _ in range(30):
        assert await change("set", "a", "x" * 900) == b'"payload"'
        assert await change("delete", "a") == b'"payload"'
    redis().unlink(f"{ABOVE}memory:a")
    assert await change("set", "b", "x" * 900) == b'"payload"'


async def test_there_are_only_so_many_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flowmemory, "MOST_KEYS", 3)
    for name in "abc":
        assert await change("set", name, 1) == b'"payload"'
    assert isinstance(await change("set", "d", 1), Failure)
    assert await change("set", "c", 2) == b'"payload"'
    redis().unlink(f"{ABOVE}memory:a")
    assert await change("set", "d", 1) == b'"payload"'


async def test_a_step_that_is_done_again_changes_nothing_again() -> None:
    assert await change("add", "n", 5, step="7") == b"5"
    assert await change("add", "n", 5, step="7") == b"5"
    assert await change("add", "n", 5, step="8") == b"10"
    await change("set", "a", 1, step="9", expect=None)
    assert await change("set", "a", 1, step="9", expect=None) == b'"payload"'
    assert redis().ttl(CHANGES) > 0


# -- in flows -----------------------------------------------------------------------------------------

COUNT = """
memory: 1KiB
listeners:
  - {name: count, handler: "builtin:memory", with: {add: "n-${payload.who}", value: "${payload.n}"}}
"""
ONE = 'memory: 1KiB\nlisteners: [{name: c, handler: "builtin:memory", with: {add: n}}]\n'
GUARDED = """
memory: 1KiB
listeners:
  - name: write
    handler: builtin:memory
    with: {set: a, value: "${payload.new}", expect: "${payload.old}"}
    onError: late
  - {name: late, handler: "builtin:output", with: {status: 409, body: "${payload.error.code}"}}
"""


@pytest.fixture
async def call(alice: Any) -> Any:
    caller = stage.Caller(alice.token)
    yield caller
    await caller.close()


@pytest.mark.django_db(transaction=True)
async def test_runs_side_by_side_count_in_a_flow(call: Any, alice: Any) -> None:
    await sync_to_async(flowstage.start)(alice, f=COUNT, g=ONE, h=GUARDED)
    asked = [call("POST", "/alice/api/w/f", {"who": "x", "n": 2}) for _ in range(40)]
    assert sorted(answer.json() for answer in await asyncio.gather(*asked)) == list(range(2, 82, 2))
    assert [(await call("POST", "/alice/api/w/g", {})).json() for _ in range(3)] == [1, 2, 3]
    wrong = await call("POST", "/alice/api/w/f", {"who": "x", "n": "2"})
    assert (wrong.status, "must be a number" in wrong.json()["detail"]) == (502, True)
    first = await call("POST", "/alice/api/w/h", {"old": None, "new": 1})
    late = await call("POST", "/alice/api/w/h", {"old": None, "new": 2})
    assert (first.status, late.status, late.json()) == (200, 409, "conflict")


def test_a_file_that_adds_and_sets_is_refused() -> None:
    text = ONE.replace("{add: n}", "{add: n, set: n}")
    problems = load({"bundle.yaml": b"name: w\n", "flows/f.yaml": flowstage.text("f", text)}).problems
    assert "exactly one of get, set, add, delete" in problems[0].message


def test_a_run_that_is_over_takes_what_its_steps_changed_with_it() -> None:
    job = flowstage.job(LISTENER)
    assert flowkeep.Keeper(job).changes == flowkeep.changes_of(job)
