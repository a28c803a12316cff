"""The publisher: free when nobody watches, bounded when somebody does, and honest about what it left out."""

import asyncio
import time
from typing import Any
from uuid import UUID

import pytest

from billing.ids import uuid7
from billing.redis import redis
from runtime import logs
from runtime.lines import Batch, Line, clean, ending
from runtime.logs import Publisher
from runtime.watch import Watcher, hub, run_group
from tests.runtime.watching import publishing, watched

TENANT, BUNDLE, RUN = uuid7(), uuid7(), uuid7()


def say(publisher: Publisher, text: str, at: int = 1) -> None:
    publisher.line(str(BUNDLE), str(RUN), "info", text, at, "cart", "add")


def watching(group: str) -> Publisher:
    publisher = Publisher()
    publisher.learn([group], time.time())
    return publisher


def take(publisher: Publisher) -> dict[str, Any]:
    message = publisher.watched[str(RUN)].take("me")
    assert message is not None
    return message


def timed(publisher: Publisher, count: int = 400) -> float:
    bundle, run = str(BUNDLE), str(RUN)
    start = time.perf_counter()
    for _ in range(count):
        publisher.line(bundle, run, "info", "hello", 1, "cart", "add")
    return (time.perf_counter() - start) / count


def test_a_line_costs_next_to_nothing() -> None:
    assert min(timed(Publisher()) for _ in range(9)) < 1e-6
    assert min(timed(watching(run_group(uuid7()))) for _ in range(9)) < 1e-6
    assert min(timed(watching(run_group(RUN))) for _ in range(9)) < 4e-6


def test_more_lines_than_a_flush_may_carry_are_counted() -> None:
    publisher = watching(run_group(RUN))
    for number in range(logs.MAX_LINES + 7):
        say(publisher, str(number))
    message = take(publisher)
    assert (len(message["lines"]), message["left_out"]) == (logs.MAX_LINES, 7)
    say(publisher, "later")
    assert take(publisher)["before"] == logs.MAX_LINES + 7


def test_lines_of_one_millisecond_are_numbered_across_flushes() -> None:
    publisher = watching(run_group(RUN))
    say(publisher, "a")
    say(publisher, "b")
    assert [line[-1] for line in take(publisher)["lines"]] == [0, 1]
    say(publisher, "c")
    say(publisher, "d", at=2)
    assert [line[-1] for line in take(publisher)["lines"]] == [2, 0]


def test_what_is_not_watched_any_more_costs_nothing_again() -> None:
    publisher = watching(run_group(RUN))
    publisher.forget(time.time() + logs.TTL_S - 1)
    assert publisher.watched
    publisher.forget(time.time() + logs.TTL_S + 1)
    assert not publisher.watched


def test_both_spellings_of_an_id_are_the_same_thing() -> None:
    publisher = watching(run_group(RUN))
    publisher.line(BUNDLE.hex, RUN.hex, "info", "hello", 1, "cart", "add")
    assert take(publisher)["lines"][0][4] == str(RUN)


def test_group_names_that_are_none_of_ours_are_passed_over() -> None:
    publisher = Publisher()
    publisher.learn(["logs.*", "", "run.", "logs.../../x"], time.time())
    assert not publisher.watched


def test_long_lines_and_broken_text_are_made_fit_to_send() -> None:
    assert len(clean("x" * 1_000_000)) < 9000
    assert clean("x" * 1_000_000).endswith("(991808 characters more)")
    assert clean("a\ud800b") == "a?b"


def test_a_finished_run_says_what_its_row_will_show() -> None:
    publisher = watching(run_group(RUN))
    ended = {"status": "error", "http_status": 502, "units_used": 3, "duration_us": 1500, "error": "trap"}
    record = {"bundle": str(BUNDLE), "id": str(RUN), "service": "cart", "name": "add"}
    publisher.record(
        {**record, **ended, "logs": [[2, "info", "hi"]], "started": 1_000_000, "completed": 1_001_500}
    )
    message = take(publisher)
    assert [(*line[:2], line[5]) for line in message["lines"]] == [
        (1002, "info", "hi"),
        (1001, "error", "error 502 · 3 CU · 1.5 ms · trap"),
    ]
    assert message["status"] == "error"
    assert ending("success", 200, 1, 250, "") == ("info", "success 200 · 1 CU · 0.2 ms")


def line(number: int) -> Line:
    return Line(number, "info", "cart", "add", str(RUN), str(number), 0)


def test_a_slow_watcher_loses_the_oldest_lines_and_is_told_how_many() -> None:
    woken: list[int] = []
    watcher = Watcher("g", TENANT, lambda: woken.append(1))
    for start in range(0, 5000, 100):
        watcher.put(Batch([line(start + n) for n in range(100)]))
    batches, skipped = watcher.take()
    assert skipped == 4000
    assert [batches[0].lines[0].at, batches[-1].lines[-1].at] == [4000, 4999]
    assert watcher.take() == ([], 0)


def test_how_a_run_ended_is_never_dropped() -> None:
    watcher = Watcher("g", TENANT, lambda: None)
    watcher.put(Batch([line(0)], status="success"))
    for _ in range(3):
        watcher.put(Batch([line(n) for n in range(500)]))
    assert [batch.status for batch in watcher.take()[0]].count("success") == 1


async def test_a_message_that_never_arrived_is_noticed() -> None:
    watcher = Watcher(run_group(RUN), TENANT, lambda: None)
    async with publishing() as publisher:
        await hub().join(watcher)
        await watched(publisher, RUN)
        say(publisher, "arrives")
        await until(watcher)
        say(publisher, "is lost")
        publisher.watched[str(RUN)].take("nobody sends it")
        say(publisher, "arrives too")
        _, skipped = await until(watcher)
        assert skipped == 1
        await hub().leave(watcher)


async def until(watcher: Watcher) -> tuple[list[Batch], int]:
    for _ in range(200):
        if watcher.batches:
            return watcher.take()
        await asyncio.sleep(0.01)
    raise AssertionError("nothing came")


async def test_a_publisher_that_starts_later_learns_who_is_watched(clean_redis: None) -> None:
    watcher = Watcher(run_group(RUN), TENANT, lambda: None)
    await hub().join(watcher)
    async with publishing() as publisher:
        await watched(publisher, RUN)
    assert redis().zcard(logs.WATCHED) == 1


async def test_groups_end_with_their_last_watcher() -> None:
    first, second = (Watcher(run_group(RUN), TENANT, lambda: None) for _ in range(2))
    async with publishing():
        await asyncio.gather(hub().join(first), hub().join(second))
        await hub().leave(first)
        assert hub().groups == {run_group(RUN): {second}}
        await hub().leave(second)
        await hub().leave(second)
        assert (hub().groups, hub().count) == ({}, 0)


@pytest.mark.parametrize(
    "bad",
    ["", "1.2.3", f"{RUN}.1.{RUN}.x", "x" * 500, f"{RUN}.1.{RUN}.0.0"],
    ids=["none", "short", "words", "long", "more"],
)
def test_marks_from_outside_are_checked(bad: str) -> None:
    from runtime.lines import Mark

    assert Mark.parse(bad) is None
    good = Mark.parse(f"{RUN.hex}.5.{UUID(int=1).hex}.2")
    assert good is not None
    assert good.place == (5, str(UUID(int=1)), 2)
