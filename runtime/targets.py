"""Executing a job's target: the attempts in the sandbox, the answers it waits for, the commit of what it wrote."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
from django.conf import settings

from bundles.target import Target, TargetError, parse
from runtime import fiber, kv, running
from runtime.answer import BadAnswer, Reply, read
from runtime.ask import is_writable
from runtime.host import HostCall, HostFailure, Missing, Nested, Outcome
from runtime.job import Effects, Job
from runtime.outbound import http
from runtime.wasm import Answer, Guest, Limits, Suspend, Trap

Supplied = Outcome | Iterable[str]
MAX_PAUSES = 64  # restarts of one inline attempt before it moves to a fiber, which never starts again
MAX_CONFLICTS = 500
PATIENCE = 2  # conflicts after which calls of one bundle in this process take turns
MAX_DEPTH = 8
FORESEEN = 32
ENVELOPE = 128 * 1024  # headers and query around a body, which base64 may have made a third longer


class Absent(Exception):
    """The target is not there; 501 with the name of what is expected."""


class Forbidden(Exception):
    """The function did what its kind of intent may not do."""


@dataclass(slots=True)
class Frame:
    """One function of a job: the root, or one that was called by another."""

    job: Job
    target: Target
    limits: Limits
    level: int = 0
    overlay: dict[str, bytes | None] = field(default_factory=dict)  # uncommitted writes of its callers


@dataclass(slots=True)
class State:
    """What one attempt of a job has learned of the stored state, and the steps it took."""

    reads: dict[str, bytes | None] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    steps: list[dict[str, object]] = field(default_factory=list)
    doomed: str = ""
    # What the outside has answered is kept for the next attempt: the n-th asking of the same gets the same again.
    heard: dict[tuple[bytes, int], bytes | HostFailure] = field(default_factory=dict)
    asked: dict[bytes, int] = field(default_factory=dict)


@dataclass(slots=True)
class Done:
    """What the target answered, what it used, and what came of it."""

    reply: Reply
    fuel: int
    effects: Effects
    due_us: int | None = None  # it is parked until then


def guest_of(job: Job, target: Target) -> Guest:
    """The guest that ``target`` means; Absent tells what is missing."""
    guest = job.bundle.guests.get(target.module)
    if guest is None:
        reason = job.bundle.absent.get(target.module) or f"put it at wasm/{target.module}.wasm"
        raise Absent(f"module “{target.module}” is not here: {reason}")
    return guest


@lru_cache(maxsize=1024)
def bounds(fuel: int) -> Limits:
    """Made once for each size of grant: the hot path makes nothing that it can keep."""
    return Limits(fuel=fuel, input_bytes=2 * settings.CALL_MAX_BODY + ENVELOPE)


async def execute(job: Job, fuel: int) -> Done:
    """Run the target until its writes are committed; all or nothing, also when others write the same keys."""
    if job.target.kind != "wasm":
        return await (flow if job.target.kind == "flow" else prompt)(job, fuel)
    limits = bounds(fuel)
    state, purse = State(), job.purse
    spent = purse.spent if purse else 0
    for attempt in range(MAX_CONFLICTS):
        if attempt > PATIENCE:
            async with job.bundle.lock:
                done = await once(job, limits, state)
        else:
            done = await once(job, limits, state)
        if done is not None:
            return done
        if purse is not None:
            purse.spent = spent  # that others wrote meanwhile is not on the caller's account
    raise Trap("conflict", "its state was changed by other calls too often")


async def flow(job: Job, fuel: int) -> Done:
    from runtime import flows  # whose steps are targets

    return await flows.execute(job, fuel)


async def prompt(job: Job, fuel: int) -> Done:
    from runtime import promptrun  # which needs this module's types

    return await promptrun.execute(job, fuel)


async def once(job: Job, limits: Limits, state: State) -> Done | None:
    """One attempt with its commit; None when what it had read was changed meanwhile."""
    state.steps, state.doomed = [], ""
    state.asked.clear()
    frame = Frame(job, job.target, limits)
    host = context(frame, state)
    try:
        answer = await run(frame, host, state, job.request)
    except Trap as trap:
        trap.logs = host.logs  # what it said before it fell is what its author needs
        raise
    if state.doomed:
        raise Forbidden(state.doomed)
    reply = read(answer.body)
    used = answer.fuel + below(state)
    if reply.error:  # a failure, so it writes and fires nothing; what it measured and said stays
        return Done(reply, used, Effects({}, [], host.signals, host.logs, state.steps))
    try:
        await job.bundle.space.commit(job.id, state.reads, host.writes, state.lists)
    except kv.Conflict as conflict:
        state.reads.update(conflict.fresh)
        if conflict.relist:
            state.lists.clear()
        return None
    effects = Effects(host.writes, host.fires, host.signals, host.logs, state.steps)
    return Done(reply, used, effects)


def below(state: State) -> int:
    """Fuel of the functions that were called by the one at the root, and by those."""
    return sum(fuel for step in state.steps if isinstance(fuel := step.get("fuel"), int))


def context(frame: Frame, state: State) -> HostCall:
    """The host's side of one function: what is known of the state, seen through its callers' writes."""
    job = frame.job
    host = HostCall(
        job.id,
        job.created_us // 1000,
        seed=f"{job.id}:{frame.level}:{len(state.steps)}".encode(),
        secrets=job.bundle.granted,
        readonly=job.primitive == "validation",
    )
    host.reads.update(state.reads)
    host.reads.update(frame.overlay)
    return host


async def run(frame: Frame, host: HostCall, state: State, request: bytes) -> Answer:
    """Inline first; whatever it waits for is fetched and it runs again, until fuel or patience moves it to a fiber."""
    guest, function = guest_of(frame.job, frame.target), frame.target.function
    purse = frame.job.purse
    for _ in range(MAX_PAUSES):
        if purse is not None:
            await purse.ready()
        try:
            answer = guest.call(function, request, host, frame.limits)
            if purse is not None:
                purse.spend(answer.fuel)
            return answer
        except Suspend as pause:
            if pause.reason == "fuel":
                break
            missing = host.missing[-1]
            host.learn(missing, await supply(frame, host, state, missing))
        host.restart()
    host.restart()
    await running.announce(frame.job)

    async def supplied(ask: fiber.Ask) -> Supplied:
        return await supply(frame, host, state, Missing(ask.kind, ask.name, ask.payload))

    work = fiber.run(guest, function, request, host, frame.limits, supplied, purse)
    return await running.cancellable(frame.job, work)


async def supply(frame: Frame, host: HostCall, state: State, missing: Missing) -> Supplied:
    """The answer to what a function asked of the world outside."""
    space = frame.job.bundle.space
    if missing.kind == "kv":
        if missing.name not in state.reads:
            state.reads.update(await space.get([missing.name]))
        return state.reads[missing.name]
    if missing.kind == "list":
        if missing.name not in state.lists:
            state.lists[missing.name] = await space.names(missing.name)
            await foresee(host, state, space, state.lists[missing.name])
        return overlaid(state.lists[missing.name], frame.overlay, missing.name)
    if missing.kind == "http":
        return await outside(frame, state, missing.payload)
    return await nested(frame, host, state, missing)


async def foresee(host: HostCall, state: State, space: kv.Space, names: list[str]) -> None:
    """Who asks for a short list reads its entries next: one look-up now saves a restart for each."""
    unknown = [name for name in names if name not in state.reads]
    if 0 < len(unknown) <= FORESEEN:
        values = await space.get(unknown)
        state.reads.update(values)
        host.reads.update({name: value for name, value in values.items() if name not in host.reads})


async def outside(frame: Frame, state: State, payload: bytes) -> bytes | HostFailure:
    turn = payload, state.asked.get(payload, 0)
    state.asked[payload] = turn[1] + 1
    if turn not in state.heard:
        began = time.perf_counter()
        state.heard[turn] = await http(frame.job.bundle, payload)
        note(state, Missing("http", "http"), began)
    return state.heard[turn]


def overlaid(names: list[str], overlay: dict[str, bytes | None], prefix: str) -> list[str]:
    added = {key for key, value in overlay.items() if value is not None and key.startswith(prefix)}
    gone = {key for key, value in overlay.items() if value is None}
    return sorted((set(names) - gone) | added)


async def nested(frame: Frame, host: HostCall, state: State, missing: Missing) -> Supplied:
    """A function called by another: its writes join the caller's when it succeeds, and are dropped when it fails.

    Within a transaction a failed one dooms the whole: nothing of the job is committed.
    """
    began = time.perf_counter()
    try:
        answer, child = await inner(frame, host, state, missing)
    except (Trap, Absent, HostFailure) as problem:
        note(state, missing, began, error=str(problem))
        doom(frame, state, missing, str(problem))
        return HostFailure(str(problem))
    reason = complaint(answer.body)
    note(state, missing, began, fuel=answer.fuel, **({"error": reason} if reason else {}))
    if reason:
        doom(frame, state, missing, reason)
        return Nested(answer.body, {}, [], child.signals, child.logs)
    return Nested(answer.body, child.writes, child.fires, child.signals, child.logs)


def complaint(body: bytes) -> str:
    """The error that a called function answered with; its bytes may be anything, they are the caller's to read."""
    try:
        return read(body).error
    except BadAnswer:
        return ""


def doom(frame: Frame, state: State, missing: Missing, reason: str) -> None:
    if frame.job.primitive == "transaction":
        state.doomed = f"{missing.name} failed, so the transaction is rolled back: {reason}"


async def inner(frame: Frame, host: HostCall, state: State, missing: Missing) -> tuple[Answer, HostCall]:
    if frame.level >= MAX_DEPTH:
        raise HostFailure(f"functions call each other more than {MAX_DEPTH} deep")
    try:
        target = parse(missing.name)
    except TargetError as problem:
        raise HostFailure(str(problem)) from None
    if target.kind != "wasm":
        return await inner_run(frame, state, target, missing)
    child = Frame(frame.job, target, frame.limits, frame.level + 1, {**frame.overlay, **host.writes})
    inside = context(child, state)
    answer = await run(child, inside, state, called(frame.job, missing))
    return answer, inside


async def inner_run(frame: Frame, state: State, target: Target, missing: Missing) -> tuple[Answer, HostCall]:
    """A flow or a prompt called by a function: steps keep what they write by themselves, whatever becomes of the caller."""
    from runtime import flows  # whose steps are targets

    job = flows.called(frame.job, target, called(frame.job, missing), len(state.steps), frame.level + 1)
    done = await running.announced(frame.job, execute(job, frame.limits.fuel))
    inside = context(frame, state)
    effects = done.effects
    inside.fires, inside.signals, inside.logs = effects.fires, effects.signals, effects.logs
    if done.due_us is not None:
        raise HostFailure(f"{target} waits for longer than a function can")
    if done.reply.error:
        raise HostFailure(done.reply.error)
    return Answer(done.reply.body or b"null", done.fuel), inside


def called(job: Job, missing: Missing) -> bytes:
    """The request of a nested call: the payload is its body."""
    try:
        body = orjson.loads(missing.payload) if missing.payload else None
    except orjson.JSONDecodeError:
        raise HostFailure("the payload of call() is not JSON") from None
    if not is_writable(body):
        raise HostFailure("the payload of call() is nested too deeply")
    values: dict[str, Any] = {
        "method": "CALL",
        "path": missing.name,
        "params": {},
        "query": {},
        "headers": {},
        "body": body,
    }
    try:
        return orjson.dumps({**values, "tenant": job.bundle.tenant, "execution": job.id})
    except orjson.JSONEncodeError:
        raise HostFailure("the payload of call() is nested too deeply") from None


def note(state: State, missing: Missing, began: float, **more: object) -> None:
    spent = int((time.perf_counter() - began) * 1e6)
    state.steps.append({"target": missing.name, "duration_us": spent, **more})
