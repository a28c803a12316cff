"""The head of a prompt: what is read, what is kept, and every problem at its place."""

import pytest

from bundles.prompt import load as load_prompt
from tests.bundles.promptsamples import codes, load, places, prmd


def test_a_prompt_says_who_it_is() -> None:
    found = load(prmd("Hello\n", "description: Greets\nmodel: m\ntemperature: 0.5\nx-mine: {a: [1]}\n"))
    assert (found.id, found.name, found.version, found.description) == ("x", "X", "1.0.0", "Greets")
    assert found.settings == {"model": "m", "temperature": 0.5, "x-mine": {"a": [1]}}
    assert (found.body, found.line, found.problems) == ("Hello", 6 + 4, ())


def test_unknown_keys_are_kept_without_a_word() -> None:
    found = load(prmd("a", "extends: nothing\ninterceptors: [{rateLimit: {max: 3}}]\n"))
    assert found.settings["interceptors"] == [{"rateLimit": {"max": 3}}]
    assert found.problems == ()
    assert found.at("interceptors").line == 6


@pytest.mark.parametrize(
    ("start", "code", "line"),
    [
        ("name: X\nversion: 1.0.0\n", "MISSING_ID", 2),
        ("id: Not Kebab\nname: X\nversion: 1.0.0\n", "INVALID_ID", 2),
        ("id: x\nversion: 1.0.0\n", "MISSING_NAME", 2),
        ("id: x\nname: X\n", "MISSING_VERSION", 2),
        ("id: x\nname: X\nversion: one\n", "INVALID_VERSION", 4),
    ],
)
def test_what_a_prompt_needs(start: str, code: str, line: int) -> None:
    found = load(prmd("a", start=start))
    assert codes(found.problems) == [code]
    assert found.problems[0].line == line
    assert found.has_errors


@pytest.mark.parametrize("text", ["", "no front", "---\nid: x\n", "---\n---\nbody", "--- \nid: x\n---\n"])
def test_a_file_without_front_matter_is_an_error(text: str) -> None:
    found = load(text.encode())
    assert codes(found.problems) == ["PARSE_ERROR"]
    assert not found.usable


def test_a_list_is_no_front_matter() -> None:
    assert codes(load(b"---\n- a\n---\nx").problems) == ["PARSE_ERROR"]


def test_a_file_that_is_not_there() -> None:
    assert codes(load_prompt({}, "a.prmd").problems) == ["NOT_FOUND"]


def test_yaml_faults_stand_at_the_line_of_the_file() -> None:
    found = load(b"---\nid: x\nname: [\n---\nbody")
    assert found.problems[0].line >= 3
    assert found.problems[0].file == "prompts/x.prmd"


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n"])
def test_any_end_of_line_and_a_mark_at_the_start_will_do(ends: str) -> None:
    text = "\ufeff---\nid: x\nname: X\nversion: 1.0.0\n---\n\n\nHello\nyou\n"
    found = load(text.replace("\n", ends).encode())
    assert (found.body, found.line, found.problems) == ("Hello\nyou", 8, ())


def test_front_matter_alone_is_enough() -> None:
    found = load(b"---\nid: x\nname: X\nversion: 1.0.0\n---")
    assert (found.body, found.problems) == ("", ())


def test_words_of_yaml_1_1_are_texts() -> None:
    found = load(prmd("a", "a: yes\nb: 1:30\nc: 2026-01-31\nd: 0x10\ne: 010\nf: true\ng: 1_000\n"))
    assert found.settings == {
        "a": "yes", "b": "1:30", "c": "2026-01-31", "d": 16, "e": 10, "f": True, "g": "1_000",
    }  # fmt: skip


def test_a_setting_that_no_model_takes_has_no_effect() -> None:
    found = load(prmd("a", "temperature: hot\nmax_tokens: 0\n"))
    assert codes(found.problems) == ["INVALID_SETTING", "INVALID_SETTING"]
    assert {problem.severity for problem in found.problems} == {"warning"}
    assert places(found.problems) == [("prompts/x.prmd", 5, 14), ("prompts/x.prmd", 6, 13)]
    assert found.settings == {}


@pytest.mark.parametrize(
    "data", [b"\xff\xfe\x00", b"---\nid: \x00\n---\n", b"---\n" + b"[" * 5000 + b"\n---\n"]
)
def test_bytes_of_any_kind_are_problems_and_never_an_exception(data: bytes) -> None:
    assert load(data).has_errors
