"""All templates: they compile, stay short, keep the content security policy, and use icons that exist."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines
from django.test import RequestFactory

FOLDER = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html"))
SPRITE = (Path(settings.BASE_DIR) / "static/img/icons.svg").read_text()
INLINE = {
    "a script": re.compile(r"<script(?![^>]*\b(src=|type=\"application/json\"))[^>]*>"),
    "a style element": re.compile(r"<style\b"),
    "a style attribute": re.compile(r"\sstyle\s*="),
    "an event handler": re.compile(r"\son[a-z]+\s*=\s*[\"']"),
    "hx-on": re.compile(r"\shx-on[:=]"),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_compiles(name: str) -> None:
    engines["django"].get_template(name)


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_has_at_most_120_lines(name: str) -> None:
    assert len((FOLDER / name).read_text().splitlines()) <= 120


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_holds_nothing_that_the_policy_refuses(name: str) -> None:
    text = (FOLDER / name).read_text()
    assert [what for what, pattern in INLINE.items() if pattern.search(text)] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_its_icons_are_in_the_sprite(name: str) -> None:
    used = re.findall(r"{% icon \"([a-z-]+)\"|icon_name=\"([a-z-]+)\"", (FOLDER / name).read_text())
    assert [icon for pair in used for icon in pair if icon and f'id="{icon}"' not in SPRITE] == []


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_an_error_page_renders_without_a_request(status: int) -> None:
    html = engines["django"].get_template(f"{status}.html").render({})
    assert f">{status}</p>" in html
    assert "<h1" in html


def test_a_message_is_escaped_in_its_toast() -> None:
    request = RequestFactory().get("/")
    html = engines["django"].get_template("_toast_content.html").render({"text": "<b>x</b>"}, request)
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def test_a_problem_is_escaped_and_links_to_its_line() -> None:
    problem = {
        "severity": "error",
        "file": "a b.yaml",
        "line": 3,
        "column": 7,
        "message": "<i>",
        "hint": "try y",
    }
    html = engines["django"].get_template("_problems.html").render({"problems": [problem], "file_url": "/f/"})
    assert 'href="/f/a%20b.yaml#L3"' in html
    assert "&lt;i&gt;" in html
    assert "try y" in html
