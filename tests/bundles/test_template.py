"""Values with `${…}`: types are kept, texts are filled in, errors tell where."""

from typing import Any

import pytest

from bundles import template
from bundles.celerror import CelError, CelLimit

SCOPE: dict[str, Any] = {
    "payload": {"id": 7, "name": "Ada", "rate": 1.5, "tags": ["a", "b"], "none": None, "ok": True},
    "secret": {"key": "s3cret"},
}
FILLED = {
    "plain": "plain",
    "": "",
    "${payload.id}": 7,
    "${payload}": SCOPE["payload"],
    "${payload.none}": None,
    "${ payload.tags }": ["a", "b"],
    " ${payload.id}": " 7",
    "${payload.id}${payload.id}": "77",
    "Hello ${payload.name}!": "Hello Ada!",
    "${payload.rate}/${payload.ok}/${payload.none}": "1.5/true/null",
    "tags=${payload.tags}": 'tags=["a","b"]',
    "at ${timestamp(0)}, ${duration('90s')}, ${b'abc'}": "at 1970-01-01T00:00:00Z, 90s, YWJj",
    "${timestamp(0)}": "1970-01-01T00:00:00Z",
    "$${payload.id}": "${payload.id}",
    "a $${b} ${payload.id}": "a ${b} 7",
    "$5 and $ {x} {y}": "$5 and $ {x} {y}",
    "costs $$5": "costs $$5",
    "${{'a': {'b': payload.id}}}": {"a": {"b": 7}},
    "${{'a': {'b': payload.id}}.a.b} }": "7 }",
    "${'}' + \"}\" + '''}''' + r'\\}'}": "}}}\\}",
    "${'${' + payload.name + '}'}": "${Ada}",
    "${payload.tags.map(t, {'t': t + '}'})}": [{"t": "a}"}, {"t": "b}"}],
    "${payload.name // }\n}": "Ada",
    "${1 + 1}": 2,
    "x${1 + 1}": "x2",
}


@pytest.mark.parametrize("text", FILLED)
def test_texts(text: str) -> None:
    found = template.compile(text)(SCOPE)
    assert found == FILLED[text]
    assert type(found) is type(FILLED[text])


def test_values_of_any_shape() -> None:
    value = {
        "url": "https://example.org/${encode(payload.name)}",
        "headers": {"authorization": "Bearer ${secret.key}", "accept": "*/*"},
        "body": [1, None, 2.5, True, "${payload}", ["${payload.id}"], {"${key}": "x"}],
    }
    made = template.compile(value)
    assert made(SCOPE) == {
        "url": "https://example.org/Ada",
        "headers": {"authorization": "Bearer s3cret", "accept": "*/*"},
        "body": [1, None, 2.5, True, SCOPE["payload"], [7], {"${key}": "x"}],
    }
    assert made.names == {"payload", "secret"}
    assert not made.constant
    assert list(made.places("secret")) == [("headers.authorization", 10)]
    assert [hole.path for hole in made.holes] == ["url", "headers.authorization", "body[4]", "body[5][0]"]


def test_whole_values_are_the_same_objects() -> None:
    assert template.compile("${payload}")(SCOPE) is SCOPE["payload"]
    assert template.compile("${payload}").bare == "payload"
    assert template.compile(["${payload}"]).bare == ""
    assert template.compile("${payload.id}").bare == ""
    assert template.compile("x ${payload}").bare == ""


@pytest.mark.parametrize(
    "value", [1, None, True, "text", [], {"a": [1, "b"]}, "$${x}", "${1 + 1}", ["${'a'} b"]]
)
def test_what_needs_no_scope_is_constant(value: Any) -> None:
    made = template.compile(value)
    assert made.constant
    assert made.names == frozenset()
    assert made({}) is made({})


UNREADABLE = {
    "${": "column 1: the expression has no closing }",
    "${}": "column 3: the expression is empty",
    "ab ${payload.": "column 6: the expression has no closing }",
    "ab ${payload.}": "column 14: a field's name is missing after the dot",
    "${'}": "column 3: the text has no closing quote",
    "${payload} ${1 +}": "column 17: the expression ends too early",
    "${{'a': 1}": "column 3: the expression has no closing }",
    "${nothing.here(1)}": "column 11: there is no function here",
    "${1 / 0}": "column 5: division by zero",
    "${payload.a.b.foo(1)}": "there is no function foo",
}


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_cannot_be_read_is_told_with_path_and_column(text: str) -> None:
    with pytest.raises(CelError) as caught:
        template.compile({"items": [{"at": text}]})
    assert caught.value.path == "items[0].at"
    assert UNREADABLE[text].removeprefix("column 1: ").split(": ")[-1] in caught.value.message
    if UNREADABLE[text].startswith("column ") and text != "${":
        assert f"column {caught.value.column}: " in UNREADABLE[text]


def test_what_cannot_be_filled_in_is_told_with_path_and_column() -> None:
    made = template.compile({"headers": {"x": "number ${payload.nmae}"}})
    with pytest.raises(CelError) as caught:
        made(SCOPE)
    assert str(caught.value) == "headers.x, column 18: there is no field nmae, did you mean 'name'?"


def test_a_template_does_not_make_what_is_too_large() -> None:
    scope = {"payload": "x" * 1_000_000}
    with pytest.raises(CelLimit, match="longer than"):
        template.compile("${payload}" * 5 + ".")(scope)
    with pytest.raises(CelLimit, match="larger than"):
        template.compile(["${payload}"] * 17)(scope)
    with pytest.raises(CelError, match="more than 500 expressions"):
        template.compile(["${payload}"] * 501)
    assert len(template.compile(["${payload}"] * 16)(scope)) == 16


def test_all_expressions_of_a_template_share_one_budget() -> None:
    slow = "${payload.all(a, payload.all(b, a == b || true))}"
    scope = {"payload": list(range(200))}
    assert template.compile(slow)(scope) is True
    with pytest.raises(CelLimit, match="steps"):
        template.compile([slow] * 5)(scope)
