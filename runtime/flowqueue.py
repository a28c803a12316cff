"""Runs of flows that begin without anybody waiting: the record that stands in the journal before anybody is told."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from billing.errors import ApiError
from billing.ids import uuid7_text
from bundles.contract import seal
from bundles.models import Flow
from runtime import ask
from runtime.record import Record

SERVICE = "flow"  # what stands for a service in the runs of flows
MAX_INPUT = 1024 * 1024  # a queued run needs its whole input, unlike history
RANK = 2
UNITS = seal({}).compute_units


@dataclass(frozen=True, slots=True)
class Start:
    """Where a run begins: the listener of a flow in one revision of a bundle."""

    tenant_id: str
    tenant: str
    bundle_id: str
    revision: int
    flow: str
    listener: str

    @classmethod
    def of(cls, flow: Flow, listener: str, revision: int) -> "Start":
        tenant = flow.bundle.tenant
        return cls(str(tenant.pk), tenant.slug, str(flow.bundle_id), revision, flow.name, listener)

    @property
    def target(self) -> str:
        return ":".join(part for part in ("flow", self.flow, self.listener) if part)


def values(method: str, trigger: str, **more: Any) -> dict[str, Any]:
    """What a flow is told of its trigger beside the payload."""
    known = {"method": method, "path": f"/{trigger}", "params": {}, "query": {}, "headers": {}}
    return known | {"trigger": trigger} | more


def queued(start: Start, cause: str, told: Mapping[str, Any], body: Any, *, run: str = "") -> Record:
    """The record of a run that waits for a worker; 413 when its input could not be kept whole."""
    now, run = time.time_ns() // 1000, run or uuid7_text()
    request = ask.request(told, body, tenant=start.tenant, execution=run)
    if len(request) > MAX_INPUT:
        raise ApiError(413, f"What starts a run in the background may have {MAX_INPUT} bytes.")
    return {
        "op": "add",
        "id": run,
        "tenant": start.tenant_id,
        "bundle": start.bundle_id,
        "revision": start.revision,
        "service": SERVICE,
        "name": start.flow,
        "target": start.target,
        "trigger": cause,
        "status": "queued",
        "created": now,
        "due": now,
        "rank": RANK,
        "input": request.decode(),
        "units_estimated": UNITS,
        "caller": "",
    }
