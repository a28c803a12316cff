"""Runs a bundle's declared tests in the sandbox, on a state of their own that is deleted afterwards.

Nothing of it enters the history and nothing that fires is carried out: what would have been fired is shown.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from asgiref.sync import async_to_sync
from django.conf import settings

from billing.errors import ApiError
from billing.ids import uuid7
from billing.models import Tenant
from billing.redis import aredis
from bundles.checks import UNSET, Check
from bundles.contract import Contract
from bundles.definitions import checks_of
from bundles.models import Bundle, Revision
from bundles.routes import RouteTable, routes_of
from market.admission import MAX_ACTION_CU, Grant, Refuse
from runtime import ask, call, sensors
from runtime.compare import compare
from runtime.deploy import ready
from runtime.job import Job, Outcome
from runtime.kv import Space
from runtime.live import LiveBundle
from runtime.record import redact
from runtime.wasm import units
from runtime.wasmtypes import FUEL_PER_UNIT

LONGEST_S = 60.0  # of all tests of a bundle together
# What the market would answer: a call that waits gets its turn too late, one that is refused gets none.
REFUSALS = {"wait": Refuse("queue_timeout"), "refuse": Refuse("no_capacity")}
UNSAFE = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was expected of one declared test, what came, and in words where they differ."""

    name: str
    file: str
    line: int
    passed: bool
    expected: dict[str, Any]
    actual: dict[str, Any]
    reasons: list[str]
    duration_ms: float = 0.0
    units: int = 0
    fires: list[dict[str, Any]] = field(default_factory=list)
    logs: list[list[str]] = field(default_factory=list)


def run_checks(bundle: Bundle, revision: Revision) -> list[CheckResult]:
    """Every declared test of a revision, whether or not the bundle runs."""
    tenant, found = bundle.tenant, checks_of(revision).checks  # read here: what follows is a coroutine
    return async_to_sync(of_revision)(bundle, tenant, revision.number, found)


async def of_revision(
    bundle: Bundle, tenant: Tenant, number: int, checks: tuple[Check, ...]
) -> list[CheckResult]:
    live = await ready(bundle, tenant, number)
    return await of_live(live, checks) if live is not None else []


async def of_live(live: LiveBundle, checks: Iterable[Check]) -> list[CheckResult]:
    """The tests of a file share a state, which begins empty; files do not."""
    until = time.monotonic() + LONGEST_S
    results: list[CheckResult] = []
    for _, group in groupby(checks, attrgetter("file")):
        stage = Stage.of(live)
        try:
            for check in group:
                results.append(await stage.check(check) if time.monotonic() < until else late(check))
        finally:
            await stage.clear()
    return results


@dataclass(slots=True)
class Stage:
    """A bundle with an empty state, for the tests of one file."""

    live: LiveBundle
    table: RouteTable
    jobs: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, live: LiveBundle) -> "Stage":
        own = replace(live, space=Space(f"tenant:{live.tenant_id}:bundle:{live.id}:test:{uuid7()}:kv:"))
        routes = [route for service in own.definition.services for route in routes_of(service, own)]
        return cls(own, RouteTable(routes))

    async def clear(self) -> None:
        prefix = self.live.space.prefix
        names = ["data", "index", "size", *(f"done:{job}" for job in self.jobs)]
        await aredis().unlink(*(prefix + name for name in names))

    async def check(self, check: Check) -> CheckResult:
        began = time.perf_counter()
        try:
            jobs = self.request(check) if check.request else self.sensor(check)
        except ApiError as refused:
            return judged(check, actual(refused.status, refused.body(), {}), [])
        outcomes = [await self.execute(job, check) for job in jobs]
        spent = (time.perf_counter() - began) * 1000
        result = judged(check, seen(outcomes), outcomes)
        return replace(result, **self.masked(result), duration_ms=round(spent, 2))

    def masked(self, result: CheckResult) -> dict[str, Any]:
        """What is shown, without the secrets that the functions were given; as in the history."""
        secrets = [value.encode() for value in self.live.secrets.values()]
        if not secrets:
            return {}
        names = ("actual", "reasons", "fires", "logs")
        text = json.dumps({name: getattr(result, name) for name in names})
        found: dict[str, Any] = json.loads(redact(text, secrets))
        return found

    def request(self, check: Check) -> list[Job]:
        sent = check.request
        if sent is None:
            return []
        raw, _, query = quote(sent.path, safe=UNSAFE + "?").partition("?")
        match = self.table.match(sent.method, raw)
        if match is None:
            raise self.no_route(raw)
        values = "&".join(part for part in (query, urlencode(sent.query)) if part).encode()
        headers = {name.lower(): value for name, value in sent.headers}
        data = b"" if sent.body is UNSET else json.dumps(sent.body, default=str).encode()
        if data:
            headers.setdefault("content-type", "application/json")
        endpoint = match.endpoint
        job = Job(self.live, endpoint.service, endpoint.name, endpoint.to, endpoint.contract, b"", "test")
        told = {"method": sent.method, "path": raw, "params": match.params}
        told |= {"query": ask.query(values), "headers": headers}
        body = ask.body(data, headers, limit=settings.CALL_MAX_BODY)
        job.request = ask.request(told, body, tenant=self.live.tenant, execution=job.id)
        return [tested(job)]

    def no_route(self, path: str) -> ApiError:
        allowed = self.table.allowed(path)
        if allowed:
            return ApiError(405, f"{path} answers {', '.join(allowed)}.")
        return ApiError(404, "The bundle has no such route.")

    def sensor(self, check: Check) -> list[Job]:
        """A job for every intent that listens; cooldowns do not count here."""
        found = self.live.intents(check.sensor)
        if not found:
            raise ApiError(404, f"No intent listens to “{check.sensor}”.")
        jobs = []
        for service, intent in found:
            record = sensors.queued(self.live, service, intent, check.payload)
            job = Job(self.live, service.name, intent.name, intent.to, intent.contract, b"", "test")
            job.id, job.request = record["id"], record["input"].encode()
            job.primitive = intent.primitive
            jobs.append(tested(job))
        return jobs

    async def execute(self, job: Job, check: Check) -> Outcome:
        if check.contract in REFUSALS:
            return call.refused(REFUSALS[check.contract])
        self.jobs.append(job.id)
        outcome = await call.execute(job, granted(job.contract).units * FUEL_PER_UNIT)
        await job.known()
        return outcome


def tested(job: Job) -> Job:
    """Marked so that a long one is not announced in the history."""
    job.trigger, job.added = "test", True
    return job


def granted(contract: Contract) -> Grant:
    return Grant(contract.compute_units if contract.compute_units_written else MAX_ACTION_CU)


def seen(outcomes: list[Outcome]) -> dict[str, Any]:
    """What came of it: of several intents the first that failed speaks, the writes are those of all."""
    spoken = next((one for one in outcomes if one.status != "success"), outcomes[0])
    writes: dict[str, Any] = {}
    for one in outcomes:
        writes |= {key: value_of(data) for key, data in one.effects.writes.items()}
    return actual(spoken.reply.status, value_of(spoken.reply.body), writes)


def actual(status: int, body: Any, writes: dict[str, Any]) -> dict[str, Any]:
    return {"status": status, "body": body, "writes": writes}


def value_of(data: bytes | None) -> Any:
    if not data:
        return None
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return data.decode("utf-8", "replace")


def expected(check: Check) -> dict[str, Any]:
    wanted = check.expect
    parts = {"status": wanted.status, "body": wanted.body, "writes": wanted.writes}
    return {
        key: value
        for key, value in parts.items()
        if value is not UNSET and (value is not None or key == "body")
    }


def judged(check: Check, came: dict[str, Any], outcomes: list[Outcome]) -> CheckResult:
    wanted = expected(check)
    reasons = compare(wanted, came)
    fires = [fire for one in outcomes for fire in one.effects.fires]
    return CheckResult(
        check.name,
        check.file,
        check.line,
        not reasons,
        wanted,
        came,
        reasons,
        units=sum(units(one.fuel) for one in outcomes),
        fires=[{"sensor": sensor, "payload": value_of(payload)} for sensor, payload in fires],
        logs=[[level, text] for one in outcomes for level, text in one.effects.logs],
    )


def late(check: Check) -> CheckResult:
    reason = f"not run: all tests together took longer than {LONGEST_S:.0f} seconds"
    return CheckResult(check.name, check.file, check.line, False, expected(check), {}, [reason])
