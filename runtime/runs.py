"""Verbs on executions, called alike by REST and pages: find, list, retry, cancel; always within one tenant."""

import time
from typing import Any
from uuid import UUID

import orjson
from asgiref.sync import async_to_sync
from django.db.models import Q, QuerySet

from billing.access import Principal
from billing.errors import ApiError
from billing.ids import uuid7
from billing.quota import quota
from bundles.models import Flow
from runtime import executions, importer, resume
from runtime.journal import JournalFull
from runtime.models import Execution
from runtime.outbox import outbox
from runtime.record import Record, was_cut
from runtime.shown import full, recorded

PAGE = 50
PAGE_MAX = 200
ID = 36  # characters of an id
FILTERS = ("status", "trigger", "service", "name")


def of_tenant(who: Principal) -> QuerySet[Execution]:
    return Execution.objects.filter(tenant_id=who.tenant_id)


def find(who: Principal, run: UUID) -> Execution:
    """The row; imports the journal first when it, or its end, is not there yet. ApiError 404 otherwise."""
    rows = of_tenant(who).select_related("bundle").filter(pk=run)
    found = rows.first()
    if found is None or found.completed is None:
        if importer.find(str(run)) is not None:
            importer.drain()
        found = rows.first()  # also when it was imported after the first look and before the journal's
    if found is None:
        raise ApiError(404, "No such execution.")
    return found


def show(who: Principal, run: UUID) -> dict[str, Any]:
    """As REST answers; a run that was acknowledged is found even before it is imported."""
    rows = of_tenant(who).filter(pk=run)
    found = rows.first()
    record = None if found is not None and found.completed else importer.find(str(run))
    if record is None and (found is None or not found.completed):
        found = rows.first()  # imported after the first look and before the journal's
    if found is not None and found.completed:
        return full(found)
    if found is not None:  # what a worker adds to a row names no tenant; a next try adds nothing to show
        known = full(found) | ({"waits": resume.addresses(found)} if who.may("call") else {})
        return known | ending(record) if record and record.get("completed") else known
    if record is None or record.get("tenant") != str(who.tenant_id):
        raise ApiError(404, "No such execution.")
    asked = Execution(id=record["id"], **{key: record[key] for key in ("status", "target")})
    asked.bundle_id, asked.tenant_id = record["bundle"], record["tenant"]
    return recorded(record) | ({"waits": resume.addresses(asked)} if who.may("call") else {})


def ending(record: Record) -> dict[str, Any]:
    """What a "finish" that waits in the journal adds to a row that says running."""
    known = recorded(
        {"input": "", "service": "", "name": "", "target": "", "trigger": "", "revision": 0, **record}
    )
    keys = [
        "status",
        "completed",
        "duration_ms",
        "units_used",
        "http_status",
        "error",
        "output",
        "steps",
        "logs",
        "attempts",
    ]
    return {key: known[key] for key in keys}


def listed(
    who: Principal, wanted: dict[str, str], *, cursor: str = "", limit: int = PAGE
) -> QuerySet[Execution]:
    """Newest first, one more than ``limit`` so that the caller sees whether there is a next page."""
    rows = of_tenant(who)
    for name in FILTERS:
        if wanted.get(name):
            rows = rows.filter(**{name: wanted[name]})
    if flow := wanted.get("flow"):
        rows = of_flow(rows, who, flow)
    if wanted.get("bundle"):
        rows = rows.filter(bundle_id=as_uuid(wanted["bundle"]))
    if cursor:
        rows = rows.filter(pk__lt=as_uuid(cursor))
    return rows[: min(max(1, limit), PAGE_MAX) + 1]


def of_flow(rows: QuerySet[Execution], who: Principal, wanted: str) -> QuerySet[Execution]:
    """Those of flows of this name, or of the one with this id."""
    name = wanted
    if len(wanted) == ID and wanted.count("-") == 4:
        flow = Flow.objects.filter(bundle__tenant_id=who.tenant_id, pk=as_uuid(wanted)).first()
        if flow is not None:
            name, rows = flow.name, rows.filter(bundle_id=flow.bundle_id)
    return rows.filter(Q(target=f"flow:{name}") | Q(target__startswith=f"flow:{name}:"))


def as_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ApiError(422, f"{text[:40]!r} is not an id.") from None


def retry(who: Principal, run: Execution) -> str:
    """Queue the same request again, for the revision that runs now; the new run's id."""
    record = anew(who, run)
    quota.demand(str(who.tenant_id))
    write([record])
    return str(record["id"])


def anew(who: Principal, run: Execution) -> Record:
    """The record of a run that does the same as one that has ended."""
    if run.status not in executions.DONE:
        raise ApiError(409, "It has not ended yet.")
    if was_cut(run.input) or not run.input:
        raise ApiError(409, "Its input was too large to be kept whole.")
    fresh = str(uuid7())
    now = time.time_ns() // 1000
    return {
        "op": "add",
        "id": fresh,
        "tenant": str(run.tenant_id),
        "bundle": str(run.bundle_id),
        "revision": run.bundle.live_revision or run.bundle.revision,
        "service": run.service,
        "name": run.name,
        "target": run.target,
        "trigger": "retry",
        "status": "queued",
        "created": now,
        "due": now,
        "input": again(run.input, fresh),
        "caller": who.actor,
        "parent": str(run.pk),
    }


def again(recorded: str, execution: str) -> str:
    try:
        return orjson.dumps(orjson.loads(recorded) | {"execution": execution}).decode()
    except orjson.JSONEncodeError:
        raise ApiError(409, "Its input is nested too deeply to be asked again.") from None


def write(records: list[Record]) -> None:
    """Into the journal, before anybody is told; 503 when it cannot be."""
    try:
        for record in records:
            async_to_sync(outbox().append)(record)
    except JournalFull as problem:
        raise ApiError(
            503, f"The history cannot be written: {problem}.", headers={"Retry-After": "5"}
        ) from None


def cancel(who: Principal, run: Execution) -> None:
    if not executions.ask_cancel(run):
        raise ApiError(409, "It is over already.")


def pause(who: Principal, run: Execution) -> None:
    """What is under way ends, nothing else begins. A function that runs cannot be held, only a flow between its steps."""
    if run.status == "running" and not run.target.startswith("flow:"):
        raise ApiError(409, "Only a run of a flow can be paused once it has begun.")
    if not executions.pause(run):
        raise ApiError(409, "It is over already.")


def unpause(who: Principal, run: Execution) -> None:
    if not executions.unpause(run):
        raise ApiError(409, "It is not paused.")
