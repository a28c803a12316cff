"""Runs the tests of a bundle's prompts (`.test.prmd`) beside its declared ones: compiled only, no model is asked."""

import time
from collections.abc import Iterator, Mapping

from bundles.definitions import contents_of
from bundles.models import Revision
from bundles.prompttest import PromptResult, files_with_tests, run_file
from runtime.checks import CheckResult

LONGEST_S = 10.0  # of all of them together: they are computed in the process that answers


def of_revision(revision: Revision) -> list[CheckResult]:
    return of_files(contents_of(revision))


def of_files(files: Mapping[str, bytes]) -> list[CheckResult]:
    """Every test of every file, in the order of the files."""
    return list(_run(files, time.monotonic() + LONGEST_S))


def _run(files: Mapping[str, bytes], until: float) -> Iterator[CheckResult]:
    for path in files_with_tests(files):
        if time.monotonic() > until:
            why = f"not run: all tests of prompts together took longer than {LONGEST_S:.0f} seconds"
            yield CheckResult(path, path, 1, False, {}, {}, [why])
            continue
        began = time.perf_counter()
        for one in run_file(files, path):
            yield made(one, (time.perf_counter() - began) * 1000)
            began = time.perf_counter()


def made(one: PromptResult, spent: float) -> CheckResult:
    """As a declared test has it: what is expected, what came."""
    logs = [["info", f"skipped: {why}"] for why in one.skipped]
    return CheckResult(
        name=one.name or one.file,
        file=one.file,
        line=one.line,
        passed=one.passed,
        expected={"assert": one.wanted},
        actual={"output": one.text},
        reasons=list(one.reasons),
        duration_ms=round(spent, 2),
        logs=logs,
    )
