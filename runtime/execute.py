"""Functions, flows and prompts called from Python: `execute` for one target, `emit` for whatever listens to an event.

For code of the installation itself, such as a Django application beside ours. It is trusted: nobody is asked for a key.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson

from billing.errors import ApiError
from bundles.target import Target, TargetError, parse
from runtime import ask, prompts, said, sensors, serving
from runtime.call import Noted
from runtime.gateway import Gateway
from runtime.job import Job, Outcome
from runtime.live import Live, LiveBundle
from runtime.wasm import units

SERVICE = CALLER = "python"  # under which the history has these calls
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call. ``output`` is JSON as values, else text or bytes; ``status`` that of the execution."""

    status: str
    http_status: int
    output: Any
    error: str
    execution: str
    units: int

    @property
    def ok(self) -> bool:
        return self.status == "success"


@dataclass(frozen=True, slots=True)
class Emitted:
    """The executions that an event has queued, and which intents were held back, and why."""

    executions: tuple[str, ...]
    skipped: tuple[dict[str, str], ...]


def execute(tenant: str, target: str, payload: Any = None, *, event: str = "", bundle: str = "") -> Answer:
    """Call `wasm:module:function`, `flow:name` or `prompt:id` of a running bundle, and wait for the answer.

    With ``event`` it is told `{"event", "data", "timestamp"}`, where data is the payload. ``bundle`` names one when
    several have such a target. ApiError when nothing could be executed; a failed one is an answer.
    """
    return waited(called(tenant, target, payload, event=event, bundle=bundle))


async def aexecute(
    tenant: str, target: str, payload: Any = None, *, event: str = "", bundle: str = ""
) -> Answer:
    """The same for asynchronous code."""
    return await elsewhere(called(tenant, target, payload, event=event, bundle=bundle))


def emit(tenant: str, event: str, data: Any = None) -> Emitted:
    """Queue all that listens to the sensor ``event`` in the tenant's running bundles, told as with ``execute``."""
    return waited(fired(tenant, event, data))


async def aemit(tenant: str, event: str, data: Any = None) -> Emitted:
    """The same for asynchronous code."""
    return await elsewhere(fired(tenant, event, data))


def waited(work: Coroutine[Any, Any, T]) -> T:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run_coroutine_threadsafe(work, serving.place()[1]).result()
    work.close()
    raise RuntimeError("this is asynchronous code: await aexecute() or aemit()")


async def elsewhere(work: Coroutine[Any, Any, T]) -> T:
    """In the loop that serves."""
    _, loop = serving.place()
    if loop is asyncio.get_running_loop():
        return await work
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))


async def called(tenant: str, target: str, payload: Any, *, event: str, bundle: str) -> Answer:
    gateway, _ = serving.place()
    live = await known(gateway, tenant)
    body = envelope(event, payload) if event else payload
    job = job_of(live, parsed(target), body, event=event, bundle=bundle)
    live.used = job.started
    outcome = await said.call(gateway.waist or await gateway.start(), job)
    return answer(job, outcome)


async def fired(tenant: str, event: str, data: Any) -> Emitted:
    gateway, _ = serving.place()
    live, waist = await known(gateway, tenant), gateway.waist or await gateway.start()
    executions: list[str] = []
    skipped: list[dict[str, str]] = []
    for bundle in ordered(live):
        if event not in bundle.sensors():
            continue
        found = await sensors.fire(bundle, event, envelope(event, data), caller=CALLER)
        for record in found.queued:
            with Noted():
                await waist.journal.append(record)
            executions.append(record["id"])
        skipped += found.skipped
    return Emitted(tuple(executions), tuple(skipped))


async def known(gateway: Gateway, tenant: str) -> Live:
    """As it is now: what was started or stopped a moment ago counts."""
    live = await gateway.tenants.fresh(tenant)
    if live is None:
        raise ApiError(404, f"There is no tenant “{tenant[:60]}”.")
    return live


def envelope(event: str, data: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"event": event, "data": data, "timestamp": now}


def parsed(text: str) -> Target:
    try:
        return parse(text)
    except TargetError as problem:
        raise ApiError(422, str(problem)) from None


def ordered(live: Live) -> list[LiveBundle]:
    return sorted(live.bundles.values(), key=lambda bundle: bundle.id)  # ids begin with the time


def job_of(live: Live, target: Target, body: Any, *, event: str, bundle: str) -> Job:
    """The job of the bundle that has the target; that which the tenant has had for longest, unless one is named."""
    for one in ordered(live):
        if bundle in ("", one.name) and target.module in things(one, target.kind):
            return made(one, target, body, event)
    where = f"The running bundles “{bundle[:60]}”" if bundle else "The running bundles"
    raise ApiError(404, f"{where} of {live.slug} have no {target}.")


def things(bundle: LiveBundle, kind: str) -> Any:
    """What a bundle has of that kind, by name."""
    if kind == "prompt":
        return bundle.prompts
    return bundle.flows if kind == "flow" else {**bundle.guests, **bundle.absent}


def made(bundle: LiveBundle, target: Target, body: Any, event: str) -> Job:
    trigger = "sensor" if event else "api"
    if target.kind == "prompt":
        prompt = bundle.prompts[target.module]
        given = {} if body is None else body
        if event:  # it takes of an event what it has parameters for
            names = {one.name for one in prompt.parameters}
            given = {name: value for name, value in given.items() if name in names}
        values = prompts.checked(prompt, given)
        return prompts.make_job(
            bundle, prompt, values, trigger=trigger, caller=CALLER, dry=False, format="markdown"
        )
    job = Job(bundle, SERVICE, str(target)[:100], target, bundle.definition.contract, b"", trigger)
    job.caller = CALLER
    told: dict[str, Any] = {
        "method": "EVENT" if event else "CALL",
        "path": event or str(target),
        "params": {},
        "query": {},
    }
    job.request = ask.request({**told, "headers": {}}, body, tenant=bundle.tenant, execution=job.id)
    return job


def answer(job: Job, outcome: Outcome) -> Answer:
    reply = outcome.reply
    return Answer(
        outcome.status,
        reply.status,
        values(reply.body),
        outcome.error or reply.error,
        job.id,
        units(outcome.fuel),
    )


def values(body: bytes) -> Any:
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        pass
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body
