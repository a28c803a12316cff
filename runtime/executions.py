"""Every change of an execution's row: batches from the journal, claims, leases; a status changes by compare-and-set."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from redis.exceptions import RedisError

from billing import writing
from billing.quota import quota
from billing.redis import redis
from runtime import metering, signals
from runtime.insertion import LEASE, insert
from runtime.models import CHANGES, Execution
from runtime.record import Record, all_storable

log = logging.getLogger(__name__)
CANCELLED = "priostack:cancelled"
MAX_RESTARTS = 3
DONE = frozenset(state for state, after in CHANGES.items() if not after)
ENDING = [
    "status",
    "duration_us",
    "units_estimated",
    "units_used",
    "price",
    "spent",
    "round",
    "waited_us",
    "degraded",
    "http_status",
    "output",
    "error",
    "steps",
    "logs",
    "attempts",
]
MOST_LINES = 1000  # of all tries of a run together
TIMES = ("created", "started", "completed", "due", "expires")


def moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else datetime.fromtimestamp(microseconds / 1e6, UTC)


def before(status: str) -> list[str]:
    """The states from which ``status`` may be reached."""
    return [state for state, after in CHANGES.items() if status in after]


def absorb(records: list[Record]) -> int:
    """Write a batch down, each record once however often it comes; how many rows were new.

    A run that fired sensors carries the queued runs with it, so that both are known or neither.
    """
    records = all_storable(records)
    with writing.in_bulk(), transaction.atomic():
        known = living(records)
        new = insert(entry for record in records if record["bundle"] in known for entry in unfold(record))
        ended = [record for record in records if record["op"] != "add" and change(record)]
        finished = [r for r in records if r["op"] == "add" and r["id"] in new and r["status"] in DONE]
        over = finished + [r for r in ended if r["status"] in DONE and r["bundle"] in known]
        signals.absorb(over, known)
        metering.absorb(over, known)
    return len(new)


def absorb_each(records: list[Record]) -> list[Record]:
    """``absorb``, but a record that the database refuses costs only itself; the refused ones."""
    try:
        absorb(records)
    except (DataError, IntegrityError, ValueError) as problem:
        if len(records) == 1:
            log.error("a record was refused by the database: %s", problem)
            return records
        return [bad for record in records for bad in absorb_each([record])]
    return []


def unfold(record: Record) -> Iterable[Record]:
    """The rows that ``record`` adds: itself when it is new, and what it fired."""
    if record["op"] == "add":
        yield record
    yield from record.get("fires", ())


def living(records: list[Record]) -> set[str]:
    """Of the records' bundles those that still exist: a run may outlive its deleted bundle by moments."""
    from bundles.models import Bundle

    wanted = {record["bundle"] for record in records}
    return {str(pk) for pk in Bundle.objects.filter(pk__in=wanted).values_list("pk", flat=True)}


def change(record: Record) -> bool:
    """Apply a "finish" or "again"; False when the row is not in a state that allows it any more."""
    values: dict[str, Any] = {key: record[key] for key in ENDING if key in record}
    values |= {key: moment(record[key]) for key in TIMES if key in record}
    values |= {"leased_until": None, "lease": ""}
    if record.get("attempts") and "logs" in values:  # what earlier tries said stays
        said = values["logs"]
        earlier = Execution.objects.filter(pk=record["id"]).values_list("logs", flat=True).first() or []
        values["logs"] = [*(line for line in earlier if line not in said), *said][-MOST_LINES:]
    if record.get("input"):  # told again only when a secret in it had to be masked
        values["input"] = record["input"]
    rows = Execution.objects.filter(pk=record["id"], status__in=before(record["status"]))
    return rows.update(**values) == 1


def due(now: datetime) -> QuerySet[Execution]:
    """Queued runs whose time has come, the most urgent first."""
    ready = Q(due__isnull=True) | Q(due__lte=now)
    rows = Execution.objects.filter(ready, status="queued", paused=False).order_by("rank", "due", "id")
    return rows.select_related("tenant", "bundle")


def shared(now: datetime, free: int, busy: Mapping[UUID, int]) -> list[Execution]:
    """Due runs for so many free places. No tenant holds more places than are left free, however many runs it queued."""
    found: list[Execution] = []
    held, full = Counter(busy), set[UUID]()
    while len(found) < free:
        rows = due(now).exclude(tenant_id__in=full).exclude(pk__in=[run.pk for run in found])
        batch = list(rows[: free - len(found)])
        if not batch:
            break
        for run in batch:
            if held[run.tenant_id] < free - len(found):
                held[run.tenant_id] += 1
                found.append(run)
            else:
                full.add(run.tenant_id)
    return found


def claim(worker: str, limit: int, busy: Mapping[UUID, int] | None = None) -> list[Execution]:
    """Queued runs that now are ``worker``'s: each claimed by one conditional update, so by one worker only.

    ``busy`` are the runs that it has already, by tenant; without it the most urgent come first, whosever they are.
    """
    now = timezone.now()
    expired(now)
    wake(now)
    mine = []
    for run in list(due(now)[:limit]) if busy is None else shared(now, limit, busy):
        lease = {"lease": worker, "leased_until": now + LEASE, "started": run.started or now}
        if Execution.objects.filter(pk=run.pk, status="queued").update(status="running", **lease) == 1:
            mine.append(run)
    return mine


def wake(now: datetime) -> int:
    """Parked runs whose time has come wait for a worker again."""
    ready = parked().filter(due__lte=now)
    return ready.update(status="queued") if ready.exists() else 0  # an update locks SQLite even for nothing


def wake_one(execution: UUID, now: datetime) -> bool:
    """The same for one run that somebody answered."""
    return parked().filter(pk=execution).update(status="queued", due=now) == 1


def parked() -> "QuerySet[Execution]":
    """Runs that wait in nobody's hands, and may go on."""
    return Execution.objects.filter(status="waiting", leased_until__isnull=True, paused=False)


def expired(now: datetime) -> int:
    """End queued runs that came too late (an intent's expiresIn)."""
    late = Execution.objects.filter(status="queued", expires__lte=now)
    ending = {"status": "timeout", "completed": now, "error": "expired before it could start (expiresIn)"}
    return sum(end_queued(run, ending) for run in late.only(*TO_GIVE_BACK)[:1000])


TO_GIVE_BACK = ("tenant_id", "created", "trigger", "started")


def end_queued(run: Execution, ending: dict[str, Any]) -> bool:
    """End a run that has not begun; the plan's execution that was taken for it goes back (R39)."""
    ended = Execution.objects.filter(pk=run.pk, status="queued").update(**ending) == 1
    if ended and run.started is None and run.trigger != "test":
        quota.give_back(str(run.tenant_id), run.created.timestamp())
    return ended


def heartbeat(worker: str, runs: list[str]) -> int:
    held = Execution.objects.filter(pk__in=runs, lease=worker, status__in=("running", "waiting"))
    return held.update(leased_until=timezone.now() + LEASE)


def give_back(run: Execution, now: datetime) -> None:
    """A run whose try ended by a fault of ours starts again soon, as if its worker had been lost."""
    Execution.objects.filter(pk=run.pk, status="running").update(leased_until=now - timedelta(seconds=1))
    reap(now)


def reap(now: datetime) -> int:
    """Take back runs whose worker stopped reporting: queued ones' work starts again, at most MAX_RESTARTS times."""
    lost = Execution.objects.filter(status__in=("running", "waiting"), leased_until__lt=now)
    again = lost.filter(restarts__lt=MAX_RESTARTS).exclude(trigger="api", due__isnull=True)
    count = again.update(status="queued", restarts=F("restarts") + 1, lease="", leased_until=None, due=now)
    # Who waited for an API call is gone with the connection; one that is due was taken on, so it has to be executed.
    return count + lost.update(
        status="error", completed=now, error="its worker stopped while it ran", lease=""
    )


def ask_cancel(run: Execution) -> bool:
    """Cancel at once what only waits; ask the worker of what runs. False when it is over already."""
    now = timezone.now()
    if end_queued(run, {"status": "cancelled", "completed": now, "error": "cancelled"}):
        return True
    idle = Q(status="queued") | Q(status="waiting", leased_until__isnull=True)
    if (
        Execution.objects.filter(idle, pk=run.pk).update(status="cancelled", completed=now, error="cancelled")
        == 1
    ):
        return True
    running = Execution.objects.filter(pk=run.pk, status__in=("running", "waiting"))
    if running.update(cancel_asked=True) != 1:
        return False
    transaction.on_commit(partial(tell_cancelled, str(run.pk)))
    return True


def tell_cancelled(run: str) -> None:
    """The row is the truth, which is looked at each second; a message only makes it sooner."""
    try:
        redis().publish(CANCELLED, run)
    except RedisError as problem:
        log.warning("nobody is told of a cancellation: %s", problem)


def pause(run: Execution) -> bool:
    """Nothing of it begins any more; whoever works on it learns of that. False when it is over."""
    return Execution.objects.filter(pk=run.pk).exclude(status__in=DONE).update(paused=True) == 1


def unpause(run: Execution) -> bool:
    """It goes on, and hears what was said to it meanwhile. False when it was not paused."""
    mine = Execution.objects.filter(pk=run.pk, paused=True).exclude(status__in=DONE)
    if mine.update(paused=False) != 1:
        return False
    wake_one(run.pk, timezone.now())
    return True
