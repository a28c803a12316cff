"""Conformance: every prompt of the corpus compiles to what upstream makes of it, and the broken ones say why."""

import json
from pathlib import Path
from typing import Any

import pytest

from bundles import prompttest
from bundles.promptcompile import compile_prompt, prepare
from bundles.promptfolder import PromptFolder
from bundles.promptlint import check
from tests.bundles.promptsamples import codes


def cases(corpus: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((corpus / "expected" / "prmd_cases.json").read_text())
    assert len(found) >= 123
    return found


def test_every_case_is_equal(corpus: Path) -> None:
    files = PromptFolder(corpus / "prompd")
    unlike = []
    for case in cases(corpus):
        found = compile_prompt(files, case["file"], case["params"])
        if case["oracle_verified"] and found.output != case["output"]:
            unlike.append((case["file"], case["case"]))
    assert unlike == []


def test_every_case_has_the_problems_of_upstream(corpus: Path) -> None:
    files = PromptFolder(corpus / "prompd")
    for case in cases(corpus):
        found = compile_prompt(files, case["file"], case["params"])
        wrong = {"error": [], "warning": []}  # type: dict[str, list[str]]
        for problem, code in zip(found.problems, codes(found.problems), strict=True):
            wrong[problem.severity].append(code)
        assert wrong["error"] == [text.split()[0] for text in case["errors"]], (case["file"], found.problems)
        assert wrong["warning"] == [text.split()[0] for text in case["warnings"]], case["file"]


def test_an_import_finds_nothing_more(corpus: Path) -> None:
    files = PromptFolder(corpus / "prompd")
    broken = {case["file"] for case in cases(corpus) if not case["ok"]}
    for name in files:
        if name.endswith(".prmd"):
            errors = [one for one in check(files, name) if one.severity == "error"]
            assert bool(errors) == (name in broken), (name, errors)


@pytest.mark.parametrize(
    ("name", "params", "expected"),
    [
        ("prompts/base-prompt.prmd", {}, "base-prompt-result.md"),
        ("prompts/basic-inheritance.prmd", {"topic": "prompdhub.ai"}, "basic-inheritance-result.md"),
        ("assistants/code-assistant.prmd", {}, "code-assistant-result.md"),
    ],
)
def test_the_older_dialect_is_as_recorded(
    corpus: Path, name: str, params: dict[str, Any], expected: str
) -> None:
    found = compile_prompt(PromptFolder(corpus / "prompd_legacy" / "src"), name, params)
    assert found.problems == ()
    assert found.output == (corpus / "prompd_legacy" / "expected" / expected).read_text()


def test_the_tests_of_the_corpus_pass(corpus: Path) -> None:
    found = prompttest.run_tests(PromptFolder(corpus / "prompd"))
    assert len(found) >= 4
    assert [one for one in found if not one.passed and "category" not in one.reasons[0]] == []
    assert sum(bool(one.skipped) for one in found) >= 1


def test_parameters_of_the_corpus_are_all_read(corpus: Path) -> None:
    files = PromptFolder(corpus / "prompd")
    found = [one for name in files if name.endswith(".prmd") for one in prepare(files, name).parameters]
    assert len(found) > 150
    assert {"string", "boolean", "array", "integer", "json"} <= {one.type for one in found}
