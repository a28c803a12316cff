"""Expressions for all inputs: only CelError, never more work than the budget, reading in linear time."""

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundles import cel, template
from bundles.celerror import MAX_STEPS
from bundles.celfunctions import TABLE
from bundles.celvalues import plain

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)
WORDS = [
    *("payload", "payload.a", "payload.b.c", "x", "1", "-2", "0", "2.5", "9223372036854775807", "'t'", "''"),
    *("b'x'", "true", "false", "null", "[", "]", "{", "}", "(", ")", ",", ".", ":", "?", "+", "-", "*", "/"),
    *("%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "!", "in", "has(payload.a)", ".map(x, x)", "'a': "),
    *(
        ".filter(x, true)",
        ".all(x, x == 1)",
        "[0]",
        ".a",
        "'",
        '"',
        "`",
        "\\",
        "${",
        "//",
        "\n",
        "é",
        "math.",
    ),
]
ATOMS = st.sampled_from(
    [
        "payload",
        "payload.a",
        "payload.b",
        "1",
        "-7",
        "2.5",
        "'text'",
        "b'y'",
        "true",
        "null",
        "[1, 'a']",
        "{'k': 1}",
    ]
)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "in"])
    macros = st.sampled_from(["all", "exists", "exists_one", "map", "filter", "sortBy"])
    functions = st.sampled_from(sorted(TABLE))
    return st.one_of(
        st.builds("({} {} {})".format, inner, operators, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("{}.{}(x, {})".format, inner, macros, inner | st.just("x")),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("default({}, {})".format, inner, inner),
        st.builds("{}({})".format, functions, inner),
        st.builds("{}({}, {})".format, functions, inner, inner),
        st.builds("{}.{}()".format, inner, functions),
        st.builds("{}.{}({})".format, inner, functions, inner),
        st.builds("{}.{}({}, {})".format, inner, functions, inner, inner),
    )


EXPRESSIONS = st.recursive(ATOMS, _grown, max_leaves=8)
QUICK = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])


def evaluated(text: str, payload: Any) -> Any:
    try:
        return cel.compile(text)({"payload": payload})
    except cel.CelError as wrong:
        return wrong


@QUICK
@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=15).map("".join), JSON)
def test_any_text_gives_a_value_or_a_cel_error(text: str, payload: Any) -> None:
    found = evaluated(text, payload)
    if isinstance(found, cel.CelError):
        assert 1 <= found.column <= len(text) + 1
        assert found.message in str(found)


@QUICK
@given(EXPRESSIONS, JSON)
def test_any_expression_gives_json_or_a_cel_error(text: str, payload: Any) -> None:
    found = evaluated(text, payload)
    if not isinstance(found, cel.CelError):
        assert json.dumps(found, allow_nan=False)
        assert plain(found) == found


@QUICK
@given(EXPRESSIONS, JSON)
def test_no_evaluation_takes_more_than_its_steps(text: str, payload: Any) -> None:
    try:
        _, left = cel.compile(text).within({"payload": payload}, 50)
    except cel.CelError:
        return
    assert 0 <= left <= 50


@QUICK
@given(st.recursive(st.text(max_size=20) | st.sampled_from(["${payload}", "a ${payload.a} b", "$${x}", "${"]),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)),
       JSON)  # fmt: skip
def test_any_template_gives_a_value_or_a_cel_error(value: Any, payload: Any) -> None:
    try:
        found = template.compile(value)({"payload": payload})
    except cel.CelError:
        return
    assert "$" in json.dumps(value) or found == value


@QUICK
@given(JSON, JSON)
def test_equality_is_json_equality(left: Any, right: Any) -> None:
    assert cel.compile("a == a")({"a": left}) is True
    found = cel.compile("a == b")({"a": left, "b": right})
    assert found is cel.compile("b == a")({"a": left, "b": right})
    assert found is (_canonical(left) == _canonical(right))


def _canonical(value: Any) -> Any:
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    return ("bool", value) if isinstance(value, bool) else value


@QUICK
@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_have_64_bits(a: int, b: int) -> None:
    wanted = {"+": a + b, "-": a - b, "*": a * b}
    if b:
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        wanted |= {"/": quotient, "%": a - b * quotient}
    for op, exact in wanted.items():
        found = evaluated(f"payload[0] {op} payload[1]", [a, b])
        assert found == exact if -(2**63) <= exact < 2**63 else isinstance(found, cel.CelError)


@pytest.mark.parametrize(
    "part",
    ["a", "'", '"', "`", "(", "[", "{", "!", "-", "a.", "a?", "1+", "a&&", "\\", "'''", "r'", "//", "${", "0x", "1e",
     "'a'+", "has(", "a.map(x,", "x in ", "/", ".", "9", "0.", "'\\", "é", "[[],", "{'a':", "a?b:", "b'\\x41'+"],
)  # fmt: skip
def test_reading_takes_linear_time(part: str) -> None:
    text = part * (9_999 // len(part))
    started = time.process_time()
    for unread in (text, text + "1", "${" + text):
        evaluated(unread, {})
    for value in (text, "${" + text, ("${" + part) * (9_999 // len(part)), "$" * 10_000, "$${" * 3_000):
        try:
            template.compile(value)
        except cel.CelError:
            continue
    assert time.process_time() - started < 1


def test_the_steps_of_a_long_loop_are_paid() -> None:
    everything = "payload.all(a, payload.all(b, a + b >= 0))"
    assert evaluated(everything, list(range(100))) is True
    found = evaluated(everything, list(range(1000)))
    assert isinstance(found, cel.CelLimit)
    assert str(MAX_STEPS) in found.message
