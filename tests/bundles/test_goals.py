"""Goals in both shapes, also mixed, end as one list of metrics."""

import pytest

from bundles import goals, values
from bundles.goals import GoalTerms, Metric
from bundles.values import Problem, Report, Sequence


def read(text: str) -> tuple[list[GoalTerms], tuple[Problem, ...]]:
    root = values.parse(text.encode(), file="a.yaml").root
    assert isinstance(root, Sequence)
    report = Report()
    return goals.read(root.items, report, outer={}), report.problems()


def test_the_list_of_metrics() -> None:
    found, problems = read(
        "- name: A\n  metrics:\n"
        "    - {signal: health, type: availability, goal: uptime, threshold: 0.99, delay: 0, window: 60}\n"
        "    - {signal: slow, type: latency, goal: fast, threshold: 5000, delay: 5, window: 10}\n"
    )
    assert not problems
    assert found[0].goal.metrics == (
        Metric("availability", "health", ">=", 0.99, "fraction", 60.0, 0.0, "uptime"),
        Metric("latency", "slow", "<=", 5000.0, "ms", 10.0, 5.0, "fast"),
    )


def test_metric_and_target() -> None:
    found, problems = read(
        '- {name: A, metric: latency, target: "< 200ms"}\n- {name: B, metric: uptime, target: "> 99.5%"}\n'
    )
    assert not problems
    assert [one.goal.metrics for one in found] == [
        (Metric("latency", "latency", "<", 200.0, "ms", 60.0, 0.0, "A"),),
        (Metric("uptime", "uptime", ">", 0.995, "fraction", 60.0, 0.0, "B"),),
    ]


def test_both_shapes_in_one_goal() -> None:
    found, problems = read(
        '- name: A\n  metric: latency\n  target: "<= 1s"\n  window: 30\n'
        '  metrics:\n    - {type: successRate, target: "> 99%"}\n    - {metric: uptime, threshold: 0.9}\n'
    )
    assert not problems
    assert [(m.kind, m.op, m.value, m.window_s) for m in found[0].goal.metrics] == [
        ("successRate", ">", 0.99, 60.0),
        ("uptime", ">=", 0.9, 60.0),
        ("latency", "<=", 1000.0, 30.0),
    ]


@pytest.mark.parametrize(
    ("text", "severity", "column", "words"),
    [
        ('{name: A, metric: latency, target: "fast"}', "error", 38, "'target' 'fast' is not a target"),
        (
            '{name: A, metric: latency, target: "> 99%"}',
            "error",
            38,
            "latency cannot be compared with '> 99%'",
        ),
        ('{name: A, metric: uptime, target: "< 5ms"}', "error", 37, "uptime cannot be compared"),
        ('{name: A, target: "< 5ms"}', "error", 21, "'target' needs 'metric'"),
        ("{name: A, metric: latency}", "error", 3, "needs 'target' or 'threshold'"),
        ("{name: A, metrics: [{threshold: 1}]}", "error", 23, "a metric needs 'type'"),
        ("{name: A, metrics: [{type: latency, threshold: .nan}]}", "error", 50, "must be a decimal number"),
        ("{name: A, metrics: [{type: latency, threshold: -1}]}", "error", 50, "must be from 0"),
        ("{name: A, metrics: [{type: latency, threshold: 1, window: 0}]}", "error", 61, "must be from 1"),
        ("{name: A, metrics: [fast]}", "error", 23, "a metric must be a mapping"),
        ("{name: A, metric: uptime, threshold: 99.9}", "warning", 40, "never exceeds 1"),
        ("{name: A, metric: latancy, threshold: 5}", "warning", 21, "did you mean 'latency'?"),
        ("{name: A}", "warning", 3, "measures nothing"),
        ("{metric: latency, threshold: 5}", "error", 3, "a goal needs 'name'"),
    ],
)
def test_what_cannot_be_measured_is_named(text: str, severity: str, column: int, words: str) -> None:
    _, problems = read("- " + text)
    assert [(p.severity, p.line, p.column) for p in problems] == [(severity, 1, column)]
    assert words in problems[0].message


def test_a_goal_may_be_defined_once() -> None:
    found, problems = read(
        "- {name: A, metric: latency, threshold: 5}\n- {name: A, metric: latency, threshold: 6}\n"
    )
    assert len(found) == 1
    assert [(p.line, p.message) for p in problems] == [(2, "the goal 'A' is defined twice, first on line 1")]


def test_a_goal_of_contract_alone_is_fine() -> None:
    found, problems = read("- {name: A, resourceContract: {priority: low}}\n")
    assert not problems
    assert found[0].goal.contract.priority == "low"
    assert found[0].goal.contract.sources["priority"] == "goal A"
