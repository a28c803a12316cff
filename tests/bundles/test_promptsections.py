"""Sections by their headings and marks."""

import pytest

from bundles.promptsections import SectionFault, slug, split


def test_sections_have_the_names_of_their_headings() -> None:
    text = "before\n# What It Does!\n\na\n\n### B -- c\nb\n"
    assert split(text) == {"what-it-does": "# What It Does!\n\na", "b-c": "### B -- c\nb"}


def test_a_mark_names_the_heading_below_it() -> None:
    text = "<!-- section-id: one -->\n\n# A\n\n\n\n\n\n\n# B\n<!-- SECTION-ID: three -->\n# C"
    assert list(split(text)) == ["one", "b", "three"]


@pytest.mark.parametrize("heading", ["é", "!!!", "constructor", "My __proto__", "x" * 101])
def test_headings_that_cannot_be_names_are_refused(heading: str) -> None:
    with pytest.raises(SectionFault):
        split(f"# {heading}" if heading != "My __proto__" else "<!-- section-id: __proto__ -->\n# A")


@pytest.mark.parametrize(
    "text", ["# A\n\n# a", "<!-- section-id: A B -->\n# A", "<!-- section-id: x -->\n# A\n# B"]
)
def test_names_that_are_not_clear_are_refused(text: str) -> None:
    with pytest.raises(SectionFault):
        split(text)


def test_a_text_without_headings_has_no_sections() -> None:
    assert split("") == split("just text\n#no heading\n####### seven") == {}


def test_slugs() -> None:
    assert [slug(text) for text in ("A  b", "--A-", "a_b", "1. One")] == ["a-b", "a", "ab", "1-one"]
