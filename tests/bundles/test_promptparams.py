"""Parameters: as declared, as doors check them, as JSON Schema."""

from typing import Any

import pytest

from bundles.promptcheck import check
from bundles.promptparams import TYPES, Parameter
from bundles.promptschema import json_schema
from tests.bundles.promptsamples import codes, load, prmd


def declared(text: str) -> tuple[Parameter, ...]:
    found = load(prmd("a", f"parameters:\n{text}"))
    assert found.problems == ()
    return found.parameters


def refused(text: str, given: dict[str, Any], *, texts: bool = False) -> list[str]:
    return [f"{one['path']}: {one['message']}" for one in check(declared(text), given, texts=texts).errors]


def taken(text: str, given: dict[str, Any], *, texts: bool = False) -> dict[str, Any]:
    found = check(declared(text), given, texts=texts)
    assert found.errors == []
    return found.values


def test_a_parameter_has_all_its_fields() -> None:
    one = declared(
        "  - name: size\n    type: integer\n    required: true\n    default: 3\n    description: How many\n"
        "    enum: [1, 3, 5]\n    min: 1\n    maximum: 5\n    error_message: One, three or five\n    example: 5\n"
    )[0]
    assert (one.name, one.type, one.required, one.default) == ("size", "integer", True, 3)
    assert (one.enum, one.minimum, one.maximum) == ((1, 3, 5), 1, 5)
    assert (one.error_message, one.example, one.line) == ("One, three or five", 5, 6)


def test_parameters_may_be_words_or_a_mapping() -> None:
    assert [one.name for one in declared("  - city\n  - name: day\n")] == ["city", "day"]
    assert [(one.name, one.type) for one in declared("  city:\n  size: integer\n  ok: {type: bool}\n")] == [
        ("city", "string"),
        ("size", "integer"),
        ("ok", "boolean"),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("  - {name: a, type: strin}\n", "UNKNOWN_TYPE"),
        ("  - {name: a, pattern: '(?=x)'}\n", "INVALID_PATTERN"),
        ("  - {name: a, minLength: few}\n", "INVALID_PARAMETER"),
        ("  - {name: a, min: 3, max: 2}\n", "INVALID_PARAMETER"),
        ("  - {name: a, enum: []}\n", "INVALID_PARAMETER"),
        ("  - name: a\n  - name: a\n", "DUPLICATE_PARAMETER"),
        ("  - type: string\n", "INVALID_PARAMETER"),
        ("  - [a]\n", "INVALID_PARAMETER"),
    ],
)
def test_what_cannot_be_meant_is_told(text: str, code: str) -> None:
    assert codes(load(prmd("a", f"parameters:\n{text}")).problems) == [code]


GOOD: dict[str, Any] = {
    "string": "a", "number": 1.5, "integer": 3, "float": 2, "boolean": False, "array": [1], "object": {"a": 1},
    "json": None, "file": "text", "base64": "aGk=",
}  # fmt: skip
BAD: dict[str, Any] = {
    "string": 1, "number": "1", "integer": 1.5, "float": True, "boolean": "true", "array": "a", "object": [],
    "file": 3, "base64": "!",
}  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_takes_its_own_values(kind: str) -> None:
    assert taken(f"  - {{name: a, type: {kind}}}\n", {"a": GOOD[kind]}) == {"a": GOOD[kind]}


@pytest.mark.parametrize("kind", BAD)
def test_every_type_refuses_others(kind: str) -> None:
    found = refused(f"  - {{name: a, type: {kind}}}\n", {"a": BAD[kind]})
    assert len(found) == 1
    assert found[0].startswith("a: must be ")


def test_a_whole_number_may_have_a_point() -> None:
    assert taken("  - {name: a, type: integer}\n", {"a": 3.0}) == {"a": 3}


def test_what_is_missing_has_its_default_or_is_needed() -> None:
    text = "  - {name: a, required: true}\n  - {name: b, required: true, default: x}\n  - {name: c}\n"
    assert refused(text, {}) == ["a: is needed"]
    assert taken(text, {"a": ""}) == {"a": "", "b": "x"}
    assert refused(text, {"a": None}) == ["a: is needed"]


def test_a_name_that_nobody_declared_is_refused() -> None:
    assert refused("  - city\n", {"citty": "x"}) == [
        "citty: there is no such parameter, did you mean 'city'?"
    ]


@pytest.mark.parametrize(
    ("bounds", "value", "said"),
    [
        ("type: integer, min: 3", 2, "must be at least 3"),
        ("type: number, max: 3", 3.5, "must be at most 3"),
        ("type: number, minimum: 3, maximum: 4", 5, "must be at most 4"),
        ("minLength: 2", "a", "must have at least 2 characters, but has 1"),
        ("maxLength: 2", "abc", "must have at most 2 characters, but has 3"),
        ("pattern: '^[a-z]+$'", "A", "must match the pattern ^[a-z]+$"),
        ("enum: [a, b]", "c", 'must be one of "a", "b"'),
        ("type: integer, enum: [1]", 2, "must be one of 1"),
        ("type: array, minItems: 1", [], "must have at least 1 elements, but has 0"),
        ("type: array, maxItems: 1", [1, 2], "must have at most 1 elements, but has 2"),
        ("type: array, enum: [a, b]", ["a", "x"], 'must be one of "a", "b"'),
        ("enum: [a], error_message: Only a", "b", "Only a"),
    ],
)
def test_every_bound_is_kept(bounds: str, value: Any, said: str) -> None:
    assert refused(f"  - {{name: a, {bounds}}}\n", {"a": value}) == [f"a: {said}"]


def test_every_problem_is_told_at_its_path() -> None:
    text = (
        "  - {name: tags, type: array, items: {type: string, maxLength: 2}}\n"
        "  - name: who\n    type: object\n"
        "    properties: {age: {type: integer, required: true}, mail: {pattern: '@'}}\n"
    )
    assert refused(text, {"tags": ["ab", "abc", 1], "who": {"mail": "x"}}) == [
        "tags[1]: must have at most 2 characters, but has 3",
        "tags[2]: must be a text, but is the number 1",
        "who.age: is needed",
        "who.mail: must match the pattern @",
    ]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", " 3 ", 3),
        ("number", "2.5", 2.5),
        ("boolean", "on", True),
        ("boolean", "False", False),
        ("array", "a, b", ["a", "b"]),
        ("array", "a,b\nc", ["a,b", "c"]),
        ("array", '["a,b"]', ["a,b"]),
        ("array", ["a", "", "b"], ["a", "b"]),
        ("object", '{"a": 1}', {"a": 1}),
        ("json", "[1]", [1]),
        ("json", "plain", "plain"),
        ("string", ["a", "b"], "b"),
    ],
)
def test_texts_of_forms_become_what_is_declared(kind: str, text: Any, value: Any) -> None:
    assert taken(f"  - {{name: a, type: {kind}}}\n", {"a": text}, texts=True) == {"a": value}


def test_items_of_a_form_have_their_type_too() -> None:
    text = "  - {name: a, type: array, items: integer}\n"
    assert taken(text, {"a": "1, 2"}, texts=True) == {"a": [1, 2]}
    assert refused(text, {"a": "1, x"}, texts=True) == ["a[1]: must be a whole number, but is the text 'x'"]


def test_nothing_typed_is_nothing_given() -> None:
    text = "  - {name: a, required: true}\n  - {name: b, type: integer, default: 2}\n  - c\n"
    found = check(declared(text), {"a": "", "b": "", "c": ""}, texts=True)
    assert found.errors == [{"path": "a", "message": "is needed"}]
    assert found.values == {"b": 2}


@pytest.mark.parametrize("text", ["x", "1e999", "9" * 5000, "1_000", "٣", "nan", "inf"])
def test_texts_that_are_no_numbers_are_refused(text: str) -> None:
    assert len(refused("  - {name: a, type: number}\n", {"a": text}, texts=True)) == 1


@pytest.mark.parametrize("number", [2**64, -(2**64), 1e300, 10**400])
def test_a_whole_number_has_64_bits(number: Any) -> None:
    text = "  - {name: a, type: integer}\n"
    assert refused(text, {"a": number})[0].startswith("a: must be a whole number")
    assert len(refused(text, {"a": f"{number:.0f}" if number == 1e300 else str(number)}, texts=True)) == 1
    assert taken(text, {"a": 2**64 - 1}) == {"a": 2**64 - 1}


def test_a_number_that_is_too_long_is_rounded() -> None:
    assert taken("  - {name: a, type: number}\n", {"a": "9" * 25}, texts=True) == {"a": 1e25}
    assert taken("  - {name: a, type: object}\n", {"a": '{"b": ' + "9" * 25 + "}"}, texts=True) == {
        "a": {"b": 1e25}
    }


@pytest.mark.parametrize(
    "text", ["[NaN]", "[1e999]", "-Infinity", '["\\ud800"]', "[" * 101 + "]" * 101, "9" * 5000, "[" * 20_000]
)
def test_what_no_json_can_hold_is_a_text(text: str) -> None:
    assert taken("  - {name: a, type: json}\n", {"a": text}, texts=True) == {"a": text}
    assert len(refused("  - {name: a, type: object}\n", {"a": text}, texts=True)) == 1


LISTS = [
    ("items: integer", [1]),
    ("items: {pattern: '^a'}", ["a"]),
    ("enum: [a, b]", ["b"]),
    ("items: {type: array, items: integer}", [[1]]),
    ("items: {type: object, properties: {k: string}}", [{}]),
]


@pytest.mark.parametrize(("items", "value"), LISTS)
def test_so_many_values_are_looked_at_and_no_more(items: str, value: list[Any]) -> None:
    text = f"  - {{name: a, type: array, {items}}}\n"
    assert taken(text, {"a": value * 4_000}) == {"a": value * 4_000}
    assert any("more than 10,000 values" in said for said in refused(text, {"a": value * 200_000}))
    bounded = text.replace("array,", "array, maxItems: 5,", 1)
    assert refused(bounded, {"a": value * 200_000}) == ["a: must have at most 5 elements, but has 200000"]


def test_true_is_not_1_among_choices() -> None:
    text = "  - {name: a, type: json, enum: [1, x, [2], {b: 3}, null]}\n"
    good: tuple[Any, ...] = (1, 1.0, "x", [2], {"b": 3}, None, ["x", 1])
    wrong: tuple[Any, ...] = (True, "1", 2, {"b": 4}, [True], False)
    assert [taken(text, {"a": one}) for one in good] == [{"a": one} for one in good]
    assert [len(refused(text, {"a": one})) for one in wrong] == [1] * len(wrong)


def test_a_long_list_of_choices_is_not_walked_through_for_each_value() -> None:
    choices = ", ".join(f"v{n}" for n in range(2_000))
    text = f"  - {{name: a, type: array, items: {{enum: [{choices}]}}}}\n"
    (one,) = declared(text)
    assert one.items is not None
    assert len(one.items.allowed) == 2_000
    assert not check([one], {"a": ["v1999"] * 10_000}).errors


def test_a_thousand_faults_are_told_a_hundred_times() -> None:
    text = "  - {name: a, type: array, items: integer}\n"
    assert len(refused(text, {"a": ["x"] * 1000})) == 100


def test_the_schema_says_the_same() -> None:
    text = (
        "  - {name: a, required: true, description: A, pattern: x, minLength: 1}\n"
        "  - {name: b, type: integer, default: 2, min: 1, enum: [1, 2]}\n"
        "  - {name: c, type: array, items: {type: number, max: 3}, maxItems: 2}\n"
        "  - {name: d, type: object, properties: {e: {required: true}}}\n"
        "  - {name: f, type: base64, example: aGk=}\n"
    )
    assert json_schema(declared(text)) == {
        "type": "object",
        "additionalProperties": False,
        "required": ["a"],
        "properties": {
            "a": {"type": "string", "description": "A", "pattern": "x", "minLength": 1},
            "b": {"type": "integer", "default": 2, "minimum": 1.0, "enum": [1, 2]},
            "c": {"type": "array", "items": {"type": "number", "maximum": 3.0}, "maxItems": 2},
            "d": {"type": "object", "properties": {"e": {"type": "string"}}, "required": ["e"]},
            "f": {"type": "string", "contentEncoding": "base64", "examples": ["aGk="]},
        },
    }
