"""A run knows the link of a wait before it comes to it, each wait its own, and nobody else can work it out."""

import re

from runtime import flowstate
from runtime.flowrun import Run
from tests.runtime.flowstage import bundle, job, value

ASK = """
listeners:
  - {name: tell, handler: "builtin:map", with: {expr: "execution.links.ask"}, peers: [ask]}
  - {name: ask, handler: "builtin:wait", peers: [tell]}
"""
EACH = """
listeners:
  - {name: l, handler: "builtin:loop", with: {over: "[1, 2]", body: tell, parallel: 2}}
  - {name: tell, handler: "builtin:map", with: {expr: "execution.links.ask"}, peers: [ask]}
  - {name: ask, handler: "builtin:wait"}
"""
NONE = 'listeners:\n  - {name: a, handler: "builtin:map", with: {expr: "has(execution.links)"}}\n'


def begun(text: str) -> Run:
    made = Run(job(bundle(f=text)), 100_000_000)
    made.pump.begin()
    made.advance(1 << 62)
    return made


def links(made: Run) -> list[str]:
    """What was told before the waits that are open."""
    return sorted(message.value() for message in made.pump.waiting.values())


def addresses(made: Run) -> list[str]:
    return sorted(made.links + need.token for need in made.pump.needs.values())


def test_what_is_told_before_a_wait_is_what_ends_it() -> None:
    made = begun(ASK)
    (link,) = links(made)
    assert re.fullmatch(r"https?://.+/api/triggers/f-f/resume/[0-9a-f-]{36}/[A-Za-z0-9_-]{32}", link)
    assert links(made) == addresses(made)


def test_each_round_and_each_time_has_a_link_of_its_own() -> None:
    made = begun(EACH)
    assert len(set(links(made))) == 2
    assert links(made) == addresses(made)
    again = begun(ASK)
    first = links(again)
    state = flowstate.save(again.pump)
    taken_up = Run(job(bundle(f=ASK)), 100_000_000)
    taken_up.pump.start.execution = again.pump.start.execution
    taken_up.links = again.links
    flowstate.load(taken_up.pump, state)
    for run in (again, taken_up):
        run.pump.feed(next(iter(run.pump.needs)), b"1")
        run.advance(1 << 62)
        assert links(run) == addresses(run) != first
    assert links(again) == links(taken_up)


def test_another_run_has_other_links_and_flows_without_waits_have_none() -> None:
    assert links(begun(ASK)) != links(begun(ASK))
    assert value(begun(NONE)) is False
