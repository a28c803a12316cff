"""README and CHANGELOG: their links and pictures exist, their commands are those that there are."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "examples/ecommerce/README.md"]
)
def test_every_link_to_a_file_leads_to_one(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        if "://" not in target:
            assert (ROOT / name).parent.joinpath(target).exists(), target


def test_the_screenshot_is_a_picture() -> None:
    assert "docs/screenshot.png" in README
    assert (ROOT / "docs" / "screenshot.png").read_bytes().startswith(b"\x89PNG")


def test_the_make_targets_that_it_names_are_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)", README)) <= targets


def test_the_changelog_begins_with_the_present_version_and_both_headings() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    newest = re.search(r"^## (\S+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert newest
    assert newest[1] == version[1]
    assert re.findall(r"^### (.+)", newest[2], re.MULTILINE) == ["Improvements", "Bug fixes"]
