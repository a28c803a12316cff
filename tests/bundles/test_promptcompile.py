"""Compiling: sections, files, packages, inheritance and overrides, in upstream's order."""

from typing import Any

import pytest

from bundles.promptcompile import prepare
from bundles.promptlint import check
from tests.bundles.promptsamples import HEAD, codes, of, places, prmd

PATH = "prompts/x.prmd"


def text(files: dict[str, bytes], params: dict[str, Any] | None = None) -> Any:
    found = of(files, params)
    assert codes(found.problems) == []
    return found.output


def test_values_stand_where_their_names_stood() -> None:
    main = prmd("Hello {{ name }}, {{ n }}!\n", "parameters: [{name: name, default: World}, {name: n}]\n")
    assert text({PATH: main}) == "Hello World, !"
    assert text({PATH: main}, {"name": "<Ann>", "n": 1.0}) == "Hello <Ann>, 1!"


def test_sections_of_the_front_matter_follow_the_text_in_their_order() -> None:
    main = prmd("Body", "output: O\nsystem: S {{ 1 + 1 }}\nuser: U\ntask: T\n")
    assert text({PATH: main}) == "Body\n\n# System\n\nS 2\n\n# Task\n\nT\n\n# User\n\nU\n\n# Output\n\nO"


def test_files_take_the_place_of_their_paths() -> None:
    files = {
        PATH: prmd("Body [file:data.json]", "system: ../s.md\nuser: [a.txt, ./b.py]\n"),
        "s.md": b"Be {{ how }}.\n",
        "prompts/a.txt": b"A",
        "prompts/b.py": b"x = 1",
        "prompts/data.json": b"{}",
    }
    assert text(files, {"how": "brief"}) == (
        "Body ```json\n{}\n```\n\n# System\n\nBe brief.\n\n\n# User\n\nA\n\n```python\nx = 1\n```"
    )


def test_an_empty_file_leaves_the_path() -> None:
    assert text({PATH: prmd("B", "system: ../s.md\n"), "s.md": b""}) == "B\n\n# System\n\n../s.md"


def test_context_files_come_first_and_choose_the_code() -> None:
    body = "Look:\n\n```ts\na\n```\n\n```go\nb\n```\n\n```\nc\n```"
    files = {PATH: prmd(body, "context: [./a.ts, n.md]\n"), "prompts/a.ts": b"let a", "prompts/n.md": b"Note"}
    assert text(files) == (
        "# Extracted Context Files\n\n## Context from a.ts\n\n```typescript\nlet a\n```\n\n"
        "## Context from n.md\n\nNote\n\nLook:\n\n```ts\na\n```\n\n```\nc\n```"
    )


@pytest.mark.parametrize("head", ["system: ../s.md\n", "system: [../s.md]\n", "context: ../s.md\n"])
def test_a_file_that_is_not_there_is_told_at_its_path(head: str) -> None:
    found = of({PATH: prmd("Body", head)})
    assert codes(found.problems) == ["FILE_NOT_FOUND"]
    assert found.problems[0].line == 5
    assert str(found.output).startswith("Body")


def test_a_pdf_is_not_text() -> None:
    found = of({PATH: prmd("Body", "context: [a.pdf]\n"), "prompts/a.pdf": b"%PDF-1.7"})
    assert "cannot be read as text" in found.problems[0].message


# -- inheritance ------------------------------------------------------------------------------------------

BASE = prmd(
    "# Base\n\nOf {{ what }} in {{ how }}.\n", "parameters: [what, {name: how, default: short}]\nsystem: no\n"
)


def test_a_parent_comes_first_and_its_defaults_and_sections_do_not() -> None:
    files = {PATH: prmd("# More\n", "inherits: ./base.prmd\n"), "prompts/base.prmd": BASE}
    assert text(files, {"what": "tea"}) == "# Base\n\nOf tea in .\n\n# More"
    assert [(one.name, one.inherited) for one in prepare(files, PATH).parameters] == [
        ("what", True),
        ("how", True),
    ]


def test_a_child_may_have_no_text() -> None:
    files = {PATH: prmd("", "inherits: ./base.prmd\n"), "prompts/base.prmd": BASE}
    assert text(files) == "# Base\n\nOf  in ."


def test_only_one_level_is_inherited() -> None:
    files = {
        PATH: prmd("C", "inherits: ./b.prmd\n"),
        "prompts/b.prmd": prmd("B", "inherits: ./a.prmd\n"),
        "prompts/a.prmd": prmd("A"),
    }
    assert text(files) == "B\n\nC"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("./none.prmd", "INHERITS_FILE_NOT_FOUND"),
        ("../../../etc/passwd", "INHERITS_FILE_NOT_FOUND"),
        ("/etc/passwd", "INHERITS_FILE_NOT_FOUND"),
        ("https://example.org/x.prmd", "INHERITS_FILE_NOT_FOUND"),
        ("'@a/b@1.0.0/x.prmd'", "INHERITS_NOT_FOUND"),
        ("'@a/b@1.0.0/../../secret.prmd'", "INHERITS_NOT_FOUND"),
        ("'@a'", "INHERITS_NOT_FOUND"),
        ("./x.prmd", "INHERITS_ITSELF"),
    ],
)
def test_a_parent_that_cannot_be_is_told_and_the_child_still_compiles(written: str, code: str) -> None:
    files = {PATH: prmd("Child", f"inherits: {written}\n"), "secret.prmd": prmd("secret")}
    found = of(files)
    assert codes(found.problems) == [code]
    assert found.problems[0].line == 5
    assert found.output == "Child"


def test_a_parent_that_cannot_be_read() -> None:
    found = of({PATH: prmd("Child", "inherits: ./b.prmd\n"), "prompts/b.prmd": b"no front"})
    assert codes(found.problems) == ["INHERITS_FAILED"]
    assert found.output == "Child"


def test_sections_are_replaced_removed_and_added() -> None:
    parent = "lost\n\n# One\n\n1\n\n<!-- section-id: mine -->\n## Two!\n\n2\n\n\n\n# Three\n\n3"
    files = {
        PATH: prmd(
            "# Three\n\nours\n\n# Four\n\n4", "inherits: ./b.prmd\noverride: {one: ../one.md, mine: null}\n"
        ),
        "prompts/b.prmd": prmd(parent),
        "one.md": b"\n# First\n",
    }
    assert text(files) == "# First\n\n# Three\n\nours\n\n# Four\n\n4"


def test_sections_that_cannot_be_told_apart_are_put_after_one_another() -> None:
    files = {
        PATH: prmd("# A", "inherits: ./b.prmd\noverride: {a: null}\n"),
        "prompts/b.prmd": prmd("# B\n\n# B"),
    }
    found = of(files)
    assert codes(found.problems) == ["OVERRIDE_FAILED"]
    assert found.output == "# B\n\n# B\n\n# A"


def test_a_prompt_overrides_its_own_sections() -> None:
    files = {
        PATH: prmd("# A\n\na\n\n# B\n\nb", "override: {a: a.md, b: null, c: c.md}\n"),
        "prompts/a.md": b"New",
    }
    found = of(files)
    assert codes(found.problems) == ["OVERRIDE_FAILED"]
    assert found.output == "New"


# -- packages ---------------------------------------------------------------------------------------------

PACKAGE = {
    "packages/@ns/elsewhere/prompd.json": b'{"name": "@ns/pkg", "version": "1.0.0"}',
    "packages/@ns/elsewhere/prompts/base.prmd": prmd("Base"),
    "packages/@ns/elsewhere/notes.md": b"Notes",
    "packages/@ns/old/prompd.json": b'{"name": "@ns/pkg", "version": "0.9.0"}',
    "packages/@ns/old/prompts/base.prmd": prmd("Old"),
    "packages/@ns/bad/prompd.json": b"[" * 100_000,
}
USING = "using: [{name: '@ns/pkg@1.0.0', prefix: '@p'}]\n"


@pytest.mark.parametrize(
    ("head", "base"),
    [
        (USING + "inherits: '@p/prompts/base.prmd'\n", "Base"),
        ("inherits: '@ns/pkg@1.0.0/prompts/base.prmd'\n", "Base"),
        ("inherits: '@ns/pkg@0.9.0/prompts/base.prmd'\n", "Old"),
        ("inherits: '@ns/pkg/prompts/base.prmd'\n", "Base"),
        ("using: {'@ns/pkg@0.9.0': '@q'}\ninherits: '@q/prompts/base.prmd'\n", "Old"),
    ],
)
def test_packages_are_found_by_the_name_in_their_manifest(head: str, base: str) -> None:
    assert text({PATH: prmd("Child", head), **PACKAGE}) == f"{base}\n\nChild"


@pytest.mark.parametrize(
    "name", ["@ns/pkg@1.0.1", "@ns/pgk@1.0.0", "@ns/pkg@1.0", "@NS/pkg@1.0.0", "@ns/bad@1.0.0"]
)
def test_nearly_the_right_name_or_version_is_another_package(name: str) -> None:
    found = of({PATH: prmd("Child", f"using: [{{name: '{name}', prefix: p}}]\n"), **PACKAGE})
    assert codes(found.problems) == ["PACKAGE_NOT_FOUND"]
    assert found.problems[0].severity == "warning"


def test_files_of_a_package_stand_where_they_are_named() -> None:
    body = "See @@p/prompts/base and @@p/notes.md but @@p/none"
    found = of({PATH: prmd(body, USING), **PACKAGE})
    assert found.output == "See Base and Notes but [Not found: @@p/none]"
    assert codes(found.problems) == ["PACKAGE_FILE_NOT_FOUND"]


def test_a_package_is_not_left() -> None:
    found = of({PATH: prmd("@@p/../old/prompts/base.prmd", USING), **PACKAGE})
    assert found.output == "[Not found: @@p/../old/prompts/base.prmd]"


def test_a_package_needs_a_prefix() -> None:
    found = of({PATH: prmd("a", "using: [{name: '@ns/pkg@1.0.0'}]\n"), **PACKAGE})
    assert codes(found.problems) == ["MISSING_PREFIX"]


# -- templates --------------------------------------------------------------------------------------------


def test_includes_bring_bodies_alone() -> None:
    files = {
        PATH: prmd('{% include "../parts/a.prmd" %}|{% include "../parts/a" %}|{% include "b.txt" %}'),
        "parts/a.prmd": prmd("A {{ v }}\n"),
        "prompts/b.txt": b"B",
    }
    assert text(files, {"v": 1}) == "A 1|A 1|B"


@pytest.mark.parametrize(
    "name", ["none.md", "../../etc/passwd", "/etc/passwd", "https://example.org/a", "..\\a", "x.prmd"]
)
def test_an_include_that_cannot_be_is_an_error_at_its_line(name: str) -> None:
    body = "One {{ v }}\n{% include '" + name + "' %}"
    found = of({PATH: prmd(body)}, {"v": 1})
    assert codes(found.problems) == ["TEMPLATE_SYNTAX_ERROR"]
    assert str(found.output).startswith("One 1\n")


def test_a_fault_of_the_template_is_at_its_line_and_the_rest_is_still_filled_in() -> None:
    found = of(
        {PATH: prmd("\nHello {{ a.b }} {{ c }} {d}\n{% if %}\n", "parameters: [a]\n")}, {"a": {"b": [1, 2]}}
    )
    assert codes(found.problems) == ["TEMPLATE_SYNTAX_ERROR"]
    assert places(found.problems)[0][:2] == (PATH, 9)
    assert found.output == "Hello 1,2 [Missing: c] [Missing: d]\n{% if %}"


def test_a_fault_in_a_parent_is_told_in_its_file() -> None:
    files = {PATH: prmd("Child\n{% if %}", "inherits: ./b.prmd\n"), "prompts/b.prmd": prmd("Base\n\nof it")}
    assert places(of(files).problems)[0][:2] == (PATH, 8)
    files["prompts/b.prmd"] = prmd("Base\n{% for %}")
    assert places(of(files).problems)[0][:2] == ("prompts/b.prmd", 7)


def test_an_execution_shows_values_as_workflow_too() -> None:
    prepared = prepare({PATH: prmd("{{ workflow.a }}{{ a }}")}, PATH)
    assert prepared.render({"a": 1}, execution=True).output == "11"
    assert prepared.render({"a": 1}).output == "1"


def test_one_rendering_leaves_nothing_for_the_next() -> None:
    main = prmd(
        "{% set a = a + 1 %}{{ a }}{{ b | join }}",
        "parameters: [{name: a, default: 1}, {name: b, default: [x]}]\n",
    )
    prepared = prepare({PATH: main}, PATH)
    assert [prepared.render({}).output for _ in range(3)] == ["2x", "2x", "2x"]
    assert prepared.render({"a": 5}).output == "6x"


def test_misfits_are_warnings_when_something_is_given() -> None:
    head = "parameters: [{name: a, required: true}, {name: n, type: number, minimum: 1}, {name: p, pattern: '^x'}]\n"
    prepared = prepare({PATH: prmd("{{ n }}", head)}, PATH)
    assert prepared.render({}).problems == ()
    found = prepared.render({"n": 0, "p": "y"})
    assert codes(found.problems) == ["MISSING_PARAMETER", "RANGE", "PATTERN"]
    assert codes(prepared.render({"a": 1, "n": True}).problems) == ["WRONG_TYPE"]
    assert {problem.severity for problem in found.problems} == {"warning"}
    assert found.output == "0"


def test_single_braces_are_read_where_there_are_no_double_ones() -> None:
    main = prmd('Of {a}:\n{%- if a == "x" %}\nyes {"a": {b}}\n{%- endif %}\nend', "parameters: [a]\n")
    assert text({PATH: main}, {"a": "x"}) == 'Of x:\nyes {"a": {b}}\nend'
    assert text({PATH: prmd("{a} {{ a }}", "parameters: [a]\n")}, {"a": "x"}) == "{a} x"


def test_a_fault_in_the_older_dialect_is_told_at_its_own_line() -> None:
    main = prmd("{a}\n{% if a %}\nx\n{% endif %}\n{% for %}\n", "parameters: [a]\n")
    assert places(of({PATH: main}).problems)[0][:2] == (PATH, 11)


# -- an import --------------------------------------------------------------------------------------------


def test_an_import_tells_more() -> None:
    found = check({PATH: prmd("a\n {% include 'none.md' %}")}, PATH)
    assert codes(found) == ["INCLUDE_NOT_FOUND"]
    assert places(found) == [(PATH, 7, 2)]
    assert codes(check({PATH: prmd("{% if %}")}, PATH)) == ["TEMPLATE_SYNTAX_ERROR"]


def test_nothing_comes_of_a_file_that_is_no_prompt() -> None:
    found = of({PATH: b"---\n" + HEAD.replace("id: x", "id: X Y").encode() + b"---\nbody"})
    assert (found.output, codes(found.problems)) == ("", ["INVALID_ID"])
