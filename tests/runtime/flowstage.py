"""A stage for flows: each flow of a bundle behind an endpoint POST /api/w/NAME, guests beside them."""

import asyncio
from typing import Any

import orjson

from bundles.bundle import load
from bundles.contract import seal
from bundles.target import parse
from runtime import ask, flowload
from runtime.flowrun import Run
from runtime.job import Job
from runtime.kv import Space
from runtime.live import LiveBundle
from runtime.models import Execution
from runtime.wasm import Guest, engine
from runtime.wasmtypes import FUEL_PER_UNIT
from tests.guests import guest
from tests.runtime import stage

GRANT = 25_000 * FUEL_PER_UNIT  # what a call may use whose contract says nothing
GUESTS = ["echo", "counter", "trapper", "caller", "spin", "logger", "firer", "total", "refuser"]


def files(extra: str = "", intents: str = "  []", **flows: str) -> dict[str, bytes]:
    routes = {f"POST_{name}": f"flow:{name}" for name in flows}
    made = stage.bundle_files("w", GUESTS, intents=intents, extra=extra, **routes)
    return made | {f"flows/{name}.yaml": text(name, body) for name, body in flows.items()}


def text(name: str, body: str) -> bytes:
    """The file of a flow; ``body`` is what follows its head."""
    return f"organism: {{name: {name}}}\n{body}".encode()


def start(person: Any, extra: str = "", **flows: str) -> Any:
    return stage.run_bundle(person, files(extra, **flows))


async def history(answer: Any) -> Execution:
    """The run in the history once it is over: an output answers before the rest of its run ends."""
    async with asyncio.timeout(20):
        while True:
            await stage.drain()
            run = await Execution.objects.filter(pk=answer.execution).afirst()
            if run is not None and (run.completed is not None or run.status == "waiting"):
                return run
            await asyncio.sleep(0.02)


def nodes(run: Execution) -> list[str]:
    return [step["node"] for step in run.steps if "node" in step]


def bundle(*guests: str, extra: str = "", **flows: str) -> LiveBundle:
    """A bundle as a process holds it, without any row behind it."""
    files = {f"flows/{name}.yaml": text(name, body) for name, body in flows.items()}
    definition = load({"bundle.yaml": f"name: w\n{extra}".encode(), **files})
    errors = [problem for problem in definition.problems if problem.severity == "error"]
    assert not errors, errors
    ready, idle = flowload.plans(definition, {})
    assert not idle, idle
    return LiveBundle(
        id="b0000000-0000-7000-8000-000000000000",
        tenant_id="1",
        tenant="alice",
        name="w",
        revision=1,
        definition=definition,
        modules={},
        guests={name: Guest.compile(engine(), guest(name)) for name in guests},
        absent={},
        secrets={},
        space=Space.of("1", "b"),
        flows=ready,
        idle_flows=idle,
        flow_ids={name: f"f-{name}" for name in flows},
    )


def job(live: LiveBundle, payload: Any = None, to: str = "flow:f", **flow: Any) -> Job:
    made = Job(live, "flow", "f", parse(to), seal({}), b"", "api")
    values: dict[str, Any] = {"method": "POST", "path": "/", "params": {}, "query": {}, "headers": {}}
    values |= {"flow": flow} if flow else {}
    made.request = ask.request(values, payload, tenant="alice", execution=made.id)
    return made


def run(live: LiveBundle, payload: Any = None, to: str = "flow:f", **flow: Any) -> Run:
    """The whole run of a flow that waits for nobody."""
    made = Run(job(live, payload, to, **flow), GRANT)
    made.pump.begin()
    while not made.advance(1 << 62):
        """It was its turn for long enough."""
    return made


def value(made: Run) -> Any:
    """What the run answered."""
    return orjson.loads(made.reply().body)


def path(made: Run) -> list[str]:
    return [step["node"] for step in made.pump.steps.kept]
