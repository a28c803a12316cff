"""JSON with places: the same values as the standard reader's, each where it stands; what is wrong, exactly where."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles import jsontree, values
from bundles.values import Mapping, Node

ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def parse(text: str) -> Node | None:
    return jsontree.parse(text.encode(), file="a.json").root


@settings(max_examples=200, deadline=None)
@given(ANY, st.sampled_from([None, 2]), st.booleans())
def test_it_reads_what_the_standard_reader_reads(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    document = jsontree.parse(text.encode(), file="a")
    if document.root is None:  # a control character that our files may not contain
        assert not ascii_only
        assert "contains" in document.problems[0].message
        return
    assert values.plain(document.root) == value


def test_every_value_knows_its_place() -> None:
    root = parse('{\n  "a": [1,\n    {"b": null}]\n}')
    assert isinstance(root, Mapping)
    assert root.keys["a"][1:] == (2, 3)
    assert root.entries["a"].place[1:] == (2, 8)
    inner = root.entries["a"].items[1]  # type: ignore[union-attr]
    assert inner.place[1:] == (3, 5)
    assert inner.entries["b"].place[1:] == (3, 11)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("", 1, 1, "a value is expected"),
        ("{", 1, 2, "a key in quotes"),
        ("[1,]", 1, 4, "a value is expected"),
        ('{"a":1,}', 1, 8, "a key in quotes"),
        ('{"a" 1}', 1, 6, "':' is expected"),
        ("[1 2]", 1, 4, "',' is expected"),
        ("\n[1] 2", 2, 5, "something follows"),
        ("{'a': 1}", 1, 2, "not expected here"),
        ("[NaN]", 1, 2, "not expected here"),
        ("1e999", 1, 1, "too large"),
        ("[" + "1" * 50 + "]", 1, 2, "characters"),
        ("[" * 100, 1, 65, "levels"),
        ('"\\x"', 1, 1, "escape"),
        ("[" + "1," * 60_000 + "1]", 1, 100_000, "values"),
    ],
)
def test_what_is_not_json_is_told_with_its_place(text: str, line: int, column: int, message: str) -> None:
    (problem,) = jsontree.parse(text.encode(), file="a.json").problems
    assert (problem.line, problem.column) == (line, column)
    assert message in problem.message


def test_a_key_that_is_there_twice_is_a_warning() -> None:
    document = jsontree.parse(b'{"a": 1, "a": 2}', file="a")
    assert document.root is not None
    assert values.plain(document.root) == {"a": 2}
    assert [problem.severity for problem in document.problems] == ["warning"]


def test_half_a_surrogate_pair_does_not_survive() -> None:
    root = parse('["\\ud800", "\\ud83d\\ude00"]')
    assert root is not None
    assert values.plain(root) == ["?", "😀"]
