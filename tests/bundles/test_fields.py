"""The reader of mappings: types, ranges, what YAML made of a value, unknown keys."""

import pytest

from bundles import fields, values
from bundles.fields import Field, Read
from bundles.values import Mapping, Problem, Report

TABLE = fields.table(
    Field("name", "name", "the name"),
    Field("note", "text", "prose"),
    Field("path", "string", "a text"),
    Field("count", "integer", "a whole number", low=1, high=10),
    Field("share", "number", "a number", high=1),
    Field("open", "boolean", "yes or no"),
    Field("wait", "duration", "a time"),
    Field("size", "choice", "one of", choices=("small", "large")),
    Field("to", "target", "a target"),
    Field("list", "list", "a list"),
    Field("map", "map", "a map"),
)


def read(text: str, *, strict: bool = False) -> tuple[Read, tuple[Problem, ...]]:
    root = values.parse(text.encode(), file="a.yaml").root
    assert isinstance(root, Mapping)
    report = Report()
    return fields.read(root, TABLE, report, of="a thing", strict=strict), report.problems()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: on", "'name' must be text, but YAML reads on as the boolean true"),
        ("name: 1:30", "'name' must be text, but YAML reads 1:30 as the number 90 (base 60)"),
        ("name: 010", "YAML reads 010 as the number 8 (octal)"),
        ("name: 2026-01-01", "YAML reads 2026-01-01 as a date"),
        ("name: [a]", "'name' must be text, but here is a list"),
        ("name: 'a\u200bb'", "invisible character U+200B"),
        (
            "count: 010",
            "'count' must be a whole number in decimal digits, but YAML reads 010 as the number 8 (octal)",
        ),
        ("count: 1:30", "base 60"),
        ("count: 1_0", "underscores"),
        ("count: 2.0", "must be a whole number"),
        ("count: true", "YAML reads true as the boolean true"),
        ("count: '5'", "here is the text '5'"),
        ("count: 0", "must be from 1 to 10, but is 0"),
        ("count: -3", "must be from 1 to 10, but is -3"),
        ("count: 99999999999999999999", "must be from 1 to 10"),
        ("share: 1e3", "'share' must be a decimal number, but here is the text '1e3'"),
        ("share: 1.5", "must be from 0 to 1, but is 1.5"),
        ("open: maybe", "must be true or false, but here is the text 'maybe'"),
        ("open: 1", "must be true or false"),
        ("wait: 5", "'wait' is 5 without a unit; write an integer and a unit: ms, s, m, h or d"),
        ("wait: 1:30", "YAML reads 1:30 as the number 90 (base 60)"),
        ("wait: '-1s'", "'-1s' is not a duration"),
        ("wait: 5 parsecs", "'5 parsecs' is not a duration"),
        ("size: lage", "is 'lage', not one of small, large, did you mean 'large'?"),
        ("size: Small", "did you mean 'small'?"),
        ("size: off", "YAML reads off as the boolean false"),
        ("to: wasm:cart", "a target is wasm:MODULE:FUNCTION"),
        ("list: {a: 1}", "must be a list"),
        ("map: [a]", "must be a mapping"),
        ("note: [a]", "must be text"),
    ],
)
def test_a_value_that_does_not_fit_is_named_at_its_place(text: str, message: str) -> None:
    found, problems = read("x-first: 1\n" + text)
    key = text.split(":")[0]
    assert len(problems) == 1
    assert message in problems[0].message
    assert (problems[0].severity, problems[0].line, problems[0].column) == ("error", 2, len(key) + 3)
    assert found.get(key) is None


def test_values_that_fit_are_converted() -> None:
    found, problems = read(
        "name: a\nnote: 1.0\ncount: 3\nshare: 0.5\nopen: true\nwait: 5s\nsize: small\n"
        "to: flow:x\nlist: []\nmap: {}\n"
    )
    assert not problems
    assert [found.get(key) for key in ("name", "note", "count", "share", "open", "wait", "size")] == [
        "a", "1.0", 3, 0.5, True, 5000, "small",
    ]  # fmt: skip
    assert str(found.get("to")) == "flow:x"


def test_an_empty_value_counts_as_absent() -> None:
    found, problems = read("name:\ncount: ~\n")
    assert not problems
    assert found.values == {}


def test_a_boolean_word_is_taken_with_a_warning() -> None:
    found, problems = read("open: yes\n")
    assert found.get("open") is True
    assert [(p.severity, p.message) for p in problems] == [("warning", "'open': YAML reads yes as true")]


def test_unknown_keys_are_warnings_with_a_hint_and_x_keys_are_silent() -> None:
    _, problems = read("nmae: a\nx-anything: [1]\n")
    assert [(p.severity, p.line, p.message) for p in problems] == [
        ("warning", 1, "unknown field 'nmae' in a thing, did you mean 'name'?")
    ]


def test_unknown_keys_are_errors_where_it_is_strict() -> None:
    _, problems = read("colour: red\n", strict=True)
    assert [(p.severity, p.message) for p in problems] == [("error", "unknown field 'colour' in a thing")]


def test_a_missing_field_is_named() -> None:
    root = values.parse(b"a: {}\n", file="a.yaml").root
    assert isinstance(root, Mapping)
    inner = root.entries["a"]
    assert isinstance(inner, Mapping)
    report = Report()
    fields.read(inner, fields.table(Field("name", "name", "the name", required=True)), report, of="a thing")
    assert [(p.line, p.column, p.message) for p in report.problems()] == [(1, 4, "a thing needs 'name'")]
