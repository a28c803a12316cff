"""What Redis keeps of runs of flows: their state around effects, agents' buffers, answers to those who wait.

Keys are `tenant:{id}:flow:{flow}:registry:…` and `…:buffer:…` (ARCHITECTURE §5). All of a run is gone when it ends well;
the state of a failed one is kept for a while, so that it can be tried again from where it failed.
"""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from hmac import compare_digest
from typing import Any

import orjson

from billing.redis import aredis, redis
from runtime import flowstate
from runtime.flowneeds import Failure
from runtime.flowplan import Plan
from runtime.flowpump import Pump
from runtime.job import Job

KEPT_S = 7 * 86_400  # of what failed, and of what nobody took up any more
PARKED_S = 400 * 86_400  # longer than any wait
MAX_STATE = 40 * 1024 * 1024  # of a run under way: somewhat above what the messages that wait may have
MAX_FAILED = 8 * 1024 * 1024
MAX_BUFFER = 4 * 1024 * 1024


def prefix(tenant_id: str, flow_id: str) -> str:
    return f"tenant:{tenant_id}:flow:{flow_id}:"


def start_of(job: Job) -> str:
    bundle, name = job.bundle, job.target.module
    return prefix(bundle.tenant_id, bundle.flow_ids.get(name, f"{bundle.id}.{name}"))


def changes_of(job: Job) -> str:
    """Where a run keeps which of its steps have changed the flow's memory, and what they answered."""
    return f"{start_of(job)}registry:{job.id}:changes"


class Keeper:
    """The keys of one run."""

    def __init__(self, job: Job) -> None:
        start = start_of(job)
        self.execution = job.id
        self.registry = f"{start}registry:{job.id}"
        self.changes = changes_of(job)
        self.waits = f"{self.registry}:waits"
        self.answers = f"{self.registry}:answers"
        self.buffers = f"{start}buffer:{job.id}"
        self.written = False
        self.fits = True  # what was kept is of the flow as it is now

    async def state(self) -> bytes | None:
        found: Any = await aredis().get(self.registry)
        self.written = found is not None
        return None if found is None else bytes(found)

    def load(self, pump: Pump, state: bytes) -> None:
        flowstate.load(pump, state)

    async def keep(self, pump: Pump) -> bool:
        """False when there is more than may be kept: that fails the run, and what was kept before stays as it is."""
        try:
            state = flowstate.save(pump, MAX_STATE)
        except flowstate.TooLarge as problem:
            pump.stop(Failure("budget", str(problem)))
            return False
        self.written = True
        await aredis().set(self.registry, state, ex=KEPT_S)
        return True

    async def keep_waits(self, pump: Pump) -> None:
        """The tokens that may end a wait."""
        tokens: Any = {need.token: need.node for need in pump.needs.values() if need.kind == "wait"}
        self.written = True
        async with aredis().pipeline() as pipe:
            pipe.expire(self.registry, PARKED_S)
            pipe.expire(self.buffers, PARKED_S)
            pipe.unlink(self.waits)
            if tokens:
                pipe.hset(self.waits, mapping=tokens)
                pipe.expire(self.waits, PARKED_S)
            await pipe.execute()

    async def answered(self, tokens: list[str]) -> dict[str, bytes]:
        """What was said to these waits; whoever comes later is told that nothing waits there any more."""
        found: Any = await aredis().hmget(self.answers, tokens)
        heard = {token: bytes(said) for token, said in zip(tokens, found, strict=True) if said is not None}
        if heard:
            await aredis().hdel(self.waits, *heard)
        return heard

    async def keep_failed(self, pump: Pump) -> bool:
        """For another try from where it failed, unless there is too much of it; whether it is kept."""
        try:
            state = flowstate.save(pump, MAX_FAILED)
        except flowstate.TooLarge:
            return False
        async with aredis().pipeline() as pipe:  # all or nothing: who begins again needs the one or the other
            pipe.unlink(self.changes, self.waits, self.answers, self.buffers)
            pipe.set(self.registry, state, ex=KEPT_S)
            await pipe.execute()
        return True

    async def forget(self) -> None:
        if self.written:
            await aredis().unlink(self.registry, self.changes, self.waits, self.answers, self.buffers)

    async def buffer(self, node: str) -> bytes | None:
        found: Any = await aredis().hget(self.buffers, node)
        return found if found is None else bytes(found)

    async def save_buffer(self, node: str, data: bytes) -> None:
        self.written = True
        if len(data) <= MAX_BUFFER:
            async with aredis().pipeline() as pipe:
                pipe.hset(self.buffers, node, data)
                pipe.expire(self.buffers, KEPT_S)
                await pipe.execute()


def room(plan: Plan, job: Job) -> AbstractAsyncContextManager[object]:
    """So many runs of a flow at once in this process; others wait for their turn, but not for who waits for them."""
    if job.level:
        return nullcontext()
    if plan.room is None:
        plan.room = asyncio.Semaphore(plan.flow.concurrency)
    return plan.room


def room_of_agent(plan: Plan, node: str) -> asyncio.Semaphore:
    found = plan.rooms.get(node)
    if found is None:
        found = plan.rooms[node] = asyncio.Semaphore(plan.flow.per_agent)
    return found


# -- doors, from threads ------------------------------------------------------------------------------


def give(tenant_id: str, flow_id: str, execution: str, token: str, payload: Any) -> bool:
    """Answer a wait; the first answer counts. False for a token that nobody waits with."""
    registry = f"{prefix(tenant_id, flow_id)}registry:{execution}"
    if of_token(waits(tenant_id, flow_id, execution), token) is None:
        return False
    answers = f"{registry}:answers"
    fresh = redis().hsetnx(answers, token, orjson.dumps(payload).decode())
    redis().expire(answers, PARKED_S)
    return bool(fresh)


def of_token(known: dict[str, str], token: str) -> str | None:
    """The node that waits with this token; every one is compared, each in constant time."""
    same = [node for one, node in known.items() if compare_digest(one.encode(), token.encode())]
    return same[0] if same else None


def waits(tenant_id: str, flow_id: str, execution: str) -> dict[str, str]:
    """The tokens of a run that waits, each with the node that does."""
    found: Any = redis().hgetall(f"{prefix(tenant_id, flow_id)}registry:{execution}:waits")
    return {token.decode(): node.decode() for token, node in found.items()}


def copy(tenant_id: str, flow_id: str, execution: str, fresh: str) -> bool:
    """Give the state of a run to a new one; False when there is none any more."""
    start = f"{prefix(tenant_id, flow_id)}registry:"
    return bool(redis().copy(start + execution, start + fresh, replace=True))


def is_kept(tenant_id: str, flow_id: str, execution: str) -> bool:
    return bool(redis().exists(f"{prefix(tenant_id, flow_id)}registry:{execution}"))
