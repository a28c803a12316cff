"""What interceptors did, told by page, REST and /metrics; and the slot pool under the names of P01."""

import pytest
from channels.db import database_sync_to_async
from django.urls import reverse

from runtime import exposition, interceptorfigures, metrics
from runtime.interceptors import cells
from runtime.wasm import engine
from tests.runtime import guarded, stage
from tests.runtime.guarded import endpoint

pytestmark = pytest.mark.django_db(transaction=True)
OWN = "[monitoring, filter: request.body.ok, cache: {key: '1'}]"


@pytest.fixture
async def called(alice, clean_redis):
    """A bundle with four calls behind it, told as a process tells its numbers."""
    cells.clear()
    bundle = await database_sync_to_async(guarded.run)(alice, endpoint("a", OWN))
    caller = stage.Caller(alice.token)
    for ok in (True, True, False, True):
        await caller("POST", "/alice/api/shop/a", {"ok": ok})
    metrics.pool(lambda: engine().stats())
    await database_sync_to_async(metrics.Reporter("edge").once)()
    yield bundle
    await caller.close()


def test_rest_tells_each_one_the_dashboard_and_the_pool(called, alice):
    told = alice.api.get(f"/api/bundles/{called.pk}/interceptors").json()
    found = {row["name"]: row for row in told["interceptors"]}
    assert set(found) == {"monitoring", "filter", "cache"}
    assert (found["filter"]["totalExecutions"], found["cache"]["totalExecutions"]) == (4, 3)
    assert (found["cache"]["hits"], found["filter"]["errorCount"], found["filter"]["successRate"]) == (
        2,
        0,
        100.0,
    )
    board = told["dashboard"]
    assert set(board) == {
        *(
            "totalExecutions",
            "requestsPerSecond",
            "averageResponseTime",
            "p95ResponseTime",
            "p99ResponseTime",
        ),
        *("errorRate", "timeoutRate", "authFailureRate", "cacheHitRate", "activeWorkflows", "uniqueUsers"),
    }
    assert (board["totalExecutions"], board["uniqueUsers"], board["cacheHitRate"]) == (4, 1, 0.6667)
    pool = told["pool"]
    assert set(pool) == {"size", "available", "created", "reused", "reuseRate", "utilization"}
    assert pool["size"] >= pool["available"] > 0
    assert 0 <= pool["reuseRate"] <= 1


def test_the_page_shows_them(called, alice):
    url = reverse("runtime:interceptors", args=[called.pk])
    assert url in alice.client.get(reverse("bundles:contracts", args=[called.pk])).content.decode()
    page = alice.client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<code>filter</code>" in page
    for name in ("totalExecutions", "p99ResponseTime", "reuseRate", "utilization"):
        assert name in page


def test_the_endpoint_shows_what_wraps_it(called, alice):
    page = alice.client.get(reverse("bundles:detail", args=[called.pk])).content.decode()
    assert (
        page.index("<code>monitoring</code>")
        < page.index("<code>filter</code>")
        < page.index("<code>cache</code>")
    )


def test_charlie_sees_nothing_of_it(called, charlie):
    assert charlie.client.get(reverse("runtime:interceptors", args=[called.pk])).status_code == 404
    assert charlie.api.get(f"/api/bundles/{called.pk}/interceptors").status_code == 404


def test_prometheus_reads_kinds_and_routes_and_no_tenant(called):
    text = exposition.page().decode()
    assert 'priostack_interceptor_executions_total{interceptor="filter",route="shop.a"} 4.0' in text
    assert "priostack_sandbox_reuse_rate{" in text
    assert str(called.pk) not in text


def test_several_processes_are_told_together(called, alice):
    from django.utils.timezone import now

    metrics.Reporter("web").once()
    told = interceptorfigures.of_bundle(called, now())
    assert {row["name"]: row["totalExecutions"] for row in told["interceptors"]}["filter"] == 8


def test_who_called_is_only_counted():
    from billing.redis import redis

    cells.users("b").update({"key:1", "key:2"})
    metrics.Reporter("edge").once()
    assert cells.users("b") == set()
    assert not redis().keys("*key:1*")


def test_the_pace_is_that_of_the_last_looks():
    cells.clear()
    cell = cells.cell(cells.Place("b", "s", "e", "monitoring"), histogram=True)
    pace = cells.Pace(looks=2)
    assert pace.look(100.0) == {}
    cell[-1] += 10
    assert pace.look(102.0) == {"b": 5.0}
    assert pace.look(104.0) == {"b": 0.0}


def test_cells_are_bounded():
    cells.clear()
    for number in range(cells.MOST_OF_ONE + 10):
        cells.cell(cells.Place("b", "s", str(number), "filter"))
    assert len(cells._cells) == cells.MOST_OF_ONE
    for number in range(cells.MOST):
        cells.cell(cells.Place(f"b{number}", "s", "e", "filter"))
    assert len(cells._cells) == cells.MOST
    cells.clear()
