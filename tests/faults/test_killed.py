"""kill -9 of any part under load: what was acknowledged is in the history, once, and counted once."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.faults.site import Load, Site
from tests.priostack.test_up_runs import wait

pytestmark = pytest.mark.slow
CALLS = "/acme/api/shop/count"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = Site(tmp_path_factory.mktemp("faults"))
    try:
        found.begin()
        yield found
    finally:
        found.popen.send_signal(signal.SIGINT)
        try:
            found.popen.wait(20)
        finally:
            found.popen.poll() is None and found.popen.kill()
            wait(lambda: not found.left(), found.log)


def in_history(site: Site, load: Load, seconds: float = 60) -> None:
    """All that was acknowledged is there and ended well; what was answered was counted once."""

    def left() -> dict[str, str]:
        known = site.history()
        ends = {run: known.get(run, ("absent", ""))[0] for run in load.acknowledged}
        return {run: status for run, status in ends.items() if status != "success"}

    until = time.monotonic() + seconds
    while (open_ones := left()) and time.monotonic() < until:
        time.sleep(0.1)
    assert not open_ones, site.why(open_ones)
    assert len(load.acknowledged) == len(set(load.acknowledged))


def test_kill_9_of_the_server_loses_no_acknowledged_call(site: Site) -> None:
    with Load(site, CALLS) as load:
        for _ in range(2):
            load.more(150)
            site.kill("server")
        load.more(150)
    in_history(site, load)
    assert len(load.bodies) == len(set(load.bodies))
    assert set(load.statuses) <= {0, 200, 503}


def test_kill_9_of_the_worker_ends_every_sensor_run_exactly_once(site: Site) -> None:
    before = site.counted()
    known = set(site.history())
    with Load(site, f"/api/bundles/{site.bundle}/sensors/tick", callers=3) as load:
        for _ in range(2):
            load.more(25)
            site.kill("worker")
        load.more(25)
    in_history(
        site, load, seconds=90
    )  # a lease ends after 30 seconds, and only then does its run start again
    wait(lambda: all(status == "success" for status, _ in site.history().values()), site.log, 60)
    fresh = {run for run, (_, trigger) in site.history().items() if trigger == "sensor"} - known
    assert site.counted() - before == len(fresh)


def test_kill_9_of_the_store_is_a_clear_503_and_heals_by_itself(site: Site) -> None:
    with Load(site, CALLS) as load:
        for _ in range(3):
            load.more(50)
            site.kill("valkey")
        load.more(100)
    in_history(site, load)
    assert set(load.statuses) <= {200, 503}
    assert load.refusals <= {"application/problem+json"}


def test_a_store_that_hangs_is_a_clear_503_and_heals_by_itself(site: Site) -> None:
    store = site.children()["valkey"]
    with Load(site, CALLS) as load:
        load.more(50)
        os.kill(store, signal.SIGSTOP)
        try:
            wait(lambda: load.statuses[503] >= 6, site.log, 30)
            assert site.get("/healthz") == 200
            assert site.get("/readyz") in {0, 503}
        finally:
            os.kill(store, signal.SIGCONT)
        load.more(100)
    in_history(site, load)
    assert set(load.statuses) <= {0, 200, 503}
    assert load.refusals <= {"application/problem+json"}


def test_sensors_fired_while_the_store_is_away_run_when_it_is_back(site: Site) -> None:
    before, known = site.counted(), set(site.history())
    with Load(site, f"/api/bundles/{site.bundle}/sensors/tick", callers=2) as load:
        for _ in range(2):
            load.more(20)
            site.kill("valkey")
        load.more(20)
    in_history(site, load, seconds=90)
    fresh = {run for run, (_, trigger) in site.history().items() if trigger == "sensor"} - known
    assert site.counted() - before == len(fresh)
    assert set(load.statuses) <= {202, 503}
