"""How many messages a second a node may send to itself, with its steps recorded and charged; a function beside."""

import time

from runtime.flowrun import Run
from runtime.live import LiveBundle
from runtime.wasmtypes import FUEL_PER_UNIT
from tests.runtime import flowstage

HOPS = 20_000
GRANT = 25_000 * FUEL_PER_UNIT
ITSELF = """max_hops: 1000000
listeners:
  - name: again
    handler: builtin:map
    with: {expr: '{"_to": payload.n > 0 ? "again" : null, "n": payload.n - 1}'}
"""
FUNCTION = """max_hops: 1000000
listeners:
  - {name: again, handler: "wasm:echo:run", peers: [check]}
  - name: check
    handler: builtin:map
    with: {expr: '{"_to": payload.n > 0 ? "again" : null, "n": payload.n - 2}'}
    peers: [again]
"""


def measure() -> dict[str, float]:
    """Messages a second of a node that iterates over itself, and of a function that a node sends back to."""
    return {
        "itself": hops(flowstage.bundle(f=ITSELF)),
        "function": hops(flowstage.bundle("echo", f=FUNCTION)),
    }


def hops(live: LiveBundle) -> float:
    run = Run(flowstage.job(live, {"n": HOPS}), GRANT)
    run.allowed = GRANT  # as when nobody else wants to compute
    began = time.perf_counter()
    run.pump.begin()
    while not run.advance(200):
        """Its turn was over."""
    run.done()
    spent = time.perf_counter() - began
    if run.pump.failure is not None or run.pump.hops < HOPS:
        raise SystemExit(f"after {run.pump.hops} messages: {run.pump.failure}")
    return run.pump.hops / spent
