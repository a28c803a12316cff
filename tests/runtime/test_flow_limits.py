"""The time that a node may take: pauses end by it, and it goes on counting when a run is put away and taken up."""

import pytest

from runtime import flowstate
from runtime.flowneeds import Failure
from runtime.flowrun import Run
from tests.runtime.flowstage import bundle, job, value

LATE = '\n  - {name: late, handler: "builtin:map", with: {expr: "payload.error.code"}}\n'
PAUSE = (
    'listeners:\n  - {name: p, handler: "builtin:delay", timeout: 40s, onError: late, with: {for: 1h}}' + LATE
)
WAIT = 'listeners:\n  - {name: p, handler: "builtin:wait", timeout: 40s, onError: late}' + LATE
EACH = (
    'listeners:\n  - {name: l, handler: "builtin:loop", timeout: 40s, onError: late, with: {over: "[1, 2]", body: p}}\n'
    '  - {name: p, handler: "builtin:delay", with: {for: 1h}}' + LATE
)
JOIN = (
    'listeners:\n  - {name: top, handler: "builtin:map", with: {expr: "1"}, peers: [p, j]}\n'
    '  - {name: p, handler: "builtin:delay", with: {for: 1h}, peers: [j]}\n'
    '  - {name: j, handler: "builtin:join", timeout: 40s, onError: late}' + LATE
)


def begun(text: str, state: bytes | None = None) -> Run:
    made = Run(job(bundle(f=text)), 100_000_000)
    if state is None:
        made.pump.begin()
    else:
        flowstate.load(made.pump, state)
    made.advance(1 << 62)
    return made


def ring(made: Run) -> None:
    """The first thing that is due comes."""
    need = min((one for one in made.pump.needs.values() if one.due is not None), key=lambda one: one.due or 0)
    made.pump.feed(need.id, need.payload)
    made.advance(1 << 62)


@pytest.mark.parametrize("text", [PAUSE, WAIT, EACH, JOIN])
def test_what_takes_longer_than_it_may_is_given_up(text: str) -> None:
    made = begun(text)
    ring(made)
    assert (value(made), made.pump.limits) == ("timeout", {})


@pytest.mark.parametrize("text", [PAUSE, WAIT, EACH, JOIN])
def test_the_time_goes_on_counting_when_the_run_is_put_away(text: str) -> None:
    first = begun(text)
    due = sorted(need.due or 0 for need in first.pump.needs.values())
    second = begun(text, flowstate.save(first.pump))
    assert sorted(need.due or 0 for need in second.pump.needs.values()) == due
    ring(second)
    assert (value(second), second.pump.limits) == ("timeout", {})


def test_a_pause_that_ends_in_time_leaves_no_limit_behind() -> None:
    made = begun(PAUSE)
    pause = next(id for id, need in made.pump.needs.items() if id not in made.pump.limits.values())
    made.pump.feed(pause, b'"slept"')
    made.advance(1 << 62)
    assert (value(made), made.pump.needs, made.pump.limits) == ("slept", {}, {})


ASKS = EACH.replace('"builtin:delay", with: {for: 1h}', '"builtin:http", with: {url: "http://x"}')


def answer(made: Run, failure: Failure) -> None:
    call = next(id for id, need in made.pump.needs.items() if need.kind == "http")
    made.pump.feed(call, failure)


def test_another_try_has_all_its_time() -> None:
    made = begun(ASKS.replace("onError: late,", "retries: 1,"))
    answer(made, Failure("handler", "away", retryable=True))
    assert [need.kind for need in made.pump.needs.values()] == ["timer"]  # the pause before the second try
    assert made.pump.limits == {}
    ring(made)
    assert sorted(need.kind for need in made.pump.needs.values()) == ["http", "timer"]


def test_a_run_that_is_tried_again_from_where_it_failed_has_all_its_time() -> None:
    text = ASKS.replace("onError: late, ", "")
    made = begun(text)
    before = min(need.due for need in made.pump.needs.values() if need.due is not None)
    answer(made, Failure("validation", "no"))
    assert made.pump.failure is not None
    again = begun(text, flowstate.save(made.pump))
    assert min(need.due for need in again.pump.needs.values() if need.due is not None) > before
