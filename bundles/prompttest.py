"""Tests of prompts: `.test.prmd` files name a prompt, values for it, and what must be true of the text."""

import math
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any, TypeGuard

from bundles import fields, promptfront
from bundles.celerror import CelError
from bundles.celregex import pattern as regex
from bundles.fields import Field
from bundles.promptcompile import Compiled, Prepared, prepare
from bundles.promptfiles import FileFault, Shelf, folder_of
from bundles.promptfront import Front, plain
from bundles.values import Mapping, Node, Report, Scalar, Sequence, shown

ENDING = ".test.prmd"
MAX_TESTS = 200  # of one file
CHARACTERS = 4  # of a token, about

TEST_FILE_FIELDS = fields.table(
    Field("target", "text", "The prompt, from this file; by default the one of the same name"),
    Field("tests", "list", "The tests"),
)
TEST_FIELDS = fields.table(
    Field("name", "text", "Name of the test"),
    Field("params", "map", "What the prompt is given"),
    Field("assert", "list", "What must be true"),
    Field("expect_error", "any", "true: the prompt must not compile"),
)
ASSERT_FIELDS = fields.table(
    Field("evaluator", "text", "nlp is decided here; script and prmd are skipped"),
    Field("check", "text", "One of the checks"),
    Field("value", "any", "What is looked for: a text, a list of texts, or a number"),
)
Answer = Callable[[Compiled], str]


@dataclass(frozen=True, slots=True)
class PromptResult:
    """One test: it passed when there is no reason against it."""

    file: str
    line: int
    name: str
    reasons: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    wanted: Any = None  # what must be true, as the file has it
    text: str = ""  # what was looked at

    @property
    def passed(self) -> bool:
        return not self.reasons


def run_tests(files: Map[str, bytes], answer: Answer | None = None) -> list[PromptResult]:
    """Every test of these files; without a model the compiled prompt itself is looked at."""
    return [one for path in files_with_tests(files) for one in run_file(files, path, answer)]


def files_with_tests(files: Map[str, bytes]) -> list[str]:
    return sorted(path for path in files if path.endswith(ENDING))


def run_file(files: Map[str, bytes], path: str, answer: Answer | None = None) -> Iterator[PromptResult]:
    """One after the other, so that whoever asks may stop."""
    front = promptfront.read(files[path], path)
    items = _items(front)
    if isinstance(items, PromptResult):
        yield items
        return
    try:
        prepared = prepare(files, target_of(front, files))
    except FileFault as wrong_target:
        yield PromptResult(path, 1, "", (f"the target {wrong_target}",))
        return
    for item in items:
        yield _run(item, front, prepared, answer)


def declared(files: Map[str, bytes]) -> Iterator[PromptResult]:
    """The tests as they are written, and not run."""
    for path in files_with_tests(files):
        front = promptfront.read(files[path], path)
        items = _items(front)
        if isinstance(items, PromptResult):
            yield items
            continue
        for item in items:
            node = item.entries.get("name") if isinstance(item, Mapping) else None
            yield PromptResult(path, item.place.line, node.text if isinstance(node, Scalar) else "")


def example(files: Map[str, bytes], prompt: str) -> dict[str, Any] | None:
    """What the first test of a prompt, named by its path, gives it."""
    for path in files_with_tests(files):
        front = promptfront.read(files[path], path)
        items = _items(front)
        if isinstance(items, list) and _aimed(front, files) == prompt:
            given = (plain(one.entries["params"]) for one in items if _has_params(one))
            return next((values for values in given if isinstance(values, dict)), None)
    return None


def _aimed(front: Front, files: Map[str, bytes]) -> str:
    try:
        return target_of(front, files)
    except FileFault:
        return ""


def _has_params(item: Node) -> TypeGuard[Mapping]:
    return isinstance(item, Mapping) and "params" in item.entries and not _expects_error(item)


def _items(front: Front) -> list[Node] | PromptResult:
    """The tests of a file, or why there are none."""
    if front.head is None:
        wrong = next((p for p in front.problems if p.severity == "error"), None)
        said = wrong.message if wrong else "the file cannot be read"
        return PromptResult(front.file, wrong.line if wrong else 1, "", (said,))
    tests = front.head.entries.get("tests")
    if not isinstance(tests, Sequence) or not tests.items:
        return PromptResult(front.file, 1, "", ("the file has no 'tests'",))
    return list(tests.items[:MAX_TESTS])


def target_of(front: Front, files: Map[str, bytes]) -> str:
    node = front.head.entries.get("target") if front.head else None
    name = front.file.rpartition("/")[2].removesuffix(ENDING) + ".prmd"
    written = node.text if isinstance(node, Scalar) and node.text else name
    return Shelf(files, folder_of(front.file)).find(written)


def _run(item: Node, front: Front, prepared: Prepared, answer: Answer | None) -> PromptResult:
    if not isinstance(item, Mapping):
        return PromptResult(front.file, item.place.line, "", ("a test must be fields (name: …)",))
    found = fields.read(_known(item), TEST_FIELDS, report := Report(), of="a test")
    name, line = found.get("name", ""), item.place.line
    given = plain(found.get("params")) if found.get("params") else {}
    compiled = prepared.render(given)
    errors = [problem.message for problem in compiled.problems if problem.severity == "error"]
    reasons = [problem.message for problem in report.errors]
    skipped: list[str] = []
    if _expects_error(item):
        reasons += [] if errors else ["it compiles, but an error is expected"]
        return PromptResult(front.file, line, name, tuple(reasons), (), "an error", str(compiled.output))
    text = answer(compiled) if answer and not errors else str(compiled.output)
    for said, decided in _asserted(found.items("assert"), text):
        (reasons if decided else skipped).append(said)
    wanted = plain(item.entries["assert"]) if "assert" in item.entries else None
    return PromptResult(front.file, line, name, (*errors, *reasons), tuple(skipped), wanted, text)


def _known(item: Mapping) -> Mapping:
    known = {key: value for key, value in item.entries.items() if key in TEST_FIELDS}
    return Mapping(item.place, known, item.keys)


def _expects_error(item: Mapping) -> bool:
    node = item.entries.get("expect_error")
    return isinstance(node, Scalar) and node.value is True


def _asserted(items: list[Node], text: str) -> Iterator[tuple[str, bool]]:
    """What is wrong, and what could not be decided here."""
    for item in items:
        wanted = plain(item)
        if not isinstance(wanted, dict):
            yield "an assert must be fields (check: …, value: …)", True
            continue
        evaluator = str(wanted.get("evaluator", "nlp"))
        if evaluator != "nlp":
            yield f"evaluator {shown(evaluator)} is not run here", False
        elif why := judge(text, str(wanted.get("check", "")), wanted.get("value")):
            yield why, True


def judge(text: str, check: str, value: Any) -> str:
    """Why a text does not stand up to a check; empty when it does."""
    if check not in CHECKS:
        return f"unknown check {shown(check)}; known: {', '.join(CHECKS)}"
    if check in COUNTS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{check} needs a number"
        count = CHECKS[check](text, "")
        fits = count >= value if check.startswith("min_") else count <= value
        return "" if fits else f"{check} {value:g}: it has {count}"
    values = [str(one) for one in (value if isinstance(value, list) else [value]) if one is not None]
    if not values:
        return f"{check} needs a value"
    try:
        failed = [one for one in values if not CHECKS[check](text, one)]
    except (CelError, UnicodeError) as wrong:
        return str(wrong)
    return f"{check} {shown(failed[0])}: it does not hold" if failed else ""


def _tokens(text: str, _: str) -> int:
    return math.ceil(len(text) / CHARACTERS)


def _words(text: str, _: str) -> int:
    return len(text.split())


def _matches(text: str, value: str) -> bool:
    return regex(value).search(text) is not None


CHECKS: Map[str, Callable[[str, str], Any]] = {
    "contains": lambda text, value: value.lower() in text.lower(),
    "not_contains": lambda text, value: value.lower() not in text.lower(),
    "matches": _matches,
    "starts_with": lambda text, value: text.lstrip().lower().startswith(value.lower()),
    "ends_with": lambda text, value: text.rstrip().lower().endswith(value.lower()),
    "min_tokens": _tokens,
    "max_tokens": _tokens,
    "min_words": _words,
    "max_words": _words,
}
COUNTS = frozenset(name for name in CHECKS if name.startswith(("min_", "max_")))
