"""What an import tells of the prompts of a bundle, and how much work it takes for that."""

import re
from collections.abc import Iterable
from collections.abc import Mapping as Map

from bundles import form, promptrehearsal
from bundles.promptcompile import Prepared, include_path, prepare
from bundles.promptfiles import Shelf, folder_of, spent
from bundles.promptfront import Diagnostic, warning
from bundles.values import Place, Problem, Report

INCLUDE = re.compile(r"""\{%-?\s{0,20}include\s{1,20}["']([^"'\n]{1,500})["']\s{0,20}-?%\}""")
MAX_PROMPTS = 500
FORM_WORK = 5  # what a character counts beside a form, whose stylesheet is taken apart
MAX_WORK = 1_000_000  # characters of all prompts of a bundle with all that they refer to


def check(files: Map[str, bytes], path: str) -> tuple[Problem, ...]:
    """What is wrong with one prompt; also includes that are not there."""
    prepared = prepare(files, path)
    return (
        *prepared.problems,
        *_includes(prepared),
        *_form(prepared),
        *promptrehearsal.check(prepared.prompt),
    )


def check_all(files: Map[str, bytes], paths: Iterable[str], report: Report) -> None:
    """The same of many: many small prompts may name one large file, so the whole is bounded."""
    work = 0
    for number, path in enumerate(paths):
        if work > MAX_WORK or number >= MAX_PROMPTS:
            said = "this prompt and those after it are not checked: the prompts of this bundle are too large"
            report.extend((warning(Place(path, 1, 1), "NOT_CHECKED", said),))
            return
        before = spent.work
        prepared = prepare(files, path)
        work += len(prepared.text.content) + sum(map(len, prepared.text.contexts))
        work += spent.work - before
        work += FORM_WORK * len(files[path]) if prepared.prompt.node("form") else 0
        report.extend((*prepared.problems, *_includes(prepared), *_form(prepared)))
        report.extend(promptrehearsal.check(prepared.prompt))


def _includes(prepared: Prepared) -> list[Diagnostic]:
    found = []
    shelf, content = Shelf(prepared.files, folder_of(prepared.prompt.file)), prepared.text.content
    line = at = 0
    for match in INCLUDE.finditer(content):
        line += content.count("\n", at, match.start())
        at = match.start()
        if not include_path(shelf, match[1]):
            place = prepared.text.place(line + 1, at - content.rfind("\n", 0, at))
            found.append(warning(place, "INCLUDE_NOT_FOUND", f"the included file '{match[1]}' is not there"))
    return found


def _form(prepared: Prepared) -> tuple[Problem, ...]:
    return form.read(prepared.prompt, prepared.parameters)[1]
