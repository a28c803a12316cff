"""One run of a flow as its pump's world: calls functions at once, gathers what they did, and makes the end of the run."""

import time
from collections.abc import Mapping
from typing import Any

import orjson

from billing.errors import ApiError
from runtime import flowlinks, flowlive
from runtime.answer import Reply
from runtime.flowframe import Refused
from runtime.flowneeds import Failure
from runtime.flowplan import Node, Plan
from runtime.flowpump import Pump
from runtime.flowstart import Start
from runtime.host import LOG_MARKER, MAX_LOGS, HostCall
from runtime.job import Effects, Job
from runtime.targets import Absent, Done, bounds, guest_of
from runtime.wasm import Limits, Suspend, Trap, engine
from runtime.wasmsession import Session
from runtime.wasmtypes import FUEL_PER_UNIT, INLINE_FUEL, STEP_FUEL

MAX_SIGNALS = 1_000
PAGE = 8  # a step for each 256 bytes of a message, as a power of two
ROOM = 100 * FUEL_PER_UNIT  # of one round (R1)
SLICE_NS = 20_000_000  # steps hold the event loop no longer than this, and the last of them
NOTHING: Mapping[str, Any] = {}
CODES = {
    "fuel": "budget",
    "interrupt": "timeout",
    "missing_export": "not-available",
    "bad_arguments": "validation",
    "input": "validation",
}


class StepCall(HostCall):
    """What a function of a step may touch; what it draws by chance is that of its step, however often it is tried."""

    __slots__ = ("step",)
    step: int

    def draw(self, size: int = 8) -> bytes:
        self.seed = f"{self.execution}:0:{self.step}".encode()
        return super().draw(size)


class Run:
    """The pump of a job with what is around it."""

    def __init__(self, job: Job, fuel: int) -> None:
        self.job = job
        self.quiet: StepCall | None = None  # one that no function has touched: the next step may have it
        self.granted = fuel
        self.allowed = ROOM  # of the pump's fuel: up to there functions are called at once
        self.short = False  # that was not enough: they wait their turn
        self.limits = bounds(fuel)
        self.session = Session(engine())
        self.logs: list[tuple[str, str]] = []
        self.log_bytes = 0
        self.signals: list[tuple[str, float]] = []
        bundle = job.bundle
        self.guests = bundle.guests
        self.plans: Mapping[str, Plan] = bundle.flows
        self.vars: Mapping[str, Any] = bundle.vars
        self.secrets: Mapping[str, str] = bundle.secrets
        self.links = flowlinks.start_of(job)
        self.plan = plan_of(job)
        self.pump = Pump(self.plan, self, start_of(job))
        self.metered = self.pump.meter[0] = fuel // STEP_FUEL  # steps that expressions may take
        self.pump.steps.base -= max(
            0, time.time_ns() - job.created_us * 1000
        )  # times count from when it came
        flowlive.attach(self.pump.steps, job)

    def advance(self, steps: int) -> bool:
        """The pump's, with one store for all functions on the way; others get their turn soon."""
        pump, purse = self.pump, self.job.purse
        before = pump.fuel
        if purse is not None:
            self.allowed = before + purse.now()
        pump.floor = max(0, self.granted - self.allowed) // STEP_FUEL
        hops, read = pump.hops, pump.read
        try:
            return pump.advance(steps, time.perf_counter_ns() + SLICE_NS)
        finally:
            self.session.close()
            self.settle(pump.hops - hops + (pump.read - read >> PAGE))
            if purse is not None:
                purse.spend(pump.fuel - before)

    def settle(self, steps: int) -> None:
        """These and those of expressions are charged beside functions; a run that has used up its grant ends."""
        pump = self.pump
        pump.fuel += (steps + self.metered - pump.meter[0]) * STEP_FUEL
        self.metered = pump.meter[0] = max(0, self.granted - pump.fuel) // STEP_FUEL
        if pump.fuel >= self.granted and not pump.done:
            pump.stop(Failure("budget", self.job.contract.used_up))

    def drop(self) -> None:
        """Run and pump let go of each other: what they hold is freed at once, not when the collector comes by."""
        del self.pump

    # -- the pump's world ---------------------------------------------------------------------------

    def now(self) -> float:
        return time.time()

    def call(self, node: Node, request: bytes, step: int) -> tuple[bytes, int] | None:
        """A function that needs nobody and keeps nothing; None for one that does, nothing of it has happened then."""
        if node.waits:
            return None
        spent = self.pump.fuel
        if spent >= self.allowed:
            self.short = True
            return None
        target = node.function
        guest = self.guests.get(target.module)
        if guest is None:
            raise absent(self.job, node)
        host = self.quiet
        if host is None:
            host = self.quiet = self.host(step)
        host.step = step
        quick = self.granted - spent >= INLINE_FUEL and not node.timeout_ms
        limits = self.limits if quick else self.bounds(node)
        try:
            answer = self.session.call(guest, target.function, request, host, limits)
        except Suspend as pause:
            self.quiet = None
            node.waits = pause.reason != "fuel"
            return None
        except Trap as trap:
            self.quiet = None
            raise self.trapped(trap, host) from None
        if host.host_calls or host.logs:
            self.quiet = None
            if host.writes:
                node.waits = True
                return None
            self.gather(host)
        return answer

    def host(self, step: int) -> "StepCall":
        job = self.job
        host = StepCall(job.id, job.created_us // 1000, seed=b"", secrets=job.bundle.granted)
        host.step = step
        return host

    def bounds(self, node: Node) -> Limits:
        """What is left of the grant; one step gets no more than that."""
        left = self.granted - self.pump.fuel
        if left <= 0:
            raise Refused("budget", self.job.contract.used_up)
        if left >= INLINE_FUEL and not node.timeout_ms:
            return self.limits
        wall = min(self.limits.wall_ms, node.timeout_ms or self.limits.wall_ms)
        return Limits(fuel=left, input_bytes=self.limits.input_bytes, wall_ms=wall)

    def trapped(self, trap: Trap, host: HostCall) -> Refused:
        self.pump.fuel += trap.fuel
        self.gather(host, failed=True)
        if trap.kind == "fuel":
            return Refused("budget", self.job.contract.used_up)
        code = CODES.get(trap.kind, "handler")
        return Refused(code, str(trap), retryable=code in ("handler", "timeout"))

    def gather(self, host: HostCall, *, failed: bool = False) -> None:
        """What a step said and measured; a failed one fires nothing."""
        if host.logs:
            for level, text in host.logs:
                self.log(level, text)
        if host.signals:
            self.signals += host.signals[: MAX_SIGNALS - len(self.signals)]
        if host.fires and not failed:
            self.pump.fires += host.fires[: MAX_SIGNALS - len(self.pump.fires)]

    def log(self, level: str, text: str) -> None:
        """A line of the run's log, which is as large as that of one function."""
        if self.log_bytes <= MAX_LOGS:
            self.log_bytes += len(text)
            self.logs.append((level, text) if self.log_bytes <= MAX_LOGS else LOG_MARKER)

    # -- the end ------------------------------------------------------------------------------------

    def done(self) -> Done:
        pump = self.pump
        fires = [] if pump.failure else pump.fires
        effects = Effects({}, fires, self.signals, self.logs, pump.steps.whole())
        return Done(self.reply(), min(pump.fuel, self.granted), effects)

    def reply(self) -> Reply:
        """What an output said, else what left the flow first, else that it was taken on."""
        pump = self.pump
        if pump.failure is not None:
            return failed(pump.failure, pump.output)
        if pump.output is not None:
            return pump.output
        if pump.left is not None:
            return Reply(200, pump.left)
        return taken_on(self.job)


def taken_on(job: Job) -> Reply:
    return Reply(202, orjson.dumps({"execution": job.id}))


def plan_of(job: Job) -> Plan:
    """The plan that the job's target means; Absent says why it cannot be had."""
    bundle, name = job.bundle, job.target.module
    plan = bundle.flows.get(name)
    if plan is None:
        raise Absent(f"the flow “{name}” is not here: {bundle.idle_flows.get(name, 'there is no such flow')}")
    if job.target.function and not plan.find(job.target.function):
        raise Absent(f"the flow “{name}” has no node “{job.target.function}”")
    return plan


def start_of(job: Job) -> Start:
    """How the run begins. ``flow`` in the envelope, which doors alone write, has what was asked for beside the payload."""
    if job.payload:
        return Start(
            job.id,
            job.bundle.tenant,
            job.request,
            job.payload,
            job.target.function,
            created_us=job.created_us,
        )
    envelope = orjson.loads(job.request) if job.request else {}
    asked = envelope.get("flow") or NOTHING
    return Start(
        execution=job.id,
        tenant=job.bundle.tenant,
        request=job.request,
        payload=orjson.dumps(envelope.get("body")),
        at=job.target.function,
        only=bool(asked.get("only")),
        pinned=asked.get("pinned") or NOTHING,
        created_us=job.created_us,
    )


def absent(job: Job, node: Node) -> Refused:
    try:
        guest_of(job, node.function)
    except Absent as problem:
        return Refused("not-available", str(problem))
    return Refused("not-available", f"{node.function} is not here")


def failed(failure: Failure, output: Reply | None) -> Reply:
    """502 with the name of the node, unless the answer was given before something else failed."""
    if output is not None:
        return Reply(output.status, output.body, output.content_type, output.headers, error=failure.message)
    kind = "compute-exhausted" if failure.code == "budget" else "flow-failed"
    body = {**ApiError(502, failure.message).body(), "type": f"/docs/errors#{kind}", "code": failure.code}
    return Reply(502, orjson.dumps(body), "application/problem+json", error=failure.message)
