"""Runs that take longer than a blink: who cancels one does not wait for its lease."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from billing.redis import aredis
from runtime import executions, running
from runtime.models import Execution
from tests.runtime import stage

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("told", [True, False])
async def test_a_cancelled_run_ends_before_its_lease_is_renewed(
    call: Any, alice: Any, clean_redis: None, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    monkeypatch.setattr(running, "BEAT_S", 1000.0)
    if told:  # by the message alone
        monkeypatch.setattr(running, "LOOK_S", 1000.0)
    else:  # by looking alone
        monkeypatch.setattr(executions, "tell_cancelled", lambda run: None)
    files = stage.bundle_files("s", ["spin"], POST_spin="wasm:spin:run")
    await sync_to_async(stage.run_bundle)(alice, files)
    going = asyncio.create_task(call("POST", "/alice/api/s/spin", {"n": 2_000_000_000}))
    while not going.done() and not await Execution.objects.filter(status="running").aexists():
        await stage.drain()
        await asyncio.sleep(0.02)
    while (
        told and not dict(await aredis().pubsub_numsub(executions.CANCELLED))[executions.CANCELLED.encode()]
    ):
        await asyncio.sleep(0.02)
    assert await sync_to_async(executions.ask_cancel)(await Execution.objects.aget())
    assert (await going).status == 499


async def test_a_flow_that_a_function_calls_is_cancelled_with_the_run_that_it_is_part_of(
    call: Any, alice: Any, clean_redis: None
) -> None:
    slow = b"organism: {name: slow}\nlisteners: [{name: d, handler: 'builtin:delay', with: {for: 20s}}]\n"
    files = stage.bundle_files("s", ["caller"], POST_c="wasm:caller:run") | {"flows/slow.yaml": slow}
    await sync_to_async(stage.run_bundle)(alice, files)
    going = asyncio.create_task(call("POST", "/alice/api/s/c", {"target": "flow:slow"}))
    while not going.done() and not await Execution.objects.filter(status="running").aexists():
        await stage.drain()
        await asyncio.sleep(0.02)
    run = await Execution.objects.aget()
    assert list(running._tasks) == [str(run.pk)]
    await running.look(list(running._tasks), renewing=True)
    assert await sync_to_async(executions.ask_cancel)(run)
    assert (await asyncio.wait_for(going, 10)).status == 499
