"""/metrics: who may read it, what it adds up, and that nobody can blow it up or read names in it."""

import time
from typing import Any

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from billing.redis import redis
from runtime import exposition, metrics
from tests.runtime.watching import a_bundle, a_run


@pytest.fixture(autouse=True)
def own_cells(monkeypatch: pytest.MonkeyPatch, clean_redis: None) -> None:
    monkeypatch.setattr(metrics, "_cells", {})
    monkeypatch.setattr(metrics, "_gauges", {})


def samples() -> dict[tuple[str, ...], float]:
    found = {}
    for family in parse(exposition.page().decode()):
        for sample in family.samples:
            found[(sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items())))] = sample.value
    return found


@pytest.mark.django_db
def test_calls_are_counted_and_timed() -> None:
    for seconds in (0.0004, 0.003, 40):
        metrics.observe("wasm", "cart.add", "success", seconds)
    metrics.observe("wasm", "cart.add", "error", 0.003)
    metrics.Reporter("web").once()
    found = samples()
    labels = ("kind=wasm", "route=cart.add")
    assert found[("priostack_calls_total", *labels, "status=success")] == 3
    assert found[("priostack_executions_total", "kind=wasm", "status=error")] == 1
    assert found[("priostack_call_seconds_count", *labels)] == 4
    assert found[("priostack_call_seconds_sum", *labels)] == pytest.approx(40.0064)
    assert found[("priostack_call_seconds_bucket", "kind=wasm", "le=0.005", "route=cart.add")] == 3
    assert found[("priostack_call_seconds_bucket", "kind=wasm", "le=+Inf", "route=cart.add")] == 4


@pytest.mark.django_db
def test_processes_add_up_and_the_dead_keep_their_totals_but_no_gauges() -> None:
    metrics.observe("wasm", "cart.add", "success", 0.001)
    metrics.gauge("sandbox_slots_used", lambda: 7)
    metrics.Reporter("web").once()
    gone = metrics.snapshot("worker") | {"at": time.time() - 60}
    redis().hset(metrics.HASH, "worker-1", orjson.dumps(gone))
    forgotten = metrics.snapshot("worker") | {"at": time.time() - 100_000}
    redis().hset(metrics.HASH, "worker-0", orjson.dumps(forgotten))
    found = samples()
    assert found[("priostack_calls_total", "kind=wasm", "route=cart.add", "status=success")] == 2
    slots = {name: value for name, value in found.items() if name[0] == "priostack_sandbox_slots_used"}
    assert list(slots.values()) == [7]
    assert next(name for name in found if name[0] == "priostack_process_memory_bytes")[-1] == "role=web"
    assert not redis().hexists(metrics.HASH, "worker-0")


@pytest.mark.django_db
def test_a_flood_of_routes_ends_in_one_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MAX_CELLS", 10)
    for number in range(1000):
        metrics.observe("wasm", f"random-{number}", "success", 0.001)
    assert len(metrics._cells) <= 11
    metrics.Reporter("web").once()
    assert samples()[("priostack_calls_total", "kind=wasm", "route=other", "status=success")] == 990


def test_bundles_and_open_runs_are_counted_without_names(alice: Any) -> None:
    bundle = a_bundle(alice.tenant, "very-private-name")
    a_run(bundle, status="queued")
    text = exposition.page().decode()
    assert 'priostack_bundles{status="running"} 1.0' in text
    assert 'priostack_queue{status="queued"} 1.0' in text
    assert "very-private-name" not in text
    assert "alice" not in text


def test_only_the_token_or_an_operator_opens_it(alice: Any, client: Any, settings: Any) -> None:
    settings.METRICS_TOKEN = "let-prometheus-in"
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics?token=wrong").status_code == 404
    assert alice.client.get("/metrics").status_code == 404
    assert alice.api.get("/metrics").status_code == 404
    assert client.get("/metrics?token=let-prometheus-in").status_code == 200
    header = {"authorization": "Bearer let-prometheus-in"}
    assert client.get("/metrics", headers=header).status_code == 200
    alice.user.is_superuser = True
    alice.user.save()
    assert alice.client.get("/metrics").status_code == 200


def test_an_empty_token_opens_nothing(client: Any, settings: Any, db: None) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics?token=").status_code == 404
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


def test_an_observation_costs_next_to_nothing() -> None:
    metrics.observe("wasm", "cart.add", "success", 0.001)
    best = min(timed() for _ in range(5))
    assert best < 1.5e-6


def timed(count: int = 20_000) -> float:
    start = time.perf_counter()
    for _ in range(count):
        metrics.observe("wasm", "cart.add", "success", 0.001)
    return (time.perf_counter() - start) / count
