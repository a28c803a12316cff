"""A chain is calls within calls: their order, what is counted on every way out, what is skipped, what is left behind."""

import asyncio
import gc
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django

from billing import access, keys
from priostack import demo
from runtime import metrics
from runtime.answer import Reply
from runtime.interceptors import cells, made
from runtime.interceptors.chain import build, build_waiting
from runtime.interceptors.link import Link, Postponed
from runtime.interceptors.observers import Monitoring
from tests.runtime import guarded

OK, BAD = Reply(200, b"1"), Reply(503, b"2")


class Tracing(Link):
    """Tells when it is passed."""

    def __init__(self, name: str, seen: list[str]) -> None:
        super().__init__([0.0] * cells.BUCKETS)
        self.name, self.seen = name, seen

    def before(self, call: Any) -> Reply | None:
        self.seen.append(f"+{self.name}")
        return None

    def after(self, call: Any, reply: Reply) -> Reply:
        self.seen.append(f"-{self.name}")
        return reply


class Answering(Tracing):
    def before(self, call: Any) -> Reply | None:
        super().before(call)
        return BAD


class Failing(Link):
    def __init__(self, *, optional: bool, hook: str = "before") -> None:
        super().__init__([0.0] * cells.BUCKETS)
        self.optional, self.hook = optional, hook

    def before(self, call: Any) -> Reply | None:
        if self.hook == "before":
            raise ValueError("no")
        return None

    def after(self, call: Any, reply: Reply) -> Reply:
        raise ValueError("no")


def call_of(reply: Reply = OK) -> Any:
    return lambda call: reply


def waiting_of(reply: Reply = OK) -> Any:
    async def call(call: Any) -> Reply:
        await asyncio.sleep(0)
        return reply

    return call


def given() -> Any:
    return SimpleNamespace(data=b"", identity="me")


def through(links: list[Link], reply: Reply = OK, *, waits: bool) -> Reply:
    if waits:
        return asyncio.run(build_waiting(links, waiting_of(reply))(given()))  # type: ignore[arg-type]
    return build(links, call_of(reply))(given())


def test_an_empty_chain_is_the_call_itself() -> None:
    call = call_of()
    assert build([], call) is call


@pytest.mark.parametrize("waits", [False, True])
def test_the_first_is_the_outermost(waits: bool) -> None:
    seen: list[str] = []
    assert through([Tracing("a", seen), Tracing("b", seen)], waits=waits) is OK
    assert seen == ["+a", "+b", "-b", "-a"]


@pytest.mark.parametrize("waits", [False, True])
def test_an_answer_in_its_place_is_seen_by_those_around(waits: bool) -> None:
    seen: list[str] = []
    links = [Tracing("a", seen), Answering("b", seen), Tracing("c", seen)]
    assert through(links, waits=waits) is BAD
    assert seen == ["+a", "+b", "-a"]
    assert [link.cell[:3:2] for link in links] == [[1, 1], [1, 1], [0, 0]]


@pytest.mark.parametrize("waits", [False, True])
def test_failures_of_the_call_are_counted_by_all_around_it(waits: bool) -> None:
    link = Tracing("a", [])
    for reply in (OK, BAD, OK, OK):
        through([link], reply, waits=waits)
    told = cells.metrics(link.cell)
    assert (told["totalExecutions"], told["errorCount"], told["successRate"]) == (4, 1, 75.0)
    assert told["averageTime"] > 0


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("hook", ["before", "after"])
def test_a_failing_optional_one_is_skipped_and_counted(waits: bool, hook: str) -> None:
    link, seen = Failing(optional=True, hook=hook), list[str]()
    assert through([link, Tracing("a", seen)], waits=waits) is OK
    assert seen == ["+a", "-a"]
    skips = 1 if hook == "after" or not waits else 2  # both of its hooks fail where the first is skipped
    assert (link.cell[cells.COUNT], link.cell[cells.ERRORS]) == (1, 0)
    assert link.cell[cells.SKIPPED] >= skips >= 1


@pytest.mark.parametrize("waits", [False, True])
def test_a_failing_required_one_ends_the_call_and_is_counted(waits: bool) -> None:
    around, link, seen = Tracing("around", []), Failing(optional=False), list[str]()
    with pytest.raises(ValueError, match="no"):
        through([around, link, Tracing("a", seen)], waits=waits)
    assert seen == []
    for one in (around, link):
        assert (one.cell[cells.COUNT], one.cell[cells.ERRORS], one.cell[cells.SKIPPED]) == (1, 1, 0)


def test_what_is_begun_anew_elsewhere_is_not_counted_here() -> None:
    def later(call: Any) -> Reply:
        raise Postponed

    monitoring = Monitoring([0.0] * (cells.BUCKETS + len(cells.BOUNDS) + 1), set())
    links = [monitoring, Tracing("a", []), Failing(optional=True, hook="after")]
    with pytest.raises(Postponed):
        build(links, later)(given())
    assert [sum(link.cell) for link in links] == [0, 0, 0]


def test_a_cancelled_call_is_counted() -> None:
    link = Tracing("a", [])

    async def forever(call: Any) -> Reply:
        await asyncio.sleep(60)
        return OK

    async def run() -> None:
        task = asyncio.ensure_future(build_waiting([link], forever)(given()))  # type: ignore[arg-type]
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait({task})

    asyncio.run(run())
    assert (link.cell[cells.COUNT], link.cell[cells.ERRORS]) == (1, 1)


def test_calls_at_the_same_time_do_not_mix() -> None:
    seen: list[str] = []

    async def echo(call: Any) -> Reply:
        await asyncio.sleep(0.001 * (call.n % 3))
        return Reply(200, str(call.n).encode())

    async def run() -> list[Reply]:
        chain = build_waiting([Tracing("a", seen), Tracing("b", seen)], echo)
        calls = [SimpleNamespace(n=n, data=b"") for n in range(50)]
        return await asyncio.gather(*(chain(call) for call in calls))  # type: ignore[arg-type]

    assert [reply.body for reply in asyncio.run(run())] == [str(n).encode() for n in range(50)]


def test_a_hundred_thousand_calls_leave_nothing_behind() -> None:
    seen: list[str] = []
    run = build([Tracing("a", seen) for _ in range(5)], call_of())

    def some() -> None:
        for _ in range(100_000):
            run(given())
            seen.clear()

    some()
    gc.collect()
    before = metrics.memory()
    some()
    gc.collect()
    assert metrics.memory() - before < 1_000_000


# -- settings under Prompd's names ------------------------------------------------------------------------


def chain(own: str) -> Any:
    from bundles import bundle

    definition = bundle.load(guarded.files(guarded.endpoint("a", own)))
    assert not definition.has_errors, definition.problems
    source = made.Source("tenant", "bundle", {})
    return made.chains(definition, source)["shop", "a"]


def test_what_is_not_written_comes_from_the_settings(settings: Any) -> None:
    settings.INTERCEPTOR_RATE_MAX, settings.INTERCEPTOR_TIMEOUT_MS = 7, 1234
    timeout, limit = chain("[rateLimit, timeout]").links
    assert (limit.most, limit.window_ms, timeout.seconds) == (7, 60_000, 1.234)


def test_metrics_may_be_switched_off(settings: Any) -> None:
    settings.INTERCEPTOR_METRICS = False
    cells.clear()
    assert chain("[monitoring, filter: 'true']").now is not None
    assert not cells._cells


def test_an_endpoint_that_only_looks_may_be_answered_at_once_and_one_that_asks_may_not() -> None:
    assert chain("[monitoring, cache, auth]").now is not None
    assert chain("[rateLimit]").now is None
    assert chain("[wasm:echo:run]").now is None


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PROMPD_POOL_SIZE", "1000", "1000 True 1000 30000"),
        ("PROMPD_ENABLE_METRICS", "false", "1100 False 1000 30000"),
        ("PROMPD_RATE_LIMIT_MAX", "50", "1100 True 50 30000"),
        ("PROMPD_TIMEOUT_MS", "5000", "1100 True 1000 5000"),
        ("PROMPD_TIMEOUT_MS", "soon", "PROMPD_TIMEOUT_MS"),
        ("PROMPD_POOL_SIZE", "5", "PROMPD_POOL_SIZE"),
        ("PROMPD_API_KEY", "short", "PROMPD_API_KEY"),
    ],
)
def test_prompds_names_are_accepted(name: str, value: str, told: str) -> None:
    names = "SANDBOX_SLOTS, s.INTERCEPTOR_METRICS, s.INTERCEPTOR_RATE_MAX, s.INTERCEPTOR_TIMEOUT_MS"
    argv = [sys.executable, "-c", f"from priostack import settings as s; print(s.{names})"]
    env = {**os.environ, "PRIOSTACK_DATA_DIR": str(django.DATA_DIR), name: value}
    done = subprocess.run(argv, env=env, cwd=django.BASE_DIR, capture_output=True, text=True, check=False)
    assert told in done.stdout + done.stderr


@pytest.mark.django_db
def test_the_demo_takes_the_key_that_the_operator_chose(settings: Any, alice: Any) -> None:
    from billing.provision import provision

    settings.DEMO_API_KEY = "chosen-by-the-operator-1"
    made = provision("demo", "demo@example.org")
    assert demo.remember(made, {})["api_key"] == settings.DEMO_API_KEY
    found = access.of_token(settings.DEMO_API_KEY)
    assert found
    assert found.tenant == "demo"
    assert keys.find(made.api_key or "")
