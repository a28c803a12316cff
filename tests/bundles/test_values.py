"""The YAML loader: every place known, every bad input a problem with its place, soon (A040–A047, A050, A052, A053)."""

import json
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles import values
from bundles.values import Mapping, Problem, Scalar, Sequence


def parse(text: str | bytes) -> values.Document:
    return values.parse(text if isinstance(text, bytes) else text.encode(), file="a.yaml")


def only(text: str | bytes) -> Problem:
    document = parse(text)
    assert len(document.problems) == 1, document.problems
    assert document.problems[0].file == "a.yaml"
    return document.problems[0]


def spot(problem: Problem) -> tuple[int, int]:
    return problem.line, problem.column


def test_every_key_and_value_knows_its_place() -> None:
    root = parse("# note\nname: shop\nlist:\n  - one\n  - {two: 2}\n").root
    assert isinstance(root, Mapping)
    assert root.keys["list"][1:] == (3, 1)
    assert root.entries["name"].place == ("a.yaml", 2, 7)
    items = root.entries["list"]
    assert isinstance(items, Sequence)
    assert [item.place[1:] for item in items.items] == [(4, 5), (5, 5)]
    assert values.plain(root) == {"name": "shop", "list": ["one", {"two": 2}]}


def test_keys_are_always_text() -> None:
    root = parse("on: 1\nno: 2\n010: 3\n").root
    assert values.plain(root) == {"on": 1, "no": 2, "010": 3}  # type: ignore[arg-type]


def test_an_empty_file_is_nothing() -> None:
    root = parse("# only a comment\n").root
    assert isinstance(root, Scalar)
    assert root.kind == "null"


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, "'a' is written twice, first on line 1, again on line 3"),
        ("a: {b: 1, b: 2}\n", 1, 11, "'b' is written twice"),
        ("a: 1\n---\nb: 2\n", 2, 1, "second YAML document"),
        ("a:\n\tb: 1\n", 2, 1, "not YAML"),
        ("a: [1, 2\nb: 3\n", 2, 2, "not YAML"),
        (
            "a: !!python/object/apply:os.system [ls]\n",
            1,
            4,
            "'!!python/object/apply:os.system' is not allowed",
        ),
        ("a: !mine x\n", 1, 4, "'!mine' is not allowed"),
        ("a: !!binary aGk=\n", 1, 4, "'!!binary' is not allowed"),
        ("base: &b {x: 1}\nmore:\n  <<: *b\n", 3, 3, "merge keys"),
        ("a: *nowhere\n", 1, 4, "&nowhere is not defined"),
        ("a: &a [*a]\n", 1, 8, "refers to itself"),
        ("? [a]\n: b\n", 1, 3, "a key must be a simple text"),
        ('a: 1\nb: "x\\0y"\n', 2, 4, "NUL"),
        ('"x\\0y": 1\n', 1, 1, "NUL"),
        ('a: "\\ud800"\n', 1, 7, "not YAML"),
        ("a: .inf\n", 1, 4, "YAML reads .inf as infinity"),
        ("a: [1, -.INF]\n", 1, 8, "infinity"),
        ("a: .nan\n", 1, 4, "not a number"),
        ("a: 1.0e+999\n", 1, 4, "infinity"),
        ("a: 2026-99-99\n", 1, 4, "month must be in 1..12"),
        ("a: 2026-02-30 10:00:00\n", 1, 4, "day"),
        ("a: " + "9" * 5000, 1, 4, "5000 characters"),
        ("a: " + "[" * 900, 1, 67, "nested deeper than 64"),
        ("%TAG ! tag:x,2000:\n---\na: 1\n", 1, 1, "directive"),
    ],
)
def test_bad_yaml_is_one_exact_problem(text: str, line: int, column: int, words: str) -> None:
    problem = only(text)
    assert problem.severity == "error"
    assert spot(problem) == (line, column)
    assert words in problem.message


@pytest.mark.parametrize(
    ("data", "place", "words"),
    [
        (b"\xff\xfea\x00:\x00", (1, 1), "UTF-16"),
        ("a: ü".encode() + b"\nb: \xff", (2, 4), "UTF-8"),
        (b"ok: 1\nname: a\0b\n", (2, 8), "NUL"),
        (b"name: a\x1bb\n", (1, 8), "U+001B"),
        (b"x" * (1024 * 1024 + 1), (1, 1), "limit"),
    ],
)
def test_bytes_that_are_no_text_are_one_exact_problem(
    data: bytes, place: tuple[int, int], words: str
) -> None:
    problem = only(data)
    assert spot(problem) == place
    assert words in problem.message


def test_a_colon_too_much_gets_a_hint() -> None:
    assert "in quotes" in only("name: a: b\n").hint


def test_tabs_get_a_hint() -> None:
    assert "spaces" in only("a:\n\tb: 1\n").hint


def test_bom_and_windows_lines_are_read() -> None:
    document = parse(b"\xef\xbb\xbfa: 1\r\nb:\r\n  - x\r\n  - {a: 1, a: 2}\r\n")
    assert values.plain(document.root) == {"a": 1, "b": ["x", {"a": 1}]}  # type: ignore[arg-type]
    assert [spot(problem) for problem in document.problems] == [(4, 12)]


@pytest.mark.parametrize(
    ("text", "kind", "value", "odd"),
    [
        ("on", "bool", True, "a boolean word"),
        ("True", "bool", True, ""),
        ("1:30", "int", 90, "base 60"),
        ("010", "int", 8, "octal"),
        ("0x1F", "int", 31, "hexadecimal"),
        ("-0b11", "int", -3, "binary"),
        ("1_000", "int", 1000, "a number with underscores"),
        ("-12", "int", -12, ""),
        ("1.50", "float", 1.5, ""),
        ("1e3", "str", "1e3", ""),
        ("2026-01-01", "date", "2026-01-01", ""),
        ("~", "null", None, ""),
        ('"on"', "str", "on", ""),
        ("!!str 12", "str", "12", ""),
        ("=", "str", "=", ""),
    ],
)
def test_what_yaml_makes_of_a_word_is_known(text: str, kind: str, value: object, odd: str) -> None:
    root = parse(f"a: {text}").root
    assert isinstance(root, Mapping)
    scalar = root.entries["a"]
    assert isinstance(scalar, Scalar)
    assert (scalar.kind, scalar.value, scalar.odd) == (kind, value, odd)


def test_a_few_aliases_are_copied_not_shared() -> None:
    root = parse("a: &x {list: [1]}\nb: *x\nc: *x\n").root
    copies = values.plain(root)  # type: ignore[arg-type]
    copies["b"]["list"].append(2)
    assert copies == {"a": {"list": [1]}, "b": {"list": [1, 2]}, "c": {"list": [1]}}


def merge_bomb(lines: int) -> bytes:
    first = "a0: &a0 {k: 1}\n"
    return (
        first + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, lines))
    ).encode()


def alias_bomb(levels: int) -> bytes:
    first = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    rows = (f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, levels))
    return (first + "".join(rows)).encode()


HEAVY = {
    "merge bomb": merge_bomb(25),
    "alias bomb": alias_bomb(9),
    "many aliases": b"a: &a x\n" + b"b: [" + b"*a," * 300_000 + b"]\n",
    "deep flow": b"[" * 1_000_000,
    "deep block": b"- " * 500_000,
    "deep mappings": b"{a: " * 250_000,
    "many values": b"- a\n" * 260_000,
    "flow values": b"[" + b"a," * 500_000,
    "duplicate keys": b"a:\n" * 340_000,
    "tag directives": b"%TAG !a! b\n" * 90_000,
    "long number": b"a: " + b"1" * 1_000_000,
    "sexagesimal": b"a: '" + b"1:" * 500_000 + b"'",
    "one text": b"a" * 1_000_000,
    "escapes": b'"' + b"\\u0041" * 160_000 + b'"',
    "anchors": b"".join(b"- &a%d x\n" % n for n in range(80_000)),
    "question marks": b"? " * 500_000,
    "comments": b"#\n" * 500_000,
    "block text": b"a: |\n" + b"  x\n" * 250_000,
}


@pytest.mark.parametrize("name", HEAVY)
def test_any_megabyte_is_answered_soon(name: str) -> None:
    """Around 50 ms; what grows with the square of its size would take minutes."""
    data = HEAVY[name][: values.MAX_BYTES]
    best = min(_seconds(data) for _ in range(3))
    assert best < 1.0 * _slowness(), f"{best * 1000:.0f} ms"


def _seconds(data: bytes) -> float:
    began = time.process_time()
    values.parse(data, file="a.yaml")
    return time.process_time() - began


def _slowness() -> float:
    """How many times slower than the measured machine this one is just now."""
    began = time.process_time()
    sum(range(1_000_000))
    return max(1.0, (time.process_time() - began) / 0.02)


def test_problems_are_counted_past_their_limit() -> None:
    document = parse("a: 1\n" * 1000)
    assert len(document.problems) == 201
    assert "799 more problems" in document.problems[-1].message


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    document = parse(data)
    assert document.root is not None or any(problem.severity == "error" for problem in document.problems)
    for problem in document.problems:
        assert problem.line >= 1
        assert problem.column >= 1


WORDS = [
    "a",
    "b: ",
    "- ",
    "\n",
    "  ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&x ",
    "*x",
    "<<: ",
    "!t ",
    "'",
    '"',
    ">\n",
    "? ",
    "---\n",
    "1:30",
    "~",
    "\t",
    "#",
    "a",
]
YAMLISH = st.lists(st.sampled_from(WORDS), max_size=30).map("".join)


@settings(max_examples=300, deadline=None)
@given(YAMLISH)
def test_what_loads_without_a_problem_has_the_texts_that_pyyaml_reads(text: str) -> None:
    document = parse(text)
    if not document.problems and document.root is not None:
        read = yaml.load(text, Loader=yaml.CBaseLoader)
        assert texts(document.root) == ("" if read is None else read)


def texts(node: values.Node) -> object:
    if isinstance(node, Mapping):
        return {key: texts(value) for key, value in node.entries.items()}
    if isinstance(node, Sequence):
        return [texts(item) for item in node.items]
    return node.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text("abc: -#'\"é\n{}[]&*!", max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab ", max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON)
def test_every_json_document_reads_as_itself(value: object) -> None:
    document = parse(json.dumps(value))
    assert not document.problems
    assert values.plain(document.root) == value  # type: ignore[arg-type]
