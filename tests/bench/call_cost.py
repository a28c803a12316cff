"""What one fresh, isolated, metered call costs: `python -m tests.bench.call_cost [rounds]`."""

import statistics
import sys
import time

from runtime.fiber import Fiber
from runtime.host import HostCall
from runtime.wasm import Engine, Guest, Limits
from tests.runtime.wat import ECHO, guest, handler

BOTH = "(local.get $p) (local.get $l)"
MODULE = guest(
    ECHO,
    handler("get", f"(call $kv_get {BOTH})"),
    handler("set", f"(drop (call $kv_set {BOTH} {BOTH})) (i64.const 0)"),
    handler("log", f"(call $log (i32.const 1) {BOTH}) (i64.const 0)"),
    imports="kv_get kv_set log",
)
REQUEST = b'{"body":"' + b"x" * 189 + b'"}'
CALLS = 2_000
LIMITS = Limits()


def inline(module: Guest, function: str) -> float:
    """Microseconds for each of many calls, every one in a store and instance of its own."""
    known = {REQUEST.decode(): b"v" * 200}
    began = time.perf_counter()
    for number in range(CALLS):
        call = HostCall(str(number), 0)
        call.reads = known
        module.call(function, REQUEST, call, LIMITS)
    return (time.perf_counter() - began) / CALLS * 1e6


def fiber(module: Guest, function: str) -> float:
    began = time.perf_counter()
    for number in range(CALLS):
        running = Fiber(module, function, REQUEST, HostCall(str(number), 0), LIMITS)
        running.poll()
        running.close()
    return (time.perf_counter() - began) / CALLS * 1e6


def main(rounds: int) -> None:
    raw, public = (Guest.compile(Engine(raw=way), MODULE) for way in (True, False))
    cases = {
        "raw echo, 200 B in and out": lambda: inline(raw, "echo"),
        "raw + one log line": lambda: inline(raw, "log"),
        "raw + one kv_set": lambda: inline(raw, "set"),
        "raw + one known kv_get": lambda: inline(raw, "get"),
        "fiber echo": lambda: fiber(raw, "echo"),
        "public classes echo": lambda: inline(public, "echo"),
    }
    found: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            found[name].append(case())
    print(f"{'microseconds per call':30}{'best':>8}{'median':>8}   calls/s")
    for name, times in found.items():
        best = min(times)
        print(f"{name:30}{best:8.1f}{statistics.median(times):8.1f}{1e6 / best:10.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
