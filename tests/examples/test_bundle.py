"""The example as a bundle: it loads without a problem, its declared tests hold, its client shops."""

import subprocess
import sys
from typing import Any

import pytest

from bundles.checks import UNSET, Check, read
from tests.examples.front import KEY, Front, definition, files, served
from tests.examples.host import ECOMMERCE, Host

CHECKS = read(files(), definition().services)
# Those of the flow need its engine: tests/examples/test_order_intake.py.
DECLARED = sorted({check.file for check in CHECKS.checks} - {"tests/intake.yaml"})


def test_the_bundle_has_no_problem() -> None:
    assert definition().problems == ()
    assert CHECKS.problems == ()


def test_it_has_the_tutorials_services_endpoints_and_intents() -> None:
    services = definition().services
    assert [service.name for service in services] == [
        "catalogService",
        "cartService",
        "orderService",
        "paymentService",
        "intakeService",
    ]
    assert [len(service.endpoints) for service in services] == [3, 4, 4, 3, 2]
    assert [len(service.intents) for service in services] == [1, 2, 2, 2, 0]


@pytest.mark.parametrize(
    ("endpoint", "contract"),
    [
        ("searchProducts", ("high", 50, 5_000, "degrade", False, None)),
        ("listProducts", ("normal", 25, 30_000, "queue", False, None)),
        ("addItem", ("normal", 30, 10_000, "retry", False, None)),
        ("createOrder", ("high", 150, 15_000, "queue", True, None)),
        ("refund", ("critical", 200, 1_000, "fail", True, 10)),
    ],
)
def test_its_contracts_are_those_of_step_four(endpoint: str, contract: tuple[Any, ...]) -> None:
    by_name = {e.name: e.contract for service in definition().services for e in service.endpoints}
    c = by_name[endpoint]
    units, wait = c.compute_units, c.max_wait_ms
    assert (c.priority, units, wait, c.fallback, c.futures_enabled, c.cost_ceiling) == contract


def test_it_needs_only_its_yaml_and_its_modules() -> None:
    from bundles.bundle import load

    kept = {p: d for p, d in files().items() if not p.startswith(("modules/", "tests/")) and "." in p}
    kept.pop("shop.py")
    kept.pop("README.md")
    assert len(kept) == 19
    assert load(kept).problems == ()


def test_the_folder_is_small_enough_to_upload() -> None:
    assert sum(map(len, files().values())) < 300_000


@pytest.mark.parametrize("file", DECLARED)
def test_the_declared_tests_hold(file: str) -> None:
    front = Front(Host())
    ours = [check for check in CHECKS.checks if check.file == file and check.contract == "grant"]
    assert len(ours) >= 7
    for check in ours:
        holds(front, check)


def holds(front: Front, check: Check) -> None:
    host, before = front.host, dict(front.host.kv)
    if check.request:
        sent = check.request
        body = None if sent.body is UNSET else sent.body
        answer = front.ask(sent.method, sent.path, body, dict(sent.query))
    else:
        answer = host.fire(check.sensor, check.payload)[0]
    host.fired.clear()
    assert check.expect.status in (None, answer.status), check.name
    if check.expect.body is not UNSET:
        assert answer.body | check.expect.body == answer.body, check.name
    wrote(check, before, host)


def wrote(check: Check, before: dict[str, bytes], host: Host) -> None:
    writes = check.expect.writes
    if isinstance(writes, int):
        assert len(dict(set(before.items()) ^ set(host.kv.items()))) == writes, check.name
    for key, value in writes.items() if isinstance(writes, dict) else ():
        assert host.stored(key) == value, check.name


def shop(url: str, key: str = KEY) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, str(ECOMMERCE / "shop.py"), "--url", url, "--key", key]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def test_the_client_shops_end_to_end() -> None:
    host = Host()
    with served(host) as url:
        done = shop(url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is happy" in done.stdout
    assert sorted(key.split(":")[0] for key in host.kv) == [
        "order",
        "order",
        "payment",
        "product",
        "user-orders",
    ]
    assert host.stored("product:lamp")["stock"] == 40


def test_the_client_ends_with_one_when_it_is_surprised() -> None:
    with served(Host()) as url:
        done = shop(url, key="wrong")
    assert done.returncode == 1
    assert "answered 401 instead of 200" in done.stderr


def test_the_client_ends_with_one_when_nobody_answers() -> None:
    done = shop("http://127.0.0.1:9/demo")
    assert done.returncode == 1
    assert "the shop does not answer" in done.stderr
