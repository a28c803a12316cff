"""Webhooks of flows on the data plane: `/api/triggers/{flow}/webhook/{token}`, and `…/test`, which keeps a sample.

Whatever is wrong with an address has the same answer, so that nobody learns which flows there are.
"""

import asyncio
import hmac
import re
import time
from functools import partial
from typing import TYPE_CHECKING

import orjson
from django.conf import settings

from billing.errors import ApiError
from bundles.target import Target
from runtime import ask, counting, flowqueue, hot, reading, running, said, samples, signature, webhookrate
from runtime.call import Noted, Waist
from runtime.exchange import BASE, Asked, Given
from runtime.flowqueue import SERVICE, Start
from runtime.job import Job, Outcome
from runtime.live import Live, LiveBundle
from runtime.liveflow import Hook, LiveFlow
from runtime.reply import given
from runtime.waking import waking

if TYPE_CHECKING:
    from runtime.gateway import Gateway

PREFIX = "/api/triggers/"
PATH = re.compile(
    r"/api/triggers/([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})/webhook/([A-Za-z0-9_-]{16,64})(/test)?/?"
)
METHODS = ("POST", "PUT", "PATCH")
WEBHOOK = "webhook"
RESPOND_S = 30.0  # after that the caller is told 202, and the run goes on
ABSENT = "There is no such webhook."
Found = tuple[Live, LiveBundle, LiveFlow, Hook]
_going: set[asyncio.Task[object]] = (
    set()
)  # runs that somebody may not wait for any more; a task needs a holder


def is_webhook(path: str) -> bool:
    return path.startswith(PREFIX) and "/webhook/" in path


async def respond(asked: Asked, gateway: "Gateway") -> Given:
    """One request: which webhook, is it signed, run or queue it."""
    waist = gateway.waist or await gateway.start()
    place = PATH.fullmatch(asked.path)
    if place is None:
        raise ApiError(404, ABSENT)
    if place[3]:
        return await samples.captured(asked, place[1], place[2])
    found = await look(gateway, place[1], place[2])
    if found is None:
        return await taken_on(asked, place[1], place[2], waist)
    live, bundle, flow, hook = found
    live.used = time.monotonic()
    data = await read(asked, live.tenant_id, flow.id, hook)
    if hook.at_once:
        start = Start(bundle.tenant_id, bundle.tenant, bundle.id, bundle.revision, flow.name, hook.to)
        return await queued(asked, start, hook, data, waist)
    return await waited(asked, make_job(asked, bundle, flow, hook, data), waist)


async def taken_on(asked: Asked, flow_id: str, token: str, waist: Waist) -> Given:
    """A call to a flow that is starting is taken on; 404 for everything else."""
    found = await reading.read(waking, flow_id, token.encode())
    if found is None:
        raise ApiError(404, ABSENT)
    data = await read(asked, found.start.tenant_id, flow_id, found.hook)
    return await queued(asked, found.start, found.hook, data, waist)


async def read(asked: Asked, tenant_id: str, flow_id: str, hook: Hook) -> bytes:
    """The body of a request that is allowed in."""
    if asked.method not in METHODS:
        allow = ", ".join(METHODS)
        raise ApiError(405, f"A webhook answers {allow}.", headers={"Allow": allow})
    await webhookrate.admit(hook, tenant_id, flow_id)
    data = await asked.body(settings.CALL_MAX_BODY)
    if hook.signed:
        signed = signature.check(hook.key, asked.headers, data, time.time())
        await signature.once(tenant_id, flow_id, signed)
    return data


def now(asked: Asked, data: bytes, gateway: "Gateway") -> Given | None:
    """The answer to a request whose body is here, if nothing has to be waited for; else None, and `respond` is due."""
    place = PATH.fullmatch(asked.path)
    waist = gateway.waist
    if place is None or place[3] or waist is None or asked.method not in METHODS:
        return None
    live = gateway.tenants.of_flow(place[1])
    found = match(live, place[1], place[2].encode()) if live is not None else None
    if found is None or found[3].signed or found[3].at_once or len(data) > settings.CALL_MAX_BODY:
        return None
    live, bundle, flow, hook = found
    if Target("flow", flow.name, hook.to) in bundle.waiting or not webhookrate.has_room(hook):
        return None
    live.used = time.monotonic()
    webhookrate.count(hook)
    job = make_job(asked, bundle, flow, hook, data)
    outcome = waist.now(job)
    if outcome is None:
        webhookrate.count(hook, -1)  # it is counted where it is answered
        return None
    return given(asked, job, outcome, [])


class Known(hot.Called):
    """The head of a webhook that is answered by its run."""

    __slots__ = ("hook", "json", "sample", "start", "tail")

    def __init__(self, asked: Asked, found: Found) -> None:
        live, owner, flow, self.hook = found
        super().__init__(asked, live, [])
        self.start = ask.encoded(told(asked, self.hook))[:-1] + b',"body":'
        self.json = hot.is_json(asked)
        make = partial(job_of, owner, flow, self.hook)
        self.sample, self.tail, self.record = hot.fixed(live, self.hook, WEBHOOK, make)

    def job(self, data: bytes, limit: int) -> Job:
        webhookrate.has_room(self.hook)
        try:
            payload = payload_of(self.asked, data, limit, json=self.json)
        except ApiError:
            webhookrate.count(self.hook)
            raise
        like = self.sample
        job = Job(like.bundle, SERVICE, like.name, like.target, like.contract, b"", WEBHOOK)
        job.caller, job.payload = like.caller, payload
        job.request = self.start + payload + self.tail + job.id.encode() + b'"}'
        return job

    def packed(self, job: Job, outcome: Outcome, date: bytes) -> bytes | None:
        """A call that is answered; one that has to wait is counted where that is done."""
        webhookrate.count(self.hook)
        return super().packed(job, outcome, date)


def heat(asked: Asked, gateway: "Gateway") -> Known | None:
    """What is the same in every request with this head; None when it cannot be answered at once."""
    place = PATH.fullmatch(asked.path)
    if place is None or place[3] or asked.method not in METHODS:
        return None
    live = gateway.tenants.of_flow(place[1])
    found = match(live, place[1], place[2].encode()) if live is not None else None
    if found is None or found[3].signed or found[3].at_once or found[3].rate is not None:
        return None
    return Known(asked, found)


async def look(gateway: "Gateway", flow_id: str, token: str) -> Found | None:
    """The webhook of that address; before it is given up the tenant is read anew if it has changed."""
    tenants, secret = gateway.tenants, token.encode()
    live = tenants.of_flow(flow_id) or await tenants.load_of_flow(flow_id)
    found = match(live, flow_id, secret) if live is not None else None
    if found is None and live is not None:
        live = await tenants.fresh(live.slug)
        found = match(live, flow_id, secret) if live is not None else None
    return found


def match(live: Live, flow_id: str, token: bytes) -> Found | None:
    """The hook whose token it is. Every one is compared, each in constant time."""
    owner = live.flows.get(flow_id)
    if owner is None:
        return None
    bundle, flow = owner
    same = [hook for hook in flow.hooks if hmac.compare_digest(hook.token, token) and hook.type == "webhook"]
    return (live, bundle, flow, same[0]) if same else None


def job_of(bundle: LiveBundle, flow: LiveFlow, hook: Hook) -> Job:
    target = Target("flow", flow.name, hook.to)
    job = Job(bundle, SERVICE, flow.name, target, bundle.definition.contract, b"", WEBHOOK)
    job.caller = f"webhook:{hook.name}"
    return job


def make_job(asked: Asked, bundle: LiveBundle, flow: LiveFlow, hook: Hook, data: bytes) -> Job:
    job = job_of(bundle, flow, hook)
    job.payload = payload_of(asked, data, settings.CALL_MAX_BODY, json=hot.is_json(asked))
    body = orjson.Fragment(job.payload)
    job.request = ask.request(told(asked, hook), body, tenant=bundle.tenant, execution=job.id)
    return job


def payload_of(asked: Asked, data: bytes, limit: int, *, json: bool) -> bytes:
    """The body, written anew: of a name that comes twice there is only the last one from here on."""
    if not data:
        return b"null"
    if json:
        return ask.encoded(ask.json_value(data))
    return ask.encoded(ask.posted(data, asked.headers, limit=limit))


def told(asked: Asked, hook: Hook) -> dict[str, object]:
    """What the flow learns of the request: not its token."""
    query = ask.query(asked.query)
    return flowqueue.values(asked.method, hook.name, query=query, headers=asked.headers)


async def queued(asked: Asked, start: Start, hook: Hook, data: bytes, waist: Waist) -> Given:
    """Written down, then acknowledged; a worker runs it."""
    body = ask.posted(data, asked.headers, limit=settings.CALL_MAX_BODY) if data else None
    record = flowqueue.queued(start, "webhook", told(asked, hook), body)
    await counting.demand(start.tenant_id)
    record["caller"] = f"webhook:{hook.name}"
    with Noted():
        await waist.journal.append(record)
    return accepted(record["id"])


async def waited(asked: Asked, job: Job, waist: Waist) -> Given:
    """What the run answers; 202 when it is parked or takes too long, and then it is in the history already."""
    task = asyncio.ensure_future(said.call(waist, job))
    _going.add(task)
    task.add_done_callback(_going.discard)
    done, _ = await asyncio.wait({task}, timeout=RESPOND_S)
    if not done:
        with Noted():
            await running.announce(job)
        return accepted(job.id)
    outcome = task.result()
    if outcome.status == "waiting":
        return accepted(job.id)
    return given(asked, job, outcome, [])


def accepted(execution: str) -> Given:
    body = orjson.dumps({"execution": execution})
    head = [
        *BASE,
        ("x-execution-id", execution),
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("content-length", str(len(body))),
    ]
    return Given(202, head, body)
