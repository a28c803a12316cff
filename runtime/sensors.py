"""A sensor fires: which intents start, which are held back, and the queued runs that come of it.

What is returned is written to the journal before anybody is told, so an acknowledged fire is never lost.
"""

import base64
import time
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import RedisError

from billing.ids import uuid7
from billing.redis import aredis
from bundles.intents import Intent
from bundles.service import Service
from runtime import ask, counting, flowqueue
from runtime.flowqueue import Start
from runtime.live import LiveBundle
from runtime.liveflow import Hook, LiveFlow
from runtime.record import Record, readable

MAX_DEPTH = 8  # fires that set off fires
TOO_DEEP = f"sensors set each other off more than {MAX_DEPTH} deep"
RANKS = {"critical": 0, "high": 1, "normal": 2, "low": 3}


@dataclass(slots=True)
class Fired:
    """``queued`` are "add" records of the runs that will follow; ``skipped`` names intents and reasons."""

    queued: list[Record] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)


async def fire(
    bundle: LiveBundle,
    sensor: str,
    payload: Any,
    *,
    depth: int = 0,
    parent: str | None = None,
    caller: str = "",
    strict: bool = True,
) -> Fired:
    """Every intent of the bundle that listens to ``sensor``, unless it cools down or the chain is too long.

    ``strict`` False: while no cooldown can be looked up the intent starts, because its fire must not be lost.
    """
    fired = Fired()
    for service, intent in bundle.intents(sensor):
        try:
            reason = await held_back(bundle, service, intent, depth)
        except RedisError:
            if strict:
                raise
            reason = ""
        reason = reason or await counting.allowed(bundle.tenant_id)
        if reason:
            fired.skipped.append({"intent": f"{service.name}.{intent.name}", "reason": reason})
        else:
            record = queued(bundle, service, intent, payload)
            fired.queued.append({**record, "depth": depth, "parent": parent, "caller": caller})
    for flow, hook in bundle.starts(sensor):
        if depth > MAX_DEPTH:
            fired.skipped.append({"intent": f"flow:{flow.name}", "reason": TOO_DEEP})
        elif reason := await counting.allowed(bundle.tenant_id):
            fired.skipped.append({"intent": f"flow:{flow.name}", "reason": reason})
        else:
            record = begun(bundle, flow, hook, payload)
            fired.queued.append({**record, "depth": depth, "parent": parent, "caller": caller})
    return fired


def begun(bundle: LiveBundle, flow: LiveFlow, hook: Hook, payload: Any) -> Record:
    """The record of a flow that a sensor starts."""
    start = Start(bundle.tenant_id, bundle.tenant, bundle.id, bundle.revision, flow.name, hook.to)
    told = flowqueue.values("SENSOR", hook.name, sensor=hook.sensor)
    return flowqueue.queued(start, "sensor", told, payload)


async def held_back(bundle: LiveBundle, service: Service, intent: Intent, depth: int) -> str:
    if depth > MAX_DEPTH:
        return TOO_DEEP
    if intent.to.kind == "flow" and (reason := bundle.idle_flows.get(intent.to.module)):
        return f"the flow {intent.to.module} is not run: {reason}"
    if not intent.cooldown_ms:
        return ""
    # SET NX with an expiry is one atomic step: of any number of racing fires exactly one passes in a window.
    name = f"tenant:{bundle.tenant_id}:bundle:{bundle.id}:cooldown:{service.name}:{intent.name}"
    free = await aredis().set(name, "1", nx=True, px=intent.cooldown_ms)
    return "" if free else f"cooldown of {intent.cooldown_ms} ms"


def queued(bundle: LiveBundle, service: Service, intent: Intent, payload: Any) -> Record:
    """The record of a run that waits for a worker; its input is the request its function will get."""
    now = time.time_ns() // 1000
    run = str(uuid7())
    values = {"method": "SENSOR", "path": intent.when_sensor, "params": {}, "query": {}, "headers": {}}
    request = ask.request(
        {**values, "sensor": intent.when_sensor}, payload, tenant=bundle.tenant, execution=run
    )
    return {
        "op": "add",
        "id": run,
        "tenant": bundle.tenant_id,
        "bundle": bundle.id,
        "revision": bundle.revision,
        "service": service.name,
        "name": intent.name,
        "target": str(intent.to),
        "trigger": "sensor",
        "status": "queued",
        "created": now,
        "due": now,
        "expires": now + intent.expires_in_ms * 1000 if intent.expires_in_ms else None,
        "rank": 3 if intent.primitive == "cleanup" else RANKS[intent.contract.priority],
        "input": request.decode() if len(request) < MAX_INPUT else readable(request),
        "units_estimated": intent.contract.compute_units,
    }


MAX_INPUT = 1024 * 1024  # a queued run needs its whole input, unlike history


def payload_of(data: bytes) -> Any:
    """What a function fired: JSON, else text, else {"base64": …}, or nothing; whatever it is, the run goes on."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}
    value = ask.maybe_json(text) if text.strip() else None
    return value if ask.is_writable(value) else text
