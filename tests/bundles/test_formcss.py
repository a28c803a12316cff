"""Stylesheets of tenants: what stays, what is left out, and that nothing else can come out of any text."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles.formcss import MAX_FAULTS, confined
from bundles.formtokens import tokens


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            ".form-container { max-width: 600px; margin: 0 auto; }",
            ".form-container { max-width: 600px; margin: 0 auto; }",
        ),
        (
            ".submit-btn { background: linear-gradient(135deg, #667eea 0%, #764ba2 100%); }",
            ".submit-btn { background: linear-gradient(135deg, #667eea 0%, #764ba2 100%); }",
        ),
        ("h1,p>b:first-child{color:RED}", "h1, .form-scope p>b:first-child { color: RED; }"),
        (".a /* } */ .b { color: red }", ".a  .b { color: red; }"),
        (".a:nth-child(2n+1)::placeholder { color: red }", ".a:nth-child(2n+1)::placeholder { color: red; }"),
        ('.a { font-family: "Open Sans", serif }', '.a { font-family: "Open Sans", serif; }'),
        (
            ".a { --gap: 4px; padding: calc(var(--gap) * 2) }",
            ".a { --gap: 4px; padding: calc(var(--gap) * 2); }",
        ),
    ],
)
def test_what_is_harmless_stays_and_is_bound_to_the_form(text: str, left: str) -> None:
    sheet = confined(text)
    assert (sheet.text, sheet.faults) == (f".form-scope {left}", [])


def test_rules_for_screens_stay() -> None:
    sheet = confined("@media (max-width: 40rem) and (prefers-color-scheme: dark) { .a { color: red } }")
    assert (
        sheet.text
        == "@media (max-width: 40rem) and (prefers-color-scheme: dark) {\n.form-scope .a { color: red; }\n}"
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        (".a {\n  color: red;\n  position: fixed }", 3, 3, "the property 'position' is not allowed"),
        ("\n@import 'x';", 2, 1, "'@import' is not allowed"),
        (".a { background: url(x) }", 1, 18, "nothing is loaded"),
        (".a { color: red !important }", 1, 17, "!important"),
        ("#id { color: red }", 1, 1, "not ids"),
        ("a[href] { color: red }", 1, 2, "attributes"),
        ("body { color: red }", 1, 1, ".form-page"),
        (".a { .b { color: red } }", 1, 6, "rules cannot lie in rules"),
        (".a { color: red", 1, 1, "does not end"),
        (".a { margin: 0 -1px }", 1, 16, "not below zero"),
        (".a { margin: calc(0px - 9px) }", 1, 14, "not below zero"),
        ("@media print { @media screen { .a { color: red } } }", 1, 16, "'@media' is not allowed"),
        ("> .a { color: red }", 1, 1, "combinator"),
        (".a { font-family: 'a\\62 c' }", 1, 19, "backslashes"),
    ],
)
def test_what_is_left_out_is_said_with_its_place(text: str, line: int, column: int, said: str) -> None:
    sheet = confined(text)
    assert [(one.line, one.column) for one in sheet.faults] == [(line, column)]
    assert said in sheet.faults[0].message


def test_what_is_wrong_spoils_nothing_else() -> None:
    sheet = confined(".a { top: 0; color: red } @x { b { } } } .b { color: blue } .c { color: red")
    assert sheet.text == ".form-scope .a { color: red; }\n.form-scope .b { color: blue; }"
    assert len(sheet.faults) == 4


PIECES = st.sampled_from(
    [
        *(".a", "{", "}", "(", ")", "[", "]", ";", ":", ",", "'", '"', "\\", "/*", "*/", "*", ">", "::", "&"),
        *(
            "@media",
            "@import",
            "url(",
            "url",
            "/**/",
            "margin:",
            "calc",
            "9px",
            "-",
            "u\\72l(",
            "color",
            "red",
            "position:fixed",
            "</style>",
            "<!--",
            "-->",
        ),
        *("!important", "#f00", "--x", "var(", "1px", "-1", " ", "\n", "\0", "é"),
    ]
)
SAFE = re.compile(
    r"(?:@media [-\w\s():,<>=.+%]+ \{\n)?|\}|\.form-scope [-\w\s.:>+~*(),%]+ \{ (?:[-\w]+: [-\w\s#(),.%/+*\"]+; ?)+\}"
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=200))
def test_whatever_is_written_only_known_words_come_out(text: str) -> None:
    sheet = confined(text)
    for line in sheet.text.splitlines():
        assert SAFE.fullmatch(line + ("\n" if line.startswith("@media") else "")), line
    for word in ("url", "import", "\\", "<", "fixed", "!"):
        assert word not in sheet.text or (word == "<" and "@media" in sheet.text)
    again = confined(sheet.text.replace(".form-scope ", ""))
    assert (again.text, again.faults) == (sheet.text, [])


LONG = [
    "{",
    "(",
    "[",
    "'",
    '"',
    "/*",
    "\\",
    ".a{",
    "@media (",
    "a,",
    "<!--",
    ".a{color:red}",
    "url(",
    "-",
    "1e",
]


@pytest.mark.parametrize("piece", LONG)
def test_no_text_takes_long(piece: str) -> None:
    start = time.perf_counter()
    sheet = confined(piece * (50_000 // len(piece)))
    assert time.perf_counter() - start < 2
    assert len(sheet.faults) <= MAX_FAULTS


def test_tokens_know_their_places() -> None:
    found = [(one.text, one.line, one.column) for one in tokens("a /* x\n*/ b\r\n  c") if one.kind == "ident"]
    assert found == [("a", 1, 1), ("b", 2, 4), ("c", 3, 3)]
