"""Triggers: what belongs to each type, cron lines as croniter reads them, zones that exist."""

from datetime import UTC, datetime

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles import flowcron
from bundles.flow import Flow, Trigger
from tests.bundles.flowsamples import load, only


def with_trigger(written: str) -> Flow:
    listeners = "listeners: [{name: a, handler: 'flow:y'}]\n"
    return load(f"organism: {{name: x}}\ntriggers:\n  - {{{written}}}\n{listeners}")


def trigger(written: str) -> Trigger:
    found = with_trigger(written)
    assert not found.problems, found.problems
    return found.triggers[0]


def test_every_type_with_its_fields() -> None:
    hook = trigger("name: t, type: webhook, to: a, respond: async, hmac: signing_key")
    assert (hook.type, hook.respond, hook.hmac, hook.enabled) == ("webhook", "async", "signing_key", True)
    cron = trigger("name: t, type: schedule, cron: '0 7 * * mon-fri', timezone: Europe/Berlin, misfire: once")
    assert (cron.cron, cron.timezone, cron.misfire) == ("0 7 * * mon-fri", "Europe/Berlin", "once")
    assert trigger("name: t, type: schedule, every: 15m").every_ms == 900_000
    assert trigger("name: t, type: sensor, sensor: door").sensor == "door"
    assert trigger("name: t, type: manual, enabled: false").enabled is False


@pytest.mark.parametrize(
    ("written", "calls", "window"),
    [("100/s", 100, 1), ("1 / m", 1, 60), ("5000/h", 5000, 3600), ("1000000/S", 1_000_000, 1)],
)
def test_a_webhook_may_have_a_limit(written: str, calls: int, window: int) -> None:
    for key in ("rateLimit", "rate_limit"):
        found = trigger(f"name: t, type: webhook, {key}: {written}").rate
        assert found is not None
        assert (found.calls, found.window_s) == (calls, window)


@pytest.mark.parametrize(
    "written",
    ["100", "0/s", "-1/s", "1.5/s", "100/d", "/s", "lots", "9999999/s", "1e3/s", "١/s", "100/s100/s", "''"],
)
def test_a_limit_that_is_none_is_an_error_at_its_place(written: str) -> None:
    problem = only(with_trigger(f"name: t, type: webhook, rateLimit: {written}"))
    assert (problem.severity, problem.line) == ("error", 3)
    assert problem.column == 41
    assert "100/s" in problem.hint


def test_only_webhooks_have_a_limit() -> None:
    problem = only(with_trigger("name: t, type: manual, rateLimit: 100/s"))
    assert (problem.severity, "no effect" in problem.message) == ("warning", True)


def test_a_trigger_without_a_target_enters_at_the_first_listener() -> None:
    found = with_trigger("name: t, type: manual")
    assert (found.triggers[0].to, found.entry) == ("", "a")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("type: manual", "needs 'name'"),
        ("name: t", "needs 'type'"),
        ("name: t, type: wbhook", "did you mean 'webhook'?"),
        ("name: t, type: manual, to: nobody", "no such listener"),
        ("name: t, type: schedule", "exactly one of cron and every"),
        ("name: t, type: schedule, cron: '0 7 * * *', every: 5m", "exactly one of cron and every"),
        ("name: t, type: schedule, every: 10ms", "at most once a second"),
        ("name: t, type: schedule, cron: '0 7 * *'", "five fields"),
        ("name: t, type: schedule, cron: '* * * * * *'", "five fields"),
        ("name: t, type: schedule, cron: '0 24 * * *'", "the hour must be from 0 to 23"),
        ("name: t, type: schedule, cron: '0 0 30 2 *'", "no such day"),
        (
            "name: t, type: schedule, cron: '0 0 * * *', timezone: Europe/Berln",
            "did you mean 'Europe/Berlin'?",
        ),
        ("name: t, type: schedule, cron: '0 0 * * *', timezone: ../../etc/passwd", "no time zone"),
        ("name: t, type: sensor", "needs 'sensor'"),
        ("name: 1t, type: manual", "cannot name a trigger"),
    ],
)
def test_what_is_wrong_with_a_trigger_is_an_error(written: str, message: str) -> None:
    problem = only(with_trigger(written))
    assert (problem.severity, problem.line) == ("error", 3)
    assert message in problem.message


def test_a_field_of_another_type_is_a_warning() -> None:
    problem = only(with_trigger("name: t, type: webhook, cron: '0 7 * * *'"))
    assert problem.severity == "warning"
    assert "no effect on a webhook trigger" in problem.message


def test_names_of_triggers_are_unique() -> None:
    found = with_trigger("name: t, type: manual}\n  - {name: T, type: manual")
    assert "defined twice, first on line 3" in only(found).message
    assert len(found.triggers) == 1


@pytest.mark.parametrize(
    "line",
    [
        "0 2 * * *",
        "*/15 * * * *",
        "0 0 1,15 * *",
        "30 02 1/1 * *",
        "0 9-17/2 * jan-mar sun",
        "5 4 * * 7",
        "@daily",
    ],
)
def test_what_is_accepted_croniter_reads_too(line: str) -> None:
    following = croniter(flowcron.tidy(line), datetime(2026, 1, 1, tzinfo=UTC)).get_next(datetime)
    assert following > datetime(2026, 1, 1, tzinfo=UTC)


PART = st.from_regex(r"\A(\*|[0-9]{1,2}|[a-z]{3})(-[0-9]{1,2})?(/[0-9]{1,2})?\Z")
LINES = st.lists(st.lists(PART, min_size=1, max_size=3).map(",".join), min_size=4, max_size=6).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(LINES | st.text(max_size=30))
def test_no_line_is_accepted_that_croniter_cannot_use(line: str) -> None:
    try:
        tidy = flowcron.tidy(line)
    except flowcron.CronError:
        return
    croniter(tidy, datetime(2026, 1, 1, tzinfo=UTC)).get_next(datetime)
