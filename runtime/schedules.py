"""Schedules: when each runs next, and the tick of the clock that queues what is due.

Of any number of clocks one wins: the next time is compared and set in the transaction that writes the run down.
"""

import json
import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter
from django.db import transaction
from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from billing.errors import ApiError
from billing.quota import quota
from bundles.flowmodel import Trigger as Written
from bundles.models import Status
from runtime import executions
from runtime.flowqueue import Start, queued, values
from runtime.models import Trigger
from runtime.shown import stamp

GRACE = timedelta(seconds=60)  # what comes later than this was missed
AT_ONCE = 500  # of one tick, which takes about two seconds then
Plan = dict[str, Any]
log = logging.getLogger(__name__)


def plan_of(written: Written) -> Plan:
    """What the tick has to know, so that it reads no bundle."""
    return {
        "to": written.to,
        "cron": written.cron,
        "timezone": written.timezone,
        "every_ms": written.every_ms,
        "misfire": written.misfire,
    }


def following(plan: Plan, now: datetime, *, last: datetime | None = None) -> datetime | None:
    """The first time after ``now``; intervals count from ``last``."""
    if plan["every_ms"]:
        every = timedelta(milliseconds=plan["every_ms"])
        if last is None or last > now:
            return now + every
        return last + every * ((now - last) // every + 1)
    if not plan["cron"]:
        return None
    return by_cron(plan["cron"], ZoneInfo(plan["timezone"]), now)


def by_cron(line: str, zone: ZoneInfo, now: datetime) -> datetime:
    """A line with a fixed hour means it once, also in the night in which that hour comes twice."""
    times = croniter(line, now.astimezone(zone))
    found: datetime = times.get_next(datetime)  # type: ignore[no-untyped-call]
    while is_repeated(found, zone) and not line.split()[1].startswith("*"):
        found = times.get_next(datetime)  # type: ignore[no-untyped-call]
    return found.astimezone(UTC)


def is_repeated(moment: datetime, zone: ZoneInfo) -> bool:
    return moment.astimezone(UTC).astimezone(zone).fold == 1


def upcoming(plan: Plan, now: datetime, count: int) -> list[datetime]:
    """The next few times, for people."""
    found: list[datetime] = []
    at: datetime | None = now
    while at is not None and len(found) < count:
        at = following(plan, at, last=at)
        if at is not None:
            found.append(at)
    return found


def settle(row: Trigger, written: Written | None, now: datetime) -> None:
    """Its next time, or none when it is not to run; a time that still holds stays."""
    runs = written is not None and written.type == "schedule" and written.enabled and row.enabled
    plan = plan_of(written) if runs and written is not None else None
    text = json.dumps(plan) if plan else ""
    if plan and text == row.schedule and row.next_at is not None and row.next_at > now:
        return
    row.schedule, row.next_at = text, following(plan, now) if plan else None
    Trigger.objects.filter(pk=row.pk).update(schedule=text, next_at=row.next_at)


def tick(now: datetime) -> int:
    """Queue every run that is due; how many."""
    running = Trigger.objects.filter(flow__stopped=False, flow__bundle__live_revision__isnull=False).exclude(
        flow__bundle__status=Status.STOPPED
    )
    due = running.filter(next_at__lte=now).select_related("flow__bundle__tenant")
    return sum(guarded(row, now) for row in in_turn(due)[:AT_ONCE])


def in_turn(due: "QuerySet[Trigger]") -> "QuerySet[Trigger]":
    """One of each tenant, then a second one of each and so on: many of one do not stand before the one of another."""
    turn = Window(RowNumber(), partition_by=F("flow__bundle__tenant_id"), order_by=(F("next_at"), F("pk")))
    return due.annotate(turn=turn).order_by("turn", "next_at")


def guarded(row: Trigger, now: datetime) -> bool:
    """A schedule whose next time cannot be worked out is put away; it must not stop the others."""
    try:
        return fire(row, now)
    except (ValueError, KeyError) as problem:  # of croniter and of zones, too
        log.error("the schedule %s of the flow %s is put away: %s", row.name, row.flow_id, problem)
        Trigger.objects.filter(pk=row.pk, next_at=row.next_at).update(next_at=None)
        return False


def fire(row: Trigger, now: datetime) -> bool:
    """Whether this clock was the one that queued the run, and there was one to queue."""
    due, plan = row.next_at, json.loads(row.schedule or "{}")
    if due is None:
        return False
    if not plan:
        raise ValueError("it says nothing of its times")
    late = now - due > GRACE
    run = not late or plan["misfire"] == "once"
    changed = {"next_at": following(plan, now, last=due)} | ({"last_at": now} if run else {})
    tenant_id = str(row.flow.bundle.tenant_id)
    refused = used_up(tenant_id) if run else ""
    with transaction.atomic():
        mine = Trigger.objects.filter(pk=row.pk, next_at=due, enabled=True).update(**changed)
        added = mine == 1 and run and executions.absorb([record(row, plan, due) | refusal(refused)]) == 1
    if run and not added and not refused:
        quota.give_back(tenant_id)
    return added and not refused


def used_up(tenant_id: str) -> str:
    """Why the plan has no execution for it (R39); taken when empty. Before the transaction: it must not be undone."""
    try:
        quota.demand(tenant_id)
    except ApiError as refused:
        return refused.detail
    return ""


def refusal(reason: str) -> dict[str, Any]:
    """What a run that is not run says in the history."""
    if not reason:
        return {}
    return {"status": "refused", "error": reason, "completed": time.time_ns() // 1000, "due": None}


def record(row: Trigger, plan: Plan, due: datetime) -> dict[str, Any]:
    start = Start.of(row.flow, plan["to"], row.flow.bundle.live_revision or 0)
    return queued(start, "schedule", values("SCHEDULE", row.name), {"scheduled": stamp(due)})
