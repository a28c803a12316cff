"""The one waist: every call passes here, whatever door it came through.

who and route are the door's; then contract → admit → execute → record → settle → stream (ARCHITECTURE §1).
"""

import time
from dataclasses import dataclass

import orjson
from redis.exceptions import RedisError

from billing.errors import ApiError
from market.admission import Grant, Refuse, Wait, admit, house
from market.ticket import Denied
from runtime import counting, inline, lastgood, metrics, running, sensors, targets
from runtime.answer import BadAnswer, Reply
from runtime.hot import Called
from runtime.job import Effects, Job, Outcome
from runtime.journal import FileJournal, Journal, JournalFull, make
from runtime.kv import Full
from runtime.logs import Publisher
from runtime.purse import Purse
from runtime.record import Record, encode, readable, redact
from runtime.wasm import Trap, units
from runtime.wasmtypes import FUEL_PER_UNIT

# Trap kind -> status of the answer (WASM.md); everything else a guest does wrong is 502.
STATUS = {
    "interrupt": 504,
    "pool_full": 503,
    "conflict": 503,
    "unavailable": 503,
    "missing_export": 501,
    "input": 413,
    "bad_arguments": 422,
}


@dataclass(slots=True)
class Waist:
    """The parts of a process that all calls share."""

    journal: Journal
    publisher: Publisher

    async def call(self, job: Job) -> Outcome:
        """Execute ``job`` and write it down before its reply may leave; never raises for what a guest does."""
        outcome = await self.admitted(job)
        await self.record(job, outcome)
        self.stream(job, outcome)
        return outcome

    def now(self, job: Job, hot: Called | None = None) -> Outcome | None:
        """The same for a call that waits for nobody; None when it would have to, and then nothing has happened.

        The reply may leave after the next `flush`.
        """
        instance = f"{job.bundle.id}/{job.service}"
        decision = admit(job.contract, instance, job.started)
        journal = self.journal
        if not (isinstance(decision, Grant) and isinstance(journal, FileJournal) and counting.at_once(job)):
            return None
        outcome = execute_now(job, decision.units * FUEL_PER_UNIT)
        if outcome is None:
            counting.undo(job)  # it is counted where it waits
            return None
        house.local.spend(instance, outcome.fuel)
        if job.contract.fallback == "degrade":
            lastgood.keep(job, outcome.reply)
        job.bundle.estimates.note(job.service, job.name, units(outcome.fuel))
        self.stage(journal, job, outcome, hot)
        self.stream(job, outcome)
        return outcome

    def stage(self, journal: FileJournal, job: Job, outcome: Outcome, hot: Called | None) -> None:
        if hot is not None and plain(job, outcome) and not self.publisher.watched:
            payload = hot.recorded(job, outcome, int((time.perf_counter() - job.started) * 1e6))
            if payload is not None:
                return journal.stage(payload)
        record = ended(job, outcome)
        journal.stage(encode(record))
        self.publisher.record(record)

    def flush(self) -> None:
        """Everything that `now` has staged is written down when this returns; 503 when it cannot be."""
        if isinstance(self.journal, FileJournal):
            with Noted():
                self.journal.flush()

    async def admitted(self, job: Job) -> Outcome:
        """At once, or when the market grants it; slice by slice when it is long."""
        await counting.begin(job)
        job.purse = purse = Purse(job, house, self.say)
        served = False
        try:
            await purse.ready()
            served = True
            outcome = await execute(job, purse.cap)
        except Denied as denied:
            outcome = unserved(job, denied)
        finally:
            purse.close()
            if not served:
                counting.undo(job)
        if job.contract.fallback == "degrade" and outcome.status == "success":
            lastgood.keep(job, outcome.reply)
        return purse.told(outcome)

    def say(self, job: Job, text: str) -> None:
        """A line for whoever watches a run that waits."""
        now = time.time_ns() // 1_000_000
        self.publisher.line(job.bundle.id, job.id, "info", text, now, job.service, job.name)

    async def record(self, job: Job, outcome: Outcome) -> None:
        """The journal comes before the reply: a run that nobody could find again must not be acknowledged."""
        record = ended(job, outcome)
        for sensor, payload in outcome.effects.fires:
            fired = await sensors.fire(
                job.bundle,
                sensor,
                sensors.payload_of(payload),
                depth=job.depth + 1,
                parent=job.id,
                strict=False,
            )
            record.setdefault("fires", []).extend(fired.queued)
            record["logs"] += [
                [0, "info", f"{skip['intent']} was skipped: {skip['reason']}"] for skip in fired.skipped
            ]
        with Noted():
            await self.journal.append(record)
        await job.known()
        self.publisher.record(record)  # what watchers see is what was recorded, secrets masked

    def stream(self, job: Job, outcome: Outcome) -> None:
        route = f"{job.service}.{job.name}"
        metrics.observe(job.target.kind, route, outcome.status, time.perf_counter() - job.started)


class Noted:
    """A run that could not be written down is refused, whatever it did."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, problem: object, trace: object) -> None:
        if isinstance(problem, JournalFull):
            text = f"The history cannot be written: {problem}."
            raise ApiError(503, text, headers={"Retry-After": "5"}) from None


async def execute(job: Job, fuel: int) -> Outcome:
    """The target's outcome, whatever way it ended."""
    try:
        return finished(await targets.execute(job, fuel))
    except WAYS as way:
        return ended_badly(job, way)


def execute_now(job: Job, fuel: int) -> Outcome | None:
    """The same without waiting; None when there is something to wait for."""
    try:
        done = inline.attempt(job, fuel)
    except WAYS as way:
        return ended_badly(job, way)
    return None if done is None else finished(done)


def finished(done: targets.Done) -> Outcome:
    error = done.reply.error
    status = "error" if error else "success" if done.due_us is None else "waiting"
    return Outcome(
        status, done.reply, done.fuel, error, done.effects, retryable=bool(error), due_us=done.due_us
    )


WAYS = (Trap, BadAnswer, targets.Absent, targets.Forbidden, Full, RedisError, running.Cancelled)


def ended_badly(job: Job, way: Exception) -> Outcome:
    """Every way in which a target may fall short of an answer has its branch here."""
    match way:
        case Trap():
            return trapped(job, way)
        case BadAnswer():
            return failed(502, "bad-result", str(way), retryable=True)
        case targets.Absent():
            return failed(501, "not-available", str(way))
        case targets.Forbidden():
            return failed(502, "not-allowed", str(way))
        case Full():
            return failed(507, "state-full", str(way))
        case RedisError():
            return away()
    outcome = Outcome("cancelled", problem_reply(499, "cancelled", "cancelled"), error="cancelled")
    if isinstance(way, running.Cancelled) and way.effects is not None:
        outcome.effects = way.effects
    return outcome


def trapped(job: Job, trap: Trap) -> Outcome:
    if trap.kind == "fuel":
        outcome = failed(502, "compute-exhausted", job.contract.used_up, retryable=False)
    else:
        outcome = failed(STATUS.get(trap.kind, 502), trap.kind.replace("_", "-"), str(trap), retryable=True)
    outcome.fuel = trap.fuel
    if trap.kind == "interrupt":
        outcome.status = "timeout"
    outcome.effects = Effects(logs=list(trap.logs))
    return outcome


def failed(status: int, kind: str, text: str, *, retryable: bool = False) -> Outcome:
    return Outcome("error", problem_reply(status, kind, text), error=text, retryable=retryable)


def away() -> Outcome:
    """The state cannot be reached; a commit that was on its way is found done or not by a repeated one."""
    outcome = failed(
        503, "state-away", "the state of bundles cannot be reached at the moment", retryable=True
    )
    outcome.away = True
    return outcome


def problem_reply(status: int, kind: str, text: str) -> Reply:
    body = {**ApiError(status, text).body(), "type": f"/docs/errors#{kind}"}
    headers = [("retry-after", "1")] if status == 503 else None
    return Reply(status, orjson.dumps(body), "application/problem+json", headers)


def unserved(job: Job, denied: Denied) -> Outcome:
    """What a call gets that the market does not serve; a degraded one its last good answer, when there is one (R32)."""
    found = lastgood.find(job) if job.contract.fallback == "degrade" else None
    if found is None:
        outcome = refused(Refuse(denied.reason))
        if isinstance(denied.partly, Effects):
            outcome.effects = denied.partly
        return outcome
    return Outcome("success", found, degraded=True, effects=Effects(logs=[("warning", STALE)]))


STALE = "the market had no compute for it: the last good answer to the same request was given again"


def refused(decision: Wait | Refuse) -> Outcome:
    reason = decision.reason if isinstance(decision, Refuse) else "no_capacity"
    status = 504 if reason == "queue_timeout" else 503
    return Outcome(
        "refused", problem_reply(status, reason, "No capacity within the contract's terms."), error=reason
    )


def ended(job: Job, outcome: Outcome) -> Record:
    """The journal's record of a finished job, secrets masked."""
    spent = int((time.perf_counter() - job.started) * 1e6)
    bundle = job.bundle
    mask = secrets_of(job)
    now = time.time_ns() // 1000 if job.added else job.created_us + spent
    body = readable(outcome.reply.body, mask)
    said = now // 1000 if job.added else spent // 1000  # a run that waited began long after it was made
    logs = [[said, level, text] for level, text in outcome.effects.logs]
    record = {
        "op": "finish" if job.added else "add",
        "id": job.id,
        "tenant": bundle.tenant_id,
        "bundle": bundle.id,
        "revision": bundle.revision,
        "service": job.service,
        "name": job.name,
        "target": str(job.target),
        "trigger": job.trigger,
        "status": outcome.status,
        "created": job.created_us,
        "started": job.created_us,
        "completed": now,
        "duration_us": spent,
        "units_estimated": job.purse.need if job.purse else job.contract.compute_units,
        "units_used": units(outcome.fuel),
        "http_status": outcome.reply.status,
        "input": readable(job.request, mask),
        "output": body,
        "error": outcome.error[:4000],
        "logs": logs,
        "steps": outcome.effects.steps,
        "signals": outcome.effects.signals,
        "caller": job.caller,
        "parent": job.parent,
        "depth": job.depth,
        "attempts": job.attempts,
        "price": outcome.price,
        "spent": outcome.spent,
        "degraded": outcome.degraded,
        "round": outcome.round,
        "waited_us": outcome.waited_us,
        "backoffs": outcome.backoffs,
    }
    record = masked(record, mask) if mask else record
    if outcome.due_us is not None:  # parked: its row waits until then
        record |= {"op": "again", "due": outcome.due_us}
        del record["completed"]
    if job.added and record["input"] == readable(job.request):
        del record["input"]  # its row has it already, and whole
    return record


def plain(job: Job, outcome: Outcome) -> bool:
    """Whether the record of a run holds nothing but what every one does."""
    effects = outcome.effects
    more = effects.logs or effects.signals or job.bundle.masks
    return outcome.status == "success" and not more


def secrets_of(job: Job) -> list[bytes]:
    return job.bundle.masks


def masked(record: Record, secrets: list[bytes]) -> Record:
    for key in ("input", "output", "error"):
        record[key] = redact(record[key], secrets)
    record["logs"] = [[at, level, redact(text, secrets)] for at, level, text in record["logs"]]
    record["steps"] = [
        {key: redact(value, secrets) if isinstance(value, str) else value for key, value in step.items()}
        for step in record.get("steps", ())
    ]
    return record


def waist() -> Waist:
    """A waist for this process, with a journal of its own."""
    return Waist(make(), Publisher())
