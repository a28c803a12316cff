"""What a prompt says while its model has no key: `rehearsal` in its front matter."""

import json
from typing import Any

import pytest

from bundles import promptlint
from bundles.nunjucks import TemplateError
from bundles.promptrehearsal import wished, words

HEAD = "---\nid: a\nname: A\nversion: 1.0.0\n{more}\n---\nHi"


def problems(more: str) -> list[tuple[str, int, str]]:
    found = promptlint.check({"prompts/a.prmd": HEAD.format(more=more).encode()}, "prompts/a.prmd")
    return [(one.severity, one.line, one.message) for one in found]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (True, ""),
        ("Good day.", "Good day."),
        ("Good day, {{ who }}!\n", "Good day, Ann!"),
        ("{% for n in [1, 2] %}{{ n }},{% endfor %}", "1,2,"),
    ],
)
def test_a_text_is_a_template_of_the_parameters(written: Any, said: str) -> None:
    assert words(written, {"who": "Ann"}) == said


def test_json_has_templates_in_its_texts_and_is_json_whatever_they_say() -> None:
    written = {"to": "{{ who }}", "lines": ["{{ who }}", 7, None, True], "plain": "ü"}
    said = json.loads(words(written, {"who": 'Ann "x"'}))
    assert said == {"to": 'Ann "x"', "lines": ['Ann "x"', 7, None, True], "plain": "ü"}


def test_values_are_data_and_never_templates() -> None:
    assert words("{{ who }}", {"who": "{{ 7 * 7 }}"}) == "{{ 7 * 7 }}"


@pytest.mark.parametrize(
    ("written", "is_one"), [(None, False), (False, False), (True, True), ("x", True), ({}, True)]
)
def test_only_what_says_so_is_rehearsed(written: Any, is_one: bool) -> None:
    assert wished(written) is is_one


LOOP = "{% for a in range(100) %}{% for b in range(1000) %}x{% endfor %}{% endfor %}"


@pytest.mark.parametrize(
    "written",
    [
        LOOP,
        ["{% for a in range(900) %}x{% endfor %}"] * 40,
        ["{{ 1 }}" * 200] * 10,
        "{{ 'x' * 3 }}{{ 1 }}" * 1_000,
    ],
    ids=["one", "many", "together", "long"],
)
def test_it_stops_at_its_limits(written: Any) -> None:
    with pytest.raises(TemplateError):
        words(written, {})


def test_what_is_wrong_with_it_stands_at_its_place() -> None:
    assert problems("rehearsal: 'Hi {{ who }}'") == []
    assert problems("rehearsal: {a: ['{{ who }}', 3]}") == []
    ((severity, line, message),) = problems("rehearsal:\n  a:\n    - '{% if %}'")
    assert (severity, line) == ("error", 7)
    assert "no template" in message
    assert problems("rehearsal: 7")[0][:2] == ("warning", 5)
    assert "too long" in problems("rehearsal: ['" + "{{ 1 }}" * 2_000 + "']")[0][2]
