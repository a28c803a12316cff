"""What Prometheus reads: the numbers of all processes, merged, and a few facts from the database."""

import time
from collections.abc import Iterator, Mapping
from typing import Any, cast

import orjson
from django.db.models import Count
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from billing.redis import redis
from bundles.models import Bundle
from runtime.metrics import ALIVE_S, BOUNDS, HASH, MAX_CELLS, Cell, Labels
from runtime.models import Execution

KEPT_S = 86_400  # totals of ended processes count on for a day, so that a restart does not look like a loss
POOL = ("reuse_rate", "utilisation", "peak", "calls", "reused")
Snapshot = dict[str, Any]


def page() -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Everything())
    return generate_latest(registry)


def snapshots(now: float) -> list[Snapshot]:
    """One for each process; those long gone are removed."""
    known = cast("Mapping[bytes, bytes]", redis().hgetall(HASH))
    parsed = {field: orjson.loads(text) for field, text in known.items()}
    old = [field for field, snapshot in parsed.items() if snapshot["at"] < now - KEPT_S]
    if old:
        redis().hdel(HASH, *old)
    return [snapshot for field, snapshot in parsed.items() if field not in old]


def merged(found: list[Snapshot]) -> dict[Labels, Cell]:
    cells: dict[Labels, Cell] = {}
    for snapshot in found:
        for kind, route, status, *numbers in snapshot["calls"]:
            labels = (kind, route, status)
            if len(cells) >= MAX_CELLS and labels not in cells:
                labels = (kind, "other", status)
            cell = cells.setdefault(labels, [0.0] * len(numbers))
            cells[labels] = [a + b for a, b in zip(cell, numbers, strict=True)]
    return cells


class Everything(Collector):
    """Families are made anew for each reading; nothing is registered while calls are served."""

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        now = time.time()
        found = snapshots(now)
        yield from calls(merged(found))
        yield from interceptors(found)
        yield from models(found)
        yield from breakers([snapshot for snapshot in found if snapshot["at"] > now - ALIVE_S])
        yield from processes([snapshot for snapshot in found if snapshot["at"] > now - ALIVE_S])
        yield from rows()


def calls(cells: dict[Labels, Cell]) -> Iterator[Metric]:
    total = CounterMetricFamily("priostack_calls", "Calls by route", labels=["kind", "route", "status"])
    runs = CounterMetricFamily("priostack_executions", "Finished runs by target", labels=["kind", "status"])
    seconds = HistogramMetricFamily("priostack_call_seconds", "Time to an answer", labels=["kind", "route"])
    by_target: dict[tuple[str, str], float] = {}
    by_route: dict[tuple[str, str], Cell] = {}
    for (kind, route, status), cell in sorted(cells.items()):
        count = sum(cell[1:])
        total.add_metric([kind, route, status], count)
        by_target[kind, status] = by_target.get((kind, status), 0) + count
        known = by_route.get((kind, route), [0.0] * len(cell))
        by_route[kind, route] = [a + b for a, b in zip(known, cell, strict=True)]
    for target, count in by_target.items():
        runs.add_metric(list(target), count)
    for labels, cell in by_route.items():
        seconds.add_metric(list(labels), cumulated(cell), cell[0])
    return iter((total, runs, seconds))


def interceptors(found: list[Snapshot]) -> Iterator[Metric]:
    """By kind and route: whose they are is not told here, as everywhere (runtime.metrics)."""
    labels = ["interceptor", "route"]
    names = ("executions", "seconds", "errors", "skipped")
    families = [
        CounterMetricFamily(f"priostack_interceptor_{name}", f"Interceptors: {name}", labels=labels)
        for name in names
    ]
    sums: dict[tuple[str, str], list[float]] = {}
    for _, service, endpoint, name, *numbers in (row for one in found for row in one.get("interceptors", ())):
        key = ("wasm" if name.startswith("wasm:") else name, f"{service}.{endpoint}"[:200])
        if len(sums) >= MAX_CELLS and key not in sums:
            key = (key[0], "other")
        sums[key] = [a + b for a, b in zip(sums.get(key, [0.0] * 4), numbers[:4], strict=True)]
    for key, numbers in sorted(sums.items()):
        for family, number in zip(families, numbers, strict=True):
            family.add_metric(list(key), number)
    return iter(families)


def models(found: list[Snapshot]) -> Iterator[Metric]:
    """By provider, as far as it is a known one: what a tenant calls its own is no label."""
    tries = CounterMetricFamily(
        "priostack_llm_requests", "Requests to language models", labels=["provider", "result"]
    )
    opened = CounterMetricFamily(
        "priostack_llm_breaker_opened", "Times that a breaker opened", labels=["provider"]
    )
    for family, name in ((tries, "tries"), (opened, "opened")):
        for labels, count in summed(found, name):
            family.add_metric(labels, count)
    return iter((tries, opened))


def breakers(living: list[Snapshot]) -> Iterator[Metric]:
    now = GaugeMetricFamily(
        "priostack_llm_breakers", "Breakers that are not closed", labels=["provider", "state"]
    )
    for labels, count in summed(living, "breakers"):
        now.add_metric(labels, count)
    return iter((now,))


def summed(found: list[Snapshot], name: str) -> list[tuple[list[str], float]]:
    sums: dict[tuple[str, ...], float] = {}
    for *labels, count in (row for one in found for row in one.get("llm", {}).get(name, ())):
        sums[tuple(labels)] = sums.get(tuple(labels), 0) + count
    return [(list(labels), count) for labels, count in sorted(sums.items())]


def cumulated(cell: Cell) -> list[tuple[str, float]]:
    seen, buckets = 0.0, []
    for bound, count in zip([*map(str, BOUNDS), "+Inf"], cell[1:], strict=True):
        seen += count
        buckets.append((bound, seen))
    return buckets


def processes(living: list[Snapshot]) -> Iterator[Metric]:
    labels = ["role", "pid"]
    memory = GaugeMetricFamily("priostack_process_memory_bytes", "Resident memory", labels=labels)
    cpu = CounterMetricFamily("priostack_process_cpu_seconds", "Processor time", labels=labels)
    gauges: dict[str, GaugeMetricFamily] = {}
    for snapshot in living:
        who = [snapshot["role"], str(snapshot["pid"])]
        memory.add_metric(who, snapshot["memory"])
        cpu.add_metric(who, snapshot["cpu"])
        pool = {f"sandbox_{name}": value for name, value in snapshot.get("pool", {}).items() if name in POOL}
        for name, value in {**snapshot["gauges"], **pool}.items():
            help_text = name.replace("_", " ").capitalize()
            family = gauges.setdefault(name, GaugeMetricFamily(f"priostack_{name}", help_text, labels=labels))
            family.add_metric(who, value)
    return iter((memory, cpu, *gauges.values()))


def rows() -> Iterator[Metric]:
    bundles = GaugeMetricFamily("priostack_bundles", "Bundles by status", labels=["status"])
    for status, count in Bundle.objects.values_list("status").annotate(Count("pk")).order_by("status"):
        bundles.add_metric([status], count)
    queue = GaugeMetricFamily("priostack_queue", "Runs that have not ended", labels=["status"])
    open_runs = Execution.objects.filter(status__in=("queued", "running", "waiting"))
    for status, count in open_runs.values_list("status").annotate(Count("pk")).order_by("status"):
        queue.add_metric([status], count)
    return iter((bundles, queue))
