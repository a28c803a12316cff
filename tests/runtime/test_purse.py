"""Calls that have to wait: what a process tells the market, and what it makes of the answers. The test is the leader."""

import asyncio
import time

import pytest
from channels.db import database_sync_to_async
from django.utils import timezone

from billing.redis import aredis
from market import wire
from market.admission import house
from market.client import Client
from runtime import executions
from runtime.deploy import ready
from runtime.job import Job
from runtime.models import Execution, Usage
from runtime.purse import Purse
from runtime.worker import job_of
from tests.runtime import flowstage, stage

pytestmark = pytest.mark.django_db(transaction=True)
CONTRACT = "resourceContract: {{computeUnits: {units}, maxWaitTime: {wait}, fallbackBehavior: {fallback}}}\n"
PATH = "/alice/api/shop/spin"


def bundle(units: int = 225, wait: str = "20s", fallback: str = "queue") -> dict[str, bytes]:
    extra = CONTRACT.format(units=units, wait=wait, fallback=fallback)
    return stage.bundle_files("shop", ["spin"], extra=extra, POST_spin="wasm:spin:run")


def spin(units: float) -> dict[str, int]:
    return {"n": int(units * 100_000)}


class Desk:
    """The leader's end of the wire, and a gateway whose calls wait for it."""

    def __init__(self, call: stage.Caller) -> None:
        self.call = call
        self.client = Client(house.local, "p1")
        self.seq = 0

    async def __aenter__(self) -> "Desk":
        await self.client.start()
        house.client = self.client
        return self

    async def __aexit__(self, *_: object) -> None:
        house.client = None
        await self.client.stop()
        house.local.contended = False
        await self.call.close()

    async def hear(self, kind: str) -> wire.Message:
        """The next message of a kind; beats are passed over."""
        async with asyncio.timeout(10):
            while True:
                came = await aredis().blpop([wire.INBOX], timeout=5)
                if came and (message := wire.read(came[1]))["t"] == kind:
                    return message

    async def grant(self, id: str, cu: int, *, price: int = 0, charged: int = 0, number: int = 7) -> int:
        self.seq += 1
        source = "won" if price else "free"
        given = [wire.Granted(id, cu, source, charged)]
        await self.tell(wire.grants(self.seq, number, price, granted=given))
        return self.seq

    async def tell(self, message: bytes) -> None:
        await aredis().rpush(wire.outbox("p1"), message)


@pytest.fixture
def shop(alice, clean_redis):
    return stage.run_bundle(alice, bundle())


@pytest.fixture
async def desk(alice, shop):
    async with Desk(stage.Caller(alice.token)) as desk:
        yield desk


async def history(answer: stage.Answer) -> Execution:
    await stage.drain()
    return await Execution.objects.aget(pk=answer.execution)


async def test_while_nobody_bids_a_long_call_runs_its_entries_round_by_round(desk):
    """R3, R5: the first 100 CU at once; the other 125 wait in the queue, where they count."""
    call = asyncio.create_task(desk.call("POST", PATH, spin(224)))
    action = wire.submitted(await desk.hear("submit"))[0]
    assert (action.need, action.tenant) == (225, str(desk_tenant(action)))
    assert 120 <= action.left <= 125
    await desk.grant(action.id, 100)
    await desk.grant(action.id, 25)
    answer = await call
    assert answer.status == 200
    over = (await desk.hear("end"))["a"]
    assert over == [[action.id, int(answer.headers["x-compute-units"])]]
    run = await history(answer)
    assert run.status == "success"
    assert 224 <= run.units_used <= 225
    assert any("2 grants" in line[2] for line in run.logs)


def desk_tenant(action: wire.Waiting) -> str:
    return action.tenant


async def test_a_short_call_of_a_large_contract_never_leaves_the_process(desk):
    answer = await desk.call("POST", PATH, spin(1))
    assert answer.status == 200
    assert "x-queue-wait" not in answer.headers
    assert not desk.client.tickets


async def test_under_a_price_a_call_waits_for_its_grant_and_says_what_it_paid(desk):
    house.local.contended = True
    call = asyncio.create_task(desk.call("POST", PATH, spin(1)))
    action = wire.submitted(await desk.hear("submit"))[0]
    assert (action.need, action.left, action.priority, action.api) == (225, 225, 1, True)
    assert action.deadline - action.submitted == 20_000
    await desk.grant(action.id, 225, price=7, charged=7, number=99)
    answer = await call
    assert (answer.status, answer.headers["x-market-price"], answer.headers["x-market-round"]) == (
        200,
        "7",
        "99",
    )
    run = await history(answer)
    assert (run.price, run.spent, run.round, run.units_estimated) == (7, 7, 99, 225)
    assert run.waited_us > 0


async def test_the_market_is_told_that_a_grant_is_used_up_before_the_call_is_over(desk):
    """R2: a calm round ends when the work granted in it rests."""
    house.local.contended = True
    call = asyncio.create_task(desk.call("POST", PATH, spin(200)))
    action = wire.submitted(await desk.hear("submit"))[0]
    seq = await desk.grant(action.id, 100)
    assert (await desk.hear("idle"))["n"] == seq
    assert not call.done()
    await desk.grant(action.id, 125)
    assert (await call).status == 200


@pytest.mark.parametrize(
    ("ending", "status", "kind"), [("failed", 503, "no_capacity"), ("expired", 504, "queue_timeout")]
)
async def test_a_call_that_is_not_served_is_refused_by_name(desk, ending, status, kind):
    house.local.contended = True
    call = asyncio.create_task(desk.call("POST", PATH, spin(1)))
    action = wire.submitted(await desk.hear("submit"))[0]
    await desk.tell(wire.grants(1, 9, 12, ended=[(action.id, ending, 12)]))
    answer = await call
    assert (answer.status, answer.json()["type"]) == (status, f"/docs/errors#{kind}")
    run = await history(answer)
    assert (run.status, run.error, run.units_used) == ("refused", kind, 1)
    assert "at price 12" in run.logs[0][2]
    assert not desk.client.tickets
    assert not house.local.queued


async def test_a_degraded_call_ends_where_its_one_entry_does(desk):
    house.local.contended = True
    call = asyncio.create_task(desk.call("POST", PATH, spin(200)))
    action = wire.submitted(await desk.hear("submit"))[0]
    await desk.tell(
        wire.grants(1, 9, 0, granted=[wire.Granted(action.id, 100, "free", 0)], degraded=[action.id])
    )
    answer = await call
    assert answer.status == 502
    assert answer.json()["type"] == "/docs/errors#compute-exhausted"
    assert answer.headers["x-degraded"] == "1"


async def test_a_client_that_goes_away_frees_its_place(desk):
    house.local.contended = True
    call = asyncio.create_task(desk.call("POST", PATH, spin(1)))
    action = wire.submitted(await desk.hear("submit"))[0]
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert (await desk.hear("end"))["a"] == [[action.id, 0]]
    assert not desk.client.tickets


async def test_a_new_leader_is_told_everything_again(desk):
    house.local.contended = True
    call = asyncio.create_task(desk.call("POST", PATH, spin(150)))
    action = wire.submitted(await desk.hear("submit"))[0]
    await desk.grant(action.id, 100, number=8)
    await desk.hear("idle")
    await desk.tell(wire.hello(2))
    again = wire.submitted(await desk.hear("submit"))[0]
    assert (again.id, again.left, again.asof, again.submitted) == (action.id, 125, 8, action.submitted)
    await desk.grant(action.id, 125)
    assert (await call).status == 200


async def test_without_a_leader_calls_are_served_rather_than_lost(desk, monkeypatch):
    monkeypatch.setattr("market.client.LOST_S", 0.2)
    monkeypatch.setattr("market.wire.BEAT_S", 0.1)
    house.local.contended = True
    began = time.monotonic()
    answer = await desk.call("POST", PATH, spin(150))
    assert answer.status == 200
    assert time.monotonic() - began < 8


async def test_the_queue_of_a_tenant_has_an_end(desk, monkeypatch):
    monkeypatch.setattr("market.client.MOST_OF_TENANT", 3)
    house.local.contended = True
    calls = [asyncio.create_task(desk.call("POST", PATH, spin(1))) for _ in range(5)]
    await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    while sum(call.done() for call in calls) < 2:
        await asyncio.sleep(0.01)
    assert len(desk.client.tickets) == 3
    for id in list(desk.client.tickets):
        await desk.grant(id, 225)
    statuses = sorted([answer.status for answer in await asyncio.gather(*calls)])
    assert statuses == [200, 200, 200, 503, 503]


async def test_a_call_that_nobody_waits_for_is_written_down_with_its_place(desk):
    """RFC 7240: 202 with the execution; a worker executes it."""
    desk.client.state = {"waiting": 41, "entries": 2_500}
    answer = await desk.call("POST", PATH, spin(1), prefer="respond-async")
    assert (answer.status, answer.headers["preference-applied"]) == (202, "respond-async")
    assert answer.json() == {"execution": answer.execution, "status": "queued", "position": 42, "rounds": 4}
    assert answer.headers["location"] == f"/api/executions/{answer.execution}"
    run = await history(answer)
    assert (run.status, run.rank, run.units_estimated, run.trigger) == ("queued", 2, 225, "api")
    bundle = await database_sync_to_async(lambda: run.bundle)()
    tenant = await database_sync_to_async(lambda: run.tenant)()
    job = job_of(run, await ready(bundle, tenant, run.revision))
    outcome = await desk.call.gateway.waist.admitted(job)
    assert outcome.reply.body == b"100000"


async def test_one_that_was_taken_on_starts_again_when_its_worker_is_lost(desk):
    answer = await desk.call("POST", PATH, spin(1), prefer="respond-async")
    await stage.drain()
    (run,) = await database_sync_to_async(executions.claim)("w1", 5)
    assert str(run.pk) == answer.execution
    later = timezone.now() + 2 * executions.LEASE
    assert await database_sync_to_async(executions.reap)(later) == 1
    assert (await Execution.objects.aget(pk=run.pk)).status == "queued"


async def test_a_long_wait_is_in_the_history_and_tells_its_place(desk):
    house.local.contended = True
    call = asyncio.create_task(desk.call("POST", PATH, spin(1)))
    action = wire.submitted(await desk.hear("submit"))[0]
    await desk.tell(wire.grants(1, 9, 3, places=[(action.id, 12, 4)]))
    while not await Execution.objects.filter(pk=action.id, status="running").aexists():
        await stage.drain()
    await desk.grant(action.id, 225)
    assert (await history(await call)).status == "success"


async def test_a_call_that_left_the_queue_for_some_rounds_counts_as_tried_again(desk):
    """R30: on the page of contracts."""
    house.local.contended = True
    call = asyncio.create_task(desk.call("POST", PATH, spin(1)))
    action = wire.submitted(await desk.hear("submit"))[0]
    await desk.tell(wire.grants(1, 9, 3, backoffs=[(action.id, 2)]))
    await desk.grant(action.id, 225)
    await history(await call)
    assert await Usage.objects.filter(retried=1, service="shop").aexists()


@pytest.fixture
def thrifty(alice, clean_redis):
    return stage.run_bundle(alice, bundle(fallback="degrade"))


async def test_a_degraded_call_that_is_not_served_gets_its_last_good_answer(alice, thrifty):
    async with Desk(stage.Caller(alice.token)) as desk:
        good = await desk.call("POST", PATH, spin(2))
        house.local.contended = True
        for body, status in ((spin(2), 200), (spin(3), 503)):
            call = asyncio.create_task(desk.call("POST", PATH, body))
            action = wire.submitted(await desk.hear("submit"))[0]
            await desk.tell(wire.grants(1, 9, 12, ended=[(action.id, "failed", 12)]))
            answer = await call
            assert answer.status == status
            if status == 200:
                assert answer.body == good.body
                assert answer.headers["x-degraded"] == "1"
                assert "last good answer" in (await history(answer)).logs[1][2]


HEAVY = """
listeners:
  - {name: a, handler: builtin:map, with: {expr: '{"n": 9000000}'}, peers: [one]}
  - {name: one, handler: wasm:spin:run, peers: [b]}
  - {name: b, handler: builtin:map, with: {expr: '{"n": 9000000}'}, peers: [two]}
  - {name: two, handler: wasm:spin:run, peers: [c]}
  - {name: c, handler: builtin:map, with: {expr: '{"n": 1000}'}, peers: [three]}
  - {name: three, handler: wasm:spin:run}
"""


@pytest.fixture
def heavy(alice, clean_redis):
    return flowstage.start(alice, "resourceContract: {computeUnits: 250}\n", heavy=HEAVY)


@pytest.fixture
async def flowing(alice, heavy):
    async with Desk(stage.Caller(alice.token)) as desk:
        yield desk


async def test_a_flow_waits_between_its_steps_when_its_round_is_used_up(flowing):
    house.local.contended = True
    call = asyncio.create_task(flowing.call("POST", "/alice/api/w/heavy", {}))
    action = wire.submitted(await flowing.hear("submit"))[0]
    assert action.left == 250
    first = await flowing.grant(action.id, 100)
    assert (await flowing.hear("idle"))["n"] == first
    assert not call.done()
    await flowing.grant(action.id, 100)
    answer = await call
    assert answer.status == 200
    run = await flowstage.history(answer)
    assert [step["node"] for step in run.steps if "units" in step][-1] == "three"
    assert 180 <= run.units_used <= 190


async def test_a_flow_that_is_served_no_further_shows_how_far_it_came(flowing):
    house.local.contended = True
    call = asyncio.create_task(flowing.call("POST", "/alice/api/w/heavy", {}))
    action = wire.submitted(await flowing.hear("submit"))[0]
    await flowing.grant(action.id, 100)
    await flowing.hear("idle")
    await flowing.tell(wire.grants(2, 9, 5, ended=[(action.id, "expired", 5)]))
    answer = await call
    assert answer.status == 504
    run = await flowstage.history(answer)
    assert run.status == "refused"
    assert [step["node"] for step in run.steps][:2] == ["a", "one"]


async def test_a_flow_that_nobody_hurries_runs_whole(flowing):
    """Price 0, and nothing waits: its rounds are those of its process."""
    answer = await flowing.call("POST", "/alice/api/w/heavy", {})
    assert answer.status == 200
    assert not flowing.client.tickets


async def test_a_long_call_without_anybody_beside_it_gets_a_round_each_few_milliseconds(alice, shop):
    """R2: a round ends as soon as the work in it rests; 225 CU are three of them, not three seconds."""
    call = stage.Caller(alice.token)
    began = time.monotonic()
    answers = await asyncio.gather(*(call("POST", PATH, spin(224)) for _ in range(3)))
    assert [answer.status for answer in answers] == [200] * 3
    assert all(float(answer.headers["x-queue-wait"]) < 1 for answer in answers), time.monotonic() - began
    await call.close()


async def test_parts_of_one_run_that_wait_and_work_side_by_side_leave_nothing_at_work(alice, shop):
    """What is left at work for ever would keep each later round open for its whole second."""
    call = stage.Caller(alice.token)
    await call.gateway.start()
    bundle = (await call.gateway.tenants.load("alice")).bundles[str(shop.pk)]
    endpoint = bundle.definition.services[0].endpoints[0]
    job = Job(bundle, endpoint.service, endpoint.name, endpoint.to, endpoint.contract, b"", "api")
    purse = Purse(job, house, lambda job, text: None)
    purse.spend(100 * 100_000)  # its room is used up, so the second part has to wait for the next round
    purse.work()
    waiting = asyncio.create_task(purse.ready())
    await asyncio.sleep(0)
    purse.rest()
    await waiting
    assert house.local.working == 0
    await call.close()
