"""Tests of prompts: each check holds or says why not."""

from typing import Any

import pytest

from bundles.prompttest import CHECKS, judge, run_tests
from tests.bundles.promptsamples import prmd


def samples(text: str, head: str = "target: ./x.prmd\n", body: str = "Hello {{ name }}!") -> dict[str, bytes]:
    return {
        "a/x.prmd": prmd(body, "parameters: [name]\n"),
        "a/x.test.prmd": prmd("", f"{head}tests:\n{text}"),
    }


CASES: list[tuple[str, Any, Any]] = [
    ("contains", "HELLO", "bye"),
    ("contains", ["hello", "ann"], ["hello", "bob"]),
    ("not_contains", ["bob"], ["ann"]),
    ("matches", "^Hello [A-Z]", "^[a-z]"),
    ("starts_with", "hello", "Ann"),
    ("ends_with", "ann.", "hello"),
    ("min_words", 2, 3),
    ("max_words", 2, 1),
    ("min_tokens", 3, 4),
    ("max_tokens", 3, 2),
]


@pytest.mark.parametrize(("check", "holds", "fails"), CASES)
def test_every_check(check: str, holds: Any, fails: Any) -> None:
    assert judge("Hello Ann.", check, holds) == ""
    assert judge("Hello Ann.", check, fails).startswith(check)


def test_all_checks_are_tried() -> None:
    assert {check for check, _, _ in CASES} == set(CHECKS)


@pytest.mark.parametrize(
    ("check", "value"), [("contain", "a"), ("min_words", "a"), ("contains", []), ("matches", "(?=a)")]
)
def test_a_check_that_cannot_be_made_fails(check: str, value: Any) -> None:
    assert judge("a", check, value)


def test_results_stand_at_their_lines() -> None:
    text = (
        "  - name: good\n    params: {name: Ann}\n    assert: [{check: contains, value: Ann}]\n"
        "  - name: bad\n    params: {name: Ann}\n    assert:\n"
        "      - {evaluator: nlp, check: contains, value: Bob}\n      - {evaluator: prmd}\n"
    )
    good, bad = run_tests(samples(text))
    assert (good.name, good.line, good.passed) == ("good", 7, True)
    assert (bad.name, bad.line, bad.passed) == ("bad", 10, False)
    assert bad.reasons == ("contains 'Bob': it does not hold",)
    assert bad.skipped == ("evaluator 'prmd' is not run here",)


def test_the_target_is_the_file_of_the_same_name() -> None:
    text = "  - {name: a, assert: [{check: contains, value: hello}]}\n"
    assert [one.passed for one in run_tests(samples(text, head=""))] == [True]
    found = run_tests(samples(text, head="target: ../../x.prmd\n"))
    assert found[0].reasons == ("the target leaves the bundle folder",)


def test_an_error_may_be_expected() -> None:
    text = "  - {name: a, expect_error: true}\n  - {name: b}\n"
    assert [one.passed for one in run_tests(samples(text, body="{% if %}"))] == [True, False]
    assert [one.passed for one in run_tests(samples(text))] == [False, True]


def test_a_model_may_be_asked() -> None:
    text = "  - {name: a, assert: [{check: contains, value: PONG}]}\n"
    assert [one.passed for one in run_tests(samples(text), lambda compiled: f"pong {compiled.output}")] == [
        True
    ]


@pytest.mark.parametrize("text", ["  - 1\n", "  []\n", "  - {assert: [1]}\n", "  - {params: 3}\n"])
def test_tests_of_any_form_fail_and_never_raise(text: str) -> None:
    assert [one.passed for one in run_tests(samples(text))] == [False]
