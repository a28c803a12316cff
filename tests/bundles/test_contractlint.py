"""Hints about contracts: each with its place, none where the seed's own examples stand."""

import pytest

from bundles import bundle
from bundles.values import Problem

HEAD = "name: x\nservices: [{path: s.yaml}]\n"
API = """
name: s
api:
  basePath: /api/s
  endpoints:
    - {name: a, method: METHOD, path: /a, to: "wasm:m:a"}
resourceContract:
"""


def found(contract: str, method: str = "POST", head: str = HEAD) -> list[Problem]:
    text = API.replace("METHOD", method) + "".join(f"  {line}\n" for line in contract.split("\n"))
    files = {"bundle.yaml": head.encode(), "s.yaml": text.encode(), "wasm/m.wasm": b"\0asm\1\0\0\0"}
    return list(bundle.load(files).problems)


@pytest.mark.parametrize(
    ("contract", "line", "words"),
    [
        ("autoBid: true", 8, "whole wallet"),
        ("costCeiling: 0\nautoBid: true", 8, "never bids"),
        ("autoBid: false\ncostCeiling: 5", 9, "no effect"),
        ("maxWaitTime: 200ms", 8, "before a round"),
        ("fallbackBehavior: retry\nmaxWaitTime: 999ms", 9, "before a round"),
        ("computeUnits: 60\nfallbackBehavior: degrade", 9, "nothing cheaper"),
        ("priority: low\nfallbackBehavior: fail", 9, "gives up"),
        ("futuresEnabled: true\nfuturesHorizon: 2h", 9, "reserves nothing"),
        ("futuresBudget: 20", 8, "is not used"),
    ],
)
def test_what_cannot_be_meant_is_a_warning_with_place_and_hint(contract: str, line: int, words: str) -> None:
    (problem,) = found(contract)
    assert (problem.severity, problem.file, problem.line) == ("warning", "s.yaml", line)
    assert problem.column > 3
    assert words in problem.message
    assert problem.hint


@pytest.mark.parametrize(
    "contract",
    [
        "autoBid: true\ncostCeiling: 5",
        "maxWaitTime: 200ms\nfallbackBehavior: fail",
        "maxWaitTime: 1s\nfallbackBehavior: retry",
        "computeUnits: 101\nfallbackBehavior: degrade",
        "priority: low",
        "priority: critical",
        "futuresEnabled: true",
        "futuresEnabled: true\nfuturesHorizon: 1h\nfuturesBudget: 20",
        "autoBid: false",
        "costCeiling: 0",
    ],
)
def test_what_makes_sense_is_left_alone(contract: str) -> None:
    assert found(contract) == []


def test_a_get_may_degrade_to_its_last_answer() -> None:
    assert found("fallbackBehavior: degrade", "GET") == []


def test_an_inner_ceiling_limits_what_the_bundle_lets_bid() -> None:
    head = HEAD + "resourceContract: {autoBid: true}\n"
    assert found("costCeiling: 5", head=head) == []
    (problem,) = found("priority: high", head=head)
    assert (problem.file, problem.line) == ("bundle.yaml", 3)


def test_everything_critical_is_told_once() -> None:
    more = API.replace(
        "resourceContract:",
        '    - {name: b, method: GET, path: /b, to: "wasm:m:b"}\nresourceContract: {priority: critical}',
    )
    files = {"bundle.yaml": HEAD.encode(), "s.yaml": more.replace("METHOD", "POST").encode()}
    told = [one for one in bundle.load(files).problems if "critical" in one.message]
    assert [(one.file, one.line) for one in told] == [("s.yaml", 8)]
    some = more.replace(
        "name: s\n",
        "name: s\ngoals: [{name: g, metric: latency, target: '< 1s', resourceContract: {priority: low}}]\n",
    )
    files["s.yaml"] = some.replace("METHOD", "POST").replace("path: /b,", "path: /b, goal: g,").encode()
    lowered = files["s.yaml"].decode().replace("goal: g", "goal: g")
    assert "goal: g" in lowered
    assert not [one for one in bundle.load(files).problems if "critical" in one.message]


def services(*contracts: str) -> list[Problem]:
    entries = "".join(f"  - {{name: s{n}, resourceContract: {text}}}\n" for n, text in enumerate(contracts))
    return list(bundle.load({"bundle.yaml": f"name: x\nservices:\n{entries}".encode()}).problems)


def test_three_services_that_write_the_same_are_better_one_bundle() -> None:
    same = "{priority: high, maxWaitTime: 5s}"
    assert services(same, same) == []
    (problem,) = services(same, "{priority: low}", same, same)
    assert "3 services write the same" in problem.message
    assert (problem.file, problem.line) == ("bundle.yaml", 3)
