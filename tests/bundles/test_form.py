"""`form:` in the front matter: what is read, what is wrong with its line, and the fields that parameters get."""

from typing import Any

import pytest

from bundles import form, formfields, prompt, promptlint
from bundles.form import Form, Hint
from bundles.formfields import Input
from bundles.formpattern import for_browsers
from bundles.promptparams import Parameter

HEAD = "---\nid: a\nname: A\nversion: 1.0.0\ndescription: About a\nparameters: [{name: x}, {name: y}]\n"


def read(block: str) -> tuple[Form, list[tuple[str, int, int, str]]]:
    source = f"{HEAD}{block}\n---\nHi {{{{ x }}}}{{{{ y }}}}\n".encode()
    found = prompt.load({"a.prmd": source}, "a.prmd")
    made, problems = form.read(found, found.parameters)
    return made, [(one.severity, one.line, one.column, one.message) for one in problems]


def test_a_prompt_without_a_word_has_a_private_form() -> None:
    made, problems = read("tags: [a]")
    assert (made.enabled, made.public, made.title, made.description, made.submit) == (
        True,
        False,
        "A",
        "About a",
        "Send",
    )
    assert problems == []


def test_false_means_no_form_and_true_the_usual_one() -> None:
    assert not read("form: false")[0].enabled
    assert read("form: true")[0] == read("tags: [a]")[0]


@pytest.mark.parametrize(
    ("block", "line", "column", "said"),
    [
        ("form: [a]", 7, 7, "form must be a mapping"),
        ("form:\n  public: 'yes'", 8, 11, "'public' must be true or false"),
        ("form:\n  theme: {primaryColor: url(x)}", 8, 25, "is not a colour"),
        ("form:\n  theme: {backgroundColor: '#12345'}", 8, 28, "is not a colour"),
        ("form:\n  theme: {fontFamily: 'a;} b'}", 8, 23, "is not the name of a font"),
        ("form:\n  language: '\"><b>'", 8, 13, "is not a language"),
        ("form:\n  embed: ['*']", 8, 11, "is not an origin"),
        ("form:\n  embed: [https://a.example/path]", 8, 11, "is not an origin"),
        ("form:\n  groups: [{title: G, fields: [z]}]", 8, 32, "is not a parameter"),
        ("form:\n  groups: [{title: G, fields: [x, x]}]", 8, 35, "is defined twice"),
        ("form:\n  groups: [{fields: [x]}]", 8, 12, "a group needs 'title'"),
        ("form:\n  fields: {z: {label: Z}}", 8, 12, "there is no parameter 'z'"),
        ("form:\n  submit: " + "x" * 61, 8, 11, "the limit is 60"),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(block: str, line: int, column: int, said: str) -> None:
    _, problems = read(block)
    assert [(severity, at, place) for severity, at, place, _ in problems] == [("error", line, column)]
    assert said in problems[0][3]


def test_what_is_left_out_of_a_stylesheet_is_a_warning_at_its_line() -> None:
    made, problems = read("form:\n  customCss: |\n    .a { color: red }\n    .b { position: fixed }")
    assert made.css == ".form-scope .a { color: red; }"
    assert [(one[0], one[1]) for one in problems] == [("warning", 10)]


def test_an_import_tells_of_the_form_too() -> None:
    source = f"{HEAD}form: {{public: 3}}\n---\nHi\n".encode()
    problems = promptlint.check({"a.prmd": source}, "a.prmd")
    assert [one.code for one in problems if "public" in one.message] == ["INVALID_FORM"]  # type: ignore[attr-defined]


def field(hint: Hint | None = None, **more: Any) -> Input:
    return formfields.make(Parameter("a", **more), 0, hint or Hint(), max_bytes=1_000)


@pytest.mark.parametrize(
    ("more", "control"),
    [
        ({}, "text"),
        ({"max_length": 161}, "textarea"),
        ({"default": "a\nb", "has_default": True}, "textarea"),
        ({"enum": ("a", "b")}, "select"),
        ({"type": "integer", "enum": (1, 2)}, "select"),
        ({"type": "integer"}, "number"),
        ({"type": "float"}, "number"),
        ({"type": "boolean"}, "checkbox"),
        ({"type": "array"}, "textarea"),
        ({"type": "array", "enum": ("a", "b")}, "checks"),
        ({"type": "array", "enum": (["a"], ["b"])}, "textarea"),
        ({"type": "object"}, "textarea"),
        ({"type": "json"}, "textarea"),
        ({"type": "file"}, "file"),
        ({"type": "base64"}, "file"),
    ],
)
def test_each_type_has_its_field(more: dict[str, Any], control: str) -> None:
    assert field(**more).control == control


def test_what_is_needed_is_marked_unless_there_is_a_default() -> None:
    assert field(required=True).required
    assert not field(required=True, has_default=True, default="x").required
    assert not field(required=True, type="boolean").required


def test_numbers_are_bound_as_browsers_write_it() -> None:
    assert dict(field(type="integer", minimum=1.5, maximum=9.0).attributes) == {
        "step": "1", "inputmode": "numeric", "min": "2", "max": "9",
    }  # fmt: skip
    assert dict(field(type="number", minimum=-0.5).attributes) == {
        "step": "any",
        "inputmode": "decimal",
        "min": "-0.5",
    }


def test_a_file_in_base64_has_three_quarters_of_the_room() -> None:
    assert formfields.file_limit(Parameter("a", "base64"), 1_000) == 750
    assert formfields.file_limit(Parameter("a", "base64", max_length=40), 1_000) == 30
    assert "750 bytes" in field(type="base64").help


def test_a_default_stands_in_the_field_as_one_would_write_it() -> None:
    assert field(type="array", has_default=True, default=["a", "b"]).initial == ("a\nb",)
    assert field(type="object", has_default=True, default={"a": 1}).initial == ('{\n  "a": 1\n}',)
    assert field(type="boolean", has_default=True, default=True).initial == ("true",)
    assert field(type="file", has_default=True, default="x").initial == ()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("orderId", "Order id"),
        ("order_id", "Order id"),
        ("URL", "URL"),
        ("a", "A"),
        ("__", "__"),
        ("dateOfBirth", "Date of birth"),
    ],
)
def test_names_are_labels_for_people(name: str, label: str) -> None:
    assert formfields.label(name) == label


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("^[A-Z]{2}$", "^[A-Z]{2}$"),
        (r"\d+\s", r"\d+[\t\n\f\r ]"),
        (r"[\s,]", r"[\t\n\f\r ,]"),
        ("a.c", r"a[^\n]c"),
        ("(?:a|b)", "(?:a|b)"),
        ("(?i)a", None),
        ("(?P<n>a)", None),
        (r"\A\z", None),
        (r"\pL", None),
        ("[[:alpha:]]", None),
        ("[]a]", None),
        (r"[\S]", None),
        (r"\Q.\E", None),
        ("\\", None),
    ],
)
def test_patterns_are_told_to_browsers_where_both_mean_the_same(pattern: str, said: str | None) -> None:
    assert for_browsers(pattern) == said
